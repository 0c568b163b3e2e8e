//! Payments: a strategy by provider, what gateways are asked, and what they tell.

pub mod api;
pub mod model;
pub mod pages;
mod provider;
pub mod service;
pub mod signature;
pub mod store;

pub use model::{
    Behaviour, Operation, OperationKind, OperationState, Payment, PaymentFilter, PaymentState,
    Sight, Strays, Unmatched,
};
pub use provider::{Call, Gateway, Headers, PaymentProvider, Providers, TEST_SIGNATURE};

/// Addresses of this feature's pages.
pub mod urls {
    /// Where gateways send their events (POST).
    pub fn webhook(provider: &str) -> String {
        format!("/payments/webhooks/{provider}")
    }

    /// The page of the test gateway where a payment is decided.
    pub fn test_gateway(reference: &str) -> String {
        format!("/test-gateway/{reference}")
    }

    /// The page of the test gateway's bank, which asks for a code.
    pub fn test_challenge(reference: &str) -> String {
        format!("/test-gateway/{reference}/challenge")
    }
}

//! Payments: a strategy by provider.

pub mod model;
mod provider;
pub mod service;
pub mod store;

pub use model::{Payment, PaymentState};
pub use provider::{PaymentProvider, Providers};

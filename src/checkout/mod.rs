//! Checkout: from a cart to an order.

pub mod api;
pub mod model;
pub mod pages;
pub mod service;

pub use model::{Checkout, PaymentChoice, Placed, Requirement};

/// Addresses of this feature's pages.
pub mod urls {
    /// The checkout page.
    pub const CHECKOUT: &str = "/checkout";
}

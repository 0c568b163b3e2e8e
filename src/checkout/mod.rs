//! Checkout: from a cart to an order.

mod address;
pub mod api;
pub mod model;
pub mod pages;
pub mod service;

pub use model::{Checkout, Given, PaymentChoice, Placed, Requirement, requirements};

/// Addresses of this feature's pages.
pub mod urls {
    /// The checkout page.
    pub const CHECKOUT: &str = "/checkout";
}

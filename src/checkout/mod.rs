//! Checkout: from a cart to an order.

mod address;
pub mod admin;
pub mod api;
pub mod model;
pub mod pages;
pub mod service;

pub use model::{Checkout, Given, PaymentChoice, Placed, PricedOrder, Requirement, requirements};

/// Addresses of this feature's pages.
pub mod urls {
    /// The checkout page.
    pub const CHECKOUT: &str = "/checkout";

    /// Staff: the form of an order for a customer (GET), its price or the order (POST).
    pub const ADMIN_NEW_ORDER: &str = "/admin/orders/new";

    /// The same, filled with whose another order is, and where it went.
    pub fn admin_new_order_like(number: &str) -> String {
        format!("{ADMIN_NEW_ORDER}?like={number}")
    }
}

//! Orders.

pub mod admin;
pub mod api;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{
    Address, FulfilmentStatus, Order, OrderEvent, OrderFilter, OrderLine, OrderStatus,
    OrderSummary, PaymentStatus, PostalAddress,
};

/// Addresses of this feature's pages.
pub mod urls {
    /// The signed-in user's orders.
    pub const ORDERS: &str = "/orders";

    /// An order's page.
    pub fn order(number: &str) -> String {
        format!("/orders/{number}")
    }

    /// The page after placing it.
    pub fn thanks(number: &str) -> String {
        format!("/orders/{number}/thanks")
    }

    /// Cancels it (POST).
    pub fn cancel(number: &str) -> String {
        format!("/orders/{number}/cancel")
    }

    /// An order's page for staff.
    pub fn admin_order(number: &str) -> String {
        format!("/admin/orders/{number}")
    }
}

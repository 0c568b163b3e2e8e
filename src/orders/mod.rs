//! Orders.

pub mod admin;
pub mod api;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{
    Address, FulfilmentStatus, NewOrder, NewOrderLine, Order, OrderEvent, OrderFilter, OrderLine,
    OrderStatus, OrderSummary, PaymentStatus, Statuses, Waiting,
};
pub use service::GuestTokens;

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

    /// Staff: all orders.
    pub const ADMIN_ORDERS: &str = "/admin/orders";

    /// An order's page for staff.
    pub fn admin_order(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}")
    }

    /// Staff: moves an order on (POST).
    pub fn admin_status(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/status")
    }

    /// Staff: asks whether to cancel an order (GET), cancels it (POST).
    pub fn admin_cancel(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/cancel")
    }

    /// Staff: the money of the pending payment came (POST).
    pub fn admin_payment(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/payment")
    }
}

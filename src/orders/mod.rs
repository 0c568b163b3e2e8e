//! Orders.

pub mod admin;
pub mod api;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{
    Address, CARRIERS, Fulfilment, FulfilmentLine, FulfilmentState, FulfilmentStatus, NewOrder,
    NewOrderLine, Order, OrderEvent, OrderFilter, OrderLine, OrderStatus, OrderSummary,
    PaymentStatus, Statuses, Tracking, Waiting,
};
pub use service::GuestTokens;

/// Addresses of this feature's pages.
pub mod urls {
    /// The signed-in user's orders.
    pub const ORDERS: &str = "/orders";

    /// Sends the link to an order to the address that it was placed with.
    pub const FIND: &str = "/orders/find";

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

    /// Staff: writes a note for each other (POST).
    pub fn admin_notes(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/notes")
    }

    /// Staff: the form of a parcel (GET), sends it (POST).
    pub fn admin_send(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/send")
    }

    /// Staff: who carries a parcel.
    pub fn admin_parcel(number: &str, parcel: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/parcels/{parcel}")
    }

    /// Staff: a parcel arrived (POST).
    pub fn admin_delivered(number: &str, parcel: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/parcels/{parcel}/delivered")
    }
}

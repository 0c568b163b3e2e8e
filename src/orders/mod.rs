//! Orders.

pub mod admin;
pub mod api;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod paper;
pub mod service;
pub mod store;

pub use model::{
    Address, CARRIERS, Fulfilment, FulfilmentLine, FulfilmentState, FulfilmentStatus, Invoice,
    InvoiceKind, NewInvoice, NewOrder, NewOrderLine, NextStep, Order, OrderEvent, OrderFilter,
    OrderLine, OrderStatus, OrderSummary, OrderView, PaymentStatus, Refund, RefundLine,
    RefundState, Refundable, Return, ReturnLine, ReturnReason, ReturnState, Statuses, Task,
    Tracking, Waiting,
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

    /// Where the shopper pays: leads on to the gateway (GET), begins anew (POST).
    pub fn payment(number: &str) -> String {
        format!("/orders/{number}/payment")
    }

    /// Where the shopper comes back to from the gateway.
    pub fn payment_return(number: &str) -> String {
        format!("/orders/{number}/payment/return")
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

    /// Staff: takes what is promised (POST).
    pub fn admin_capture(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/capture")
    }

    /// Staff: gives what is promised free (POST).
    pub fn admin_void(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/void")
    }

    /// Staff: asks what goes back (GET), sends it back (POST).
    pub fn admin_refund(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/refund")
    }

    /// Staff: all payments.
    pub const ADMIN_PAYMENTS: &str = "/admin/payments";
    /// Staff: money without order, order without money.
    pub const ADMIN_UNMATCHED: &str = "/admin/payments/unmatched";

    /// Staff: sends money back that belongs to no order (POST).
    pub fn admin_send_back(id: impl std::fmt::Display) -> String {
        format!("{ADMIN_PAYMENTS}/{id}/return")
    }

    /// Staff: an event was looked into (POST).
    pub fn admin_dismiss(id: impl std::fmt::Display) -> String {
        format!("{ADMIN_PAYMENTS}/events/{id}/dismiss")
    }

    /// Staff: the money of the pending payment came (POST).
    pub fn admin_payment(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/payment")
    }

    /// An invoice as a page to print; with `.pdf` behind its number as a file.
    pub fn invoice(number: &str, invoice: &str) -> String {
        format!("/orders/{number}/invoices/{invoice}")
    }

    /// Staff: issues the invoice of an order (POST).
    pub fn admin_invoices(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/invoices")
    }

    /// Staff: the packing slip of a parcel, as a page to print.
    pub fn admin_slip(number: &str, parcel: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/parcels/{parcel}/slip")
    }

    /// Staff: the same as PDF.
    pub fn admin_slip_pdf(number: &str, parcel: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/parcels/{parcel}/slip.pdf")
    }

    /// The form of what goes back (GET), asks for it (POST).
    pub fn send_back(number: &str) -> String {
        format!("/orders/{number}/returns")
    }

    /// Calls a return off (POST).
    pub fn cancel_return(number: &str, one: impl std::fmt::Display) -> String {
        format!("/orders/{number}/returns/{one}/cancel")
    }

    /// Staff: a return (GET), what staff say to it (POST).
    pub fn admin_return(number: &str, one: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/returns/{one}")
    }

    /// Staff: the money of a return goes back (POST).
    pub fn admin_return_refund(number: &str, one: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/returns/{one}/refund")
    }

    /// Staff: the goods of a return came (POST).
    pub fn admin_received(number: &str, one: impl std::fmt::Display) -> String {
        format!("{ADMIN_ORDERS}/{number}/returns/{one}/received")
    }

    /// Staff: what the list shows as CSV.
    pub const ADMIN_EXPORT: &str = "/admin/orders/export.csv";
    /// Staff: keeps a view of the list (POST).
    pub const ADMIN_VIEWS: &str = "/admin/orders/views";
    /// Staff: removes a view of the list (POST).
    pub const ADMIN_VIEW_DELETE: &str = "/admin/orders/views/delete";

    /// Staff: writes a note for each other (POST).
    pub fn admin_notes(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/notes")
    }

    /// Staff: the form of a parcel (GET), sends it (POST).
    pub fn admin_send(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/send")
    }

    /// Staff: the form of what is not to be sent (GET), calls it off (POST).
    pub fn admin_rest(number: &str) -> String {
        format!("{ADMIN_ORDERS}/{number}/rest")
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

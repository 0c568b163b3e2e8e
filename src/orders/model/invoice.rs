//! Invoices and credit notes, as they were issued.

use crate::types::{InvoiceId, Money, OrderId, Timestamp, text_enum};

/// What was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceKind {
    /// What is to be paid, or was.
    Invoice,
    /// What goes back of it.
    CreditNote,
}
text_enum!(InvoiceKind { Invoice => "invoice", CreditNote => "credit_note" });

/// An invoice or a credit note. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Of which order.
    pub order_id: OrderId,
    /// What it is.
    pub kind: InvoiceKind,
    /// Its number, without gaps within its series: `2026-000123`.
    pub number: String,
    /// What it was issued for; empty for an order as a whole.
    pub reference: String,
    /// What is paid, or goes back.
    pub total: Money,
    /// Everything that is printed, as [`paper`](crate::orders::paper) keeps it.
    pub snapshot: String,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// An invoice or a credit note to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvoice {
    /// Of which order.
    pub order_id: OrderId,
    /// What it is.
    pub kind: InvoiceKind,
    /// The series that its number is of.
    pub series: String,
    /// Which of the series, from 1.
    pub position: i64,
    /// Its number.
    pub number: String,
    /// What it is issued for.
    pub reference: String,
    /// What is paid, or goes back.
    pub total: Money,
    /// Everything that is printed.
    pub snapshot: String,
}

/// A series whose numbers are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenSeries {
    /// Which.
    pub series: String,
    /// How many were issued.
    pub issued: i64,
    /// The highest position among them.
    pub highest: i64,
    /// The last one that was counted.
    pub counted: i64,
}

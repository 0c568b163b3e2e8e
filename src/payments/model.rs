//! Payments of orders.

use crate::types::{Money, OrderId, PaymentId, Timestamp, text_enum};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Asked for, nothing has come.
    Pending,
    /// Promised by a gateway, not yet taken.
    Authorized,
    /// The money is here.
    Captured,
    /// It will not come.
    Failed,
    /// Called off.
    Voided,
}
text_enum!(PaymentState {
    Pending => "pending",
    Authorized => "authorized",
    Captured => "captured",
    Failed => "failed",
    Voided => "voided",
});

impl PaymentState {
    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Pending => "Waiting for it",
            Self::Authorized => "Promised",
            Self::Captured => "Received",
            Self::Failed => "Failed",
            Self::Voided => "Called off",
        }
    }
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// The provider's name, `bank_transfer`.
    pub provider: String,
    /// Where it stands.
    pub state: PaymentState,
    /// What is to be paid.
    pub amount: Money,
    /// What came.
    pub captured: Money,
    /// What went back.
    pub refunded: Money,
    /// What the payer writes or the gateway calls it.
    pub reference: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

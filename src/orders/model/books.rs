//! What the books of orders are compared by.

use super::{FulfilmentStatus, OrderStatus};
use crate::types::{Money, RefundId};

/// An order that is not the sum of its lines and shipping. In minor units: total, tax, discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderImbalance {
    /// Its public number.
    pub number: String,
    /// What the order says.
    pub kept: [i64; 3],
    /// What its lines and shipping say.
    pub counted: [i64; 3],
}

/// Pieces that are held for something that needs them no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleHold {
    /// What they are held for: the public number of an order, as far as there is one.
    pub number: String,
    /// Pieces in all.
    pub pieces: i64,
    /// Where the order stands; none where there is no such order.
    pub status: Option<OrderStatus>,
}

/// A line of which more was sent than was ordered and not called off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversent {
    /// The order's public number.
    pub number: String,
    /// What is sold there.
    pub sku: String,
    /// Pieces that its parcels hold.
    pub sent: i64,
    /// Pieces that were to be sent.
    pub wanted: i64,
}

/// An order whose status of delivery is not what its parcels make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missent {
    /// Its public number.
    pub number: String,
    /// What it says.
    pub kept: FulfilmentStatus,
    /// Pieces that its parcels hold.
    pub sent: i64,
    /// Pieces that are to be sent in all.
    pub wanted: i64,
}

/// A refund or a credit note that says something else than what went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundImbalance {
    /// The order's public number.
    pub number: String,
    /// The refund.
    pub refund: RefundId,
    /// What the refund or its note says; none where there is no note.
    pub kept: Option<Money>,
    /// What its payments sent back.
    pub moved: Money,
}

/// An order of which more goes back than came, by whatever it was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrefunded {
    /// Its public number.
    pub number: String,
    /// What its refunds say.
    pub back: Money,
    /// What its payments took, gift cards and store credit among them.
    pub came: Money,
}

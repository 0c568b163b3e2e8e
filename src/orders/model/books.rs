//! What the books of orders are compared by.

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

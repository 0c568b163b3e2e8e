//! Ways to ship an order.

use crate::types::{Money, ShippingMethodId};

/// A way to ship an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingMethod {
    /// Its id.
    pub id: ShippingMethodId,
    /// Its name for programs, `standard`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How long it takes, or where to pick up.
    pub description: String,
    /// The flat rate.
    pub price: Money,
    /// A subtotal that makes it free.
    pub free_over: Option<Money>,
}

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

impl ShippingMethod {
    /// What it costs for goods of this subtotal, before any tax on it.
    pub fn price_for(&self, subtotal: Money) -> Money {
        match self.free_over {
            Some(free_over) if subtotal.minor() >= free_over.minor() => {
                Money::zero(self.price.currency())
            }
            _ => self.price,
        }
    }
}

//! Money of an order that goes back.

use super::PaymentStatus;
use crate::payments::Operation;
use crate::types::{Money, OrderLineId, RefundId, Timestamp, text_enum};

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// Decided; the gateway is being asked.
    Requested,
    /// The money went back.
    Succeeded,
    /// The gateway refused.
    Failed,
}
text_enum!(RefundState {
    Requested => "requested",
    Succeeded => "succeeded",
    Failed => "failed",
});

/// What went back, or is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// How much in all.
    pub amount: Money,
    /// Of this, so much for shipping.
    pub shipping: Money,
    /// How far it is.
    pub state: RefundState,
    /// Why, as staff wrote it.
    pub reason: String,
    /// Who decided it.
    pub actor_name: String,
    /// For which lines; a free amount has none.
    pub lines: Vec<RefundLine>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Pieces of a line whose money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundLine {
    /// Which line.
    pub line_id: OrderLineId,
    /// How many pieces.
    pub quantity: i64,
    /// Their share of what was paid for the line.
    pub amount: Money,
    /// Whether the refund put them back on the shelf.
    pub restocked: bool,
}

/// What went back of an order, what can, and what gateways are being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// What can still go back.
    pub refundable: Refundable,
    /// What gateways are being asked and have not answered yet, oldest first.
    pub asked: Vec<Operation>,
}

/// What can still go back of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refundable {
    /// How much in all, as far as money came.
    pub amount: Money,
    /// What went back already, or is about to.
    pub refunded: Money,
    /// Of shipping.
    pub shipping: Money,
    /// Of each line: its id, and how many pieces.
    pub lines: Vec<(OrderLineId, i64)>,
}

impl Refundable {
    /// How many pieces of a line can still go back.
    pub fn pieces(&self, line: OrderLineId) -> i64 {
        let found = self.lines.iter().find(|(id, _)| *id == line);
        found.map_or(0, |(_, pieces)| *pieces)
    }
}

/// An order whose payment status is not what its payments make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyImbalance {
    /// Its number.
    pub number: String,
    /// What the order says.
    pub kept: PaymentStatus,
    /// What its payments say.
    pub derived: PaymentStatus,
}

/// The share of `pieces` more pieces in the total of a line of `quantity`, when `before` pieces
/// were refunded already. The shares of all pieces are exactly the total, however they are cut.
pub fn share(total: Money, quantity: i64, before: i64, pieces: i64) -> Money {
    let upto = |count: i64| {
        let doubled = 2 * i128::from(total.minor()) * i128::from(count.clamp(0, quantity));
        let quantity = i128::from(quantity.max(1));
        // Half a minor unit is rounded up.
        (doubled + quantity).div_euclid(2 * quantity)
    };
    let share = upto(before.saturating_add(pieces)) - upto(before);
    Money::new(i64::try_from(share).unwrap_or(i64::MAX), total.currency())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::share;
    use crate::types::{Currency, Money};

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::eur())
    }

    #[test]
    fn the_last_piece_takes_the_rest() {
        let shares: Vec<i64> = (0..3)
            .map(|before| share(euros(1000), 3, before, 1).minor())
            .collect();
        assert_eq!(shares, [333, 334, 333]);
        assert_eq!(share(euros(1000), 3, 0, 3), euros(1000));
        assert_eq!(share(euros(1000), 3, 1, 2), euros(667));
    }

    proptest! {
        #[test]
        fn shares_add_up_to_the_total(total in 0_i64..10_000_000, cuts in prop::collection::vec(1_i64..20, 1..8)) {
            let quantity: i64 = cuts.iter().sum();
            let mut before = 0;
            let mut sum = 0;
            for cut in cuts {
                let part = share(euros(total), quantity, before, cut).minor();
                prop_assert!(part >= 0);
                sum += part;
                before += cut;
            }
            prop_assert_eq!(sum, total);
        }
    }
}

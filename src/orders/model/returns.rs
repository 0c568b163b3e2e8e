//! What shoppers send back.

use crate::types::{Money, OrderLineId, ReturnId, Timestamp, text_enum};

/// Where a return stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnState {
    /// The shopper asked for it.
    Requested,
    /// Staff agreed; the goods may come.
    Approved,
    /// Staff did not agree.
    Rejected,
    /// The shopper, or staff, called it off.
    Cancelled,
    /// The goods came.
    Received,
    /// The money went back.
    Refunded,
}
text_enum!(ReturnState {
    Requested => "requested",
    Approved => "approved",
    Rejected => "rejected",
    Cancelled => "cancelled",
    Received => "received",
    Refunded => "refunded",
});

impl ReturnState {
    /// The one table of allowed changes.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Requested => &[Self::Approved, Self::Rejected, Self::Cancelled],
            Self::Approved => &[Self::Received, Self::Cancelled],
            Self::Received => &[Self::Refunded],
            Self::Rejected | Self::Cancelled | Self::Refunded => &[],
        }
    }

    /// Whether the table allows this step.
    pub fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// Whether its pieces count as sent back, or on their way.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Rejected | Self::Cancelled)
    }

    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Requested => "Asked for",
            Self::Approved => "Send it back, please",
            Self::Rejected => "Not accepted",
            Self::Cancelled => "Called off",
            Self::Received => "Arrived with us",
            Self::Refunded => "Money sent back",
        }
    }
}

/// Why something is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnReason {
    /// Changed their mind.
    Unwanted,
    /// It came broken.
    Damaged,
    /// Something else came.
    WrongItem,
    /// It is not what the page said.
    NotAsDescribed,
    /// It came too late.
    Late,
    /// Something else.
    Other,
}
text_enum!(ReturnReason {
    Unwanted => "unwanted",
    Damaged => "damaged",
    WrongItem => "wrong_item",
    NotAsDescribed => "not_as_described",
    Late => "late",
    Other => "other",
});

/// Something that is sent back together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// Its id.
    pub id: ReturnId,
    /// Its number within the order, from 1.
    pub number: i64,
    /// Where it stands.
    pub state: ReturnState,
    /// What the shopper wrote.
    pub note: String,
    /// What staff answered.
    pub answer: String,
    /// What went back for it.
    pub refunded: Money,
    /// What it is.
    pub lines: Vec<ReturnLine>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Return {
    /// Pieces of a line of the order: those that came, once they came.
    pub fn count_of(&self, line: OrderLineId) -> i64 {
        let came = matches!(self.state, ReturnState::Received | ReturnState::Refunded);
        let own = self.lines.iter().filter(|one| one.order_line_id == line);
        own.map(|one| if came { one.received } else { one.quantity })
            .sum()
    }
}

/// Pieces of a line of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnLine {
    /// Which line.
    pub order_line_id: OrderLineId,
    /// How many are to come.
    pub quantity: i64,
    /// Why.
    pub reason: ReturnReason,
    /// How many came.
    pub received: i64,
    /// How many of them went back to the shelf.
    pub restocked: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TextEnum;

    #[test]
    fn the_table_allows_what_it_should_and_nothing_else() {
        use ReturnState::*;
        for &from in ReturnState::ALL {
            for &to in ReturnState::ALL {
                let allowed = matches!(
                    (from, to),
                    (Requested, Approved | Rejected | Cancelled)
                        | (Approved, Received | Cancelled)
                        | (Received, Refunded)
                );
                assert_eq!(from.may_become(to), allowed, "{from} → {to}");
            }
        }
    }
}

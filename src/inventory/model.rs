//! Stock: levels, and the ledger of their changes.

use crate::types::{VariantId, text_enum};

/// What is there of a variant, over all locations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockLevel {
    /// Pieces on the shelf.
    pub on_hand: i64,
    /// Pieces on the shelf that somebody is about to buy.
    pub reserved: i64,
}

impl StockLevel {
    /// With so many pieces left or fewer, staff are told to order more.
    pub const LOW: i64 = 5;

    /// Pieces that can be sold now; never negative.
    pub fn available(self) -> i64 {
        (self.on_hand - self.reserved).max(0)
    }
}

/// Why stock changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// New pieces came in.
    Received,
    /// Somebody counted or corrected.
    Adjusted,
    /// An order took them.
    Sold,
    /// A cancelled order gave them back.
    Cancelled,
}
text_enum!(Reason {
    Received => "received",
    Adjusted => "adjusted",
    Sold => "sold",
    Cancelled => "cancelled",
});

/// What somebody says about a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many pieces lie there.
    To(i64),
    /// So many more lie there than before; fewer where it is negative.
    By(i64),
}

/// What came of a [`Count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Of what.
    pub variant_id: VariantId,
    /// What there was.
    pub before: StockLevel,
    /// What there is now; none when it is below zero, below what is reserved, or too large.
    pub after: Option<StockLevel>,
}

/// More was asked for than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Of what.
    pub variant_id: VariantId,
    /// How many were asked for.
    pub wanted: i64,
    /// How many there are.
    pub available: i64,
}

/// A shelf that is not the sum of its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imbalance {
    /// Of what.
    pub variant_id: VariantId,
    /// What the shelf says.
    pub on_hand: i64,
    /// What the ledger adds up to.
    pub ledger: i64,
}

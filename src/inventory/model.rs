//! Stock: levels, and the ledger of their changes.

use crate::types::{LocationId, VariantId, text_enum};

/// What is there of a variant, over all locations that orders are filled from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockLevel {
    /// Pieces on the shelf; below zero where a variant was sold beyond its stock.
    pub on_hand: i64,
    /// Pieces on the shelf that somebody is about to buy.
    pub reserved: i64,
}

impl StockLevel {
    /// With so many pieces left or fewer, staff are told to order more, where the variant says
    /// nothing else.
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
    /// Somebody changed the figure.
    Adjusted,
    /// An order took them.
    Sold,
    /// A cancelled order gave them back.
    Cancelled,
    /// Somebody counted them.
    Counted,
    /// They broke.
    Damaged,
    /// They are gone, and nobody knows where.
    Lost,
    /// They were thought lost.
    Found,
    /// A customer sent them back.
    Returned,
    /// An entry before this one was wrong.
    Correction,
    /// They went from one place to another.
    Transferred,
}
text_enum!(Reason {
    Received => "received",
    Adjusted => "adjusted",
    Sold => "sold",
    Cancelled => "cancelled",
    Counted => "counted",
    Damaged => "damaged",
    Lost => "lost",
    Found => "found",
    Returned => "returned",
    Correction => "correction",
    Transferred => "transferred",
});

/// What is there of a variant in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Of what.
    pub variant_id: VariantId,
    /// Where.
    pub location_id: LocationId,
    /// What is there.
    pub stock: StockLevel,
    /// Which place orders are filled from first: the lower the earlier; none where they are not
    /// filled from it at all.
    pub position: Option<i64>,
    /// Whether the variant is sold beyond its stock.
    pub backorder: bool,
}

/// Pieces of a variant in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Of what.
    pub variant_id: VariantId,
    /// Where.
    pub location_id: LocationId,
    /// How many; in the ledger, those that came (positive) or went.
    pub quantity: i64,
}

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
    /// What there is now; none when it is below what is reserved, or too large.
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

/// A shelf whose reserved pieces are not the sum of its reservations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservedImbalance {
    /// Of what.
    pub variant_id: VariantId,
    /// What the shelf says.
    pub reserved: i64,
    /// What the reservations add up to.
    pub reservations: i64,
}

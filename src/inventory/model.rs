//! Stock: levels, and the ledger of their changes.

use crate::types::{Email, Locale, LocationId, ProductId, Timestamp, VariantId, text_enum};

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

impl Reason {
    /// What staff may say themselves; the other reasons are the shop's.
    pub const BY_HAND: &'static [Self] = &[
        Self::Received,
        Self::Counted,
        Self::Damaged,
        Self::Lost,
        Self::Found,
        Self::Returned,
        Self::Correction,
        Self::Adjusted,
    ];
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

/// A place that holds stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// Its word in addresses and in the API; never changes.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Lines as on an envelope; empty for none.
    pub address: String,
    /// Orders are filled from the lowest first.
    pub position: i64,
    /// Whether orders are filled from it.
    pub active: bool,
}

impl Location {
    /// The code of the location that is always there, and always active.
    pub const MAIN: &'static str = "main";

    /// Whether it is the one that is always there.
    pub fn is_main(&self) -> bool {
        self.code == Self::MAIN
    }
}

/// Which variants a list of stock has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StockShow {
    /// All of them.
    #[default]
    All,
    /// Those that run low, the fewest pieces first.
    Low,
    /// Those of which nothing can be bought from stock.
    Out,
    /// Those that were sold beyond their stock.
    Owed,
    /// Those that somebody holds.
    Reserved,
    /// Those that people wait for.
    Waiting,
}
text_enum!(StockShow {
    All => "all",
    Low => "low",
    Out => "out",
    Owed => "owed",
    Reserved => "reserved",
    Waiting => "waiting",
});

/// What a list of stock is narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockFilter {
    /// Which variants.
    pub show: StockShow,
    /// A part of a product's name or of an SKU.
    pub search: String,
}

/// A variant in a list of stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockRow {
    /// Which variant.
    pub variant_id: VariantId,
    /// Of which product.
    pub product_id: ProductId,
    /// The product's name.
    pub product: String,
    /// The product's name in URLs.
    pub slug: String,
    /// Whether shoppers see it.
    pub for_sale: bool,
    /// The variant's options in words; empty where there is only one.
    pub variant: String,
    /// Its SKU.
    pub sku: String,
    /// Whether it is sold beyond its stock.
    pub backorder: bool,
    /// From how many pieces down it is low; none: the shop's usual number.
    pub low_stock: Option<i64>,
    /// How many people wait for it.
    pub waiting: i64,
    /// What is where, by location.
    pub shelves: Vec<Shelf>,
}

impl StockRow {
    /// Product and variant in one line.
    pub fn label(&self) -> String {
        if self.variant.is_empty() {
            self.product.clone()
        } else {
            format!("{}, {}", self.product, self.variant)
        }
    }

    /// What orders can be filled from.
    pub fn level(&self) -> StockLevel {
        let active = self.shelves.iter();
        active
            .filter(|shelf| shelf.position.is_some())
            .fold(StockLevel::default(), |sum, shelf| StockLevel {
                on_hand: sum.on_hand.saturating_add(shelf.stock.on_hand),
                reserved: sum.reserved.saturating_add(shelf.stock.reserved),
            })
    }

    /// What is there of it in a place.
    pub fn at(&self, location: &LocationId) -> StockLevel {
        let shelf = self
            .shelves
            .iter()
            .find(|shelf| shelf.location_id == *location);
        shelf.map(|shelf| shelf.stock).unwrap_or_default()
    }

    /// From how many pieces down it is low.
    pub fn threshold(&self) -> i64 {
        self.low_stock.unwrap_or(StockLevel::LOW)
    }

    /// Whether it is low.
    pub fn is_low(&self) -> bool {
        self.level().available() <= self.threshold()
    }
}

/// What a list of movements is narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovementFilter {
    /// Of this variant.
    pub variant_id: Option<VariantId>,
    /// At this location.
    pub location: Option<String>,
    /// For this reason.
    pub reason: Option<Reason>,
    /// With this cause.
    pub reference: Option<String>,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementEntry {
    /// Its number; the higher the later.
    pub id: i64,
    /// Of what.
    pub variant_id: VariantId,
    /// The code of the place.
    pub location: String,
    /// The name of the place.
    pub location_name: String,
    /// Pieces that came (positive) or went.
    pub quantity: i64,
    /// Pieces of the variant after it, over all places.
    pub balance: i64,
    /// Why.
    pub reason: Reason,
    /// What caused it, such as the number of an order.
    pub reference: String,
    /// What somebody has to say about it.
    pub note: String,
    /// Who did it; none for the shop, guests, and people who are gone.
    pub actor: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl MovementEntry {
    /// The number of the order that caused it, if one did.
    pub fn order(&self) -> Option<&str> {
        let by_order = matches!(
            self.reason,
            Reason::Sold | Reason::Cancelled | Reason::Returned
        );
        Some(self.reference.as_str()).filter(|number| by_order && !number.is_empty())
    }
}

/// Pieces that go from one place to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What both entries of the ledger carry.
    pub reference: String,
    /// What went.
    pub lines: Vec<(VariantId, i64)>,
    /// The code of the place that it left.
    pub from: String,
    /// The code of the place that it came to.
    pub to: String,
}

/// Somebody who wants a letter when a variant can be bought again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its id.
    pub id: i64,
    /// What they wait for.
    pub variant_id: VariantId,
    /// Where the letter goes.
    pub email: Email,
    /// Its language.
    pub locale: Locale,
    /// When they asked.
    pub since: Timestamp,
}

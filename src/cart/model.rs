//! A cart, checked against today's prices and stock.

use crate::pricing::Quote;
use crate::types::{CartId, CartItemId, Money, ProductId, Slug, VariantId};

/// A cart as its owner sees it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Its id; none for a cart that nobody put anything into yet.
    pub id: Option<CartId>,
    /// What names a guest's cart; unguessable. Empty for a cart that does not exist yet.
    pub token: String,
    /// Its lines, in the order they were added.
    pub items: Vec<CartItem>,
    /// What it costs, shipping included once a method is known.
    pub quote: Quote,
    /// What changed since the shopper last looked.
    pub notices: Vec<CartNotice>,
}

impl Cart {
    /// Pieces in all.
    pub fn count(&self) -> i64 {
        self.items.iter().map(|item| item.quantity).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether every line can be bought as it stands.
    pub fn is_buyable(&self) -> bool {
        !self.is_empty() && self.items.iter().all(CartItem::is_buyable)
    }
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartItem {
    /// Its id.
    pub id: CartItemId,
    /// What.
    pub variant_id: VariantId,
    /// The product that it is a variant of.
    pub product_id: ProductId,
    /// For the link to the product.
    pub slug: Slug,
    /// Its SKU.
    pub sku: String,
    /// The product's name.
    pub name: String,
    /// The chosen options, `Oat, 350 ml`.
    pub variant_name: String,
    /// The picture's storage key, or empty.
    pub image_key: String,
    /// How many.
    pub quantity: i64,
    /// Today's price of one.
    pub unit_price: Money,
    /// Quantity times price.
    pub subtotal: Money,
    /// How many can be bought now.
    pub available: i64,
    /// Whether it is for sale at all.
    pub for_sale: bool,
}

impl CartItem {
    /// Whether the line can be bought as it stands.
    pub fn is_buyable(&self) -> bool {
        self.for_sale && self.quantity <= self.available
    }
}

/// Something that changed since the shopper last looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CartNotice {
    /// The price of a line changed.
    PriceChanged {
        /// Which line, in words.
        name: String,
        /// What it cost.
        before: Money,
        /// What it costs.
        now: Money,
    },
    /// There are fewer than the line asks for.
    NotEnough {
        /// Which line, in words.
        name: String,
        /// How many are wanted.
        wanted: i64,
        /// How many there are.
        available: i64,
    },
    /// It is no longer for sale.
    NotForSale {
        /// Which line, in words.
        name: String,
    },
    /// The guest's cart was merged into the account's at sign-in.
    Merged {
        /// How many lines came over.
        lines: i64,
    },
}

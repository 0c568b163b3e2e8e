//! A cart, checked against today's prices and stock.

use crate::credit::{self, CreditAccount, Settlement};
use crate::pricing::Quote;
use crate::shipping::ShippingMethod;
use crate::types::{
    CartId, CartItemId, CategoryId, Money, MoneyError, ProductId, Slug, Timestamp, VariantId,
};

/// A cart as its owner sees it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Its id; none for a cart that nobody put anything into yet.
    pub id: Option<CartId>,
    /// What names the cart, unguessable: a guest's cart opens to whoever has it, an account's
    /// only to its user. Empty for a cart that does not exist yet.
    pub token: String,
    /// Its lines, in the order they were added.
    pub items: Vec<CartItem>,
    /// The codes that were typed, in capitals. The quote says which of them count.
    pub codes: Vec<String>,
    /// The gift cards that it is to be paid with, as they stand, by id.
    pub gift_cards: Vec<CreditAccount>,
    /// What a signed-in user has with the shop.
    pub store_credit: Option<CreditAccount>,
    /// What it costs, shipping included once a method is known. Lines that are not for sale
    /// have no part in it.
    pub quote: Quote,
    /// What changed since the shopper last changed each line; told until they do so again.
    pub notices: Vec<CartNotice>,
}

impl Cart {
    /// Pieces in all.
    pub fn count(&self) -> i64 {
        self.items.iter().map(|item| item.quantity).sum()
    }

    /// How it is paid by its gift cards and, where that is wanted, by store credit, and what
    /// remains.
    pub fn settlement(&self, now: Timestamp, store_credit: bool) -> Result<Settlement, MoneyError> {
        let store_credit = self.store_credit.as_ref().filter(|_| store_credit);
        credit::settle(self.quote.total, now, &self.gift_cards, store_credit)
    }

    /// Why a code does not count, in words; none where it does.
    pub fn refusal_of(&self, code: &str) -> Option<String> {
        let mut refused = self.quote.refused.iter();
        let refused = refused.find(|one| one.code.as_deref() == Some(code));
        refused.map(|one| one.reason.in_words())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether there is something to send: a digital product needs no delivery.
    pub fn ships(&self) -> bool {
        let mut sent = self.items.iter().filter(|item| item.for_sale);
        sent.any(|item| !item.digital)
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
    /// Whether more than that can be bought, and is sent when it comes in.
    pub backorder: bool,
    /// Whether it is for sale at all.
    pub for_sale: bool,
    /// Whether there is nothing to send by post.
    pub digital: bool,
    /// The code of the product's tax class.
    pub tax_class: String,
    /// The product's category.
    pub category_id: Option<CategoryId>,
    /// What one weighs, in grams.
    pub weight_grams: i64,
}

impl CartItem {
    /// In words: `Everyday mug, Oat, 350 ml`.
    pub fn label(&self) -> String {
        if self.variant_name.is_empty() {
            self.name.clone()
        } else {
            format!("{}, {}", self.name, self.variant_name)
        }
    }

    /// Whether the line can be bought as it stands.
    pub fn is_buyable(&self) -> bool {
        self.for_sale && (self.backorder || self.quantity <= self.available)
    }

    /// Whether some of it is sent later, when it comes in.
    pub fn is_on_backorder(&self) -> bool {
        self.for_sale && self.backorder && self.quantity > self.available
    }
}

/// A way to ship a cart, with what it costs for this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub method: ShippingMethod,
    /// What it costs as prices are written (with or without tax); nothing for an empty cart.
    pub price: Money,
}

/// Where a cart stands that checkout was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartState {
    /// It can be placed.
    Active(CartId),
    /// It was placed already.
    Ordered(CartId),
    /// There is none.
    None,
}

/// Something that changed since the shopper last changed a line.
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

impl CartNotice {
    /// In words, for the cart page and the API.
    pub fn message(&self) -> String {
        match self {
            Self::PriceChanged { name, before, now } => {
                format!("The price of {name} changed from {before} to {now}.")
            }
            Self::NotEnough {
                name, available: 0, ..
            } => {
                format!("{name} is sold out. Remove it to go on.")
            }
            Self::NotEnough {
                name,
                wanted,
                available,
            } => format!("Only {available} of {name} left; you chose {wanted}."),
            Self::NotForSale { name } => {
                format!("{name} is no longer for sale. Remove it to go on.")
            }
            Self::Merged { lines: 1 } => {
                "One article came over from your cart before you signed in.".to_owned()
            }
            Self::Merged { lines } => {
                format!("{lines} articles came over from your cart before you signed in.")
            }
        }
    }
}

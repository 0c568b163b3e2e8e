//! What goes into a price, and what comes out: the one quote that cart, checkout, order and
//! API all show.

use crate::types::{
    CategoryId, Currency, Money, ProductId, PromotionId, TaxRate, Timestamp, VariantId, percent,
};

/// A line to price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceLine {
    /// What.
    pub variant_id: VariantId,
    /// The product that it is a variant of, for promotions.
    pub product_id: ProductId,
    /// The product's category, for promotions.
    pub category_id: Option<CategoryId>,
    /// What it is called in the trace.
    pub label: String,
    /// How many.
    pub quantity: i64,
    /// The price of one, as the catalog has it.
    pub unit_price: Money,
    /// The tax in (or on) it.
    pub tax: TaxRate,
    /// Whether there is something to send: a digital product costs no shipping.
    pub ships: bool,
    /// What one weighs, in grams.
    pub weight_grams: i64,
}

/// A price from some measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStep {
    /// Grams, or minor units of the goods' price, from which on it holds.
    pub from: i64,
    /// What shipping costs then.
    pub price: Money,
}

/// How the price of shipping comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShippingRate {
    /// Always the same.
    Flat(Money),
    /// By the weight of what is sent: the last step whose grams are reached. Below the first
    /// step, the first one counts.
    ByWeight(Vec<RateStep>),
    /// By what the goods cost after discounts, in the same way.
    ByTotal(Vec<RateStep>),
}

/// How the order is shipped, as far as the price goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingPrice {
    /// What it is called in the trace.
    pub label: String,
    /// What it costs.
    pub rate: ShippingRate,
    /// Goods of this price after discounts make it free.
    pub free_over: Option<Money>,
    /// The tax in (or on) it.
    pub tax: TaxRate,
}

/// What a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Benefit {
    /// A share of the price, in hundredths of a percent; at most 10 000.
    Percentage(u32),
    /// An amount, once, shared out over the lines that it is for.
    Amount(Money),
    /// Shipping costs nothing.
    FreeShipping,
    /// Of each `buy + get` pieces, the `get` cheapest are reduced by `percent` (hundredths of a
    /// percent; 10 000: they are free).
    BuyXGetY {
        /// Pieces at the full price.
        buy: i64,
        /// Pieces that are reduced.
        get: i64,
        /// By how much.
        percent: u32,
    },
}

/// What a promotion is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The whole order.
    Order,
    /// Lines of these products.
    Products(Vec<ProductId>),
    /// Lines of products in these categories. Whoever makes the promotion names those below
    /// them, too.
    Categories(Vec<CategoryId>),
}

impl Target {
    /// Whether a line is meant.
    pub fn covers(&self, line: &PriceLine) -> bool {
        match self {
            Self::Order => true,
            Self::Products(products) => products.contains(&line.product_id),
            Self::Categories(categories) => {
                (line.category_id).is_some_and(|category| categories.contains(&category))
            }
        }
    }
}

/// A promotion that the shop offers to this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its id.
    pub id: PromotionId,
    /// What the shopper reads: `Spring sale`.
    pub name: String,
    /// The code that was given for it; none for one that comes by itself.
    pub code: Option<String>,
    /// What it gives.
    pub benefit: Benefit,
    /// What it is for.
    pub target: Target,
    /// What the lines that it is for must cost at least, before discounts.
    pub minimum: Option<Money>,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it is over.
    pub ends_at: Option<Timestamp>,
    /// Whether it stands alone: an order has this one, or the others.
    pub exclusive: bool,
    /// Why it is not for this shopper, where the shop's books say so.
    pub barred: Option<Refusal>,
}

/// Why a promotion does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No promotion has this code.
    Unknown,
    /// It has not begun.
    NotYet(Timestamp),
    /// It is over.
    Over,
    /// It was used as often as it may be.
    UsedUp,
    /// This shopper used it as often as they may.
    UsedByYou,
    /// It is for a first order.
    NotFirstOrder,
    /// The goods that it is for must cost this much.
    BelowMinimum(Money),
    /// Nothing that it is for is in the cart, or too few pieces of it.
    NothingMatches,
    /// It does not go together with another one, which is better for the shopper.
    NotCombined,
    /// Nothing was left to take it off.
    NothingLeft,
}

impl Refusal {
    /// Its stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotYet(_) => "not_yet",
            Self::Over => "over",
            Self::UsedUp => "used_up",
            Self::UsedByYou => "used_by_you",
            Self::NotFirstOrder => "not_first_order",
            Self::BelowMinimum(_) => "below_minimum",
            Self::NothingMatches => "nothing_matches",
            Self::NotCombined => "not_combined",
            Self::NothingLeft => "nothing_left",
        }
    }

    /// In words, for the shopper who gave the code.
    pub fn in_words(&self) -> String {
        match self {
            Self::Unknown => "We do not know this code.".to_owned(),
            Self::NotYet(from) => format!("This is good from {}.", from.date_time()),
            Self::Over => "This is over.".to_owned(),
            Self::UsedUp => "This was used as often as it may be.".to_owned(),
            Self::UsedByYou => "You have used this as often as one may.".to_owned(),
            Self::NotFirstOrder => "This is for a first order.".to_owned(),
            Self::BelowMinimum(minimum) => {
                format!("This is good from {minimum} of the goods that it is for.")
            }
            Self::NothingMatches => "Nothing in the cart is what this is for.".to_owned(),
            Self::NotCombined => {
                "This does not go together with your other discount, which is better.".to_owned()
            }
            Self::NothingLeft => "There is nothing left to take this off.".to_owned(),
        }
    }
}

/// Everything that a price depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceInput {
    /// The currency of all amounts.
    pub currency: Currency,
    /// Whether unit prices and shipping contain tax.
    pub prices_include_tax: bool,
    /// When it is priced, for promotions that begin and end.
    pub at: Timestamp,
    /// What is bought.
    pub lines: Vec<PriceLine>,
    /// What the shop offers, the most important first.
    pub promotions: Vec<Promotion>,
    /// How it is shipped; none while that is open.
    pub shipping: Option<ShippingPrice>,
}

/// A priced line. Subtotal minus both discounts is what the line costs as prices are written;
/// the tax is in it or on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteLine {
    /// What.
    pub variant_id: VariantId,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit_price: Money,
    /// Quantity times unit price.
    pub subtotal: Money,
    /// What promotions of this line take off.
    pub line_discount: Money,
    /// Its share of what promotions of the whole order take off.
    pub order_discount: Money,
    /// Which tax.
    pub tax_rate: TaxRate,
    /// The tax in (or on) what is left.
    pub tax: Money,
    /// What is paid for the line, tax included.
    pub total: Money,
}

/// A tax over the whole order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxShare {
    /// Which.
    pub rate: TaxRate,
    /// What it is taken of, without it.
    pub net: Money,
    /// The tax.
    pub tax: Money,
}

/// A promotion that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub id: PromotionId,
    /// What the shopper reads.
    pub name: String,
    /// The code that was given for it.
    pub code: Option<String>,
    /// What it takes off, as prices are written.
    pub amount: Money,
}

/// A promotion that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the shopper reads; the code where there is none.
    pub name: String,
    /// The code that was given for it.
    pub code: Option<String>,
    /// Why not.
    pub reason: Refusal,
}

/// A price, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The lines, in the order of the input.
    pub lines: Vec<QuoteLine>,
    /// All lines' subtotals.
    pub subtotal: Money,
    /// What promotions take off the lines, in all.
    pub discount: Money,
    /// What promotions take off shipping, as its price is written.
    pub shipping_discount: Money,
    /// Shipping, tax included.
    pub shipping: Money,
    /// The tax in it.
    pub shipping_tax: Money,
    /// Whether shipping was priced at all.
    pub shipping_known: bool,
    /// All tax, of lines and shipping.
    pub tax: Money,
    /// The same by rate.
    pub taxes: Vec<TaxShare>,
    /// What is paid: the lines' totals plus shipping.
    pub total: Money,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// The promotions that count.
    pub applied: Vec<Applied>,
    /// Those that do not, and why.
    pub refused: Vec<Refused>,
    /// How it came to be, step by step: "Why this price?"
    pub trace: Vec<TraceStep>,
}

impl Quote {
    /// What the goods cost after discounts, as prices are written: what decides on free
    /// shipping.
    pub fn goods(&self) -> Money {
        let minor = self.subtotal.minor() - self.discount.minor();
        Money::new(minor, self.subtotal.currency())
    }
}

/// One step of a price, in words and an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// `2 × Everyday mug, Oat, 350 ml at 24.00 €`
    pub text: String,
    /// What the step adds (a discount: takes off), or what it comes to.
    pub amount: Money,
}

impl Benefit {
    /// In words: `10 % off`, `5.00 € off`, `buy 2, get 1 free`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Percentage(rate) => format!("{} off", percent(*rate)),
            Self::Amount(amount) => format!("{amount} off"),
            Self::FreeShipping => "free shipping".to_owned(),
            Self::BuyXGetY {
                buy,
                get,
                percent: 10_000,
            } => format!("buy {buy}, get {get} free"),
            Self::BuyXGetY {
                buy,
                get,
                percent: rate,
            } => format!("buy {buy}, get {get} at {} off", percent(*rate)),
        }
    }
}

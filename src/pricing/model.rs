//! What goes into a price, and what comes out: the one quote that cart, checkout, order and
//! API all show.

use crate::types::{Money, VariantId};

/// A line to price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceLine {
    /// What.
    pub variant_id: VariantId,
    /// What it is called in the trace.
    pub label: String,
    /// How many.
    pub quantity: i64,
    /// The price of one, as the catalog has it.
    pub unit_price: Money,
    /// Tax rate in hundredths of a percent.
    pub tax_rate: u32,
    /// Whether there is something to send: a digital product costs no shipping.
    pub ships: bool,
}

/// How the order is shipped, as far as the price goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingPrice {
    /// What it is called in the trace.
    pub label: String,
    /// The flat rate.
    pub price: Money,
    /// A subtotal that makes it free.
    pub free_over: Option<Money>,
    /// Tax rate in hundredths of a percent.
    pub tax_rate: u32,
}

/// Everything that a price depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceInput {
    /// The currency of all amounts.
    pub currency: crate::types::Currency,
    /// Whether unit prices and shipping contain tax.
    pub prices_include_tax: bool,
    /// What is bought.
    pub lines: Vec<PriceLine>,
    /// How it is shipped; none while that is open.
    pub shipping: Option<ShippingPrice>,
}

/// A priced line.
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
    /// The tax in (or on) it.
    pub tax: Money,
    /// What is paid for the line, tax included.
    pub total: Money,
}

/// A price, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The lines, in the order of the input.
    pub lines: Vec<QuoteLine>,
    /// All lines' subtotals.
    pub subtotal: Money,
    /// Shipping, tax included.
    pub shipping: Money,
    /// Whether shipping was priced at all.
    pub shipping_known: bool,
    /// All tax, of lines and shipping.
    pub tax: Money,
    /// What is paid: the lines' totals plus shipping.
    pub total: Money,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// How it came to be, step by step: "Why this price?"
    pub trace: Vec<TraceStep>,
}

/// One step of a price, in words and an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// `2 × Everyday mug, Oat, 350 ml at 24.00 €`
    pub text: String,
    /// What the step adds, or what it comes to.
    pub amount: Money,
}

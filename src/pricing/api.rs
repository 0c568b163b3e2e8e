//! A quote as the API writes it: in the cart, in its conflicts, and the steps in an order.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Applied, Quote, QuoteLine, Refused, TaxShare, TraceStep};
use crate::web::json::MoneyJson;

/// A price, explained. The lines' totals plus shipping are the total.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteJson {
    /// The lines that can be bought, in the cart's order.
    pub lines: Vec<QuoteLineJson>,
    /// All lines' subtotals.
    pub subtotal: MoneyJson,
    /// What promotions take off the lines, in all.
    pub discount: MoneyJson,
    /// What promotions take off shipping.
    pub shipping_discount: MoneyJson,
    /// Shipping, tax included; null while no method is chosen.
    pub shipping: Option<MoneyJson>,
    /// All tax, of lines and shipping.
    pub tax: MoneyJson,
    /// The same by rate.
    pub taxes: Vec<TaxShareJson>,
    /// What is paid.
    pub total: MoneyJson,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
    /// The promotions that count.
    pub promotions: Vec<AppliedJson>,
    /// The codes that do not, and why.
    pub refused_codes: Vec<RefusedJson>,
    /// "Why this price?", step by step.
    pub trace: Vec<TraceStepJson>,
}

/// A priced line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteLineJson {
    /// What.
    pub variant_id: i64,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit_price: MoneyJson,
    /// Quantity times unit price.
    pub subtotal: MoneyJson,
    /// What promotions of this line take off.
    pub line_discount: MoneyJson,
    /// Its share of what promotions of the whole order take off.
    pub order_discount: MoneyJson,
    /// Which tax, `21 % VAT`.
    pub tax_rate: String,
    /// The tax in (or on) what is left.
    pub tax: MoneyJson,
    /// What is paid for the line, tax included.
    pub total: MoneyJson,
}

/// A tax over the whole order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxShareJson {
    /// What it is called.
    #[schema(example = "VAT")]
    pub name: String,
    /// In hundredths of a percent: 2100 is 21 %.
    pub rate: u32,
    /// What it is taken of, without it.
    pub net: MoneyJson,
    /// The tax.
    pub tax: MoneyJson,
}

/// A promotion that counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AppliedJson {
    /// What it is called.
    pub name: String,
    /// The code that was given for it; null for one that comes by itself.
    pub code: Option<String>,
    /// What it takes off.
    pub amount: MoneyJson,
}

/// A code that does not count.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedJson {
    /// The code.
    pub code: String,
    /// `unknown`, `not_yet`, `over`, `used_up`, `used_by_you`, `not_first_order`,
    /// `below_minimum`, `nothing_matches`, `not_combined` or `nothing_left`.
    pub reason: &'static str,
    /// In words.
    pub message: String,
}

/// One step of a price.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TraceStepJson {
    /// `2 × Everyday mug, Oat, 350 ml at 24.00 €`
    pub text: String,
    /// What the step adds (a discount: takes off), or what it comes to.
    pub amount: MoneyJson,
}

impl From<&Quote> for QuoteJson {
    fn from(quote: &Quote) -> Self {
        Self {
            lines: quote.lines.iter().map(QuoteLineJson::from).collect(),
            subtotal: quote.subtotal.into(),
            discount: quote.discount.into(),
            shipping_discount: quote.shipping_discount.into(),
            shipping: quote.shipping_known.then(|| quote.shipping.into()),
            tax: quote.tax.into(),
            taxes: quote.taxes.iter().map(TaxShareJson::from).collect(),
            total: quote.total.into(),
            prices_include_tax: quote.prices_include_tax,
            promotions: quote.applied.iter().map(AppliedJson::from).collect(),
            refused_codes: quote
                .refused
                .iter()
                .filter_map(RefusedJson::of_code)
                .collect(),
            trace: quote.trace.iter().map(TraceStepJson::from).collect(),
        }
    }
}

impl From<&QuoteLine> for QuoteLineJson {
    fn from(line: &QuoteLine) -> Self {
        Self {
            variant_id: line.variant_id.0,
            quantity: line.quantity,
            unit_price: line.unit_price.into(),
            subtotal: line.subtotal.into(),
            line_discount: line.line_discount.into(),
            order_discount: line.order_discount.into(),
            tax_rate: line.tax_rate.in_words(),
            tax: line.tax.into(),
            total: line.total.into(),
        }
    }
}

impl From<&TraceStep> for TraceStepJson {
    fn from(step: &TraceStep) -> Self {
        Self {
            text: step.text.clone(),
            amount: step.amount.into(),
        }
    }
}

impl From<&TaxShare> for TaxShareJson {
    fn from(share: &TaxShare) -> Self {
        Self {
            name: share.rate.name.clone(),
            rate: share.rate.rate,
            net: share.net.into(),
            tax: share.tax.into(),
        }
    }
}

impl From<&Applied> for AppliedJson {
    fn from(applied: &Applied) -> Self {
        Self {
            name: applied.name.clone(),
            code: applied.code.clone(),
            amount: applied.amount.into(),
        }
    }
}

impl RefusedJson {
    fn of_code(refused: &Refused) -> Option<Self> {
        Some(Self {
            code: refused.code.clone()?,
            reason: refused.reason.code(),
            message: refused.reason.in_words(),
        })
    }
}

//! A quote as the API writes it: in the cart, in its conflicts, and the steps in an order.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Quote, QuoteLine, TraceStep};
use crate::web::json::MoneyJson;

/// A price, explained. The lines' totals plus shipping are the total.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteJson {
    /// The lines that can be bought, in the cart's order.
    pub lines: Vec<QuoteLineJson>,
    /// All lines' subtotals.
    pub subtotal: MoneyJson,
    /// Shipping, tax included; null while no method is chosen.
    pub shipping: Option<MoneyJson>,
    /// All tax, of lines and shipping.
    pub tax: MoneyJson,
    /// What is paid.
    pub total: MoneyJson,
    /// Whether unit prices contain tax.
    pub prices_include_tax: bool,
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
    /// The tax in (or on) it.
    pub tax: MoneyJson,
    /// What is paid for the line, tax included.
    pub total: MoneyJson,
}

/// One step of a price.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TraceStepJson {
    /// `2 × Everyday mug, Oat, 350 ml at 24.00 €`
    pub text: String,
    /// What the step adds, or what it comes to.
    pub amount: MoneyJson,
}

impl From<&Quote> for QuoteJson {
    fn from(quote: &Quote) -> Self {
        Self {
            lines: quote.lines.iter().map(QuoteLineJson::from).collect(),
            subtotal: quote.subtotal.into(),
            shipping: quote.shipping_known.then(|| quote.shipping.into()),
            tax: quote.tax.into(),
            total: quote.total.into(),
            prices_include_tax: quote.prices_include_tax,
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

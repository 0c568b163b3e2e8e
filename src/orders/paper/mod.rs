//! What is printed of an order: invoices, credit notes and packing slips, as data and as PDF.
//!
//! An invoice keeps all of its words and amounts as they were when it was issued, so that it is
//! the same for ever, whatever becomes of the order, the seller's address or this program.

mod layout;
mod pdf;
mod sheets;
mod taken;

use serde::{Deserialize, Serialize};

use crate::types::{Currency, Money, Timestamp};

pub use sheets::{invoice_pdf, slips_pdf};
pub use taken::{Credit, CreditLine, credit_note, invoice, slip};

/// Everything that is printed on an invoice or a credit note; amounts in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// `invoice` or `credit_note`.
    pub kind: String,
    /// Its number.
    pub number: String,
    /// When it was issued, in microseconds since 1970.
    pub issued_at: i64,
    /// The order's public number.
    pub order: String,
    /// When that was placed.
    pub placed_at: i64,
    /// The invoice that a credit note takes back from.
    #[serde(default)]
    pub credits: String,
    /// Why, for a credit note.
    #[serde(default)]
    pub reason: String,
    /// ISO 4217.
    pub currency: String,
    /// Who sells.
    pub seller: Seller,
    /// Who pays, line by line.
    pub buyer: Vec<String>,
    /// Where it goes, line by line.
    pub ships_to: Vec<String>,
    /// What was bought, or what is given back.
    pub lines: Vec<PrintedLine>,
    /// From the lines to the total, in words and amounts; the total is the last one.
    pub sums: Vec<(String, i64)>,
    /// Taxes by name and rate.
    pub taxes: Vec<PrintedTax>,
    /// Whether the lines' prices contain tax.
    pub prices_include_tax: bool,
    /// What is paid, or given back.
    pub total: i64,
    /// How it is paid.
    #[serde(default)]
    pub payment: String,
    /// "Why this price?", step by step.
    #[serde(default)]
    pub trace: Vec<(String, i64)>,
}

/// Who sells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The name.
    pub name: String,
    /// The address, line by line.
    pub address: Vec<String>,
    /// The number by which tax offices know the seller; may be empty.
    pub tax_id: String,
}

/// A line of an invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedLine {
    /// What.
    pub label: String,
    /// Its SKU.
    pub sku: String,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit: i64,
    /// What discounts took off.
    pub discount: i64,
    /// Which tax: `21 % VAT`.
    pub tax: String,
    /// What is left, as prices are written.
    pub amount: i64,
}

/// A tax over a whole invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedTax {
    /// Name and rate: `21 % VAT`.
    pub name: String,
    /// What it is taken of.
    pub net: i64,
    /// The tax.
    pub tax: i64,
}

impl Printed {
    /// An amount of it, for people.
    pub fn money(&self, minor: &i64) -> Money {
        let currency = self.currency.parse().unwrap_or_else(|_| Currency::eur());
        Money::new(*minor, currency)
    }

    /// The day of a moment of it.
    pub fn day(&self, at: &i64) -> String {
        Timestamp(*at).date()
    }

    /// Whether it gives back.
    pub fn is_credit(&self) -> bool {
        self.kind == "credit_note"
    }

    /// What it is, with its number: `Invoice 2026-000123`.
    pub fn title(&self) -> String {
        let kind = if self.is_credit() {
            "Credit note"
        } else {
            "Invoice"
        };
        format!("{kind} {}", self.number)
    }

    /// Whether any line has a discount.
    pub fn has_discounts(&self) -> bool {
        self.lines.iter().any(|line| line.discount != 0)
    }

    /// What it is about, as names and facts.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("Date", self.day(&self.issued_at)),
            ("Order", self.order.clone()),
            ("Ordered on", self.day(&self.placed_at)),
        ];
        for (name, text) in [
            ("For invoice", &self.credits),
            ("Reason", &self.reason),
            ("Payment", &self.payment),
        ] {
            if !text.is_empty() {
                facts.push((name, text.clone()));
            }
        }
        facts
    }
}

/// What lies in a parcel: no prices, it may be a present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slip {
    /// The shop's name.
    pub shop: String,
    /// The order's public number.
    pub order: String,
    /// When that was placed.
    pub ordered: String,
    /// Which parcel of it, from 1.
    pub parcel: i64,
    /// Where it goes, line by line.
    pub ships_to: Vec<String>,
    /// How it is shipped.
    pub method: String,
    /// Who carries it, and its number there; may be empty.
    pub tracking: String,
    /// Label, SKU and pieces.
    pub lines: Vec<(String, String, i64)>,
    /// What the shopper wrote; may be empty.
    pub note: String,
}

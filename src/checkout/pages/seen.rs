//! What a page of the checkout showed, and what is other on the one that comes again.

use serde::{Deserialize, Serialize};

use super::super::model::Checkout;
use crate::types::VariantId;

/// How the page calls what is paid.
pub(super) const TOTAL: &str = "Total";

/// What a page showed, in words. It travels with the form, so that a page which comes again can
/// say what changed; nothing else depends on it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Seen {
    /// Variant, name, quantity and price.
    lines: Vec<(VariantId, String, i64, String)>,
    /// Name and amount.
    sums: Vec<(String, String)>,
}

/// Something that is other than on the page that was confirmed.
pub(super) struct Difference {
    /// The line that it is about; none for a sum.
    pub(super) variant: Option<VariantId>,
    pub(super) label: String,
    pub(super) before: String,
    pub(super) now: String,
}

impl Seen {
    pub(super) fn of(checkout: &Checkout) -> Self {
        let quote = &checkout.cart.quote;
        let lines = checkout.cart.items.iter().map(|item| {
            let price = item.unit_price.to_string();
            (item.variant_id, item.label(), item.quantity, price)
        });
        let mut sums = vec![
            ("Discounts", quote.discount),
            ("Delivery", quote.shipping),
            ("Tax", quote.tax),
            (TOTAL, quote.total),
        ];
        if checkout.is_settled() {
            sums.push(("To pay", checkout.settlement.remaining));
        }
        let sums = sums.into_iter();
        Self {
            lines: lines.collect(),
            sums: sums
                .map(|(label, sum)| (label.to_owned(), sum.to_string()))
                .collect(),
        }
    }

    /// What is other now. A page that told nothing differs in nothing.
    pub(super) fn differences(&self, now: &Self) -> Vec<Difference> {
        if self.sums.is_empty() {
            return Vec::new();
        }
        let words = |(_, _, quantity, price): &(VariantId, String, i64, String)| {
            format!("{quantity} × {price}")
        };
        let missing = || "not in the cart".to_owned();
        let mut found = Vec::new();
        for line in &now.lines {
            let before = self.lines.iter().find(|before| before.0 == line.0);
            let before = before.map_or_else(missing, words);
            if before != words(line) {
                found.push(Difference {
                    variant: Some(line.0),
                    label: line.1.clone(),
                    before,
                    now: words(line),
                });
            }
        }
        for line in &self.lines {
            if now.lines.iter().all(|other| other.0 != line.0) {
                found.push(Difference {
                    variant: Some(line.0),
                    label: line.1.clone(),
                    before: words(line),
                    now: missing(),
                });
            }
        }
        for (label, sum) in &now.sums {
            let before = self.sums.iter().find(|(known, _)| known == label);
            if let Some((_, before)) = before.filter(|(_, before)| before != sum) {
                found.push(Difference {
                    variant: None,
                    label: label.clone(),
                    before: before.clone(),
                    now: sum.clone(),
                });
            }
        }
        found
    }
}

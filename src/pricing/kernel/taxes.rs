//! Tax in or on an amount, and all tax of an order by rate.

use std::collections::BTreeMap;

use super::super::model::{TaxShare, TraceStep};
use super::step;
use crate::types::money::ratio;
use crate::types::{Money, MoneyError, TaxRate};

/// A rate of 100 %, in hundredths of a percent.
pub const WHOLE: i64 = 10_000;

/// An amount with the tax in or on it.
pub struct Taxed {
    /// The tax.
    pub tax: Money,
    /// The amount, tax included.
    pub total: Money,
}

/// Tax rounded half away from zero. Where it is `included`, it is the part
/// `rate / (100 % + rate)` of the amount. Errors: overflow.
pub fn taxed(amount: Money, rate: &TaxRate, included: bool) -> Result<Taxed, MoneyError> {
    let rate = i64::from(rate.rate);
    let base = if included { WHOLE + rate } else { WHOLE };
    let tax = Money::new(ratio(amount.minor(), rate, base), amount.currency());
    let total = if included { amount } else { amount.plus(tax)? };
    Ok(Taxed { tax, total })
}

/// Tax by rate, so that trace and invoice name each rate once.
#[derive(Default)]
pub struct Taxes(BTreeMap<(u32, TaxRate), (Money, Money)>);

impl Taxes {
    /// Adds the tax of a line or of shipping. Errors: overflow.
    pub fn add(&mut self, rate: &TaxRate, taxed: &Taxed) -> Result<(), MoneyError> {
        let net = taxed.total.minus(taxed.tax)?;
        let sums = match self.0.get(&(rate.rate, rate.clone())) {
            Some((nets, taxes)) => (nets.plus(net)?, taxes.plus(taxed.tax)?),
            None => (net, taxed.tax),
        };
        self.0.insert((rate.rate, rate.clone()), sums);
        Ok(())
    }

    /// All of it, the lowest rate first.
    pub fn shares(self) -> Vec<TaxShare> {
        let shares = self
            .0
            .into_iter()
            .map(|((_, rate), (net, tax))| TaxShare { rate, net, tax });
        shares.collect()
    }
}

/// A step for each rate above zero.
pub fn steps(shares: &[TaxShare], included: bool) -> impl Iterator<Item = TraceStep> {
    let shares = shares.iter().filter(|share| share.rate.rate > 0);
    shares.map(move |share| {
        let how = if included { "Contains" } else { "Plus" };
        step(format!("{how} {}", share.rate.in_words()), share.tax)
    })
}

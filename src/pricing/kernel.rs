//! The pricing kernel: the one place where amounts are multiplied, taxed and added up.
//!
//! With prices that contain tax, a line's total is its subtotal and tax is the part within it.
//! With prices that do not, a line's total is its subtotal plus tax. [`Quote::shipping`] is what
//! is paid for shipping, its tax included, either way. So this always holds: the lines' totals
//! plus shipping are the total. Tax is rounded half away from zero, once for each line and once
//! for shipping.

use std::collections::BTreeMap;

use super::model::{PriceInput, PriceLine, Quote, QuoteLine, ShippingPrice, TraceStep};
use crate::types::money::ratio;
use crate::types::{Currency, Money, MoneyError};

/// A rate of 100 %, in hundredths of a percent.
const WHOLE: i64 = 10_000;

/// An amount with the tax in or on it.
struct Taxed {
    tax: Money,
    total: Money,
}

/// Prices an order. The same input gives the same quote. An order without lines costs nothing,
/// whatever shipping would. Errors: an amount over [`Money::MAX_MINOR`], a negative price or
/// quantity, a price in another currency.
pub fn quote(input: &PriceInput) -> Result<Quote, MoneyError> {
    let zero = Money::zero(input.currency);
    let mut taxes = Taxes::default();
    let mut trace = Vec::with_capacity(input.lines.len() + 4);
    let mut lines = Vec::with_capacity(input.lines.len());
    let (mut subtotal, mut tax, mut total) = (zero, zero, zero);
    for line in &input.lines {
        let priced = price_line(line, input)?;
        trace.push(TraceStep {
            text: format!("{} × {} at {}", line.quantity, line.label, line.unit_price),
            amount: priced.subtotal,
        });
        taxes.add(line.tax_rate, priced.tax)?;
        subtotal = subtotal.plus(priced.subtotal)?;
        tax = tax.plus(priced.tax)?;
        total = total.plus(priced.total)?;
        lines.push(priced);
    }
    trace.push(step("Subtotal", subtotal));

    let mut shipping = zero;
    if let Some(method) = input.shipping.as_ref().filter(|_| !lines.is_empty()) {
        let (mut price, mut words) = price_shipping(method, subtotal)?;
        if !input.lines.iter().any(|line| line.ships) {
            price = zero;
            words = "Nothing to send".to_owned();
        }
        let taxed = taxed(price, method.tax_rate, input.prices_include_tax)?;
        trace.push(step(words, price));
        taxes.add(method.tax_rate, taxed.tax)?;
        tax = tax.plus(taxed.tax)?;
        total = total.plus(taxed.total)?;
        shipping = taxed.total;
    }
    trace.extend(taxes.steps(input.prices_include_tax));
    trace.push(step("Total", total));
    Ok(Quote {
        lines,
        subtotal,
        shipping,
        shipping_known: input.shipping.is_some(),
        tax,
        total,
        prices_include_tax: input.prices_include_tax,
        trace,
    })
}

fn price_line(line: &PriceLine, input: &PriceInput) -> Result<QuoteLine, MoneyError> {
    if line.quantity < 0 {
        return Err(MoneyError::Negative);
    }
    check(line.unit_price, input.currency)?;
    let subtotal = line.unit_price.times(line.quantity)?;
    let Taxed { tax, total } = taxed(subtotal, line.tax_rate, input.prices_include_tax)?;
    Ok(QuoteLine {
        variant_id: line.variant_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
        subtotal,
        tax,
        total,
    })
}

/// What shipping costs for a subtotal, as its price is written (with or without tax), and why.
fn price_shipping(method: &ShippingPrice, subtotal: Money) -> Result<(Money, String), MoneyError> {
    check(method.price, subtotal.currency())?;
    let Some(free_over) = method.free_over else {
        return Ok((method.price, method.label.clone()));
    };
    check(free_over, subtotal.currency())?;
    if subtotal.minor() >= free_over.minor() {
        let words = format!("{}, free from {free_over}", method.label);
        Ok((Money::zero(subtotal.currency()), words))
    } else {
        Ok((method.price, method.label.clone()))
    }
}

fn check(amount: Money, currency: Currency) -> Result<(), MoneyError> {
    if amount.currency() != currency {
        Err(MoneyError::MixedCurrencies)
    } else if amount.minor() < 0 {
        Err(MoneyError::Negative)
    } else {
        Ok(())
    }
}

fn taxed(amount: Money, rate: u32, included: bool) -> Result<Taxed, MoneyError> {
    let rate = i64::from(rate);
    let base = if included { WHOLE + rate } else { WHOLE };
    let tax = Money::new(ratio(amount.minor(), rate, base), amount.currency());
    let total = if included { amount } else { amount.plus(tax)? };
    Ok(Taxed { tax, total })
}

/// Tax by rate, so that the trace names each rate once.
#[derive(Default)]
struct Taxes(BTreeMap<u32, Money>);

impl Taxes {
    fn add(&mut self, rate: u32, tax: Money) -> Result<(), MoneyError> {
        let sum = match self.0.get(&rate) {
            Some(sum) => sum.plus(tax)?,
            None => tax,
        };
        self.0.insert(rate, sum);
        Ok(())
    }

    fn steps(self, included: bool) -> impl Iterator<Item = TraceStep> {
        let taxes = self.0.into_iter().filter(|&(rate, _)| rate > 0);
        taxes.map(move |(rate, tax)| {
            let rate = percent(rate);
            let text = if included {
                format!("Contains {rate} tax")
            } else {
                format!("Plus {rate} tax")
            };
            step(text, tax)
        })
    }
}

fn step(text: impl Into<String>, amount: Money) -> TraceStep {
    TraceStep {
        text: text.into(),
        amount,
    }
}

/// A rate in words: 2100 is `21 %`, 550 is `5.5 %`.
fn percent(rate: u32) -> String {
    let digits = format!("{}.{:02}", rate / 100, rate % 100);
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits} %")
}

//! The pricing kernel: the one place where amounts are multiplied, reduced, taxed and added up.
//!
//! Promotions take off the prices as they are written. With prices that contain tax, a line's
//! total is what is left of its subtotal, and tax is the part within it. With prices that do not,
//! a line's total is what is left plus tax. [`Quote::shipping`] is what is paid for shipping, its
//! tax included, either way. So this always holds: the lines' totals plus shipping are the total.
//! Tax is rounded half away from zero, once for each line and once for shipping; what is taken
//! off the whole order is shared out over its lines by largest remainder.

mod discounts;
mod taxes;

use super::model::{
    Applied, PriceInput, PriceLine, Quote, QuoteLine, RateStep, Refusal, Refused, ShippingPrice,
    ShippingRate, TraceStep,
};
use crate::types::{Currency, Money, MoneyError};
use discounts::{Cut, Discounts, Off, discounts};
use taxes::{Taxes, taxed};

/// Prices an order. The same input gives the same quote. An order without lines costs nothing,
/// whatever shipping would. Errors: an amount over [`Money::MAX_MINOR`], a negative price or
/// quantity, a price in another currency.
pub fn quote(input: &PriceInput) -> Result<Quote, MoneyError> {
    let zero = Money::zero(input.currency);
    let mut subtotals = Vec::with_capacity(input.lines.len());
    let mut trace = Vec::with_capacity(input.lines.len() + 4);
    let mut subtotal = zero;
    for line in &input.lines {
        let price = price_line(line, input.currency)?;
        let text = format!("{} × {} at {}", line.quantity, line.label, line.unit_price);
        trace.push(step(text, price));
        subtotal = subtotal.plus(price)?;
        subtotals.push(price.minor());
    }
    trace.push(step("Subtotal", subtotal));

    let shipping = |goods: i64| match &input.shipping {
        Some(method) => {
            let goods = Money::new(goods, input.currency);
            Ok(price_shipping(method, input, goods)?.0.minor())
        }
        None => Ok(0),
    };
    let mut found = discounts(input, &subtotals, shipping)?;
    trace.extend(found.cuts.iter().map(|cut| explain(cut, input)));

    let mut taxes = Taxes::default();
    let mut lines = Vec::with_capacity(input.lines.len());
    let (mut discount, mut tax, mut total) = (zero, zero, zero);
    for (line, &off) in input.lines.iter().zip(&found.off) {
        let priced = reduce_line(line, off, input, &mut taxes)?;
        discount = discount
            .plus(priced.line_discount)?
            .plus(priced.order_discount)?;
        tax = tax.plus(priced.tax)?;
        total = total.plus(priced.total)?;
        lines.push(priced);
    }

    let goods = subtotal.minus(discount)?;
    let shipped = ship(input, goods, &found, &mut trace, &mut taxes)?;
    found.refused.extend(shipped.refused);
    tax = tax.plus(shipped.tax)?;
    total = total.plus(shipped.total)?;
    let taxes = taxes.shares();
    trace.extend(taxes::steps(&taxes, input.prices_include_tax));
    trace.push(step("Total", total));
    let cuts = found.cuts.into_iter().map(|cut| cut.applied);
    Ok(Quote {
        lines,
        subtotal,
        discount,
        shipping_discount: shipped.discount,
        shipping: shipped.total,
        shipping_tax: shipped.tax,
        shipping_known: input.shipping.is_some(),
        tax,
        taxes,
        total,
        prices_include_tax: input.prices_include_tax,
        applied: cuts.chain(shipped.applied).collect(),
        refused: found.refused,
        trace,
    })
}

/// What a line costs before promotions.
fn price_line(line: &PriceLine, currency: Currency) -> Result<Money, MoneyError> {
    if line.quantity < 0 {
        return Err(MoneyError::Negative);
    }
    check(line.unit_price, currency)?;
    line.unit_price.times(line.quantity)
}

/// A line after promotions, with its tax.
fn reduce_line(
    line: &PriceLine,
    off: Off,
    input: &PriceInput,
    taxes: &mut Taxes,
) -> Result<QuoteLine, MoneyError> {
    let money = |minor| Money::new(minor, input.currency);
    let subtotal = line.unit_price.times(line.quantity)?;
    let left = money(subtotal.minor() - off.line - off.order);
    let taxed = taxed(left, &line.tax, input.prices_include_tax)?;
    taxes.add(&line.tax, &taxed)?;
    Ok(QuoteLine {
        variant_id: line.variant_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
        subtotal,
        line_discount: money(off.line),
        order_discount: money(off.order),
        tax_rate: line.tax.clone(),
        tax: taxed.tax,
        total: taxed.total,
    })
}

/// What a promotion took off, and where: `Spring sale (SPRING): 10 % off; 4.00 € of Mug`.
fn explain(cut: &Cut, input: &PriceInput) -> TraceStep {
    let applied = &cut.applied;
    let mut text = named(applied);
    text.push_str(": ");
    text.push_str(&cut.words);
    let touched = input.lines.iter().zip(&cut.shares);
    let touched: Vec<_> = touched.filter(|(_, share)| **share > 0).collect();
    if input.lines.len() > 1 {
        let parts = touched.iter().map(|(line, share)| {
            format!("{} of {}", Money::new(**share, input.currency), line.label)
        });
        let parts: Vec<String> = parts.collect();
        text.push_str("; ");
        text.push_str(&parts.join(", "));
    }
    step(text, Money::new(-applied.amount.minor(), input.currency))
}

fn named(applied: &Applied) -> String {
    match &applied.code {
        Some(code) => format!("{} ({code})", applied.name),
        None => applied.name.clone(),
    }
}

/// Shipping, priced.
struct Shipped {
    discount: Money,
    tax: Money,
    total: Money,
    applied: Option<Applied>,
    refused: Option<Refused>,
}

/// Prices shipping for goods that cost this much after discounts.
fn ship(
    input: &PriceInput,
    goods: Money,
    found: &Discounts,
    trace: &mut Vec<TraceStep>,
    taxes: &mut Taxes,
) -> Result<Shipped, MoneyError> {
    let zero = Money::zero(input.currency);
    let mut shipped = Shipped {
        discount: zero,
        tax: zero,
        total: zero,
        applied: None,
        refused: None,
    };
    // Nothing is sent, or it costs nothing as it is: no use of the promotion is spent on that.
    let nothing = |applied: &Applied| Refused {
        name: applied.name.clone(),
        code: applied.code.clone(),
        reason: Refusal::NothingLeft,
    };
    let Some(method) = input.shipping.as_ref().filter(|_| !input.lines.is_empty()) else {
        if input.lines.iter().any(|line| line.ships) {
            // Promised as long as no way to ship is chosen.
            shipped.applied = found.free_shipping.clone();
        } else {
            shipped.refused = found.free_shipping.as_ref().map(nothing);
        }
        return Ok(shipped);
    };
    let (mut price, words) = price_shipping(method, input, goods)?;
    trace.push(step(words, price));
    match &found.free_shipping {
        Some(applied) if price.is_zero() => shipped.refused = Some(nothing(applied)),
        Some(applied) => {
            shipped.discount = price;
            shipped.applied = Some(Applied {
                amount: price,
                ..applied.clone()
            });
            let text = format!("{}: free shipping", named(applied));
            trace.push(step(text, Money::new(-price.minor(), input.currency)));
            price = zero;
        }
        None => {}
    }
    let taxed = taxed(price, &method.tax, input.prices_include_tax)?;
    taxes.add(&method.tax, &taxed)?;
    shipped.tax = taxed.tax;
    shipped.total = taxed.total;
    Ok(shipped)
}

/// What shipping costs before promotions, as its price is written (with or without tax), and why.
fn price_shipping(
    method: &ShippingPrice,
    input: &PriceInput,
    goods: Money,
) -> Result<(Money, String), MoneyError> {
    let grams = || {
        let sent = input.lines.iter().filter(|line| line.ships);
        sent.map(|line| line.weight_grams.max(0).saturating_mul(line.quantity))
            .fold(0_i64, i64::saturating_add)
    };
    let price = match &method.rate {
        ShippingRate::Flat(price) => *price,
        ShippingRate::ByWeight(steps) => reached(steps, grams(), input.currency),
        ShippingRate::ByTotal(steps) => reached(steps, goods.minor(), input.currency),
    };
    check(price, input.currency)?;
    if let Some(free_over) = method.free_over {
        check(free_over, input.currency)?;
    }
    let free = Money::zero(input.currency);
    let is_sent = |line: &PriceLine| line.ships && line.quantity > 0;
    if !input.lines.iter().any(is_sent) {
        return Ok((free, "Nothing to send".to_owned()));
    }
    Ok(match (&method.rate, method.free_over) {
        (_, Some(free_over)) if goods.minor() >= free_over.minor() => {
            (free, format!("{}, free from {free_over}", method.label))
        }
        (ShippingRate::ByWeight(_), _) => (price, format!("{}, {} g", method.label, grams())),
        _ => (price, method.label.clone()),
    })
}

/// The price of the last step that is reached; the first step's below it, nothing without steps.
fn reached(steps: &[RateStep], measure: i64, currency: Currency) -> Money {
    let last = steps
        .iter()
        .filter(|step| step.from <= measure)
        .max_by_key(|step| step.from);
    let step = last.or_else(|| steps.iter().min_by_key(|step| step.from));
    step.map_or(Money::zero(currency), |step| step.price)
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

fn step(text: impl Into<String>, amount: Money) -> TraceStep {
    TraceStep {
        text: text.into(),
        amount,
    }
}

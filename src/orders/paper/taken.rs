//! What is printed, taken from an order.

use std::collections::BTreeMap;

use super::{Printed, PrintedLine, PrintedTax, Seller, Slip};
use crate::app::App;
use crate::config::Config;
use crate::orders::model::{Address, Fulfilment, Order};
use crate::types::money::{ratio, share_out};
use crate::types::{Money, OrderLineId, Timestamp};

/// Money that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// All of it.
    pub total: Money,
    /// What of it is for pieces of lines.
    pub lines: Vec<CreditLine>,
    /// What of it is for shipping.
    pub shipping: Money,
    /// Why; may be empty.
    pub reason: String,
}

/// Pieces of a line that were given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditLine {
    /// Which line.
    pub line: OrderLineId,
    /// How many of it.
    pub quantity: i64,
    /// What goes back for them, tax included.
    pub amount: Money,
}

fn seller(config: &Config) -> Seller {
    let named = Some(&config.seller_name).filter(|name| !name.is_empty());
    let lines = config.seller_address.lines().map(str::trim);
    Seller {
        name: named.unwrap_or(&config.shop_name).clone(),
        address: lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        tax_id: config.seller_tax_id.clone(),
    }
}

/// What invoice and credit note have in common.
fn head(app: &App, order: &Order, number: &str, now: Timestamp) -> Printed {
    let bill = order.billing_address.as_ref();
    let mut buyer = bill.unwrap_or(&order.shipping_address).lines();
    buyer.push(order.email.to_string());
    let payment = order.payments.last();
    Printed {
        number: number.to_owned(),
        issued_at: now.0,
        order: order.number.clone(),
        placed_at: order.placed_at.0,
        currency: order.total.currency().code().to_owned(),
        seller: seller(&app.config),
        buyer,
        ships_to: Address::lines(&order.shipping_address),
        prices_include_tax: order.prices_include_tax,
        payment: payment
            .map(|payment| app.payments.label(&payment.provider).to_owned())
            .unwrap_or_default(),
        ..Printed::default()
    }
}

/// The invoice of a whole order.
pub fn invoice(app: &App, order: &Order, number: &str, now: Timestamp) -> Printed {
    let lines = order.lines.iter().map(|line| {
        let discount = line.line_discount.minor() + line.order_discount.minor();
        PrintedLine {
            label: line.label(),
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit: line.unit_price.minor(),
            discount,
            tax: line.tax_rate.in_words(),
            amount: line.subtotal.minor() - discount,
        }
    });
    let steps = order.price_trace.iter();
    Printed {
        kind: "invoice".to_owned(),
        lines: lines.collect(),
        sums: sums(order),
        taxes: taxes(order),
        total: order.total.minor(),
        trace: steps
            .map(|step| (step.text.clone(), step.amount.minor()))
            .collect(),
        ..head(app, order, number, now)
    }
}

/// From the lines' prices to the total.
fn sums(order: &Order) -> Vec<(String, i64)> {
    let mut sums = vec![("Subtotal".to_owned(), order.subtotal.minor())];
    if !order.discount.is_zero() {
        let names: Vec<&str> = order.promotions.iter().map(|one| &*one.name).collect();
        let words = if names.is_empty() {
            "Discount".to_owned()
        } else {
            format!("Discount: {}", names.join(", "))
        };
        sums.push((words, -order.discount.minor()));
    }
    let shipping = if order.prices_include_tax {
        order.shipping.minor()
    } else {
        order.shipping.minor() - order.shipping_tax.minor()
    };
    sums.push((
        format!("Shipping, {}", order.shipping_method_name),
        shipping,
    ));
    if !order.prices_include_tax {
        sums.push(("Tax".to_owned(), order.tax.minor()));
    }
    sums.push(("Total".to_owned(), order.total.minor()));
    sums
}

fn taxes(order: &Order) -> Vec<PrintedTax> {
    if order.taxes.is_empty() && !order.tax.is_zero() {
        // An order of a time when taxes had no names.
        return vec![PrintedTax {
            name: "Tax".to_owned(),
            net: order.total.minor() - order.tax.minor(),
            tax: order.tax.minor(),
        }];
    }
    let taxes = order.taxes.iter().map(|share| PrintedTax {
        name: share.rate.in_words(),
        net: share.net.minor(),
        tax: share.tax.minor(),
    });
    taxes.collect()
}

/// The note of money that goes back, with the number of the invoice that it takes back from.
pub fn credit_note(
    app: &App,
    order: &Order,
    credit: &Credit,
    invoice: &str,
    number: &str,
    now: Timestamp,
) -> Printed {
    let known = |one: &CreditLine| Some((order.line(one.line)?, *one));
    let lines = credit.lines.iter().filter_map(known);
    let lines = lines.map(|(line, one)| PrintedLine {
        label: line.label(),
        sku: line.sku.clone(),
        quantity: one.quantity,
        unit: ratio(one.amount.minor(), 1, one.quantity.max(1)),
        discount: 0,
        tax: line.tax_rate.in_words(),
        amount: one.amount.minor(),
    });
    let mut sums = Vec::new();
    if !credit.shipping.is_zero() {
        sums.push(("Shipping".to_owned(), credit.shipping.minor()));
    }
    let goods: i64 = credit.lines.iter().map(|one| one.amount.minor()).sum();
    let free = credit.total.minor() - credit.shipping.minor() - goods;
    if free != 0 {
        sums.push(("Amount".to_owned(), free));
    }
    sums.push(("Total".to_owned(), credit.total.minor()));
    Printed {
        kind: "credit_note".to_owned(),
        credits: invoice.to_owned(),
        reason: credit.reason.clone(),
        lines: lines.collect(),
        sums,
        taxes: taxes_back(order, credit),
        total: credit.total.minor(),
        // What goes back is written with its tax.
        prices_include_tax: true,
        ..head(app, order, number, now)
    }
}

/// The taxes in what goes back: of pieces by the rate of their line, of all else in the same
/// proportions as in the order.
fn taxes_back(order: &Order, credit: &Credit) -> Vec<PrintedTax> {
    // By name: what goes back with its tax, and the tax.
    let mut by_name: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut rest = credit.total.minor();
    for one in &credit.lines {
        let Some(line) = order.line(one.line) else {
            continue;
        };
        let amount = one.amount.minor();
        let tax = match line.total.minor() {
            0 => 0,
            whole => ratio(amount, line.tax.minor(), whole),
        };
        let sum = by_name.entry(line.tax_rate.in_words()).or_default();
        *sum = (sum.0 + amount, sum.1 + tax);
        rest -= amount;
    }
    let all = taxes(order);
    let weights: Vec<i64> = all.iter().map(|one| one.net + one.tax).collect();
    if rest > 0 && weights.iter().any(|&weight| weight > 0) {
        for (one, amount) in all.iter().zip(share_out(rest, &weights)) {
            let whole = one.net + one.tax;
            if whole > 0 {
                let sum = by_name.entry(one.name.clone()).or_default();
                *sum = (sum.0 + amount, sum.1 + ratio(amount, one.tax, whole));
            }
        }
    }
    let taxes = by_name.into_iter();
    let taxes = taxes.filter(|(_, (amount, _))| *amount != 0);
    taxes
        .map(|(name, (amount, tax))| PrintedTax {
            name,
            net: amount - tax,
            tax,
        })
        .collect()
}

/// The slip of a parcel.
pub fn slip(app: &App, order: &Order, parcel: &Fulfilment) -> Slip {
    let lines = parcel.lines.iter().filter_map(|one| {
        let line = order.line(one.order_line_id)?;
        Some((line.label(), line.sku.clone(), one.quantity))
    });
    Slip {
        shop: app.config.shop_name.clone(),
        order: order.number.clone(),
        ordered: order.placed_at.date(),
        parcel: parcel.number,
        ships_to: order.shipping_address.lines(),
        method: order.shipping_method_name.clone(),
        tracking: parcel.tracking.in_words(),
        lines: lines.collect(),
        note: order.note.clone(),
    }
}

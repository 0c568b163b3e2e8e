//! SQL of orders: writing.

use super::super::model::{Address, NOTE, NewOrder, Order, Statuses};
use super::{AddressColumn, AppliedColumn, StepColumn, TaxColumn};
use crate::db::{self, Query, Tx, execute, fetch_one};
use crate::types::text::fold;
use crate::types::{Email, OrderId, OrderLineId, Timestamp, UserId};

fn write_address(address: &Address) -> String {
    serde_json::to_string(&AddressColumn::from(address)).unwrap_or_default()
}

/// Number (with and without hyphens), e-mail and customer, folded.
fn search_text(number: &str, email: &Email, customer: &str) -> String {
    let bare = number.replace('-', "");
    let parts = [number, &bare, email.as_str(), customer];
    parts.map(fold).join(" ")
}

/// Writes an order and its lines, with the language of its shopper, in the statuses that every order begins with.
pub async fn insert(
    tx: &mut Tx,
    order: &NewOrder,
    guest_token_hash: Option<&str>,
    now: Timestamp,
) -> db::Result<OrderId> {
    let customer = order.shipping_address.addressee();
    let quote = &order.quote;
    let steps = quote.trace.iter();
    let steps: Vec<StepColumn> = steps
        .map(|step| (step.text.clone(), step.amount.minor()))
        .collect();
    let taxes = quote.taxes.iter();
    let taxes: Vec<TaxColumn> = taxes
        .map(|share| {
            let rate = share.rate.clone();
            (rate.name, rate.rate, share.net.minor(), share.tax.minor())
        })
        .collect();
    let promotions = quote.applied.iter().cloned();
    let promotions: Vec<AppliedColumn> = promotions
        .map(|applied| {
            (
                applied.id,
                applied.name,
                applied.code,
                applied.amount.minor(),
            )
        })
        .collect();
    let (id,) = fetch_one!(
        tx,
        (OrderId,),
        "insert into orders (number, cart_id, user_id, guest_token_hash, email, customer,
            search_text, status, payment_status, fulfilment_status, currency, subtotal_minor,
            shipping_minor, tax_minor, total_minor, prices_include_tax, shipping_method,
            shipping_method_name, shipping_address, billing_address, note, price_trace,
            placed_at, updated_at, discount_minor, shipping_discount_minor, shipping_tax_minor,
            taxes, promotions, country, locale, pay_until)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $23, $24, $25, $26, $27, $28, $29, $30, $31)
        returning id",
        &order.number,
        order.cart_id,
        order.user_id,
        guest_token_hash,
        &order.email,
        customer,
        search_text(&order.number, &order.email, customer),
        Statuses::NEW.order,
        Statuses::NEW.payment,
        Statuses::NEW.fulfilment,
        quote.total.currency().code(),
        quote.subtotal.minor(),
        quote.shipping.minor(),
        quote.tax.minor(),
        quote.total.minor(),
        quote.prices_include_tax,
        &order.shipping_method,
        &order.shipping_method_name,
        write_address(&order.shipping_address),
        order.billing_address.as_ref().map(write_address),
        &order.note,
        serde_json::to_string(&steps).unwrap_or_default(),
        now,
        quote.discount.minor(),
        quote.shipping_discount.minor(),
        quote.shipping_tax.minor(),
        serde_json::to_string(&taxes).unwrap_or_default(),
        serde_json::to_string(&promotions).unwrap_or_default(),
        order.shipping_address.country(),
        order.locale,
        order.pay_until,
    )?;
    insert_lines(tx, id, order).await?;
    Ok(id)
}

async fn insert_lines(tx: &mut Tx, id: OrderId, order: &NewOrder) -> db::Result<()> {
    let mut query = Query::new(
        "insert into order_lines (order_id, product_id, variant_id, sku, name, variant_name,
            image_key, quantity, unit_price_minor, subtotal_minor, line_discount_minor,
            order_discount_minor, tax_name, tax_rate, tax_minor, total_minor, position)
        values ",
    );
    for (position, line) in (0_i64..).zip(&order.lines) {
        query.push(if position == 0 { "(" } else { ", (" });
        query.bind(id);
        query.push(", ").bind(line.product_id);
        query.push(", ").bind(line.priced.variant_id);
        query.push(", ").bind(&line.sku);
        query.push(", ").bind(&line.name);
        query.push(", ").bind(&line.variant_name);
        query.push(", ").bind(&line.image_key);
        query.push(", ").bind(line.priced.quantity);
        query.push(", ").bind(line.priced.unit_price.minor());
        query.push(", ").bind(line.priced.subtotal.minor());
        query.push(", ").bind(line.priced.line_discount.minor());
        query.push(", ").bind(line.priced.order_discount.minor());
        query.push(", ").bind(&line.priced.tax_rate.name);
        query.push(", ").bind(i64::from(line.priced.tax_rate.rate));
        query.push(", ").bind(line.priced.tax.minor());
        query.push(", ").bind(line.priced.total.minor());
        query.push(", ").bind(position);
        query.push(")");
    }
    if !order.lines.is_empty() {
        query.execute(tx).await?;
    }
    Ok(())
}

/// Changes the three statuses if they still are what they were. Gives false when they are not:
/// somebody else was first.
pub async fn set_statuses(
    tx: &mut Tx,
    id: OrderId,
    before: Statuses,
    after: Statuses,
    now: Timestamp,
) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update orders
        set status = $1, payment_status = $2, fulfilment_status = $3, updated_at = $4
        where id = $5 and status = $6 and payment_status = $7 and fulfilment_status = $8",
        after.order,
        after.payment,
        after.fulfilment,
        now,
        id,
        before.order,
        before.payment,
        before.fulfilment,
    )?;
    Ok(changed == 1)
}

/// Calls pieces of a line off. Gives false where so many are not there.
pub async fn call_off(tx: &mut Tx, line: OrderLineId, pieces: i64) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update order_lines
        set cancelled_quantity = cancelled_quantity + $2
        where id = $1 and cancelled_quantity + $2 <= quantity",
        line,
        pieces,
    )?;
    Ok(changed == 1)
}

/// Adds an entry to the timeline.
pub async fn insert_event(
    tx: &mut Tx,
    id: OrderId,
    kind: &str,
    detail: &str,
    actor: (Option<UserId>, &str),
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into order_events (order_id, kind, detail, actor_id, actor_name, created_at)
        values ($1, $2, $3, $4, $5, $6)",
        id,
        kind,
        detail,
        actor.0,
        actor.1,
        now,
    )?;
    Ok(())
}

/// Takes a person out of an order: what is left says what was sold, for how much, and to which
/// country.
pub async fn erase(
    tx: &mut Tx,
    order: &Order,
    email: &Email,
    customer: &str,
    now: Timestamp,
) -> db::Result<()> {
    let without = |address: &Address| write_address(&address.without_person());
    execute!(
        tx,
        "update orders
        set user_id = null, guest_token_hash = null, email = $1, customer = $2, search_text = $3,
            shipping_address = $4, billing_address = $5, note = '', updated_at = $6
        where id = $7",
        email,
        customer,
        search_text(&order.number, email, customer),
        without(&order.shipping_address),
        order.billing_address.as_ref().map(without),
        now,
        order.id,
    )?;
    Ok(())
}

/// Empties what staff wrote of an order for each other.
pub async fn erase_notes(tx: &mut Tx, id: OrderId) -> db::Result<u64> {
    execute!(
        tx,
        "update order_events
        set detail = ''
        where order_id = $1 and kind = $2",
        id,
        NOTE,
    )
}

/// Calls a person by another name in all timelines. Gives in how many entries.
pub async fn erase_actor(tx: &mut Tx, user: UserId, name: &str) -> db::Result<u64> {
    execute!(
        tx,
        "update order_events
        set actor_id = null, actor_name = $1
        where actor_id = $2",
        name,
        user,
    )
}

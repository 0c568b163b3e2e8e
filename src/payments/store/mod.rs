//! SQL of payments. Who changes one holds its order's row; each change counts its version, so that
//! what a gateway said before it is known to be old.

mod events;
mod operations;
mod test_gateway;

use super::model::{NewPayment, Payment, PaymentFilter, PaymentState, Unmatched};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::types::{
    CreditAccountId, Currency, Money, OrderId, Page, PageRequest, PaymentId, Timestamp,
};

pub use events::{event_by_id, finish_event, insert_event, unknown_events, waiting_events};
pub use operations::{
    fail_operation, imbalances, insert_operation, note_attempt, operation, operations_of,
    operations_of_refund, refused_operations, requested_before, succeed_operation,
};
pub use test_gateway::{
    expect_test_payment, lock_test_payment, note_test_call, save_test_payment, test_call,
    test_payment,
};

#[derive(FromRow)]
struct Row {
    id: PaymentId,
    order_id: OrderId,
    provider: String,
    #[sqlx(try_from = "String")]
    status: PaymentState,
    amount_minor: i64,
    captured_minor: i64,
    refunded_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    paid_currency: String,
    reference: String,
    gateway_reference: Option<String>,
    charge_reference: Option<String>,
    pay_url: String,
    failure: String,
    unmatched: String,
    settled_at: Option<Timestamp>,
    credit_account_id: Option<CreditAccountId>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Payment {
    fn from(row: Row) -> Self {
        let paid = row.paid_currency.parse().unwrap_or(row.currency);
        Self {
            id: row.id,
            order_id: row.order_id,
            provider: row.provider,
            state: row.status,
            amount: Money::new(row.amount_minor, row.currency),
            captured: Money::new(row.captured_minor, paid),
            refunded: Money::new(row.refunded_minor, paid),
            reference: row.reference,
            gateway_reference: row.gateway_reference,
            charge_reference: row.charge_reference,
            pay_url: row.pay_url,
            failure: row.failure,
            unmatched: row.unmatched.parse().ok(),
            settled_at: row.settled_at,
            credit_account: row.credit_account_id,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Payments that a condition, which comes next, names.
fn payments_where() -> Query {
    Query::new(
        "select id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, paid_currency, reference, gateway_reference, charge_reference, pay_url,
            failure, unmatched, settled_at, credit_account_id, version, created_at, updated_at
        from payments
        where ",
    )
}

async fn all(conn: &mut Conn, query: &Query) -> db::Result<Vec<Payment>> {
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Payment::from).collect())
}

/// A payment.
pub async fn by_id(conn: &mut Conn, id: PaymentId) -> db::Result<Option<Payment>> {
    let mut query = payments_where();
    query.push("id = ").bind(id);
    Ok(all(conn, &query).await?.into_iter().next())
}

/// Several payments, by id.
pub async fn by_ids(conn: &mut Conn, ids: &[PaymentId]) -> db::Result<Vec<Payment>> {
    let mut query = payments_where();
    query.push("id in ").bind_list(ids.iter().copied());
    query.push(" order by id");
    all(conn, &query).await
}

/// The payment that a gateway calls by one of these names.
pub async fn by_reference(
    conn: &mut Conn,
    provider: &str,
    references: &[String],
) -> db::Result<Option<Payment>> {
    let mut query = payments_where();
    query.push("provider = ").bind(provider);
    query
        .push(" and (gateway_reference in ")
        .bind_list(references);
    query.push(" or charge_reference in ").bind_list(references);
    query.push(") order by id limit 1");
    Ok(all(conn, &query).await?.into_iter().next())
}

/// The payments of some orders, oldest first.
pub async fn of_orders(conn: &mut Conn, orders: &[OrderId]) -> db::Result<Vec<Payment>> {
    let mut query = payments_where();
    query.push("order_id in ").bind_list(orders.iter().copied());
    query.push(" order by order_id, id");
    all(conn, &query).await
}

/// A page of payments, newest first.
pub async fn list(
    conn: &mut Conn,
    filter: &PaymentFilter,
    page: PageRequest,
) -> db::Result<Page<Payment>> {
    let mut total = Query::new("select count(*) from payments where true");
    narrow(&mut total, filter);
    let (total,): (i64,) = total.fetch_one(conn).await?;
    let mut query = payments_where();
    query.push("true");
    narrow(&mut query, filter);
    query.push(" order by created_at desc, id desc limit ");
    query.bind(page.limit());
    query.push(" offset ").bind(page.offset());
    Ok(Page {
        items: all(conn, &query).await?,
        total,
        request: page,
    })
}

fn narrow(query: &mut Query, filter: &PaymentFilter) {
    if let Some(state) = filter.state {
        query.push(" and status = ").bind(state);
    }
    if !filter.provider.is_empty() {
        query.push(" and provider = ").bind(&filter.provider);
    }
    if !filter.reference.is_empty() {
        query.push(" and reference = ").bind(&filter.reference);
    }
}

/// Payments whose gateway is to be asked by now, the longest due first.
pub async fn due(conn: &mut Conn, now: Timestamp, limit: i64) -> db::Result<Vec<Payment>> {
    let mut query = payments_where();
    query.push("next_check_at <= ").bind(now);
    query.push(" order by next_check_at, id limit ").bind(limit);
    all(conn, &query).await
}

/// Payments whose money belongs to no order: that has not gone back yet, or, with `returned`, that
/// has, the newest first.
pub async fn unmatched(conn: &mut Conn, returned: bool, limit: i64) -> db::Result<Vec<Payment>> {
    let mut query = payments_where();
    let held = "unmatched <> '' and (status = 'authorized'
            or (status = 'captured' and refunded_minor < captured_minor))
        order by id desc limit ";
    let gone = "unmatched <> '' and (status in ('failed', 'voided')
            or (status = 'captured' and refunded_minor = captured_minor))
        order by updated_at desc, id desc limit ";
    query.push(if returned { gone } else { held }).bind(limit);
    all(conn, &query).await
}

/// How many payments hold money that belongs to no order.
pub async fn count_unmatched(conn: &mut Conn) -> db::Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select count(*)
        from payments
        where unmatched <> '' and (status = 'authorized'
            or (status = 'captured' and refunded_minor < captured_minor))"
    )?;
    Ok(count)
}

/// The states that all payments are in, with how many.
pub async fn count_by_state(conn: &mut Conn) -> db::Result<Vec<(String, i64)>> {
    fetch_all!(
        conn,
        (String, i64),
        "select status, count(*) from payments group by status"
    )
}

/// Begins a payment.
pub async fn insert(tx: &mut Tx, new: &NewPayment<'_>, now: Timestamp) -> db::Result<Payment> {
    let (id,) = fetch_one!(
        tx,
        (PaymentId,),
        "insert into payments
            (order_id, provider, status, amount_minor, currency, paid_currency, reference,
            settled_at, next_check_at, credit_account_id, created_at, updated_at)
        values ($1, $2, 'pending', $3, $4, $4, $5, $6, $7, $8, $9, $9)
        returning id",
        new.order_id,
        new.provider,
        new.amount.minor(),
        new.amount.currency().code(),
        new.reference,
        new.settles.then_some(now),
        new.next_check_at,
        new.credit_account,
        now,
    )?;
    let mut query = payments_where();
    query.push("id = ").bind(id);
    let row: Row = query.fetch_one(tx).await?;
    Ok(row.into())
}

/// Writes down everything of a payment that can change. The caller holds the order's row and has
/// read the payment under it.
pub async fn save(tx: &mut Tx, payment: &Payment, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update payments
        set status = $2, captured_minor = $3, refunded_minor = $4, paid_currency = $5,
            gateway_reference = $6, charge_reference = $7, pay_url = $8, failure = $9,
            unmatched = $10, settled_at = $11, version = version + 1, updated_at = $12
        where id = $1",
        payment.id,
        payment.state,
        payment.captured.minor(),
        payment.refunded.minor(),
        payment.captured.currency().code(),
        &payment.gateway_reference,
        &payment.charge_reference,
        &payment.pay_url,
        &payment.failure,
        payment.unmatched.map_or("", Unmatched::as_str),
        payment.settled_at,
        now,
    )?;
    Ok(())
}

/// Says when the gateway is asked again; none for never. That is no change of the payment.
pub async fn check_at(tx: &mut Tx, id: PaymentId, at: Option<Timestamp>) -> db::Result<()> {
    execute!(
        tx,
        "update payments
        set next_check_at = $2
        where id = $1",
        id,
        at,
    )?;
    Ok(())
}

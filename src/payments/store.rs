//! SQL of payments. Each change is one statement that checks the old state itself, so that two
//! at once cannot both succeed.

use super::model::{Payment, PaymentState};
use crate::db::{self, Conn, FromRow, Query, Tx, fetch_one, fetch_optional};
use crate::types::{Currency, Money, OrderId, PaymentId, Timestamp};

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
    reference: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Payment {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            order_id: row.order_id,
            provider: row.provider,
            state: row.status,
            amount: Money::new(row.amount_minor, row.currency),
            captured: Money::new(row.captured_minor, row.currency),
            refunded: Money::new(row.refunded_minor, row.currency),
            reference: row.reference,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A payment.
pub async fn by_id(conn: &mut Conn, id: PaymentId) -> db::Result<Option<Payment>> {
    let row = fetch_optional!(
        conn,
        Row,
        "select id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, reference, created_at, updated_at
        from payments
        where id = $1",
        id,
    )?;
    Ok(row.map(Payment::from))
}

/// The payments of some orders, oldest first.
pub async fn of_orders(conn: &mut Conn, orders: &[OrderId]) -> db::Result<Vec<Payment>> {
    let mut query = Query::new(
        "select id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, reference, created_at, updated_at
        from payments
        where order_id in ",
    );
    query
        .bind_list(orders.iter().copied())
        .push(" order by order_id, id");
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Payment::from).collect())
}

/// Begins a payment.
pub async fn insert(
    tx: &mut Tx,
    order: OrderId,
    provider: &str,
    amount: Money,
    reference: &str,
    now: Timestamp,
) -> db::Result<Payment> {
    let row = fetch_one!(
        tx,
        Row,
        "insert into payments
            (order_id, provider, status, amount_minor, currency, reference, created_at, updated_at)
        values ($1, $2, 'pending', $3, $4, $5, $6, $6)
        returning id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, reference, created_at, updated_at",
        order,
        provider,
        amount.minor(),
        amount.currency().code(),
        reference,
        now,
    )?;
    Ok(row.into())
}

/// All of it came. Gives none when nothing was expected.
pub async fn capture(tx: &mut Tx, id: PaymentId, now: Timestamp) -> db::Result<Option<Payment>> {
    let row = fetch_optional!(
        tx,
        Row,
        "update payments
        set status = 'captured', captured_minor = amount_minor, updated_at = $2
        where id = $1 and status in ('pending', 'authorized')
        returning id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, reference, created_at, updated_at",
        id,
        now,
    )?;
    Ok(row.map(Payment::from))
}

/// Voids what did not come, refunds what did. Gives none when it was over already.
pub async fn cancel(tx: &mut Tx, id: PaymentId, now: Timestamp) -> db::Result<Option<Payment>> {
    let row = fetch_optional!(
        tx,
        Row,
        "update payments
        set status = case when status = 'captured' then 'captured' else 'voided' end,
            refunded_minor = captured_minor,
            updated_at = $2
        where id = $1
            and (status in ('pending', 'authorized')
                or (status = 'captured' and refunded_minor < captured_minor))
        returning id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, reference, created_at, updated_at",
        id,
        now,
    )?;
    Ok(row.map(Payment::from))
}

/// Sends some of it back. Gives none when more would go back than came.
pub async fn refund(
    tx: &mut Tx,
    id: PaymentId,
    amount_minor: i64,
    now: Timestamp,
) -> db::Result<Option<Payment>> {
    let row = fetch_optional!(
        tx,
        Row,
        "update payments
        set refunded_minor = refunded_minor + $2, updated_at = $3
        where id = $1 and status = 'captured' and refunded_minor + $2 <= captured_minor
        returning id, order_id, provider, status, amount_minor, captured_minor, refunded_minor,
            currency, reference, created_at, updated_at",
        id,
        amount_minor,
        now,
    )?;
    Ok(row.map(Payment::from))
}

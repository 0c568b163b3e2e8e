//! SQL of the test gateway: what it knows of payments, and what it was asked before.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_optional};
use crate::payments::model::{PaymentState, TestPayment};
use crate::types::{Currency, Money, Timestamp};

#[derive(FromRow)]
struct Row {
    reference: String,
    order_number: String,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    approved_minor: i64,
    approved_currency: String,
    captured_minor: i64,
    refunded_minor: i64,
    takes_at_once: bool,
    #[sqlx(try_from = "String")]
    state: PaymentState,
    next_state: String,
    next_at: Option<Timestamp>,
    failure: String,
}

impl From<Row> for TestPayment {
    fn from(row: Row) -> Self {
        let approved = row.approved_currency.parse().ok();
        Self {
            reference: row.reference,
            order_number: row.order_number,
            amount: Money::new(row.amount_minor, row.currency),
            approved: approved.map(|currency| Money::new(row.approved_minor, currency)),
            captured: row.captured_minor,
            refunded: row.refunded_minor,
            takes_at_once: row.takes_at_once,
            state: row.state,
            next: row.next_state.parse().ok().zip(row.next_at),
            failure: row.failure,
        }
    }
}

/// Payments that a condition, which comes next, names.
fn payments_where() -> Query {
    Query::new(
        "select reference, order_number, amount_minor, currency, approved_minor, approved_currency,
            captured_minor, refunded_minor, takes_at_once, state, next_state, next_at, failure
        from test_gateway_payments
        where ",
    )
}

/// A payment by what the gateway calls it.
pub async fn test_payment(conn: &mut Conn, reference: &str) -> db::Result<Option<TestPayment>> {
    let mut query = payments_where();
    query.push("reference = ").bind(reference);
    let row: Option<Row> = query.fetch_optional(conn).await?;
    Ok(row.map(TestPayment::from))
}

/// The same, and nobody else changes it until the transaction ends.
pub async fn lock_test_payment(tx: &mut Tx, reference: &str) -> db::Result<Option<TestPayment>> {
    let mut query = payments_where();
    query.push("reference = ").bind(reference).lock();
    let row: Option<Row> = query.fetch_optional(tx).await?;
    Ok(row.map(TestPayment::from))
}

/// Expects a payment, once for a key. Gives the one that is expected under it.
pub async fn expect_test_payment(
    tx: &mut Tx,
    key: &str,
    new: &TestPayment,
    now: Timestamp,
) -> db::Result<TestPayment> {
    execute!(
        tx,
        "insert into test_gateway_payments
            (reference, idempotency_key, order_number, amount_minor, currency, takes_at_once,
            state, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (idempotency_key) do nothing",
        &new.reference,
        key,
        &new.order_number,
        new.amount.minor(),
        new.amount.currency().code(),
        new.takes_at_once,
        new.state,
        now,
    )?;
    let mut query = payments_where();
    query.push("idempotency_key = ").bind(key);
    let row: Row = query.fetch_one(tx).await?;
    Ok(row.into())
}

/// Writes down where a payment stands.
pub async fn save_test_payment(tx: &mut Tx, payment: &TestPayment) -> db::Result<()> {
    let approved = payment.approved;
    execute!(
        tx,
        "update test_gateway_payments
        set approved_minor = $2, approved_currency = $3, captured_minor = $4, refunded_minor = $5,
            state = $6, next_state = $7, next_at = $8, failure = $9
        where reference = $1",
        &payment.reference,
        approved.map_or(0, Money::minor),
        approved.map_or("", |approved| approved.currency().code()),
        payment.captured,
        payment.refunded,
        payment.state,
        payment.next.map_or("", |(state, _)| state.as_str()),
        payment.next.map(|(_, at)| at),
        &payment.failure,
    )?;
    Ok(())
}

/// Notes that something was asked under a key; tells whether it is the first time.
pub async fn note_test_call(
    tx: &mut Tx,
    key: &str,
    reference: &str,
    kind: &str,
    amount_minor: i64,
    now: Timestamp,
) -> db::Result<bool> {
    let noted = execute!(
        tx,
        "insert into test_gateway_calls (idempotency_key, reference, kind, amount_minor, created_at)
        values ($1, $2, $3, $4, $5)
        on conflict (idempotency_key) do nothing",
        key,
        reference,
        kind,
        amount_minor,
        now,
    )?;
    Ok(noted == 1)
}

/// What was asked under a key: of which payment, what, and how much.
pub async fn test_call(conn: &mut Conn, key: &str) -> db::Result<Option<(String, String, i64)>> {
    fetch_optional!(
        conn,
        (String, String, i64),
        "select reference, kind, amount_minor
        from test_gateway_calls
        where idempotency_key = $1",
        key,
    )
}

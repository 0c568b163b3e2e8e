//! SQL of what is asked of gateways. An operation ends once: what is no longer requested stays as
//! it is.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::payments::model::{Imbalance, Operation, OperationKind, OperationState};
use crate::types::{Currency, Money, OperationId, PaymentId, RefundId, Timestamp};

#[derive(FromRow)]
struct Row {
    id: OperationId,
    payment_id: PaymentId,
    #[sqlx(try_from = "String")]
    kind: OperationKind,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    #[sqlx(try_from = "String")]
    state: OperationState,
    idempotency_key: String,
    refund_id: Option<RefundId>,
    gateway_reference: String,
    error: String,
    attempts: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Operation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            payment_id: row.payment_id,
            kind: row.kind,
            amount: Money::new(row.amount_minor, row.currency),
            state: row.state,
            idempotency_key: row.idempotency_key,
            refund_id: row.refund_id,
            gateway_reference: row.gateway_reference,
            error: row.error,
            attempts: row.attempts,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Operations that a condition, which comes next, names.
fn operations_where() -> Query {
    Query::new(
        "select id, payment_id, kind, amount_minor, currency, state, idempotency_key, refund_id,
            gateway_reference, error, attempts, created_at, updated_at
        from payment_operations
        where ",
    )
}

async fn all(conn: &mut Conn, query: &Query) -> db::Result<Vec<Operation>> {
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Operation::from).collect())
}

/// Writes down that something is to be asked.
pub async fn insert_operation(
    tx: &mut Tx,
    payment: PaymentId,
    kind: OperationKind,
    amount: Money,
    refund: Option<RefundId>,
    key: &str,
    now: Timestamp,
) -> db::Result<OperationId> {
    let (id,) = fetch_one!(
        tx,
        (OperationId,),
        "insert into payment_operations
            (payment_id, kind, amount_minor, currency, state, idempotency_key, refund_id,
            created_at, updated_at)
        values ($1, $2, $3, $4, 'requested', $5, $6, $7, $7)
        returning id",
        payment,
        kind,
        amount.minor(),
        amount.currency().code(),
        key,
        refund,
        now,
    )?;
    Ok(id)
}

/// An operation.
pub async fn operation(conn: &mut Conn, id: OperationId) -> db::Result<Option<Operation>> {
    let mut query = operations_where();
    query.push("id = ").bind(id);
    Ok(all(conn, &query).await?.into_iter().next())
}

/// What was asked of some payments, oldest first.
pub async fn operations_of(conn: &mut Conn, payments: &[PaymentId]) -> db::Result<Vec<Operation>> {
    let mut query = operations_where();
    query
        .push("payment_id in ")
        .bind_list(payments.iter().copied());
    query.push(" order by id");
    all(conn, &query).await
}

/// The parts of a refund, oldest first.
pub async fn operations_of_refund(conn: &mut Conn, refund: RefundId) -> db::Result<Vec<Operation>> {
    let mut query = operations_where();
    query.push("refund_id = ").bind(refund).push(" order by id");
    all(conn, &query).await
}

/// What was asked for and is not known to be done, and was not tried since `before`.
pub async fn requested_before(
    conn: &mut Conn,
    before: Timestamp,
    limit: i64,
) -> db::Result<Vec<Operation>> {
    let mut query = operations_where();
    query.push("state = 'requested' and updated_at <= ");
    query.bind(before);
    query.push(" order by updated_at, id limit ").bind(limit);
    all(conn, &query).await
}

/// What gateways refused to send back, and nobody asked anew since, the newest first. What was
/// asked before the refusal was known is no second try of it, and one that was refused itself is
/// none that helps.
pub async fn refused_operations(conn: &mut Conn, limit: i64) -> db::Result<Vec<Operation>> {
    let mut query = operations_where();
    query.push(
        "state = 'failed' and kind = 'refund' and exists (
            select 1
            from payments p
            where p.id = payment_operations.payment_id and p.refunded_minor < p.captured_minor
        ) and not exists (
            select 1
            from payment_operations later
            where later.payment_id = payment_operations.payment_id
                and later.kind = payment_operations.kind
                and later.id > payment_operations.id
                and later.created_at >= payment_operations.updated_at
                and later.state <> 'failed'
        )
        order by id desc limit ",
    );
    query.bind(limit);
    all(conn, &query).await
}

/// Notes that it is tried now.
pub async fn note_attempt(tx: &mut Tx, id: OperationId, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update payment_operations
        set attempts = attempts + 1, updated_at = $2
        where id = $1 and state = 'requested'",
        id,
        now,
    )?;
    Ok(())
}

/// It was done. Gives false when it had ended before.
pub async fn succeed_operation(
    tx: &mut Tx,
    id: OperationId,
    gateway_reference: &str,
    now: Timestamp,
) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update payment_operations
        set state = 'succeeded', gateway_reference = $2, error = '', updated_at = $3
        where id = $1 and state = 'requested'",
        id,
        gateway_reference,
        now,
    )?;
    Ok(changed == 1)
}

/// It was not done: `finally`, or this time. Gives false when it had ended before.
pub async fn fail_operation(
    tx: &mut Tx,
    id: OperationId,
    error: &str,
    finally: bool,
    now: Timestamp,
) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update payment_operations
        set state = case when $3 then 'failed' else state end, error = $2, updated_at = $4
        where id = $1 and state = 'requested'",
        id,
        error,
        finally,
        now,
    )?;
    Ok(changed == 1)
}

#[derive(FromRow)]
struct ImbalanceRow {
    payment_id: PaymentId,
    refunded: i64,
    operations: i64,
}

/// Payments through gateways whose own count of what went back is not the sum of their operations.
pub async fn imbalances(conn: &mut Conn) -> db::Result<Vec<Imbalance>> {
    let rows = fetch_all!(
        conn,
        ImbalanceRow,
        "select p.id as payment_id, p.refunded_minor as refunded,
            cast(coalesce(sum(o.amount_minor), 0) as bigint) as operations
        from payments p
        left join payment_operations o
            on o.payment_id = p.id and o.kind = 'refund' and o.state = 'succeeded'
        where p.gateway_reference is not null
        group by p.id, p.refunded_minor
        having p.refunded_minor <> coalesce(sum(o.amount_minor), 0)
        order by p.id"
    )?;
    let rows = rows.into_iter().map(|row| Imbalance {
        payment_id: row.payment_id,
        refunded: row.refunded,
        operations: row.operations,
    });
    Ok(rows.collect())
}

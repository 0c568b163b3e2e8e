//! SQL of orders: what is sent back.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::orders::model::{Return, ReturnLine, ReturnReason, ReturnState};
use crate::types::{Currency, Money, OrderId, OrderLineId, ReturnId, Timestamp};

#[derive(FromRow)]
struct ReturnRow {
    id: ReturnId,
    number: i64,
    #[sqlx(try_from = "String")]
    status: ReturnState,
    note: String,
    answer: String,
    refunded_minor: i64,
    requested_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(FromRow)]
struct LineRow {
    return_id: ReturnId,
    order_line_id: OrderLineId,
    quantity: i64,
    #[sqlx(try_from = "String")]
    reason: ReturnReason,
    received: i64,
    restocked: i64,
}

/// What is sent back of an order, oldest first.
pub async fn returns(
    conn: &mut Conn,
    order: OrderId,
    currency: Currency,
) -> db::Result<Vec<Return>> {
    let rows = fetch_all!(
        conn,
        ReturnRow,
        "select id, number, status, note, answer, refunded_minor, requested_at, updated_at
        from returns
        where order_id = $1
        order by number",
        order,
    )?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let lines = fetch_all!(
        conn,
        LineRow,
        "select l.return_id, l.order_line_id, l.quantity, l.reason, l.received, l.restocked
        from return_lines l
        join returns r on r.id = l.return_id
        join order_lines o on o.id = l.order_line_id
        where r.order_id = $1
        order by o.position, o.id",
        order,
    )?;
    let lines_of = |id: ReturnId| {
        let own = lines.iter().filter(|line| line.return_id == id);
        let line = own.map(|line| ReturnLine {
            order_line_id: line.order_line_id,
            quantity: line.quantity,
            reason: line.reason,
            received: line.received,
            restocked: line.restocked,
        });
        line.collect()
    };
    let returns = rows.into_iter().map(|row| Return {
        lines: lines_of(row.id),
        id: row.id,
        number: row.number,
        state: row.status,
        note: row.note,
        answer: row.answer,
        refunded: Money::new(row.refunded_minor, currency),
        requested_at: row.requested_at,
        updated_at: row.updated_at,
    });
    Ok(returns.collect())
}

/// Keeps what a shopper asks to send back, of at least one line. `number`: its number within the
/// order.
pub async fn insert_return(
    tx: &mut Tx,
    order: OrderId,
    number: i64,
    lines: &[ReturnLine],
    note: &str,
    now: Timestamp,
) -> db::Result<ReturnId> {
    let (id,) = fetch_one!(
        tx,
        (ReturnId,),
        "insert into returns (order_id, number, status, note, requested_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        returning id",
        order,
        number,
        ReturnState::Requested,
        note,
        now,
    )?;
    let mut query =
        Query::new("insert into return_lines (return_id, order_line_id, quantity, reason) values ");
    for (at, line) in lines.iter().enumerate() {
        query.push(if at == 0 { "(" } else { ", (" }).bind(id);
        query.push(", ").bind(line.order_line_id);
        query.push(", ").bind(line.quantity);
        query.push(", ").bind(line.reason).push(")");
    }
    query.execute(tx).await?;
    Ok(id)
}

/// Moves a return on if it still is where it was, with what staff say. Gives false when somebody
/// else was first.
pub async fn set_return_state(
    tx: &mut Tx,
    id: ReturnId,
    from: ReturnState,
    to: ReturnState,
    answer: &str,
    now: Timestamp,
) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update returns
        set status = $1, answer = $2, updated_at = $3
        where id = $4 and status = $5",
        to,
        answer,
        now,
        id,
        from,
    )?;
    Ok(changed == 1)
}

/// How many pieces of a line came, and how many of them went back to the shelf.
pub async fn set_received(
    tx: &mut Tx,
    id: ReturnId,
    line: OrderLineId,
    received: i64,
    restocked: i64,
) -> db::Result<()> {
    execute!(
        tx,
        "update return_lines
        set received = $1, restocked = $2
        where return_id = $3 and order_line_id = $4",
        received,
        restocked,
        id,
        line,
    )?;
    Ok(())
}

/// What went back for a return.
pub async fn set_return_refunded(tx: &mut Tx, id: ReturnId, amount: Money) -> db::Result<()> {
    execute!(
        tx,
        "update returns
        set refunded_minor = $1
        where id = $2",
        amount.minor(),
        id,
    )?;
    Ok(())
}

/// Empties what was written of the returns of an order.
pub async fn erase_returns(tx: &mut Tx, order: OrderId) -> db::Result<u64> {
    execute!(
        tx,
        "update returns
        set note = '', answer = ''
        where order_id = $1",
        order,
    )
}

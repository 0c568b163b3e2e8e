//! SQL of refunds. The caller holds the order's row.

use super::super::model::{Refund, RefundLine, RefundState};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::types::{Currency, Money, OrderId, OrderLineId, RefundId, Timestamp};

#[derive(FromRow)]
struct Row {
    id: RefundId,
    amount_minor: i64,
    shipping_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    #[sqlx(try_from = "String")]
    state: RefundState,
    reason: String,
    actor_name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(FromRow)]
struct LineRow {
    refund_id: RefundId,
    order_line_id: OrderLineId,
    quantity: i64,
    amount_minor: i64,
    restocked: bool,
}

/// The refunds of an order with their lines, oldest first.
pub async fn refunds(conn: &mut Conn, order: OrderId) -> db::Result<Vec<Refund>> {
    let rows = fetch_all!(
        conn,
        Row,
        "select id, amount_minor, shipping_minor, currency, state, reason, actor_name, created_at,
            updated_at
        from refunds
        where order_id = $1
        order by id",
        order,
    )?;
    let lines = fetch_all!(
        conn,
        LineRow,
        "select l.refund_id, l.order_line_id, l.quantity, l.amount_minor, l.restocked
        from refund_lines l
        join refunds r on r.id = l.refund_id
        where r.order_id = $1
        order by l.refund_id, l.order_line_id",
        order,
    )?;
    let refund = |row: Row| {
        let money = |minor| Money::new(minor, row.currency);
        let own = lines.iter().filter(|line| line.refund_id == row.id);
        let own = own.map(|line| RefundLine {
            line_id: line.order_line_id,
            quantity: line.quantity,
            amount: money(line.amount_minor),
            restocked: line.restocked,
        });
        Refund {
            id: row.id,
            amount: money(row.amount_minor),
            shipping: money(row.shipping_minor),
            state: row.state,
            reason: row.reason.clone(),
            actor_name: row.actor_name.clone(),
            lines: own.collect(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    };
    Ok(rows.into_iter().map(refund).collect())
}

/// Writes down a refund, requested, with its lines. The id in it does not matter; gives the one
/// that it has.
pub async fn insert_refund(
    tx: &mut Tx,
    order: OrderId,
    refund: &Refund,
    now: Timestamp,
) -> db::Result<RefundId> {
    let (id,) = fetch_one!(
        tx,
        (RefundId,),
        "insert into refunds
            (order_id, amount_minor, shipping_minor, currency, state, reason, actor_name,
            created_at, updated_at)
        values ($1, $2, $3, $4, 'requested', $5, $6, $7, $7)
        returning id",
        order,
        refund.amount.minor(),
        refund.shipping.minor(),
        refund.amount.currency().code(),
        &refund.reason,
        &refund.actor_name,
        now,
    )?;
    if refund.lines.is_empty() {
        return Ok(id);
    }
    let mut query = Query::new(
        "insert into refund_lines (refund_id, order_line_id, quantity, amount_minor, restocked)
        values ",
    );
    for (index, line) in refund.lines.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" }).bind(id);
        query.push(", ").bind(line.line_id);
        query.push(", ").bind(line.quantity);
        query.push(", ").bind(line.amount.minor());
        query.push(", ").bind(line.restocked).push(")");
    }
    query.execute(tx).await?;
    Ok(id)
}

/// Of a refund, only so much went back: it is for that sum, and for no lines and no shipping.
pub async fn cut_refund(tx: &mut Tx, id: RefundId, amount: Money) -> db::Result<()> {
    execute!(
        tx,
        "delete from refund_lines
        where refund_id = $1",
        id,
    )?;
    execute!(
        tx,
        "update refunds
        set amount_minor = $2, shipping_minor = 0
        where id = $1",
        id,
        amount.minor(),
    )?;
    Ok(())
}

/// A refund ended.
pub async fn end_refund(
    tx: &mut Tx,
    id: RefundId,
    state: RefundState,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update refunds
        set state = $2, updated_at = $3
        where id = $1",
        id,
        state,
        now,
    )?;
    Ok(())
}

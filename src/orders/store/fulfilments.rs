//! SQL of orders: what left the house.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::orders::model::{Fulfilment, FulfilmentLine, FulfilmentState, Tracking};
use crate::types::{FulfilmentId, OrderId, OrderLineId, Timestamp};

#[derive(FromRow)]
struct FulfilmentRow {
    id: FulfilmentId,
    number: i64,
    #[sqlx(try_from = "String")]
    status: FulfilmentState,
    carrier: String,
    tracking_number: String,
    tracking_url: String,
    created_at: Timestamp,
    delivered_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct LineRow {
    fulfilment_id: FulfilmentId,
    order_line_id: OrderLineId,
    quantity: i64,
}

/// What was sent of an order, oldest first.
pub async fn fulfilments(conn: &mut Conn, order: OrderId) -> db::Result<Vec<Fulfilment>> {
    let rows = fetch_all!(
        conn,
        FulfilmentRow,
        "select id, number, status, carrier, tracking_number, tracking_url, created_at,
            delivered_at
        from fulfilments
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
        "select l.fulfilment_id, l.order_line_id, l.quantity
        from fulfilment_lines l
        join fulfilments f on f.id = l.fulfilment_id
        join order_lines o on o.id = l.order_line_id
        where f.order_id = $1
        order by o.position, o.id",
        order,
    )?;
    let lines_of = |id: FulfilmentId| {
        let own = lines.iter().filter(|line| line.fulfilment_id == id);
        let line = own.map(|line| FulfilmentLine {
            order_line_id: line.order_line_id,
            quantity: line.quantity,
        });
        line.collect()
    };
    let fulfilments = rows.into_iter().map(|row| Fulfilment {
        lines: lines_of(row.id),
        id: row.id,
        number: row.number,
        state: row.status,
        tracking: Tracking {
            carrier: row.carrier,
            number: row.tracking_number,
            url: row.tracking_url,
        },
        created_at: row.created_at,
        delivered_at: row.delivered_at,
    });
    Ok(fulfilments.collect())
}

/// Writes a parcel with its lines, of which there is at least one. `number`: its number within
/// the order.
pub async fn insert_fulfilment(
    tx: &mut Tx,
    order: OrderId,
    number: i64,
    lines: &[FulfilmentLine],
    tracking: &Tracking,
    now: Timestamp,
) -> db::Result<FulfilmentId> {
    let (id,) = fetch_one!(
        tx,
        (FulfilmentId,),
        "insert into fulfilments (order_id, number, status, carrier, tracking_number,
            tracking_url, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning id",
        order,
        number,
        FulfilmentState::Sent,
        &tracking.carrier,
        &tracking.number,
        &tracking.url,
        now,
    )?;
    let mut query =
        Query::new("insert into fulfilment_lines (fulfilment_id, order_line_id, quantity) values ");
    for (at, line) in lines.iter().enumerate() {
        query.push(if at == 0 { "(" } else { ", (" }).bind(id);
        query.push(", ").bind(line.order_line_id);
        query.push(", ").bind(line.quantity).push(")");
    }
    query.execute(tx).await?;
    Ok(id)
}

/// A parcel arrived. Gives false for one that had arrived before.
pub async fn set_delivered(tx: &mut Tx, id: FulfilmentId, now: Timestamp) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update fulfilments
        set status = $1, delivered_at = $2
        where id = $3 and status = $4",
        FulfilmentState::Delivered,
        now,
        id,
        FulfilmentState::Sent,
    )?;
    Ok(changed == 1)
}

/// Says anew who carries a parcel and where it is followed.
pub async fn set_tracking(tx: &mut Tx, id: FulfilmentId, tracking: &Tracking) -> db::Result<()> {
    execute!(
        tx,
        "update fulfilments
        set carrier = $1, tracking_number = $2, tracking_url = $3
        where id = $4",
        &tracking.carrier,
        &tracking.number,
        &tracking.url,
        id,
    )?;
    Ok(())
}

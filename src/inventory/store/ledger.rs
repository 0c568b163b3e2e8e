//! SQL of the ledger.

use super::CHUNK;
use crate::db::{self, Conn, FromRow, Query, Tx, fetch_all};
use crate::inventory::model::{Imbalance, Piece, Reason};
use crate::types::{LocationId, Timestamp, UserId, VariantId};

/// Entries for the ledger that have their cause in common.
#[derive(Clone, Copy)]
pub struct Movement<'a> {
    /// Pieces that came (positive) or went.
    pub pieces: &'a [Piece],
    /// Why.
    pub reason: Reason,
    /// What caused it, such as the number of an order.
    pub reference: &'a str,
    /// What somebody has to say about it.
    pub note: &'a str,
    /// Who did it.
    pub actor: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

/// Writes the ledger.
pub async fn record(tx: &mut Tx, movement: &Movement<'_>) -> db::Result<()> {
    for pieces in movement.pieces.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into stock_movements
                (variant_id, location_id, quantity, reason, reference, note, actor_id, created_at)
            values ",
        );
        for (index, piece) in pieces.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(piece.variant_id).push(", ");
            query.bind(piece.location_id).push(", ");
            query.bind(piece.quantity);
            query.push(", ").bind(movement.reason);
            query.push(", ").bind(movement.reference);
            query.push(", ").bind(movement.note);
            query.push(", ").bind(movement.actor);
            query.push(", ").bind(movement.at).push(")");
        }
        query.execute(tx).await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct PieceRow {
    variant_id: VariantId,
    location_id: LocationId,
    quantity: i64,
}

/// What an order took and did not give back, by place, the main location last: nothing, or less
/// than that, where all came back that was taken there, or more. None at all of a variant that the
/// order never took.
pub async fn outstanding(
    conn: &mut Conn,
    variants: &[VariantId],
    reference: &str,
) -> db::Result<Vec<Piece>> {
    let mut query = Query::new(
        "select m.variant_id, m.location_id, cast(-sum(m.quantity) as bigint) as quantity
        from stock_movements as m
        where m.reason in ('sold', 'cancelled', 'returned') and m.reference = ",
    );
    query.bind(reference).push(" and m.variant_id in ");
    query.bind_list(variants.iter().copied());
    query.push(
        " and exists (
            select 1
            from stock_movements as s
            where s.variant_id = m.variant_id and s.reference = m.reference and s.reason = 'sold'
        )
        group by m.variant_id, m.location_id
        order by m.variant_id, m.location_id desc",
    );
    let rows: Vec<PieceRow> = query.fetch_all(conn).await?;
    let pieces = rows.into_iter().map(|row| Piece {
        variant_id: row.variant_id,
        location_id: row.location_id,
        quantity: row.quantity,
    });
    Ok(pieces.collect())
}

#[derive(FromRow)]
struct ImbalanceRow {
    variant_id: VariantId,
    on_hand: i64,
    ledger: i64,
}

/// Variants whose shelf is not the sum of their ledger; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> db::Result<Vec<Imbalance>> {
    let rows = fetch_all!(
        conn,
        ImbalanceRow,
        "select b.variant_id, cast(sum(b.on_hand) as bigint) as on_hand,
            cast(sum(b.ledger) as bigint) as ledger
        from (
            select variant_id, location_id, on_hand, cast(0 as bigint) as ledger from stock_levels
            union all
            select variant_id, location_id, cast(0 as bigint), quantity from stock_movements
        ) as b
        group by b.variant_id, b.location_id
        having sum(b.on_hand) <> sum(b.ledger)
        order by b.variant_id, b.location_id"
    )?;
    let imbalance = |row: ImbalanceRow| Imbalance {
        variant_id: row.variant_id,
        on_hand: row.on_hand,
        ledger: row.ledger,
    };
    Ok(rows.into_iter().map(imbalance).collect())
}

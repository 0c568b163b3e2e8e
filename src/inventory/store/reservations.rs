//! SQL of reservations. Their rows change only under the locks of their shelves.

use super::CHUNK;
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::inventory::model::{Piece, ReservedImbalance};
use crate::types::{LocationId, Timestamp, VariantId};

#[derive(FromRow)]
struct PieceRow {
    variant_id: VariantId,
    location_id: LocationId,
    quantity: i64,
}

/// In ascending order, which `returning` does not promise.
fn pieces(rows: Vec<PieceRow>) -> Vec<Piece> {
    let pieces = rows.into_iter().map(|row| Piece {
        variant_id: row.variant_id,
        location_id: row.location_id,
        quantity: row.quantity,
    });
    let mut pieces: Vec<Piece> = pieces.collect();
    pieces.sort_unstable_by_key(|piece| (piece.variant_id, piece.location_id));
    pieces
}

/// Notes that pieces are held for a reference until a time; what it holds already is added to.
pub async fn insert_reservations(
    tx: &mut Tx,
    reference: &str,
    held: &[Piece],
    expires_at: Timestamp,
    now: Timestamp,
) -> db::Result<()> {
    for held in held.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into reservations
                (reference, variant_id, location_id, quantity, expires_at, created_at)
            values ",
        );
        for (index, piece) in held.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(reference).push(", ");
            query.bind(piece.variant_id).push(", ");
            query.bind(piece.location_id).push(", ");
            query.bind(piece.quantity).push(", ");
            query.bind(expires_at).push(", ");
            query.bind(now).push(")");
        }
        query.push(
            " on conflict (reference, variant_id, location_id)
            do update set
                quantity = reservations.quantity + excluded.quantity,
                expires_at = excluded.expires_at",
        );
        query.execute(tx).await?;
    }
    Ok(())
}

/// The variants of which a reference holds pieces, ascending.
pub async fn reserved_variants(conn: &mut Conn, reference: &str) -> db::Result<Vec<VariantId>> {
    let rows = fetch_all!(
        conn,
        (VariantId,),
        "select distinct variant_id
        from reservations
        where reference = $1
        order by variant_id",
        reference,
    )?;
    Ok(rows.into_iter().map(|(variant,)| variant).collect())
}

/// Moves the deadline of what a reference holds; never to an earlier time.
pub async fn extend(tx: &mut Tx, reference: &str, expires_at: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update reservations
        set expires_at = $2
        where reference = $1 and expires_at < $2",
        reference,
        expires_at,
    )?;
    Ok(())
}

/// The earliest deadline of what a reference holds; none when it holds nothing.
pub async fn held_until(conn: &mut Conn, reference: &str) -> db::Result<Option<Timestamp>> {
    let (until,) = fetch_one!(
        conn,
        (Option<Timestamp>,),
        "select min(expires_at)
        from reservations
        where reference = $1",
        reference,
    )?;
    Ok(until)
}

/// Forgets all reservations of a reference; gives what it held.
pub async fn free(tx: &mut Tx, reference: &str) -> db::Result<Vec<Piece>> {
    let rows = fetch_all!(
        tx,
        PieceRow,
        "delete from reservations
        where reference = $1
        returning variant_id, location_id, quantity",
        reference,
    )?;
    Ok(pieces(rows))
}

/// Forgets the reservations of variants whose time is over; gives what they held.
pub async fn free_expired(
    tx: &mut Tx,
    variants: &[VariantId],
    now: Timestamp,
) -> db::Result<Vec<Piece>> {
    let mut freed = Vec::new();
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new("delete from reservations where expires_at <= ");
        query.bind(now).push(" and variant_id in ");
        query.bind_list(variants.iter().copied());
        query.push(" returning variant_id, location_id, quantity");
        freed.extend(query.fetch_all::<PieceRow>(tx).await?);
    }
    Ok(pieces(freed))
}

/// Variants with reservations whose time is over, ascending, `limit` at most.
pub async fn expired_variants(
    conn: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> db::Result<Vec<VariantId>> {
    let rows = fetch_all!(
        conn,
        (VariantId,),
        "select distinct variant_id
        from reservations
        where expires_at <= $1
        order by variant_id
        limit $2",
        now,
        limit,
    )?;
    Ok(rows.into_iter().map(|(variant,)| variant).collect())
}

/// How many pieces are held for somebody.
pub async fn reserved_pieces(conn: &mut Conn) -> db::Result<i64> {
    let (pieces,) = fetch_one!(
        conn,
        (i64,),
        "select cast(coalesce(sum(quantity), 0) as bigint)
        from reservations"
    )?;
    Ok(pieces)
}

#[derive(FromRow)]
struct ImbalanceRow {
    variant_id: VariantId,
    reserved: i64,
    reservations: i64,
}

/// Shelves whose reserved pieces are not the sum of their reservations; none when the books are
/// right.
pub async fn reserved_imbalances(conn: &mut Conn) -> db::Result<Vec<ReservedImbalance>> {
    let rows = fetch_all!(
        conn,
        ImbalanceRow,
        "select b.variant_id, cast(sum(b.reserved) as bigint) as reserved,
            cast(sum(b.held) as bigint) as reservations
        from (
            select variant_id, location_id, reserved, cast(0 as bigint) as held from stock_levels
            union all
            select variant_id, location_id, cast(0 as bigint), quantity from reservations
        ) as b
        group by b.variant_id, b.location_id
        having sum(b.reserved) <> sum(b.held)
        order by b.variant_id, b.location_id"
    )?;
    let imbalance = |row: ImbalanceRow| ReservedImbalance {
        variant_id: row.variant_id,
        reserved: row.reserved,
        reservations: row.reservations,
    };
    Ok(rows.into_iter().map(imbalance).collect())
}

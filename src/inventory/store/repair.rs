//! SQL that brings the books of stock into balance again.

use crate::db::{self, Query, Tx, fetch_all};
use crate::inventory::model::{Piece, Reason};
use crate::types::{LocationId, Timestamp, VariantId};

fn pieces(rows: Vec<(VariantId, LocationId, i64)>) -> Vec<Piece> {
    let rows = rows.into_iter();
    rows.map(|(variant_id, location_id, quantity)| Piece {
        variant_id,
        location_id,
        quantity,
    })
    .collect()
}

/// Writes the missing entry into the ledger of each shelf that is not the sum of it, because
/// what the shelf says is what was sold by. Gives the entries.
pub async fn balance_ledger(
    tx: &mut Tx,
    reference: &str,
    note: &str,
    now: Timestamp,
) -> db::Result<Vec<Piece>> {
    // Two doctors at once write each entry once.
    lock_all(tx).await?;
    let rows = fetch_all!(
        tx,
        (VariantId, LocationId, i64),
        "insert into stock_movements
            (variant_id, location_id, quantity, reason, reference, note, created_at)
        select b.variant_id, b.location_id, cast(sum(b.on_hand) - sum(b.ledger) as bigint), $1,
            $2, $3, $4
        from (
            select variant_id, location_id, on_hand, cast(0 as bigint) as ledger from stock_levels
            union all
            select variant_id, location_id, cast(0 as bigint), quantity from stock_movements
        ) as b
        group by b.variant_id, b.location_id
        having sum(b.on_hand) <> sum(b.ledger)
        returning variant_id, location_id, quantity",
        Reason::Correction,
        reference,
        note,
        now,
    )?;
    Ok(pieces(rows))
}

/// Locks every shelf until the transaction ends, in the order in which all lock them.
async fn lock_all(tx: &mut Tx) -> db::Result<()> {
    let mut query =
        Query::new("select variant_id from stock_levels order by variant_id, location_id");
    let _: Vec<(VariantId,)> = query.lock().fetch_all(tx).await?;
    Ok(())
}

/// Sets what shelves hold back to the sum of their reservations. Gives the shelves that were
/// wrong, with what they hold back now.
pub async fn recount_reserved(tx: &mut Tx) -> db::Result<Vec<Piece>> {
    // A statement that waited for a shelf would still count what was reserved before it waited.
    lock_all(tx).await?;
    let rows = fetch_all!(
        tx,
        (VariantId, LocationId, i64),
        "update stock_levels
        set reserved = held.pieces
        from (
            select s.variant_id as variant, s.location_id as location,
                cast(coalesce(sum(r.quantity), 0) as bigint) as pieces
            from stock_levels s
            left join reservations r
                on r.variant_id = s.variant_id and r.location_id = s.location_id
            group by s.variant_id, s.location_id
        ) as held
        where held.variant = stock_levels.variant_id and held.location = stock_levels.location_id
            and stock_levels.reserved <> held.pieces
        returning variant_id, location_id, reserved"
    )?;
    Ok(pieces(rows))
}

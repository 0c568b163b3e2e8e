//! SQL of inventory.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::inventory::model::{Imbalance, Reason, StockLevel};
use crate::types::{LocationId, Timestamp, UserId, VariantId};

/// Rows of one insert: few enough that no database runs out of placeholders.
const CHUNK: usize = 1_000;

/// A change for the ledger.
pub struct Movement<'a> {
    /// Pieces that came (positive) or went, by variant.
    pub changes: &'a [(VariantId, i64)],
    /// Where.
    pub location: LocationId,
    /// Why.
    pub reason: Reason,
    /// What caused it.
    pub reference: &'a str,
    /// Who did it.
    pub actor: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct LevelRow {
    variant_id: VariantId,
    on_hand: i64,
    reserved: i64,
}

impl LevelRow {
    fn split(self) -> (VariantId, StockLevel) {
        let level = StockLevel {
            on_hand: self.on_hand,
            reserved: self.reserved,
        };
        (self.variant_id, level)
    }
}

/// The location that orders are filled from.
pub async fn main_location(conn: &mut Conn) -> db::Result<LocationId> {
    let (id,) = fetch_one!(
        conn,
        (LocationId,),
        "select id from locations where code = 'main'"
    )?;
    Ok(id)
}

/// Levels of variants, over all locations; a variant without any is left out.
pub async fn levels(
    conn: &mut Conn,
    variants: &[VariantId],
) -> db::Result<Vec<(VariantId, StockLevel)>> {
    let mut found = Vec::with_capacity(variants.len());
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new(
            "select variant_id, cast(sum(on_hand) as bigint) as on_hand,
                cast(sum(reserved) as bigint) as reserved
            from stock_levels
            where variant_id in ",
        );
        query
            .bind_list(variants.iter().copied())
            .push(" group by variant_id");
        let rows: Vec<LevelRow> = query.fetch_all(conn).await?;
        found.extend(rows.into_iter().map(LevelRow::split));
    }
    Ok(found)
}

/// Takes `quantity` pieces if so many are free; tells whether it did.
pub async fn take(
    tx: &mut Tx,
    variant: VariantId,
    location: LocationId,
    quantity: i64,
) -> db::Result<bool> {
    let taken = execute!(
        tx,
        "update stock_levels
        set on_hand = on_hand - $3
        where variant_id = $1 and location_id = $2 and on_hand - reserved >= $3",
        variant,
        location,
        quantity,
    )?;
    Ok(taken == 1)
}

/// Locks the levels of variants at a location until the transaction ends and gives them; a
/// missing one is made. `variants` ascend, without repetition.
pub async fn lock(
    tx: &mut Tx,
    variants: &[VariantId],
    location: LocationId,
) -> db::Result<Vec<(VariantId, StockLevel)>> {
    let mut found = Vec::with_capacity(variants.len());
    for variants in variants.chunks(CHUNK) {
        let empty: Vec<_> = variants.iter().map(|&variant| (variant, 0)).collect();
        let mut query = insertion(&empty, location);
        query.push(
            " do update
            set on_hand = stock_levels.on_hand
            returning variant_id, on_hand, reserved",
        );
        let rows: Vec<LevelRow> = query.fetch_all(tx).await?;
        found.extend(rows.into_iter().map(LevelRow::split));
    }
    Ok(found)
}

/// Adds pieces to levels; a missing one is made. `pieces` ascend by variant, without
/// repetition, none negative.
pub async fn add(tx: &mut Tx, pieces: &[(VariantId, i64)], location: LocationId) -> db::Result<()> {
    for pieces in pieces.chunks(CHUNK) {
        let mut query = insertion(pieces, location);
        query.push(" do update set on_hand = stock_levels.on_hand + excluded.on_hand");
        query.execute(tx).await?;
    }
    Ok(())
}

/// Sets levels that the transaction has locked. `levels` ascend by variant, without repetition,
/// none negative.
pub async fn set(tx: &mut Tx, levels: &[(VariantId, i64)], location: LocationId) -> db::Result<()> {
    for levels in levels.chunks(CHUNK) {
        let mut query = insertion(levels, location);
        query.push(" do update set on_hand = excluded.on_hand");
        query.execute(tx).await?;
    }
    Ok(())
}

/// `insert … on conflict (…)`; the caller says what happens then.
fn insertion(levels: &[(VariantId, i64)], location: LocationId) -> Query {
    let mut query =
        Query::new("insert into stock_levels (variant_id, location_id, on_hand) values ");
    for (index, &(variant, on_hand)) in levels.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.bind(variant).push(", ").bind(location);
        query.push(", ").bind(on_hand).push(")");
    }
    query.push(" on conflict (variant_id, location_id)");
    query
}

/// Writes the ledger.
pub async fn record(tx: &mut Tx, movement: &Movement<'_>) -> db::Result<()> {
    for changes in movement.changes.chunks(CHUNK) {
        let mut query = Query::new(
            "insert into stock_movements
                (variant_id, location_id, quantity, reason, reference, actor_id, created_at)
            values ",
        );
        for (index, &(variant, quantity)) in changes.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(variant).push(", ").bind(movement.location);
            query.push(", ").bind(quantity);
            query.push(", ").bind(movement.reason);
            query.push(", ").bind(movement.reference);
            query.push(", ").bind(movement.actor);
            query.push(", ").bind(movement.at).push(")");
        }
        query.execute(tx).await?;
    }
    Ok(())
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

//! SQL of inventory.

mod ledger;
mod lists;
mod locations;
mod repair;
mod reservations;
mod waiters;

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one};
use crate::inventory::model::{Piece, Shelf, StockLevel};
use crate::types::{LocationId, VariantId};

pub use ledger::{Movement, imbalances, outstanding, record};
pub use lists::{count_movements, count_stock, movements, set_rules, stock_ids, stock_rows};
pub use locations::{free_at, insert_location, locations, update_location};
pub use repair::{balance_ledger, recount_reserved};
pub use reservations::{
    expired_variants, extend, free, free_expired, held_until, insert_reservations,
    reserved_imbalances, reserved_pieces, reserved_variants,
};

pub use waiters::{
    call_waiters, delete_waiter, delete_waits_of_user, insert_waiter, waiter, waits_of_user,
};

/// Rows of one statement: few enough that no database runs out of placeholders.
const CHUNK: usize = 1_000;

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

/// The location that is always there.
pub async fn main_location(conn: &mut Conn) -> db::Result<LocationId> {
    let (id,) = fetch_one!(
        conn,
        (LocationId,),
        "select id from locations where code = 'main'"
    )?;
    Ok(id)
}

/// Levels of variants, over all active locations; a variant without any is left out.
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
            where location_id in (select id from locations where active) and variant_id in ",
        );
        query
            .bind_list(variants.iter().copied())
            .push(" group by variant_id");
        let rows: Vec<LevelRow> = query.fetch_all(conn).await?;
        found.extend(rows.into_iter().map(LevelRow::split));
    }
    Ok(found)
}

#[derive(FromRow)]
struct ShelfRow {
    variant_id: VariantId,
    location_id: LocationId,
    on_hand: i64,
    reserved: i64,
    position: Option<i64>,
    backorder: bool,
}

impl From<ShelfRow> for Shelf {
    fn from(row: ShelfRow) -> Self {
        Self {
            variant_id: row.variant_id,
            location_id: row.location_id,
            stock: StockLevel {
                on_hand: row.on_hand,
                reserved: row.reserved,
            },
            position: row.position,
            backorder: row.backorder,
        }
    }
}

/// Locks all shelves of variants until the transaction ends, ascending by variant and location,
/// and gives them so. `variants` ascend, without repetition.
///
/// Whoever changes stock or reservations of a variant holds these locks first, so that nobody
/// waits in a circle.
pub async fn lock_shelves(tx: &mut Tx, variants: &[VariantId]) -> db::Result<Vec<Shelf>> {
    let mut found = Vec::with_capacity(variants.len());
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new("select variant_id from stock_levels where variant_id in ");
        query.bind_list(variants.iter().copied());
        query.push(" order by variant_id, location_id");
        let _: Vec<(VariantId,)> = query.lock().fetch_all(tx).await?;
        // Read by a statement of its own: one that waited for a lock would still tell the rules
        // of variants and the places from before it waited.
        let rows: Vec<ShelfRow> = select_shelves(variants).fetch_all(tx).await?;
        found.extend(rows.into_iter().map(Shelf::from));
    }
    Ok(found)
}

/// All shelves of variants, to look at, ascending by variant and location.
pub async fn shelves(conn: &mut Conn, variants: &[VariantId]) -> db::Result<Vec<Shelf>> {
    let rows: Vec<ShelfRow> = select_shelves(variants).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Shelf::from).collect())
}

fn select_shelves(variants: &[VariantId]) -> Query {
    let mut query = Query::new(
        "select s.variant_id, s.location_id, s.on_hand, s.reserved,
            (
                select l.position
                from locations as l
                where l.id = s.location_id and l.active
            ) as position,
            coalesce((
                select v.backorder
                from variants as v
                where v.id = s.variant_id
            ), false) as backorder
        from stock_levels as s
        where s.variant_id in ",
    );
    query.bind_list(variants.iter().copied());
    query.push(" order by s.variant_id, s.location_id");
    query
}

/// Makes an empty shelf at the first active location for those of the variants that are sold
/// beyond their stock and have none at any; gives how many.
pub async fn open_backorder_shelves(tx: &mut Tx, variants: &[VariantId]) -> db::Result<u64> {
    let mut query = Query::new(
        "insert into stock_levels (variant_id, location_id)
        select v.id, (select id from locations where active order by position, id limit 1)
        from variants as v
        where v.backorder
            and not exists (
                select 1
                from stock_levels as s
                where s.variant_id = v.id
                    and s.location_id in (select id from locations where active)
            )
            and v.id in ",
    );
    query.bind_list(variants.iter().copied());
    query.push(" order by v.id on conflict (variant_id, location_id) do nothing");
    query.execute(tx).await
}

/// Takes pieces off a shelf if so many are free, or the variant is sold beyond its stock; tells
/// whether it did.
pub async fn take(tx: &mut Tx, piece: &Piece) -> db::Result<bool> {
    let taken = execute!(
        tx,
        "update stock_levels
        set on_hand = on_hand - $3
        where variant_id = $1
            and location_id = $2
            and (
                on_hand - reserved >= $3
                or exists (select 1 from variants as v where v.id = $1 and v.backorder)
            )",
        piece.variant_id,
        piece.location_id,
        piece.quantity,
    )?;
    Ok(taken == 1)
}

/// Holds pieces of a shelf under the same condition as [`take`]; tells whether it did.
pub async fn reserve(tx: &mut Tx, piece: &Piece) -> db::Result<bool> {
    let reserved = execute!(
        tx,
        "update stock_levels
        set reserved = reserved + $3
        where variant_id = $1
            and location_id = $2
            and (
                on_hand - reserved >= $3
                or exists (select 1 from variants as v where v.id = $1 and v.backorder)
            )",
        piece.variant_id,
        piece.location_id,
        piece.quantity,
    )?;
    Ok(reserved == 1)
}

/// Holds pieces of a shelf no longer; tells whether so many were held.
pub async fn unreserve(tx: &mut Tx, piece: &Piece) -> db::Result<bool> {
    let freed = execute!(
        tx,
        "update stock_levels
        set reserved = reserved - $3
        where variant_id = $1 and location_id = $2 and reserved >= $3",
        piece.variant_id,
        piece.location_id,
        piece.quantity,
    )?;
    Ok(freed == 1)
}

/// Takes pieces off a shelf that were held there: what others can buy stays the same. Tells
/// whether so many were held.
pub async fn take_reserved(tx: &mut Tx, piece: &Piece) -> db::Result<bool> {
    let taken = execute!(
        tx,
        "update stock_levels
        set on_hand = on_hand - $3, reserved = reserved - $3
        where variant_id = $1 and location_id = $2 and reserved >= $3",
        piece.variant_id,
        piece.location_id,
        piece.quantity,
    )?;
    Ok(taken == 1)
}

/// Adds pieces to shelves, or takes some away where they are negative; a missing shelf is made.
/// `pieces` ascend by variant and location, without repetition; whoever takes some away has
/// locked the shelves and looked.
pub async fn add(tx: &mut Tx, pieces: &[Piece]) -> db::Result<()> {
    for pieces in pieces.chunks(CHUNK) {
        let mut query =
            Query::new("insert into stock_levels (variant_id, location_id, on_hand) values ");
        for (index, piece) in pieces.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(piece.variant_id).push(", ");
            query.bind(piece.location_id).push(", ");
            query.bind(piece.quantity).push(")");
        }
        query.push(
            " on conflict (variant_id, location_id)
            do update set on_hand = stock_levels.on_hand + excluded.on_hand",
        );
        query.execute(tx).await?;
    }
    Ok(())
}

/// What a change of stock may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Watched {
    /// Of what.
    pub variant_id: VariantId,
    /// Pieces at active locations that nobody holds; negative where more is owed.
    pub available: i64,
    /// From how many pieces down it is low; none: the shop's usual number.
    pub low_stock: Option<i64>,
    /// Whether somebody waits for it.
    pub waiting: bool,
}

/// What changes of these variants' stock may lead to.
pub async fn watched(conn: &mut Conn, variants: &[VariantId]) -> db::Result<Vec<Watched>> {
    let mut found = Vec::with_capacity(variants.len());
    for variants in variants.chunks(CHUNK) {
        let mut query = Query::new(
            "select v.id as variant_id,
                coalesce((
                    select cast(sum(s.on_hand - s.reserved) as bigint)
                    from stock_levels as s
                    where s.variant_id = v.id
                        and s.location_id in (select id from locations where active)
                ), 0) as available,
                v.low_stock,
                exists (
                    select 1
                    from stock_waiters as w
                    where w.variant_id = v.id and w.notified_at is null
                ) as waiting
            from variants as v
            where v.id in ",
        );
        query.bind_list(variants.iter().copied());
        query.push(" order by v.id");
        found.extend(query.fetch_all::<Watched>(conn).await?);
    }
    Ok(found)
}

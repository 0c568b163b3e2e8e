//! Taking stock for orders: at once, or held first and settled when the money is there.
//!
//! Everything here locks the shelves of its variants first, in one order, and then looks: so a
//! piece is never sold twice and nobody waits in a circle. What still protects the books if that
//! were wrong is the condition in each statement.

use std::time::Duration;

use anyhow::anyhow;

use super::merged;
use super::record;
use super::shelves::{Changes, Shelves};
use super::watch::watch;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::inventory::model::{Piece, Reason, Shortfall};
use crate::inventory::store;
use crate::jobs::Chore;
use crate::types::{Timestamp, VariantId};

/// Variants of one transaction of the sweeper.
const SWEPT: i64 = 50;

/// Frees what is held longer than its deadline.
pub const SWEEP: Chore = Chore {
    name: "inventory.sweep",
    every: Duration::from_secs(15),
    run: |app| Box::pin(async move { sweep(&app).await }),
};

/// Until when what is reserved now is held: the shop's setting.
pub fn deadline(app: &App, ctx: &Ctx) -> Timestamp {
    ctx.now
        .plus_seconds(i64::from(app.config.reservation_minutes) * 60)
}

/// Takes stock for an order, all lines or none. Gives the lines that fell short; then nothing
/// was taken, and the caller must roll back.
pub async fn take(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reference: &str,
) -> Result<Vec<Shortfall>> {
    let lines = merged(lines);
    let mut shelves = Shelves::lock(tx, &variants(&lines)).await?;
    let mut changes = Changes::new();
    let pieces = match find(tx, ctx, &mut shelves, &lines, &mut changes).await? {
        Ok(pieces) => pieces,
        Err(shortfalls) => return Ok(shortfalls),
    };
    take_pieces(tx, &pieces, &mut changes).await?;
    record_sold(tx, ctx, &pieces, reference).await?;
    watch(tx, ctx, &changes).await?;
    Ok(Vec::new())
}

/// Holds stock for a reference, such as the number of an order, until a time: it stays on the
/// shelf, but nobody else can have it. All lines or none; gives the lines that fell short, and
/// then the caller must roll back. What the reference holds already is added to.
pub async fn reserve(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reference: &str,
    until: Timestamp,
) -> Result<Vec<Shortfall>> {
    let lines = merged(lines);
    let mut shelves = Shelves::lock(tx, &variants(&lines)).await?;
    let mut changes = Changes::new();
    let pieces = match find(tx, ctx, &mut shelves, &lines, &mut changes).await? {
        Ok(pieces) => pieces,
        Err(shortfalls) => return Ok(shortfalls),
    };
    for piece in &pieces {
        held(store::reserve(tx, piece).await?)?;
        *changes.entry(piece.variant_id).or_default() -= piece.quantity;
    }
    store::insert_reservations(tx, reference, &pieces, until, ctx.now).await?;
    watch(tx, ctx, &changes).await?;
    Ok(Vec::new())
}

/// Holds what a reference still holds until a later time.
pub async fn extend(tx: &mut Tx, reference: &str, until: Timestamp) -> Result<()> {
    let variants = store::reserved_variants(tx, reference).await?;
    if !variants.is_empty() {
        Shelves::lock(tx, &variants).await?;
        store::extend(tx, reference, until).await?;
    }
    Ok(())
}

/// Until when all that is held for a reference is held; none when nothing is.
pub async fn held_until(conn: &mut Conn, reference: &str) -> Result<Option<Timestamp>> {
    Ok(store::held_until(conn, reference).await?)
}

/// Holds nothing any longer for a reference. Safe to call twice.
pub async fn release(tx: &mut Tx, ctx: &Ctx, reference: &str) -> Result<()> {
    let variants = store::reserved_variants(tx, reference).await?;
    if variants.is_empty() {
        return Ok(());
    }
    let mut shelves = Shelves::lock(tx, &variants).await?;
    let pieces = store::free(tx, reference).await?;
    let mut changes = Changes::new();
    unreserve(tx, &mut shelves, &pieces, &mut changes).await?;
    watch(tx, ctx, &changes).await
}

/// Sells what a reference holds; what was freed meanwhile, because its time was over, is taken
/// anew, and what it holds beyond the lines is freed. All lines or none: gives the lines that
/// fell short, and then the caller must roll back.
///
/// The caller holds a lock on whatever the reference names, and settles it once.
pub async fn settle(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reference: &str,
) -> Result<Vec<Shortfall>> {
    let lines = merged(lines);
    let mut all = variants(&lines);
    all.extend(store::reserved_variants(tx, reference).await?);
    all.sort_unstable();
    all.dedup();
    let mut shelves = Shelves::lock(tx, &all).await?;
    let mut changes = Changes::new();
    let mut missing = lines.clone();
    let mut sold = Vec::new();
    let mut surplus = Vec::new();
    for piece in store::free(tx, reference).await? {
        let line = missing.iter_mut().find(|(id, _)| *id == piece.variant_id);
        let needed = line.as_ref().map_or(0, |(_, quantity)| *quantity);
        let quantity = piece.quantity.min(needed);
        if let Some((_, rest)) = line {
            *rest -= quantity;
        }
        if quantity > 0 {
            sold.push(Piece { quantity, ..piece });
        }
        if piece.quantity > quantity {
            let quantity = piece.quantity - quantity;
            surplus.push(Piece { quantity, ..piece });
        }
    }
    for piece in &sold {
        held(store::take_reserved(tx, piece).await?)?;
        shelves.change(piece, -piece.quantity, -piece.quantity);
    }
    unreserve(tx, &mut shelves, &surplus, &mut changes).await?;
    missing.retain(|(_, quantity)| *quantity > 0);
    let anew = match find(tx, ctx, &mut shelves, &missing, &mut changes).await? {
        Ok(pieces) => pieces,
        Err(shortfalls) => return Ok(shortfalls),
    };
    take_pieces(tx, &anew, &mut changes).await?;
    sold.extend(anew);
    record_sold(tx, ctx, &sold, reference).await?;
    watch(tx, ctx, &changes).await?;
    Ok(Vec::new())
}

/// Frees everything that is held longer than its deadline; gives how many reservations that
/// were.
pub async fn sweep(app: &App) -> Result<u64> {
    let ctx = app.system();
    let mut freed = 0;
    loop {
        let mut conn = app.db.conn().await?;
        let variants = store::expired_variants(&mut conn, ctx.now, SWEPT).await?;
        let held = store::reserved_pieces(&mut conn).await?;
        drop(conn);
        if variants.is_empty() {
            metrics::gauge!("zoco_stock_reserved").set(held as f64);
            return Ok(freed);
        }
        let mut tx = app.db.begin().await?;
        let mut shelves = Shelves::lock(&mut tx, &variants).await?;
        let mut changes = Changes::new();
        freed += free_expired(&mut tx, &ctx, &mut shelves, &variants, &mut changes).await?;
        watch(&mut tx, &ctx, &changes).await?;
        tx.commit().await?;
    }
}

fn variants(lines: &[(VariantId, i64)]) -> Vec<VariantId> {
    lines.iter().map(|(variant, _)| *variant).collect()
}

/// Where the pieces of all lines come from, or the lines that fall short, although what others
/// held for too long was freed.
async fn find(
    tx: &mut Tx,
    ctx: &Ctx,
    shelves: &mut Shelves,
    lines: &[(VariantId, i64)],
    changes: &mut Changes,
) -> Result<std::result::Result<Vec<Piece>, Vec<Shortfall>>> {
    let short = |shelves: &Shelves| -> Vec<Shortfall> {
        let short = lines
            .iter()
            .filter(|(variant, wanted)| shelves.allot(*variant, *wanted).is_none());
        let short = short.map(|&(variant_id, wanted)| Shortfall {
            variant_id,
            wanted,
            available: shelves.level(variant_id).available(),
        });
        short.collect()
    };
    let mut shortfalls = short(shelves);
    if !shortfalls.is_empty() {
        let variants: Vec<VariantId> = shortfalls.iter().map(|line| line.variant_id).collect();
        free_expired(tx, ctx, shelves, &variants, changes).await?;
        shortfalls = short(shelves);
    }
    if !shortfalls.is_empty() {
        metrics::counter!("zoco_stock_shortfalls_total").increment(shortfalls.len() as u64);
        return Ok(Err(shortfalls));
    }
    let pieces = lines
        .iter()
        .filter_map(|(variant, wanted)| shelves.allot(*variant, *wanted));
    Ok(Ok(pieces.flatten().collect()))
}

/// Frees what is held of variants for longer than its deadline; gives how many pieces' worth of
/// reservations that were.
async fn free_expired(
    tx: &mut Tx,
    ctx: &Ctx,
    shelves: &mut Shelves,
    variants: &[VariantId],
    changes: &mut Changes,
) -> Result<u64> {
    let pieces = store::free_expired(tx, variants, ctx.now).await?;
    unreserve(tx, shelves, &pieces, changes).await?;
    let freed = pieces.len() as u64;
    metrics::counter!("zoco_stock_reservations_expired_total").increment(freed);
    Ok(freed)
}

async fn take_pieces(tx: &mut Tx, pieces: &[Piece], changes: &mut Changes) -> Result<()> {
    for piece in pieces {
        held(store::take(tx, piece).await?)?;
        *changes.entry(piece.variant_id).or_default() -= piece.quantity;
    }
    Ok(())
}

async fn unreserve(
    tx: &mut Tx,
    shelves: &mut Shelves,
    pieces: &[Piece],
    changes: &mut Changes,
) -> Result<()> {
    for piece in pieces {
        held(store::unreserve(tx, piece).await?)?;
        shelves.change(piece, 0, -piece.quantity);
        *changes.entry(piece.variant_id).or_default() += piece.quantity;
    }
    Ok(())
}

/// A statement under a lock does what was looked up under it.
fn held(done: bool) -> Result<()> {
    if done {
        Ok(())
    } else {
        Err(Error::Internal(anyhow!(
            "a locked shelf has other pieces than its books say"
        )))
    }
}

async fn record_sold(tx: &mut Tx, ctx: &Ctx, pieces: &[Piece], reference: &str) -> Result<()> {
    let gone: Vec<Piece> = pieces
        .iter()
        .map(|piece| Piece {
            quantity: -piece.quantity,
            ..*piece
        })
        .collect();
    record(tx, ctx, &gone, Reason::Sold, reference, "").await
}

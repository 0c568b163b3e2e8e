//! Taking, giving back and counting stock, each with its entry in the ledger.

mod count;
mod hold;
mod lists;
mod moves;
mod places;
mod repair;
mod rules;
mod shelves;
mod waiting;
mod watch;

use std::collections::{BTreeMap, HashMap};

pub use count::{MAX_ON_HAND, STOCK_RANGE, count_all, set_all, set_on_hand};
pub use hold::{SWEEP, deadline, extend, held_until, release, reserve, settle, sweep, take};
pub use lists::{movements, stock_list, stock_row};
pub use moves::{AdjustInput, TransferInput, TransferLine, adjust, transfer};
pub use places::{LocationInput, change_location, create_location, location, locations};
pub use repair::repair;
pub use rules::{RulesInput, set_rules};
pub use waiting::{
    CALLED, WaitInput, call_waiters, called, erase, forget_waiter, own_waits, wait_for,
};
pub use watch::{AVAILABLE, LOW};

use super::model::{Imbalance, Piece, Reason, ReservedImbalance, StockLevel};
use super::store::{self, Movement};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::types::VariantId;
use shelves::{Changes, Shelves};

/// What orders can be filled from of each variant, over all active locations; a variant without
/// stock is left out.
pub async fn levels(
    conn: &mut Conn,
    variants: &[VariantId],
) -> Result<HashMap<VariantId, StockLevel>> {
    Ok(store::levels(conn, variants).await?.into_iter().collect())
}

/// Keeps orders from taking any of these variants until the transaction ends, so that whether one
/// was ordered can be asked and acted upon.
pub async fn hold(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    let mut variants = variants.to_vec();
    variants.sort_unstable();
    variants.dedup();
    Shelves::lock_or_make(tx, &variants).await?;
    Ok(())
}

/// What an order took of each variant and has not given back, by the ledger.
pub async fn outstanding(
    conn: &mut Conn,
    variants: &[VariantId],
    reference: &str,
) -> Result<BTreeMap<VariantId, i64>> {
    let mut taken = BTreeMap::new();
    for piece in store::outstanding(conn, variants, reference).await? {
        *taken.entry(piece.variant_id).or_default() += piece.quantity;
    }
    Ok(taken)
}

/// Gives the stock of a cancelled order back to where it came from.
pub async fn put_back(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reference: &str,
) -> Result<()> {
    give_back(tx, ctx, lines, Reason::Cancelled, reference).await
}

/// Gives pieces that an order took back to where they came from, as its entries in the ledger
/// say, and never more than it still has by them: what comes back twice is put back once. An order
/// of which the ledger does not say that it took the variant gives back to the main location.
pub async fn give_back(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reason: Reason,
    reference: &str,
) -> Result<()> {
    let lines = merged(lines);
    if lines.is_empty() {
        return Ok(());
    }
    let variants: Vec<VariantId> = lines.iter().map(|(variant, _)| *variant).collect();
    Shelves::lock(tx, &variants).await?;
    let main = store::main_location(tx).await?;
    let taken = store::outstanding(tx, &variants, reference).await?;
    let mut pieces = BTreeMap::new();
    for (variant_id, quantity) in lines {
        let of = || taken.iter().filter(|piece| piece.variant_id == variant_id);
        if of().next().is_none() {
            pieces.insert((variant_id, main), quantity);
            continue;
        }
        // What came back to another place than it came from counts, too.
        let left: i64 = of().map(|piece| piece.quantity).sum();
        let mut rest = quantity.min(left);
        if rest < quantity {
            let short = quantity - rest.max(0);
            tracing::warn!(reference, variant = variant_id.0, short, "put back before");
        }
        for piece in of() {
            let some = piece.quantity.min(rest);
            if some > 0 {
                pieces.insert((variant_id, piece.location_id), some);
                rest -= some;
            }
        }
    }
    if pieces.is_empty() {
        return Ok(());
    }
    let pieces = pieces.into_iter();
    let pieces = pieces.map(|((variant_id, location_id), quantity)| Piece {
        variant_id,
        location_id,
        quantity,
    });
    put(tx, ctx, &pieces.collect::<Vec<_>>(), reason, reference).await
}

/// Adds pieces to the shelf of the main location.
pub async fn receive(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reason: Reason,
    reference: &str,
) -> Result<()> {
    let lines = merged(lines);
    if lines.is_empty() {
        return Ok(());
    }
    let variants: Vec<VariantId> = lines.iter().map(|(variant, _)| *variant).collect();
    Shelves::lock_or_make(tx, &variants).await?;
    let location_id = store::main_location(tx).await?;
    let pieces = lines.into_iter().map(|(variant_id, quantity)| Piece {
        variant_id,
        location_id,
        quantity,
    });
    put(tx, ctx, &pieces.collect::<Vec<_>>(), reason, reference).await
}

/// Adds pieces to locked shelves.
async fn put(
    tx: &mut Tx,
    ctx: &Ctx,
    pieces: &[Piece],
    reason: Reason,
    reference: &str,
) -> Result<()> {
    store::add(tx, pieces).await?;
    record(tx, ctx, pieces, reason, reference, "").await?;
    let before: Vec<VariantId> = pieces.iter().map(|piece| piece.variant_id).collect();
    let mut changes = Changes::new();
    let after = Shelves::lock(tx, &before).await?;
    for piece in pieces {
        // What comes to a place that no order is filled from can be bought by nobody.
        let mut shelves = after.of(piece.variant_id);
        let sells =
            shelves.any(|shelf| shelf.location_id == piece.location_id && shelf.position.is_some());
        if sells {
            *changes.entry(piece.variant_id).or_default() += piece.quantity;
        }
    }
    watch::watch(tx, ctx, &changes).await
}

/// Shelves that are not the sum of their ledger; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> Result<Vec<Imbalance>> {
    Ok(store::imbalances(conn).await?)
}

/// Shelves whose reserved pieces are not the sum of their reservations; none when the books are
/// right.
pub async fn reserved_imbalances(conn: &mut Conn) -> Result<Vec<ReservedImbalance>> {
    Ok(store::reserved_imbalances(conn).await?)
}

/// Lines in ascending variant id, those of one variant added up, those of no pieces left out.
fn merged(lines: &[(VariantId, i64)]) -> Vec<(VariantId, i64)> {
    let mut sums: BTreeMap<VariantId, i64> = BTreeMap::new();
    for &(variant, quantity) in lines.iter().filter(|(_, quantity)| *quantity > 0) {
        let sum = sums.entry(variant).or_default();
        *sum = sum.saturating_add(quantity);
    }
    sums.into_iter().collect()
}

/// Writes the ledger.
async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    pieces: &[Piece],
    reason: Reason,
    reference: &str,
    note: &str,
) -> Result<()> {
    let movement = Movement {
        pieces,
        reason,
        reference,
        note,
        actor: ctx.user_id(),
        at: ctx.now,
    };
    Ok(store::record(tx, &movement).await?)
}

#[cfg(test)]
mod tests {
    use super::merged;
    use crate::types::VariantId;

    #[test]
    fn lines_of_one_variant_add_up_in_ascending_order() {
        let lines = [
            (VariantId(7), 2),
            (VariantId(3), 1),
            (VariantId(7), 3),
            (VariantId(5), 0),
        ];
        assert_eq!(merged(&lines), [(VariantId(3), 1), (VariantId(7), 5)]);
    }
}

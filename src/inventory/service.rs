//! Taking, giving back and setting stock, each with its entry in the ledger.

use std::collections::{BTreeMap, HashMap};

use super::model::{Count, Counted, Imbalance, Reason, Shortfall, StockLevel};
use super::store::{self, Movement};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::VariantId;

/// The most pieces of a variant that a shelf holds.
pub const MAX_ON_HAND: i64 = 1_000_000_000;

/// What is there of each variant, over all locations; a variant without stock is left out.
pub async fn levels(
    conn: &mut Conn,
    variants: &[VariantId],
) -> Result<HashMap<VariantId, StockLevel>> {
    Ok(store::levels(conn, variants).await?.into_iter().collect())
}

/// Sets what is on the shelf of the main location, with a ledger entry of the difference. The
/// caller has checked the permission. Errors: `Invalid` at `stock` below zero or below what is
/// reserved.
pub async fn set_on_hand(
    tx: &mut Tx,
    ctx: &Ctx,
    variant: VariantId,
    on_hand: i64,
    reason: Reason,
) -> Result<()> {
    let refused = set_all(tx, ctx, &[(variant, on_hand)], reason).await?;
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid("stock", "range", STOCK_RANGE))
    }
}

/// What to tell whoever typed a stock that cannot be.
pub const STOCK_RANGE: &str =
    "Stock is at least what is reserved for orders, and at most 1000000000.";

/// Sets many shelves of the main location at once; of a variant named twice, the last one
/// counts. Gives the variants that were left alone because the new stock is below zero, below
/// what is reserved, or too large. The caller has checked the permission.
pub async fn set_all(
    tx: &mut Tx,
    ctx: &Ctx,
    levels: &[(VariantId, i64)],
    reason: Reason,
) -> Result<Vec<VariantId>> {
    let counts: Vec<_> = levels
        .iter()
        .map(|&(variant, on_hand)| (variant, Count::To(on_hand)))
        .collect();
    let counted = count_all(tx, ctx, &counts, reason, "").await?;
    let refused = counted.iter().filter(|one| one.after.is_none());
    Ok(refused.map(|one| one.variant_id).collect())
}

/// Brings many shelves of the main location to what was counted, with ledger entries of the
/// differences; of a variant named twice, the last count counts. Tells what came of each; what
/// is refused is left alone. The variants exist, and the caller has checked the permission.
pub async fn count_all(
    tx: &mut Tx,
    ctx: &Ctx,
    counts: &[(VariantId, Count)],
    reason: Reason,
    reference: &str,
) -> Result<Vec<Counted>> {
    let wanted: BTreeMap<VariantId, Count> = counts.iter().copied().collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let location = store::main_location(tx).await?;
    let variants: Vec<VariantId> = wanted.keys().copied().collect();
    let mut counted = Vec::with_capacity(variants.len());
    for (variant_id, before) in store::lock(tx, &variants, location).await? {
        let on_hand = match wanted.get(&variant_id) {
            Some(Count::To(on_hand)) => Some(*on_hand),
            Some(Count::By(pieces)) => before.on_hand.checked_add(*pieces),
            None => Some(before.on_hand),
        };
        let on_hand = on_hand.filter(|on_hand| (before.reserved..=MAX_ON_HAND).contains(on_hand));
        counted.push(Counted {
            variant_id,
            before,
            after: on_hand.map(|on_hand| StockLevel { on_hand, ..before }),
        });
    }
    counted.sort_unstable_by_key(|one| one.variant_id);
    let changes = counted.iter().filter_map(|one| {
        let on_hand = one.after?.on_hand;
        (on_hand != one.before.on_hand).then_some((one.variant_id, one.before.on_hand, on_hand))
    });
    let changes: Vec<_> = changes.collect();
    let set: Vec<_> = changes.iter().map(|&(id, _, now)| (id, now)).collect();
    let moved: Vec<_> = changes
        .iter()
        .map(|&(id, was, now)| (id, now - was))
        .collect();
    store::set(tx, &set, location).await?;
    record(tx, ctx, &moved, reason, reference).await?;
    Ok(counted)
}

/// Keeps orders from taking any of these variants until the transaction ends, so that whether one
/// was ordered can be asked and acted upon.
pub async fn hold(tx: &mut Tx, variants: &[VariantId]) -> Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    let location = store::main_location(tx).await?;
    let mut variants = variants.to_vec();
    variants.sort_unstable();
    variants.dedup();
    store::lock(tx, &variants, location).await?;
    Ok(())
}

/// Takes stock for an order, all lines or none, by one conditional statement a line in
/// ascending variant id. Gives the lines that fell short; then the caller must roll back.
pub async fn take(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reference: &str,
) -> Result<Vec<Shortfall>> {
    let lines = merged(lines);
    let location = store::main_location(tx).await?;
    let mut shortfalls = Vec::new();
    let mut taken = Vec::with_capacity(lines.len());
    for &(variant_id, wanted) in &lines {
        if store::take(tx, variant_id, location, wanted).await? {
            taken.push((variant_id, -wanted));
        } else {
            shortfalls.push(Shortfall {
                variant_id,
                wanted,
                available: 0,
            });
        }
    }
    if shortfalls.is_empty() {
        record(tx, ctx, &taken, Reason::Sold, reference).await?;
        return Ok(shortfalls);
    }
    metrics::counter!("zoco_stock_shortfalls_total").increment(shortfalls.len() as u64);
    let variants: Vec<VariantId> = shortfalls.iter().map(|line| line.variant_id).collect();
    let levels = levels(tx, &variants).await?;
    for shortfall in &mut shortfalls {
        let level = levels.get(&shortfall.variant_id);
        shortfall.available = level.map_or(0, |level| level.available());
    }
    Ok(shortfalls)
}

/// Gives the stock of a cancelled order back.
pub async fn put_back(
    tx: &mut Tx,
    ctx: &Ctx,
    lines: &[(VariantId, i64)],
    reference: &str,
) -> Result<()> {
    receive(tx, ctx, lines, Reason::Cancelled, reference).await
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
    let location = store::main_location(tx).await?;
    store::add(tx, &lines, location).await?;
    record(tx, ctx, &lines, reason, reference).await
}

/// Shelves that are not the sum of their ledger; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> Result<Vec<Imbalance>> {
    Ok(store::imbalances(conn).await?)
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

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    changes: &[(VariantId, i64)],
    reason: Reason,
    reference: &str,
) -> Result<()> {
    let location = store::main_location(tx).await?;
    let movement = Movement {
        changes,
        location,
        reason,
        reference,
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

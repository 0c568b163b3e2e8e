//! Stock as somebody says it is: all of a variant, wherever it lies.

use std::collections::BTreeMap;

use super::record;
use super::shelves::{Changes, Shelves};
use super::watch::watch;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::inventory::model::{Count, Counted, Piece, Reason, StockLevel};
use crate::inventory::store;
use crate::types::{LocationId, VariantId};

/// The most pieces of a variant that a shelf holds.
pub const MAX_ON_HAND: i64 = 1_000_000_000;

/// What to tell whoever typed a stock that cannot be.
pub const STOCK_RANGE: &str =
    "Stock is at least what is reserved for orders, and at most 1000000000.";

/// Sets what there is of a variant, with a ledger entry of the difference. The caller has checked
/// the permission. Errors: `Invalid` at `stock` below zero or below what is reserved.
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

/// Sets what there is of many variants at once; of a variant named twice, the last one counts.
/// Gives the variants that were left alone because the new stock is below zero, below what is
/// reserved, or too large. The caller has checked the permission.
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

/// Brings what there is of many variants, over all active locations, to what was counted; of a
/// variant named twice, the last count counts. The difference goes to the main location, and
/// where more is gone than lay there, it is gone from the others, too. Tells what came of each;
/// what is refused is left alone. The variants exist, and the caller has checked the permission.
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
    let main = store::main_location(tx).await?;
    let variants: Vec<VariantId> = wanted.keys().copied().collect();
    let shelves = Shelves::lock_or_make(tx, &variants).await?;
    let mut counted = Vec::with_capacity(variants.len());
    let mut pieces = Vec::new();
    let mut changes = Changes::new();
    for (&variant_id, count) in &wanted {
        let before = shelves.level(variant_id);
        let on_hand = match count {
            Count::To(on_hand) => Some(*on_hand),
            Count::By(pieces) => before.on_hand.checked_add(*pieces),
        };
        let backorder = shelves.backorder(variant_id);
        let on_hand = on_hand.filter(|on_hand| may_be(*on_hand, before, backorder));
        let after = on_hand.map(|on_hand| StockLevel { on_hand, ..before });
        let change = on_hand.map_or(0, |on_hand| on_hand - before.on_hand);
        pieces.extend(spread(&shelves, variant_id, change, main));
        changes.insert(variant_id, change);
        counted.push(Counted {
            variant_id,
            before,
            after,
        });
    }
    store::add(tx, &pieces).await?;
    record(tx, ctx, &pieces, reason, reference, "").await?;
    watch(tx, ctx, &changes).await?;
    Ok(counted)
}

/// Whether there may be so many pieces: what is reserved is there, unless the variant is sold
/// beyond its stock. What is out of bounds already may come nearer.
pub(super) fn may_be(on_hand: i64, before: StockLevel, backorder: bool) -> bool {
    let least = if backorder { 0 } else { before.reserved };
    let least = least.min(before.on_hand);
    (least..=MAX_ON_HAND).contains(&on_hand)
}

/// Where so many pieces come to, or go from.
fn spread(shelves: &Shelves, variant: VariantId, change: i64, main: LocationId) -> Vec<Piece> {
    let piece = |location_id, quantity| Piece {
        variant_id: variant,
        location_id,
        quantity,
    };
    if change == 0 {
        return Vec::new();
    }
    let active = shelves.of(variant).filter(|shelf| shelf.position.is_some());
    let mut others: Vec<_> = active.collect();
    others.sort_by_key(|shelf| (shelf.location_id != main, shelf.position, shelf.location_id));
    let mut rest = change;
    let mut gone = BTreeMap::new();
    for shelf in others {
        let free = (shelf.stock.on_hand - shelf.stock.reserved).max(0);
        let some = rest.clamp(-free, 0);
        if some < 0 {
            gone.insert(shelf.location_id, some);
            rest -= some;
        }
    }
    if rest != 0 {
        *gone.entry(main).or_insert(0) += rest;
    }
    gone.into_iter()
        .map(|(location, quantity)| piece(location, quantity))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_has_what_is_reserved_or_comes_nearer_to_it() {
        let level = |on_hand, reserved| StockLevel { on_hand, reserved };
        assert!(may_be(3, level(9, 3), false));
        assert!(!may_be(2, level(9, 3), false));
        assert!(may_be(2, level(9, 3), true));
        assert!(!may_be(-1, level(9, 3), true));
        assert!(may_be(-3, level(-4, 0), false));
        assert!(!may_be(-5, level(-4, 0), true));
        assert!(!may_be(MAX_ON_HAND + 1, level(0, 0), true));
    }
}

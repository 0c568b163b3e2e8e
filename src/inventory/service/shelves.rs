//! Shelves that a transaction has locked, and from which of them pieces come.

use std::collections::BTreeMap;

use crate::db::Tx;
use crate::error::Result;
use crate::inventory::model::{Piece, Shelf, StockLevel};
use crate::inventory::store;
use crate::types::VariantId;

/// By how many pieces more, or fewer, a variant can be bought.
pub(super) type Changes = BTreeMap<VariantId, i64>;

/// All shelves of some variants, locked until the transaction ends. What the transaction does to
/// them is done here, too.
pub(super) struct Shelves(Vec<Shelf>);

impl Shelves {
    /// Locks them. `variants` ascend, without repetition.
    pub async fn lock(tx: &mut Tx, variants: &[VariantId]) -> Result<Self> {
        let shelves = Self(store::lock_shelves(tx, variants).await?);
        let missing = |id: &&VariantId| shelves.active(**id).next().is_none();
        let missing: Vec<VariantId> = variants.iter().filter(missing).copied().collect();
        if missing.is_empty() || store::open_backorder_shelves(tx, &missing).await? == 0 {
            return Ok(shelves);
        }
        Ok(Self(store::lock_shelves(tx, variants).await?))
    }

    /// Locks them, too, and makes an empty shelf at the main location for a variant that has none
    /// anywhere, so that it cannot be made meanwhile.
    pub async fn lock_or_make(tx: &mut Tx, variants: &[VariantId]) -> Result<Self> {
        let shelves = Self(store::lock_shelves(tx, variants).await?);
        let missing = |id: &&VariantId| shelves.of(**id).next().is_none();
        let missing: Vec<VariantId> = variants.iter().filter(missing).copied().collect();
        if missing.is_empty() {
            return Ok(shelves);
        }
        let location_id = store::main_location(tx).await?;
        let empty = missing.into_iter().map(|variant_id| Piece {
            variant_id,
            location_id,
            quantity: 0,
        });
        store::add(tx, &empty.collect::<Vec<_>>()).await?;
        Ok(Self(store::lock_shelves(tx, variants).await?))
    }

    /// The shelves of a variant.
    pub fn of(&self, variant: VariantId) -> impl Iterator<Item = &Shelf> {
        self.0
            .iter()
            .filter(move |shelf| shelf.variant_id == variant)
    }

    /// The shelves of a variant that orders are filled from, the first one first.
    fn active(&self, variant: VariantId) -> impl Iterator<Item = &Shelf> {
        let active = self.of(variant).filter(|shelf| shelf.position.is_some());
        let mut active: Vec<&Shelf> = active.collect();
        active.sort_by_key(|shelf| (shelf.position, shelf.location_id));
        active.into_iter()
    }

    /// What orders can be filled from.
    pub fn level(&self, variant: VariantId) -> StockLevel {
        self.active(variant)
            .fold(StockLevel::default(), |sum, shelf| StockLevel {
                on_hand: sum.on_hand.saturating_add(shelf.stock.on_hand),
                reserved: sum.reserved.saturating_add(shelf.stock.reserved),
            })
    }

    /// Whether a variant is sold beyond its stock.
    pub fn backorder(&self, variant: VariantId) -> bool {
        self.of(variant).any(|shelf| shelf.backorder)
    }

    /// Where so many pieces come from: one place, the first that has them all; else several, the
    /// first ones first. None when there are not enough, unless the variant is sold beyond its
    /// stock: then the first place owes the rest.
    pub fn allot(&self, variant: VariantId, wanted: i64) -> Option<Vec<Piece>> {
        let shelves: Vec<&Shelf> = self.active(variant).collect();
        let free = |shelf: &Shelf| shelf.stock.on_hand - shelf.stock.reserved;
        let piece = |shelf: &Shelf, quantity| Piece {
            variant_id: variant,
            location_id: shelf.location_id,
            quantity,
        };
        let backorder = self.backorder(variant);
        let level = self.level(variant);
        if !backorder && level.on_hand - level.reserved < wanted {
            return None;
        }
        if let Some(shelf) = shelves.iter().find(|shelf| free(shelf) >= wanted) {
            return Some(vec![piece(shelf, wanted)]);
        }
        let mut rest = wanted;
        let mut pieces = Vec::new();
        for shelf in &shelves {
            let some = free(shelf).clamp(0, rest);
            if some > 0 {
                pieces.push(piece(shelf, some));
                rest -= some;
            }
        }
        if rest > 0 {
            let first = shelves.first().filter(|_| backorder)?;
            match pieces
                .iter_mut()
                .find(|piece| piece.location_id == first.location_id)
            {
                Some(piece) => piece.quantity += rest,
                None => pieces.push(piece(first, rest)),
            }
        }
        pieces.sort_unstable_by_key(|piece| piece.location_id);
        Some(pieces)
    }

    /// Notes what the transaction did to a shelf.
    pub fn change(&mut self, piece: &Piece, on_hand: i64, reserved: i64) {
        let shelf = self.0.iter_mut().find(|shelf| {
            (shelf.variant_id, shelf.location_id) == (piece.variant_id, piece.location_id)
        });
        if let Some(shelf) = shelf {
            shelf.stock.on_hand += on_hand;
            shelf.stock.reserved += reserved;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::LocationId;

    fn shelf(location: i64, position: Option<i64>, on_hand: i64, reserved: i64) -> Shelf {
        Shelf {
            variant_id: VariantId(1),
            location_id: LocationId(location),
            stock: StockLevel { on_hand, reserved },
            position,
            backorder: false,
        }
    }

    fn allot(shelves: &[Shelf], wanted: i64) -> Option<Vec<(i64, i64)>> {
        let pieces = Shelves(shelves.to_vec()).allot(VariantId(1), wanted)?;
        let pieces = pieces
            .iter()
            .map(|piece| (piece.location_id.0, piece.quantity));
        Some(pieces.collect())
    }

    #[test]
    fn the_first_place_that_has_all_gives_all() {
        let shelves = [
            shelf(1, Some(2), 9, 0),
            shelf(2, Some(1), 3, 1),
            shelf(3, Some(0), 1, 0),
            shelf(4, None, 50, 0),
        ];
        assert_eq!(allot(&shelves, 1), Some(vec![(3, 1)]));
        assert_eq!(allot(&shelves, 2), Some(vec![(2, 2)]));
        assert_eq!(allot(&shelves, 9), Some(vec![(1, 9)]));
    }

    #[test]
    fn where_none_has_all_the_first_ones_give_first() {
        let shelves = [
            shelf(1, Some(2), 9, 0),
            shelf(2, Some(1), 3, 1),
            shelf(3, Some(0), 1, 0),
            shelf(4, None, 50, 0),
        ];
        assert_eq!(allot(&shelves, 10), Some(vec![(1, 7), (2, 2), (3, 1)]));
        assert_eq!(allot(&shelves, 12), Some(vec![(1, 9), (2, 2), (3, 1)]));
        assert_eq!(allot(&shelves, 13), None);
        assert_eq!(allot(&[], 1), None);
    }

    #[test]
    fn what_one_place_owes_another_does_not_sell() {
        let shelves = [shelf(1, Some(0), -2, 0), shelf(2, Some(1), 5, 0)];
        assert_eq!(allot(&shelves, 3), Some(vec![(2, 3)]));
        assert_eq!(allot(&shelves, 4), None);
    }

    #[test]
    fn beyond_the_stock_the_first_place_owes_the_rest() {
        let mut shelves = [shelf(1, Some(0), 1, 0), shelf(2, Some(1), 2, 0)];
        shelves[0].backorder = true;
        shelves[1].backorder = true;
        assert_eq!(allot(&shelves, 2), Some(vec![(2, 2)]));
        assert_eq!(allot(&shelves, 7), Some(vec![(1, 5), (2, 2)]));
        assert_eq!(allot(&shelves[..1], 3), Some(vec![(1, 3)]));
    }
}

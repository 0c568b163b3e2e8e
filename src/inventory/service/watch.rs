//! What follows a change of what can be bought: events of stock that runs low, and of stock that
//! somebody waited for.

use serde::Serialize;

use super::shelves::Changes;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::inventory::model::StockLevel;
use crate::inventory::store;
use crate::jobs;
use crate::types::VariantId;

/// A variant fell to the number of pieces at which it is low. Told once a fall.
pub const LOW: &str = "stock.low";
/// A variant that people wait for can be bought again.
pub const AVAILABLE: &str = "stock.available";

#[derive(Serialize)]
struct Low {
    variant_id: VariantId,
    available: i64,
    threshold: i64,
}

#[derive(Serialize)]
struct Available {
    variant_id: VariantId,
}

/// Emits what follows from changes that the transaction made, under the locks of their shelves.
pub(super) async fn watch(tx: &mut Tx, ctx: &Ctx, changes: &Changes) -> Result<()> {
    let changed = changes.iter().filter(|(_, change)| **change != 0);
    let variants: Vec<VariantId> = changed.map(|(variant, _)| *variant).collect();
    for now in store::watched(tx, &variants).await? {
        let variant_id = now.variant_id;
        let change = changes.get(&variant_id).copied().unwrap_or_default();
        let before = now.available.saturating_sub(change);
        let threshold = now.low_stock.unwrap_or(StockLevel::LOW);
        if before > threshold && now.available <= threshold {
            let low = Low {
                variant_id,
                available: now.available,
                threshold,
            };
            jobs::emit(tx, ctx, LOW, &low).await?;
        }
        if before <= 0 && now.available > 0 && now.waiting {
            available(tx, ctx, variant_id).await?;
        }
    }
    Ok(())
}

/// Emits that a variant that somebody waits for can be bought.
pub(super) async fn available(tx: &mut Tx, ctx: &Ctx, variant_id: VariantId) -> Result<()> {
    jobs::emit(tx, ctx, AVAILABLE, &Available { variant_id }).await
}

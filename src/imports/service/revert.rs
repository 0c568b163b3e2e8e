//! What a batch wrote is put back as it was.

use serde_json::json;

use super::apply::{Blamed, Former, LOT, blame, count, reason};
use super::{record, still};
use crate::app::App;
use crate::catalog::service::{self, many};
use crate::catalog::{Product, ProductKey};
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::imports::model::{Batch, BatchState, Outcome, Verdict};
use crate::imports::store::{self, Work};
use crate::types::{CategoryId, ProductId};

/// Puts the next products back, the last written first; when there are no more, the categories
/// that were made and are empty go, and it is done.
pub(super) async fn step(app: &App, ctx: &Ctx, batch: &Batch) -> Result<()> {
    if let Some(blamed) = lot(app, ctx, batch).await? {
        blame(app, ctx, batch, blamed).await?;
    }
    Ok(())
}

async fn lot(app: &App, ctx: &Ctx, batch: &Batch) -> Result<Option<Blamed>> {
    let mut tx = app.db.begin().await?;
    if !still(&mut tx, ctx, batch).await? {
        return Ok(None);
    }
    let applied = store::next_applied(&mut tx, batch.id, LOT).await?;
    if applied.is_empty() {
        remove_categories(ctx, &mut tx, batch).await?;
        store::set_state(&mut tx, batch.id, BatchState::Reverted, "").await?;
        let counts = store::counts(&mut tx, batch.id).await?;
        let facts = json!({
            "reverted": counts.with(Outcome::Reverted),
            "kept": counts.with(Outcome::Kept),
        });
        record(&mut tx, ctx, "import.reverted", batch, facts).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let ids: Vec<ProductId> = applied.iter().filter_map(|work| work.product_id).collect();
    let products = many::load_products(app, ctx, &mut tx, &ids).await?;
    for work in &applied {
        let now = work.product_id.and_then(|id| products.get(&id));
        let done = match now {
            Some(now) => put_back(app, ctx, &mut tx, work, now).await,
            None => Err(Error::NotFound),
        };
        if let Err(error) = done {
            return Ok(Some((work.id, Outcome::Kept, reason(error)?)));
        }
        store::set_outcome(&mut tx, work.id, Outcome::Reverted, "").await?;
    }
    tx.commit().await?;
    count(Outcome::Reverted, applied.len() as u64);
    Ok(None)
}

/// Puts one product back. Errors: `Stale` when somebody changed it since.
async fn put_back(app: &App, ctx: &Ctx, tx: &mut Tx, work: &Work, now: &Product) -> Result<()> {
    let key = ProductKey::Id(now.id);
    if work.verdict == Verdict::New {
        return many::delete_product_in(app, ctx, tx, now.id, work.version).await;
    }
    let Former { mut input, raised } = serde_json::from_str(&work.former)?;
    for variant in input.variants.iter_mut().flatten() {
        let Some(id) = variant.id else { continue };
        let raised = raised
            .iter()
            .find(|(one, raised)| *one == id && *raised != 0);
        let level = now.variants.iter().find(|one| one.id == id);
        if let (Some((_, raised)), Some(level)) = (raised, level) {
            // As a difference: what was sold meanwhile is sold.
            variant.stock = Some((level.stock.on_hand - raised).max(0));
        }
    }
    let related = input.related.take().unwrap_or_default();
    input.related = Some(many::known_products(ctx, tx, &related).await?);
    service::update_product_in(app, ctx, tx, &key, work.version, input).await?;
    let brought = store::brought_images(tx, work.id).await?;
    many::remove_images_in(app, ctx, tx, now.id, &brought).await
}

/// Removes the categories that the batch made, the deepest first, but for those in which something
/// stands.
async fn remove_categories(ctx: &Ctx, tx: &mut Tx, batch: &Batch) -> Result<()> {
    for &id in batch.categories.iter().rev() {
        many::delete_empty_category(ctx, tx, CategoryId(id)).await?;
    }
    Ok(())
}

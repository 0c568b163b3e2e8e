//! What the dry run found is written.

use serde_json::json;

use super::compare::Plan;
use super::{record, still};
use crate::app::App;
use crate::catalog::service::{self, ProductInput, many};
use crate::catalog::{Product, ProductKey};
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::imports::formats::GivenPicture;
use crate::imports::model::{Batch, BatchState, Outcome, Verdict};
use crate::imports::store::{self, Work};
use crate::types::{ImportProductId, ProductId, VariantId};

/// Products of one transaction.
pub(super) const LOT: i64 = 25;

/// How a product was, so that it can be put back.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Former {
    /// What makes it as it was, but for its stock.
    pub input: ProductInput,
    /// By how much the stock of variants was raised.
    pub raised: Vec<(VariantId, i64)>,
}

/// A lot that was given up because of one product: which, why, and what becomes of it.
pub(super) type Blamed = (ImportProductId, Outcome, String);

/// Writes the next products; when none waits, names related products; then it is done.
pub(super) async fn step(app: &App, ctx: &Ctx, batch: &Batch) -> Result<()> {
    if let Some(blamed) = lot(app, ctx, batch).await? {
        blame(app, ctx, batch, blamed).await?;
    }
    Ok(())
}

/// Notes what became of the one product because of which a lot was given up; the others of the
/// lot are taken again.
pub(super) async fn blame(app: &App, ctx: &Ctx, batch: &Batch, blamed: Blamed) -> Result<()> {
    let mut tx = app.db.begin().await?;
    if still(&mut tx, ctx, batch).await? {
        let (item, outcome, why) = blamed;
        store::set_outcome(&mut tx, item, outcome, &why).await?;
        tx.commit().await?;
        count(outcome, 1);
    }
    Ok(())
}

pub(super) fn count(outcome: Outcome, products: u64) {
    metrics::counter!("zoco_import_products_total", "outcome" => outcome.as_str())
        .increment(products);
}

/// What the shop says against a product, in one sentence; whatever is not the product's fault is
/// the batch's.
pub(super) fn reason(error: Error) -> Result<String> {
    match error {
        Error::Invalid(errors) => {
            let message = |(field, error): (&str, &crate::error::FieldError)| {
                format!("{field}: {}", error.message)
            };
            Ok(errors.iter().map(message).collect::<Vec<_>>().join(" "))
        }
        Error::Conflict { detail, .. } => Ok(detail.to_string()),
        Error::Stale => Ok("Somebody changed it meanwhile.".to_owned()),
        Error::NotFound => Ok("It is gone.".to_owned()),
        other => Err(other),
    }
}

async fn lot(app: &App, ctx: &Ctx, batch: &Batch) -> Result<Option<Blamed>> {
    let mut tx = app.db.begin().await?;
    if !still(&mut tx, ctx, batch).await? {
        return Ok(None);
    }
    let waiting = store::next_waiting(&mut tx, batch.id, LOT).await?;
    if waiting.is_empty() {
        let more = relate(app, ctx, &mut tx, batch).await?;
        if !more {
            store::set_state(&mut tx, batch.id, BatchState::Applied, "").await?;
            let counts = store::counts(&mut tx, batch.id).await?;
            let facts = json!({
                "applied": counts.with(Outcome::Applied),
                "conflicts": counts.with(Outcome::Conflict),
                "refused": counts.with(Outcome::Refused),
            });
            record(&mut tx, ctx, "import.applied", batch, facts).await?;
        }
        tx.commit().await?;
        return Ok(None);
    }
    let ids: Vec<ProductId> = waiting.iter().filter_map(|work| work.product_id).collect();
    let products = many::load_products(app, ctx, &mut tx, &ids).await?;
    let mut made = batch.categories.clone();
    for work in &waiting {
        let before = work.product_id.and_then(|id| products.get(&id));
        match write(app, ctx, &mut tx, batch, work, before).await {
            Ok(categories) => made.extend(categories),
            Err(error) => {
                let stale = matches!(error, Error::Stale | Error::NotFound);
                let outcome = if stale {
                    Outcome::Conflict
                } else {
                    Outcome::Refused
                };
                return Ok(Some((work.id, outcome, reason(error)?)));
            }
        }
    }
    if made.len() > batch.categories.len() {
        store::set_categories(&mut tx, batch.id, &made).await?;
    }
    tx.commit().await?;
    count(Outcome::Applied, waiting.len() as u64);
    Ok(None)
}

/// Writes one product; gives the ids of the categories that this made.
async fn write(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    batch: &Batch,
    work: &Work,
    before: Option<&Product>,
) -> Result<Vec<i64>> {
    let Plan {
        described,
        stock,
        fetch,
    } = serde_json::from_str(&work.described)?;
    let mut input = described.input;
    let mut made = Vec::new();
    if let Some(names) = described.category {
        let (id, categories) = many::make_category_path(ctx, tx, &names).await?;
        input.category_id = id;
        made.extend(categories.iter().map(|id| id.0));
    }
    // What goes with it may stand further down in the file.
    let related = input.related.take().unwrap_or_default();
    let written = match (work.verdict, before) {
        (Verdict::New, _) => service::create_product_in(app, ctx, tx, input).await?,
        (_, None) => return Err(Error::NotFound),
        (_, Some(before)) => {
            sold_meanwhile(&mut input, &stock, before);
            let key = ProductKey::Id(before.id);
            service::update_product_in(app, ctx, tx, &key, work.version, input).await?
        }
    };
    let former = before.map(|before| former(before, &written)).transpose()?;
    let related = if related.is_empty() && before.is_none_or(|one| one.related.is_empty()) {
        String::new()
    } else {
        serde_json::to_string(&related)?
    };
    let former = former.unwrap_or_default();
    let (id, version) = (written.id, written.version);
    store::set_applied(tx, work.id, id, version, &former, &related).await?;
    let pictures: Vec<&GivenPicture> = fetch
        .iter()
        .filter_map(|&place| described.pictures.get(place))
        .collect();
    let pictures: Vec<(String, String, String)> = pictures
        .into_iter()
        .map(|one| {
            let option_value = one.option_value.clone().unwrap_or_default();
            (
                one.url.clone(),
                one.alt.clone().unwrap_or_default(),
                option_value,
            )
        })
        .collect();
    store::insert_pictures(tx, batch.id, work.id, id, &pictures, ctx.now).await?;
    Ok(made)
}

/// The file says what there was when the two were compared: what was sold since is gone.
fn sold_meanwhile(input: &mut ProductInput, seen: &[(VariantId, i64)], now: &Product) {
    for variant in input.variants.iter_mut().flatten() {
        let Some(id) = variant.id else { continue };
        let seen = seen.iter().find(|(one, _)| *one == id);
        let now = now.variants.iter().find(|one| one.id == id);
        if let (Some(stock), Some((_, seen)), Some(now)) = (variant.stock, seen, now) {
            let level = stock
                .saturating_add(now.stock.on_hand)
                .saturating_sub(*seen);
            variant.stock = Some(level.max(0));
        }
    }
}

/// How to put it back, as JSON.
fn former(before: &Product, after: &Product) -> Result<String> {
    let mut input = ProductInput::of(before);
    let mut raised = Vec::new();
    for variant in input.variants.iter_mut().flatten() {
        let was = variant.stock.unwrap_or(0);
        match after.variants.iter().find(|one| Some(one.id) == variant.id) {
            Some(after) => {
                raised.push((after.id, after.stock.on_hand - was));
                variant.stock = None;
            }
            // It went: another one takes its place.
            None => variant.id = None,
        }
    }
    Ok(serde_json::to_string(&Former { input, raised })?)
}

/// Names what goes with the next products, now that all products of the file are there; gives
/// whether there were any.
async fn relate(app: &App, ctx: &Ctx, tx: &mut Tx, batch: &Batch) -> Result<bool> {
    let unrelated = store::next_unrelated(tx, batch.id, LOT).await?;
    for work in &unrelated {
        let given: Vec<String> = serde_json::from_str(&work.related)?;
        let known = many::known_products(ctx, tx, &given).await?;
        let unknown: Vec<String> = given
            .iter()
            .filter(|one| !known.contains(one))
            .cloned()
            .collect();
        let (Some(id), Some(version)) = (work.product_id, work.version) else {
            continue;
        };
        let key = ProductKey::Id(id);
        let input = ProductInput {
            related: Some(known),
            ..ProductInput::default()
        };
        let done = service::update_product_in(app, ctx, tx, &key, Some(version), input).await;
        let version = match done {
            Ok(product) => product.version,
            // Somebody changed it just now, and knows better.
            Err(Error::Stale | Error::NotFound | Error::Invalid(_)) => version,
            Err(error) => return Err(error),
        };
        store::set_related(tx, work.id, version).await?;
        if !unknown.is_empty() {
            let why = format!(
                "There are no products {} to go with it.",
                unknown.join(", ")
            );
            store::set_outcome(tx, work.id, Outcome::Applied, &why).await?;
        }
    }
    Ok(!unrelated.is_empty())
}

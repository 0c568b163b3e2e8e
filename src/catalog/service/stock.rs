//! Stock as staff count it, beside the products.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ProductKey;
use super::draft::line;
use super::staff::MAY_LIST;
use super::write::{CHANGED, subject};
use crate::app::App;
use crate::audit;
use crate::catalog::model::Product;
use crate::catalog::store;
use crate::ctx::Ctx;
use crate::db::Conn;
use crate::error::{Error, FieldErrors, Result};
use crate::inventory::service::STOCK_RANGE;
use crate::inventory::{self, Count, Counted, Reason};
use crate::jobs;
use crate::types::{ProductId, TextEnum, VariantId};

/// The most variants of one call.
const MAX_EDITS: usize = 1_000;
const MAX_NOTE: usize = 100;

/// Stock as a form or an API client writes it: all of it, or nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StockInput {
    /// What was counted; at most 1000 variants.
    pub edits: Vec<StockEdit>,
    /// `adjusted` for what was counted or corrected (if left out), `received` for what came in.
    pub reason: Option<String>,
    /// A word for the ledger, such as the number of a delivery.
    pub note: Option<String>,
}

/// The stock of a variant: `on_hand` or `change`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StockEdit {
    /// Which variant.
    #[schema(value_type = i64)]
    pub variant_id: Option<VariantId>,
    /// Pieces on the shelf.
    pub on_hand: Option<i64>,
    /// With `on_hand`: what was shown when it was typed. What was sold or came in since stays so:
    /// only the difference is applied.
    pub was: Option<i64>,
    /// So many more, or fewer where it is negative.
    pub change: Option<i64>,
}

impl StockEdit {
    fn read(&self) -> std::result::Result<Count, &'static str> {
        match (self.on_hand, self.was, self.change) {
            (Some(on_hand), _, None) if on_hand < 0 => Err(STOCK_RANGE),
            (Some(on_hand), None, None) => Ok(Count::To(on_hand)),
            (Some(on_hand), Some(was), None) => {
                on_hand.checked_sub(was).map(Count::By).ok_or(STOCK_RANGE)
            }
            (None, None, Some(change)) => Ok(Count::By(change)),
            _ => Err("Give either on_hand or change."),
        }
    }
}

/// A product with its variants and their stock, drafts too. For those who work on products or
/// count them.
pub async fn stock_of(app: &App, ctx: &Ctx, key: &ProductKey) -> Result<Product> {
    ctx.require_any(&MAY_LIST)?;
    let mut conn = app.db.conn().await?;
    let found = match key {
        ProductKey::Id(id) => store::status_of(&mut conn, *id).await?,
        ProductKey::Slug(slug) => store::id_of_slug(&mut conn, slug).await?,
    };
    let (id, _) = found.ok_or(Error::NotFound)?;
    let product = store::product(&mut conn, id, app.currency()).await?;
    product.ok_or(Error::NotFound)
}

/// Brings stock to what was counted, all of it or none, and tells what came of it. Errors:
/// `Invalid` at `edits.3.on_hand` below zero or below what is reserved, at `edits.3.variant_id`
/// for a variant that is not there.
pub async fn edit_stock(app: &App, ctx: &Ctx, input: StockInput) -> Result<Vec<Counted>> {
    ctx.require_any(&MAY_LIST)?;
    let mut errors = FieldErrors::default();
    let note = line(
        &mut errors,
        "note",
        input.note.as_deref().unwrap_or(""),
        MAX_NOTE,
    );
    let reason = reason(&mut errors, input.reason.as_deref().unwrap_or(""));
    if input.edits.is_empty() || input.edits.len() > MAX_EDITS {
        let message = format!("Give the stock of 1 to {MAX_EDITS} variants.");
        errors.add("edits", "length", message);
    }
    let mut places = BTreeMap::new();
    let mut counts = Vec::with_capacity(input.edits.len());
    for (index, edit) in input.edits.iter().enumerate() {
        let variant = edit.variant_id.unwrap_or(VariantId(0));
        if places.insert(variant, index).is_some() {
            let message = "This variant is given twice.";
            errors.add(&format!("edits.{index}.variant_id"), "repeated", message);
        }
        let count = errors.keep(&format!("edits.{index}.on_hand"), "range", edit.read());
        counts.extend(count.map(|count| (variant, count)));
    }
    errors.into_result()?;

    let variants: Vec<VariantId> = places.keys().copied().collect();
    let mut tx = app.db.begin().await?;
    let mut products: Vec<ProductId> = owners(&mut tx, &variants, &places)
        .await?
        .into_values()
        .collect();
    products.sort_unstable();
    products.dedup();
    // From here on no variant goes.
    store::lock_products(&mut tx, &products).await?;
    let owners = owners(&mut tx, &variants, &places).await?;
    let counted = inventory::service::count_all(&mut tx, ctx, &counts, reason, &note).await?;
    let mut errors = FieldErrors::default();
    for refused in counted.iter().filter(|one| one.after.is_none()) {
        let index = places.get(&refused.variant_id).copied().unwrap_or(0);
        errors.add(&format!("edits.{index}.on_hand"), "range", STOCK_RANGE);
    }
    errors.into_result()?;
    let changed = entries(&counted, &owners);
    audit::record_all(&mut tx, ctx, "product.stock_counted", &changed).await?;
    let payloads: Vec<Value> = products.iter().map(|id| json!({ "id": id })).collect();
    jobs::announce_all(&mut tx, ctx, CHANGED, &payloads).await?;
    tx.commit().await?;
    metrics::counter!("zoco_stock_counted_total").increment(counted.len() as u64);
    Ok(counted)
}

/// Staff say so themselves; the other reasons are the shop's.
fn reason(errors: &mut FieldErrors, word: &str) -> Reason {
    match Reason::from_word(word) {
        Some(reason @ (Reason::Adjusted | Reason::Received)) => reason,
        None if word.is_empty() => Reason::Adjusted,
        _ => {
            errors.add("reason", "unknown", "This is adjusted or received.");
            Reason::Adjusted
        }
    }
}

/// The product of each variant. Errors: `Invalid` at a variant that is not there.
async fn owners(
    conn: &mut Conn,
    variants: &[VariantId],
    places: &BTreeMap<VariantId, usize>,
) -> Result<HashMap<VariantId, ProductId>> {
    let found = store::products_of_variants(conn, variants).await?;
    let found: HashMap<VariantId, ProductId> = found.into_iter().collect();
    let mut errors = FieldErrors::default();
    for (variant, index) in places.iter().filter(|(id, _)| !found.contains_key(id)) {
        let message = format!("There is no variant {variant}.");
        errors.add(&format!("edits.{index}.variant_id"), "unknown", message);
    }
    errors.into_result()?;
    Ok(found)
}

/// What the audit log tells: the stock of each product's variants that changed.
fn entries(counted: &[Counted], owners: &HashMap<VariantId, ProductId>) -> Vec<audit::Change> {
    let mut facts: BTreeMap<ProductId, [Map<String, Value>; 2]> = BTreeMap::new();
    for one in counted {
        let (Some(after), Some(product)) = (one.after, owners.get(&one.variant_id)) else {
            continue;
        };
        if after == one.before {
            continue;
        }
        let [old, new] = facts.entry(*product).or_default();
        let name = format!("on_hand of variant {}", one.variant_id);
        old.insert(name.clone(), one.before.on_hand.into());
        new.insert(name, after.on_hand.into());
    }
    let entry = |(product, [before, after]): (ProductId, [Map<String, Value>; 2])| audit::Change {
        subject: subject(product),
        before: Value::Object(before),
        after: Value::Object(after),
    };
    facts.into_iter().map(entry).collect()
}

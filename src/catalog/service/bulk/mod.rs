//! Many products changed at once: first a preview, then the change of what was seen in it.
//!
//! The preview gives the products that change together with their versions, see [`Seen`]. The
//! change takes just these, some at a time, each lot in a transaction of its own and in ascending
//! order, so that nobody waits long; what somebody else changed meanwhile is left alone and told.

mod action;
mod plan;
mod seen;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

pub use action::{BulkAction, BulkInput, BulkKind, Former, PriceRule};
pub use plan::{Change, NewPrice, Planned, Skip};
use plan::{Outcome, plan};
pub use seen::Seen;

use super::indexing;
use super::staff::matching;
use super::write::{CHANGED, facts, hold_stock_of, subject};
use crate::app::App;
use crate::audit;
use crate::catalog::model::{Product, StaffFilter};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::jobs;
use crate::types::{Page, PageRequest, ProductId};

/// The most products of one preview. Thousands more are a matter of a second filter, not of a
/// request that takes longer than anybody waits.
pub const MAX_SELECTED: usize = 20_000;
/// The most products that one call of [`apply`] changes; the rest is given back to go on with.
pub const AT_ONCE: usize = 2_000;
/// Products that a preview loads at once.
const LOADED: usize = 500;
/// Products of one transaction.
const LOT: usize = 100;
/// The most names that are told of those left alone for one reason.
const NAMED: usize = 20;

/// Which products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These.
    Ids(Vec<ProductId>),
    /// All that the list for staff shows.
    Filter(Box<StaffFilter>),
}

/// What an action would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// How many products were chosen.
    pub selected: usize,
    /// What changes, a page of it.
    pub changes: Page<Planned>,
    /// What is left alone.
    pub skipped: Vec<Skipped>,
    /// All that change, with their versions: what [`apply`] takes.
    pub seen: Seen,
}

/// What an action did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many products were changed.
    pub changed: usize,
    /// What was left alone.
    pub skipped: Vec<Skipped>,
    /// What is still to be done, by another call.
    pub rest: Seen,
}

/// Products that are left alone for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Why.
    pub why: Skip,
    /// How many.
    pub count: usize,
    /// The names of some of them.
    pub names: Vec<String>,
}

/// Counts what is left alone, by reason.
#[derive(Default)]
struct LeftAlone(BTreeMap<&'static str, Skipped>);

impl LeftAlone {
    fn add(&mut self, why: Skip, name: String) {
        let skipped = self.0.entry(why.as_str()).or_insert(Skipped {
            why,
            count: 0,
            names: Vec::new(),
        });
        skipped.count += 1;
        if skipped.names.len() < NAMED {
            skipped.names.push(name);
        }
    }

    fn all(self) -> Vec<Skipped> {
        self.0.into_values().collect()
    }
}

/// What `action` would do to the products chosen; changes nothing. Errors: `Invalid` at
/// `selection` for none or too many, at `category_id` for a category that is not there.
pub async fn preview(
    app: &App,
    ctx: &Ctx,
    selection: &Selection,
    action: &BulkAction,
    page: PageRequest,
) -> Result<Preview> {
    ctx.require(Permission::Catalog)?;
    let ids = ids(app, selection).await?;
    let mut conn = app.db.conn().await?;
    check(&mut conn, action).await?;
    let (mut seen, mut items, mut left) = (Seen::default(), Vec::new(), LeftAlone::default());
    let first = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let shown = first..first.saturating_add(page.per_page() as usize);
    for some in ids.chunks(LOADED) {
        let products = store::products(&mut conn, some, app.currency()).await?;
        let ordered = ordered(&mut conn, action, some).await?;
        for missing in missing(some, &products) {
            left.add(Skip::Gone, format!("Product {missing}"));
        }
        for product in products {
            match plan(action, &product, ordered.contains(&product.id)) {
                Err(why) => left.add(why, product.name),
                Ok((_, change)) => {
                    if shown.contains(&seen.len()) {
                        items.push(Planned {
                            id: product.id,
                            name: product.name,
                            change,
                        });
                    }
                    seen.0.push((product.id, product.version));
                }
            }
        }
    }
    Ok(Preview {
        selected: ids.len(),
        changes: Page {
            items,
            total: i64::try_from(seen.len()).unwrap_or(i64::MAX),
            request: page,
        },
        skipped: left.all(),
        seen,
    })
}

/// Does `action` to products as they were seen, [`AT_ONCE`] of them at most; those that somebody
/// changed meanwhile are left alone. A second call with the same `seen` changes nothing.
pub async fn apply(app: &App, ctx: &Ctx, action: &BulkAction, seen: Seen) -> Result<Applied> {
    ctx.require(Permission::Catalog)?;
    check(&mut app.db.conn().await?, action).await?;
    let mut seen = seen.0;
    let rest = seen.split_off(seen.len().min(AT_ONCE));
    let (mut changed, mut left) = (0, LeftAlone::default());
    for lot in seen.chunks(LOT) {
        let mut tx = app.db.begin().await?;
        changed += apply_lot(app, ctx, &mut tx, action, lot, &mut left).await?;
        tx.commit().await?;
    }
    Ok(Applied {
        changed,
        skipped: left.all(),
        rest: Seen(rest),
    })
}

/// One lot, in a number of statements that does not grow with it; gives how many changed.
async fn apply_lot(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    action: &BulkAction,
    lot: &[(ProductId, i64)],
    left: &mut LeftAlone,
) -> Result<usize> {
    let ids: Vec<ProductId> = lot.iter().map(|(id, _)| *id).collect();
    store::lock_products(tx, &ids).await?;
    let mut products = store::products(tx, &ids, app.currency()).await?;
    for missing in missing(&ids, &products) {
        left.add(Skip::Gone, format!("Product {missing}"));
    }
    let versions: HashMap<ProductId, i64> = lot.iter().copied().collect();
    products.retain(|product| {
        let fresh = versions.get(&product.id) == Some(&product.version);
        if !fresh {
            left.add(Skip::Stale, product.name.clone());
        }
        fresh
    });
    if *action == BulkAction::Delete {
        hold_stock_of(tx, &products).await?;
    }
    let ordered = ordered(tx, action, &ids).await?;
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    for before in products {
        match plan(action, &before, ordered.contains(&before.id)) {
            Err(why) => left.add(why, before.name),
            Ok((Outcome::Deleted, _)) => gone.push(before),
            Ok((Outcome::Changed(mut after), _)) => {
                after.version += 1;
                after.updated_at = ctx.now;
                changed.push((before, *after));
            }
        }
    }
    write(ctx, tx, action, &changed).await?;
    delete(ctx, tx, &gone).await?;
    let done = changed.iter().map(|(before, _)| before.id);
    let done: Vec<ProductId> = done.chain(gone.iter().map(|one| one.id)).collect();
    let payloads: Vec<Value> = done.iter().map(|id| json!({ "id": id })).collect();
    jobs::announce_all(tx, ctx, CHANGED, &payloads).await?;
    metrics::counter!("zoco_products_bulk_changed_total", "action" => kind(action).as_str())
        .increment(done.len() as u64);
    Ok(done.len())
}

/// Writes products as they are now, with what lies in tables of its own as far as the action
/// touches it.
async fn write(
    ctx: &Ctx,
    tx: &mut Tx,
    action: &BulkAction,
    changed: &[(Product, Product)],
) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let after: Vec<&Product> = changed.iter().map(|(_, after)| after).collect();
    match store::write_products(tx, &after).await {
        Err(error) if error.is_foreign_key() => return Err(no_category()),
        other => other?,
    }
    match action {
        BulkAction::AddTag(_) | BulkAction::RemoveTag(_) => {
            store::replace_tags_of(tx, &after).await?;
        }
        BulkAction::Price(_) => {
            let differs = |(before, after): &(Product, Product)| {
                let pairs = before.variants.iter().zip(after.variants.clone());
                let pairs = pairs.filter(|(before, after)| *before != after);
                pairs.map(|(_, after)| after).collect::<Vec<_>>()
            };
            let variants: Vec<_> = changed.iter().flat_map(differs).collect();
            let variants: Vec<_> = variants.iter().collect();
            store::update_variants(tx, &variants, ctx.now).await?;
        }
        _ => {}
    }
    let entry = |(before, after): &(Product, Product)| audit::Change {
        subject: subject(after.id),
        before: facts(before),
        after: facts(after),
    };
    let entries: Vec<audit::Change> = changed.iter().map(entry).collect();
    let name = match kind(action) {
        BulkKind::Publish => "product.published",
        BulkKind::Archive | BulkKind::Delete => "product.archived",
        _ => "product.updated",
    };
    audit::record_all(tx, ctx, name, &entries).await
}

async fn delete(ctx: &Ctx, tx: &mut Tx, gone: &[Product]) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let ids: Vec<ProductId> = gone.iter().map(|product| product.id).collect();
    store::delete_products(tx, &ids).await?;
    let entry = |product: &Product| audit::Change {
        subject: subject(product.id),
        before: facts(product),
        after: Value::Null,
    };
    let entries: Vec<audit::Change> = gone.iter().map(entry).collect();
    audit::record_all(tx, ctx, "product.deleted", &entries).await
}

/// The products chosen, in ascending order.
async fn ids(app: &App, selection: &Selection) -> Result<Vec<ProductId>> {
    let ids = match selection {
        Selection::Ids(ids) => {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            ids
        }
        Selection::Filter(filter) => {
            let words = indexing::find_for_staff(app, &filter.search).await?;
            let mut conn = app.db.conn().await?;
            let tree = store::category_tree(&mut conn).await?;
            let matching = matching(filter, &tree, words.as_ref());
            store::all_ids(&mut conn, &matching).await?
        }
    };
    if ids.is_empty() {
        let message = "Choose at least one product.";
        return Err(Error::invalid("selection", "required", message));
    }
    if ids.len() > MAX_SELECTED {
        let message = format!(
            "These are {} products; at most {MAX_SELECTED} can be changed at once. Filter the list more finely.",
            ids.len()
        );
        return Err(Error::invalid("selection", "too_many", message));
    }
    Ok(ids)
}

/// The rule of an action that needs the database.
async fn check(conn: &mut Conn, action: &BulkAction) -> Result<()> {
    if let BulkAction::Category(Some(category)) = action
        && store::category_tree(conn).await?.get(*category).is_none()
    {
        return Err(no_category());
    }
    Ok(())
}

fn no_category() -> Error {
    Error::invalid("category_id", "unknown", "There is no such category.")
}

/// Which of these were ever ordered, where the action asks for it.
async fn ordered(
    conn: &mut Conn,
    action: &BulkAction,
    ids: &[ProductId],
) -> Result<HashSet<ProductId>> {
    if *action != BulkAction::Delete {
        return Ok(HashSet::new());
    }
    let found = store::ordered_products(conn, ids).await?;
    Ok(found.into_iter().collect())
}

/// Those of `ids` that no product has.
fn missing(ids: &[ProductId], products: &[Product]) -> Vec<ProductId> {
    let there: HashSet<ProductId> = products.iter().map(|product| product.id).collect();
    let missing = ids.iter().filter(|id| !there.contains(id));
    missing.copied().collect()
}

fn kind(action: &BulkAction) -> BulkKind {
    match action {
        BulkAction::Publish => BulkKind::Publish,
        BulkAction::Unpublish => BulkKind::Unpublish,
        BulkAction::Archive => BulkKind::Archive,
        BulkAction::Category(_) => BulkKind::Category,
        BulkAction::AddTag(_) => BulkKind::AddTag,
        BulkAction::RemoveTag(_) => BulkKind::RemoveTag,
        BulkAction::Price(_) => BulkKind::Price,
        BulkAction::Delete => BulkKind::Delete,
    }
}

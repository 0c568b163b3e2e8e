//! The category tree: reading, making, moving, deleting.

use serde_json::{Value, json};

use super::draft::{line, text};
use super::input::CategoryInput;
use crate::app::App;
use crate::audit;
use crate::catalog::model::{Category, CategoryTree, Seo};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::jobs;
use crate::types::{CategoryId, Slug};

/// The topic of every change of a category: `{"id": 3}`, of its deletion with the id of the one
/// that got its products, or null. What products are called by may have changed from there down.
pub const CATEGORY_CHANGED: &str = "category.changed";

const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 1_000;
const MAX_POSITION: i64 = 1_000_000;

/// The whole category tree.
pub async fn categories(app: &App) -> Result<CategoryTree> {
    let mut conn = app.db.conn().await?;
    Ok(store::category_tree(&mut conn).await?)
}

/// Staff: the whole category tree, for those who work on the catalog only.
pub async fn categories_for_staff(app: &App, ctx: &Ctx) -> Result<CategoryTree> {
    ctx.require(Permission::Catalog)?;
    categories(app).await
}

/// A category by its id or its slug.
pub async fn category(app: &App, key: &str) -> Result<Category> {
    let tree = categories(app).await?;
    let found = match key.parse() {
        Ok(id) => tree.get(id),
        Err(_) => tree.by_slug(key),
    };
    found.cloned().ok_or(Error::NotFound)
}

/// Staff: like [`category`], for those who work on the catalog only.
pub async fn category_for_staff(app: &App, ctx: &Ctx, key: &str) -> Result<Category> {
    ctx.require(Permission::Catalog)?;
    category(app, key).await
}

/// Where a slug that no category has any more leads: to the category that gave it up.
pub async fn category_redirect(app: &App, slug: &str) -> Result<Option<Category>> {
    let mut conn = app.db.conn().await?;
    let Some(id) = store::category_redirect(&mut conn, slug).await? else {
        return Ok(None);
    };
    let tree = store::category_tree(&mut conn).await?;
    Ok(tree.get(id).cloned())
}

/// Like [`category`], but a slug that a category gave up leads to it, too.
pub async fn find_category(app: &App, key: &str) -> Result<Category> {
    match category(app, key).await {
        Err(Error::NotFound) => category_redirect(app, key).await?.ok_or(Error::NotFound),
        found => found,
    }
}

/// Makes a category.
pub async fn create_category(app: &App, ctx: &Ctx, input: CategoryInput) -> Result<Category> {
    let mut tx = app.db.begin().await?;
    let category = create_category_in(ctx, &mut tx, input).await?;
    tx.commit().await?;
    Ok(category)
}

/// Like [`create_category`], as a part of a greater change.
pub(super) async fn create_category_in(
    ctx: &Ctx,
    tx: &mut Tx,
    input: CategoryInput,
) -> Result<Category> {
    ctx.require(Permission::Catalog)?;
    store::lock_categories(tx).await?;
    let tree = store::category_tree(tx).await?;
    let empty = Category {
        id: CategoryId(0),
        parent_id: None,
        slug: Slug::from_text("", "category"),
        name: String::new(),
        description: String::new(),
        seo: Seo::default(),
        position: 0,
        version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    let mut category = resolve(&tree, empty, input)?;
    category.id = on_unique(store::insert_category(tx, &category).await, slug_taken)?;
    store::delete_category_redirect(tx, &category.slug).await?;
    record(tx, ctx, "category.created", None, Some(&category)).await?;
    Ok(category)
}

/// Changes what `input` gives. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_category(
    app: &App,
    ctx: &Ctx,
    id: CategoryId,
    version: Option<i64>,
    input: CategoryInput,
) -> Result<Category> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    store::lock_categories(&mut tx).await?;
    let tree = store::category_tree(&mut tx).await?;
    let before = current(&tree, id, version)?.clone();
    let mut category = resolve(&tree, before.clone(), input)?;
    category.version = before.version + 1;
    category.updated_at = ctx.now;
    on_unique(store::update_category(&mut tx, &category).await, slug_taken)?;
    if category.slug != before.slug {
        store::delete_category_redirect(&mut tx, &category.slug).await?;
        store::put_category_redirect(&mut tx, &before.slug, id).await?;
    }
    record(
        &mut tx,
        ctx,
        "category.updated",
        Some(&before),
        Some(&category),
    )
    .await?;
    tx.commit().await?;
    Ok(category)
}

/// Deletes a category; its children and products move up to its parent.
pub async fn delete_category(
    app: &App,
    ctx: &Ctx,
    id: CategoryId,
    version: Option<i64>,
) -> Result<()> {
    let mut tx = app.db.begin().await?;
    delete_category_in(ctx, &mut tx, id, version).await?;
    Ok(tx.commit().await?)
}

/// Like [`delete_category`], as a part of a greater change.
pub(super) async fn delete_category_in(
    ctx: &Ctx,
    tx: &mut Tx,
    id: CategoryId,
    version: Option<i64>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    store::lock_categories(tx).await?;
    let tree = store::category_tree(tx).await?;
    let before = current(&tree, id, version)?;
    store::delete_category(tx, id, before.parent_id, ctx.now).await?;
    record(tx, ctx, "category.deleted", Some(before), None).await
}

fn current(tree: &CategoryTree, id: CategoryId, version: Option<i64>) -> Result<&Category> {
    let category = tree.get(id).ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != category.version) {
        return Err(Error::Stale);
    }
    Ok(category)
}

/// The category that `input` makes of `base` in this tree. Its id is 0 for a new one.
fn resolve(tree: &CategoryTree, base: Category, input: CategoryInput) -> Result<Category> {
    let mut errors = FieldErrors::default();
    let mut category = base;
    if let Some(name) = &input.name {
        category.name = line(&mut errors, "name", name, MAX_NAME);
    }
    if category.name.is_empty() && errors.of("name").is_empty() {
        errors.add("name", "required", "Give it a name.");
    }
    if let Some(description) = &input.description {
        category.description = text(&mut errors, "description", description, MAX_DESCRIPTION);
    }
    super::draft::seo(
        &mut errors,
        &mut category.seo,
        input.seo_title.as_deref(),
        input.seo_description.as_deref(),
    );
    match input.position {
        Some(position) if (0..=MAX_POSITION).contains(&position) => category.position = position,
        Some(_) => errors.add(
            "position",
            "range",
            "A place is a number from 0 to 1000000.",
        ),
        None => {}
    }
    if let Some(parent) = input.parent_id {
        category.parent_id = Some(parent).filter(|parent| parent.0 != 0);
    }
    if let Some(parent) = category.parent_id {
        let circle = category.id.0 != 0 && tree.with_descendants(category.id).contains(&parent);
        if tree.get(parent).is_none() {
            errors.add("parent_id", "unknown", "There is no such category.");
        } else if circle {
            errors.add(
                "parent_id",
                "circle",
                "A category cannot stand below itself.",
            );
        }
    }
    let given = input.slug.as_deref().map_or("", str::trim);
    let taken = |slug: &Slug| {
        tree.by_slug(slug.as_str())
            .is_some_and(|other| other.id != category.id)
    };
    if !given.is_empty() {
        match Slug::parse(given) {
            Some(slug) if taken(&slug) => {
                errors.add("slug", "taken", "Another category has this name in URLs.");
            }
            Some(slug) => category.slug = slug,
            None => errors.add("slug", "invalid", super::draft::SLUG_RULE),
        }
    } else if category.id.0 == 0 {
        category.slug = super::draft::free_slug(&category.name, "category", taken);
    }
    errors.into_result()?;
    Ok(category)
}

fn slug_taken() -> Error {
    Error::invalid("slug", "taken", "Another category has this name in URLs.")
}

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&Category>,
    after: Option<&Category>,
) -> Result<()> {
    let facts = |category: Option<&Category>| {
        category.map_or(Value::Null, |category| {
            json!({
                "name": category.name,
                "slug": category.slug.as_str(),
                "parent_id": category.parent_id,
                "description": category.description,
                "seo_title": category.seo.title,
                "seo_description": category.seo.description,
                "position": category.position,
            })
        })
    };
    let id = before.or(after).map_or(0, |category| category.id.0);
    let subject = format!("category {id}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await?;
    let moved_to = before.and_then(|category| category.parent_id);
    let changed = after.map_or(moved_to, |category| Some(category.id));
    jobs::announce(tx, ctx, CATEGORY_CHANGED, &json!({ "id": changed })).await
}

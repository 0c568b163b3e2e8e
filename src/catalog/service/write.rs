//! Making, changing and deleting products.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::draft::{Draft, free_sku, free_slug, resolve, resolve_variants, sku_prefix};
use super::read::visible_id;
use super::{ProductInput, ProductKey, VariantsInput};
use crate::app::App;
use crate::audit;
use crate::catalog::model::{
    Image, OptionValue, Product, ProductOption, ProductStatus, RESERVED_SLUGS, Rating, Related,
    Seo, Variant,
};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::db::error::on_unique;
use crate::db::{self, Tx};
use crate::error::{Error, Result};
use crate::inventory::service::STOCK_RANGE;
use crate::inventory::{self, Reason};
use crate::jobs::{self, Chore};
use crate::taxes::{self, STANDARD};
use crate::types::{ProductId, Slug, Timestamp, VariantId};

/// The topic of every change of a product, its deletion too: `{"id": 12}`.
pub const CHANGED: &str = "product.changed";

/// Puts drafts whose time has come on sale.
pub const PUBLISH: Chore = Chore {
    name: "catalog.publish",
    every: Duration::from_secs(10),
    run: |app| Box::pin(async move { publish_due(&app).await }),
};

/// Drafts that one run of [`publish_due`] puts on sale at most.
const PUBLISHED_AT_ONCE: i64 = 500;

const SLUG_TAKEN: &str = "Another product has this name in URLs.";
const SKU_TAKEN: &str = "Another variant has this SKU.";

// Stock that stands in a product's input asks for no permission beside `catalog`: whoever may
// make a product says how many there are. A staff member who may only count stock has pages and
// routes of inventory for it.

/// Makes a product with its variants and their stock.
pub async fn create_product(app: &App, ctx: &Ctx, input: ProductInput) -> Result<Product> {
    let mut tx = app.db.begin().await?;
    let product = create_product_in(app, ctx, &mut tx, input).await?;
    tx.commit().await?;
    Ok(product)
}

/// Like [`create_product`], as a part of a greater change. On an error the transaction must be
/// given up: something may be half written.
pub async fn create_product_in(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    input: ProductInput,
) -> Result<Product> {
    ctx.require(Permission::Catalog)?;
    let given_slug = input
        .slug
        .as_deref()
        .is_some_and(|slug| !slug.trim().is_empty());
    let mut draft = resolve(&blank(ctx), input, &[], app.currency());
    if given_slug {
        check_slug(tx, &mut draft).await?;
    } else {
        draft.product.slug = new_slug(tx, &draft.product.name).await?;
    }
    check(tx, &mut draft).await?;
    std::mem::take(&mut draft.errors).into_result()?;
    let made = store::insert_product(tx, &draft.product).await;
    draft.product.id = on_write(made)?;
    store::delete_redirect(tx, &draft.product.slug).await?;
    write_lists(tx, &draft.product, &blank(ctx)).await?;
    write_variants(tx, ctx, &mut draft, &[]).await?;
    finish(app, ctx, tx, "product.created", None, draft.product.id).await
}

/// Changes what `input` gives. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_product(
    app: &App,
    ctx: &Ctx,
    key: &ProductKey,
    version: Option<i64>,
    input: ProductInput,
) -> Result<Product> {
    let mut tx = app.db.begin().await?;
    let product = update_product_in(app, ctx, &mut tx, key, version, input).await?;
    tx.commit().await?;
    Ok(product)
}

/// Like [`update_product`], as a part of a greater change. On an error the transaction must be
/// given up: something may be half written.
pub async fn update_product_in(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    key: &ProductKey,
    version: Option<i64>,
    input: ProductInput,
) -> Result<Product> {
    ctx.require(Permission::Catalog)?;
    let before = take_for_change(app, ctx, tx, key, version).await?;
    let mut ordered = Vec::new();
    if input.variants.is_some() || input.stock.is_some() {
        hold_stock(tx, &before).await?;
        ordered = store::ordered_variants(tx, before.id).await?;
    }
    let mut draft = resolve(&before, input, &ordered, app.currency());
    if draft.product.slug != before.slug {
        check_slug(tx, &mut draft).await?;
    }
    check(tx, &mut draft).await?;
    std::mem::take(&mut draft.errors).into_result()?;
    on_write(store::update_product(tx, &draft.product).await)?;
    if draft.product.slug != before.slug {
        store::delete_redirect(tx, &draft.product.slug).await?;
        store::put_redirect(tx, &before.slug, before.id).await?;
    }
    write_lists(tx, &draft.product, &before).await?;
    write_variants(tx, ctx, &mut draft, &before.variants).await?;
    finish(app, ctx, tx, "product.updated", Some(&before), before.id).await
}

/// Changes, makes and removes some variants of a product; the others stay. `version`: from
/// `If-Match`; another one is `Stale`.
pub async fn update_variants(
    app: &App,
    ctx: &Ctx,
    key: &ProductKey,
    version: Option<i64>,
    input: VariantsInput,
) -> Result<Product> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let before = take_for_change(app, ctx, &mut tx, key, version).await?;
    hold_stock(&mut tx, &before).await?;
    let ordered = store::ordered_variants(&mut tx, before.id).await?;
    let mut draft = resolve_variants(&before, input, &ordered, app.currency());
    check(&mut tx, &mut draft).await?;
    std::mem::take(&mut draft.errors).into_result()?;
    store::update_product(&mut tx, &draft.product).await?;
    write_variants(&mut tx, ctx, &mut draft, &before.variants).await?;
    let action = "product.updated";
    let product = finish(app, ctx, &mut tx, action, Some(&before), before.id).await?;
    tx.commit().await?;
    Ok(product)
}

/// Puts drafts whose time has come on sale; gives how many.
pub async fn publish_due(app: &App) -> Result<u64> {
    let ctx = app.system();
    let due = store::due_products(&mut app.db.conn().await?, ctx.now, PUBLISHED_AT_ONCE).await?;
    let mut published = 0;
    for id in due {
        let mut tx = app.db.begin().await?;
        let before = match take_for_change(app, &ctx, &mut tx, &ProductKey::Id(id), None).await {
            Err(Error::NotFound) => continue,
            before => before?,
        };
        // Somebody may have been faster, or have put it off.
        if before.status != ProductStatus::Draft || before.publish_at.is_none_or(|at| at > ctx.now)
        {
            continue;
        }
        store::set_status(&mut tx, id, ProductStatus::Active).await?;
        finish(app, &ctx, &mut tx, "product.published", Some(&before), id).await?;
        tx.commit().await?;
        published += 1;
    }
    Ok(published)
}

/// Deletes a product that was never ordered; archives any other.
pub async fn delete_product(
    app: &App,
    ctx: &Ctx,
    key: &ProductKey,
    version: Option<i64>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    remove(app, ctx, &mut tx, key, version).await?;
    Ok(tx.commit().await?)
}

/// Like [`delete_product`], as a part of a greater change.
pub(super) async fn remove(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    key: &ProductKey,
    version: Option<i64>,
) -> Result<()> {
    let before = take_for_change(app, ctx, tx, key, version).await?;
    hold_stock(tx, &before).await?;
    if store::ordered_variants(tx, before.id).await?.is_empty() {
        // The files of its pictures stay: they are named by what is in them, so another product
        // may show the same.
        store::delete_product(tx, before.id).await?;
        let subject = subject(before.id);
        let facts = facts(&before);
        let action = "product.deleted";
        audit::record(tx, ctx, action, &subject, facts, Value::Null).await?;
        jobs::announce(tx, ctx, CHANGED, &json!({ "id": before.id })).await?;
    } else {
        store::set_status(tx, before.id, ProductStatus::Archived).await?;
        let action = "product.archived";
        finish(app, ctx, tx, action, Some(&before), before.id).await?;
    }
    Ok(())
}

/// Locks a product and counts its version up; gives the product as it is, with the new version.
/// Errors: `NotFound`; `Stale` when `version` is none that it had.
pub(super) async fn take_for_change(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    key: &ProductKey,
    version: Option<i64>,
) -> Result<Product> {
    let id = visible_id(tx, ctx, key).await?;
    let now = store::touch_product(tx, id, ctx.now).await?;
    let before = now.ok_or(Error::NotFound)? - 1;
    if version.is_some_and(|version| version != before) {
        return Err(Error::Stale);
    }
    store::product(tx, id, app.currency())
        .await?
        .ok_or(Error::NotFound)
}

/// From here on nobody orders any of it until the transaction ends.
async fn hold_stock(tx: &mut Tx, product: &Product) -> Result<()> {
    hold_stock_of(tx, std::slice::from_ref(product)).await
}

/// From here on nobody orders any of these until the transaction ends.
pub(super) async fn hold_stock_of(tx: &mut Tx, products: &[Product]) -> Result<()> {
    let variants = products.iter().flat_map(|product| &product.variants);
    let variants: Vec<VariantId> = variants.map(|variant| variant.id).collect();
    inventory::service::hold(tx, &variants).await
}

/// What a new product begins as.
pub(super) fn blank(ctx: &Ctx) -> Product {
    Product {
        id: ProductId(0),
        slug: Slug::from_text("", "product"),
        name: String::new(),
        maker: String::new(),
        summary: String::new(),
        description: String::new(),
        category_id: None,
        status: ProductStatus::Active,
        publish_at: None,
        digital: false,
        tax_class: STANDARD.to_owned(),
        seo: Seo::default(),
        options: Vec::new(),
        tags: Vec::new(),
        attributes: Vec::new(),
        related: Vec::new(),
        variants: Vec::new(),
        images: Vec::new(),
        rating: Rating::default(),
        version: 1,
        created_by: ctx.user_id(),
        created_at: ctx.now,
        updated_at: ctx.now,
    }
}

/// A slug of the name that is neither reserved nor another product's.
async fn new_slug(tx: &mut Tx, name: &str) -> Result<Slug> {
    let base = Slug::from_text(name, "product");
    let taken: HashSet<String> = store::slugs_like(tx, &base).await?.into_iter().collect();
    Ok(free_slug(name, "product", |slug| {
        taken.contains(slug.as_str()) || RESERVED_SLUGS.contains(&slug.as_str())
    }))
}

async fn check_slug(tx: &mut Tx, draft: &mut Draft) -> Result<()> {
    let owner = store::id_of_slug(tx, draft.product.slug.as_str()).await?;
    if owner.is_some_and(|(id, _)| id != draft.product.id) {
        draft.errors.add("slug", "taken", SLUG_TAKEN);
    }
    Ok(())
}

/// The rules that need the database: category and tax class are there, no SKU is another's. Makes the SKUs
/// that the input left out.
async fn check(tx: &mut Tx, draft: &mut Draft) -> Result<()> {
    if let Some(category) = draft.product.category_id
        && store::category_tree(tx).await?.get(category).is_none()
    {
        let message = "There is no such category.";
        draft.errors.add("category_id", "unknown", message);
    }
    if draft.product.tax_class != STANDARD
        && !taxes::service::class_exists(tx, &draft.product.tax_class).await?
    {
        let message = "There is no such tax class.";
        draft.errors.add("tax_class", "unknown", message);
    }
    if let Some(keys) = draft.related.take() {
        draft.product.related = related(tx, draft, &keys).await?;
    }
    if draft.places.is_empty() {
        return Ok(());
    }
    let product = &mut draft.product;
    let given: Vec<String> = product
        .variants
        .iter()
        .map(|variant| variant.sku.clone())
        .filter(|sku| !sku.is_empty())
        .collect();
    let missing = given.len() < product.variants.len();
    let prefix = missing.then(|| sku_prefix(&product.slug));
    let others = store::skus_of_others(tx, product.id, prefix.as_deref(), &given).await?;
    let others: HashSet<String> = others.into_iter().collect();
    let mut own: HashMap<String, usize> = HashMap::new();
    for sku in given {
        *own.entry(sku).or_default() += 1;
    }
    for (variant, place) in product.variants.iter().zip(&draft.places) {
        let twice = own.get(&variant.sku).is_some_and(|&count| count > 1);
        if twice || others.contains(&variant.sku) {
            draft.errors.add(&format!("{place}sku"), "taken", SKU_TAKEN);
        }
    }
    for variant in &mut product.variants {
        if variant.sku.is_empty() {
            let taken = |sku: &str| others.contains(sku) || own.contains_key(sku);
            variant.sku = free_sku(&product.slug, &variant.options, taken);
            own.insert(variant.sku.clone(), 1);
        }
    }
    Ok(())
}

/// The products that the keys name; a key that names none, or the product itself, is an error.
async fn related(tx: &mut Tx, draft: &mut Draft, keys: &[String]) -> Result<Vec<Related>> {
    let (mut ids, mut slugs) = (Vec::new(), Vec::new());
    for key in keys {
        match ProductKey::parse(key) {
            ProductKey::Id(id) => ids.push(id),
            ProductKey::Slug(slug) => slugs.push(slug),
        }
    }
    let found = store::named(tx, &ids, &slugs).await?;
    let mut related: Vec<Related> = Vec::with_capacity(keys.len());
    for key in keys {
        let named = |one: &&Related| match ProductKey::parse(key) {
            ProductKey::Id(id) => one.id == id,
            ProductKey::Slug(slug) => one.slug.as_str() == slug,
        };
        match found.iter().find(named) {
            Some(one) if one.id == draft.product.id => {
                let message = "A product does not go with itself.";
                draft.errors.add("related", "itself", message);
            }
            Some(one) if related.contains(one) => {}
            Some(one) => related.push(one.clone()),
            None => {
                let message = format!("There is no product \u{201c}{key}\u{201d}.");
                draft.errors.add("related", "unknown", message);
            }
        }
    }
    Ok(related)
}

/// Writes what lies in tables of its own, where it changed: attributes, tags,
/// related products, what pictures show.
async fn write_lists(tx: &mut Tx, product: &Product, before: &Product) -> Result<()> {
    if product.attributes != before.attributes {
        store::replace_attributes(tx, product.id, &product.attributes).await?;
    }
    if product.tags != before.tags {
        store::replace_tags(tx, product.id, &product.tags).await?;
    }
    if product.related != before.related {
        let related: Vec<ProductId> = product.related.iter().map(|one| one.id).collect();
        store::replace_related(tx, product.id, &related).await?;
    }
    for (image, was) in product.images.iter().zip(&before.images) {
        if image != was {
            store::update_image(tx, image).await?;
        }
    }
    Ok(())
}

/// What a race leaves for the database to refuse: the slug, or the category, is gone meanwhile.
fn on_write<T>(result: db::Result<T>) -> Result<T> {
    match result {
        Err(error) if error.is_foreign_key() => Err(Error::invalid(
            "category_id",
            "unknown",
            "There is no such category.",
        )),
        other => on_unique(other, || Error::invalid("slug", "taken", SLUG_TAKEN)),
    }
}

/// Writes new, changed and gone variants and their stock, in a number of statements that does
/// not grow with them.
async fn write_variants(
    tx: &mut Tx,
    ctx: &Ctx,
    draft: &mut Draft,
    before: &[Variant],
) -> Result<()> {
    let old: HashMap<VariantId, &Variant> =
        before.iter().map(|variant| (variant.id, variant)).collect();
    store::delete_variants(tx, &draft.gone).await?;
    let differs = |variant: &&Variant| old.get(&variant.id).is_some_and(|old| old != variant);
    let changed: Vec<&Variant> = draft.product.variants.iter().filter(differs).collect();
    let renamed = |variant: &&&Variant| {
        let old = old.get(&variant.id);
        old.is_some_and(|old| old.sku != variant.sku)
    };
    let renamed: Vec<VariantId> = changed.iter().filter(renamed).map(|one| one.id).collect();
    store::free_skus(tx, &renamed).await?;
    let written = store::update_variants(tx, &changed, ctx.now).await;
    on_unique(written, || sku_raced(draft))?;
    let new: Vec<&Variant> = draft
        .product
        .variants
        .iter()
        .filter(|variant| variant.id.0 == 0)
        .collect();
    let made = store::insert_variants(tx, draft.product.id, &new, ctx.now).await;
    let made: HashMap<String, VariantId> =
        on_unique(made, || sku_raced(draft))?.into_iter().collect();
    let (mut received, mut adjusted) = (Vec::new(), Vec::new());
    for (variant, stock) in draft.product.variants.iter_mut().zip(&draft.stock) {
        if let Some(&id) = made.get(&variant.sku) {
            variant.id = id;
            received.push((id, stock.unwrap_or(0)));
        } else if let Some(stock) = stock {
            adjusted.push((variant.id, *stock));
        }
    }
    let mut refused = inventory::service::set_all(tx, ctx, &received, Reason::Received).await?;
    refused.extend(inventory::service::set_all(tx, ctx, &adjusted, Reason::Adjusted).await?);
    for (variant, place) in draft.product.variants.iter().zip(&draft.places) {
        if refused.contains(&variant.id) {
            draft
                .errors
                .add(&format!("{place}stock"), "range", STOCK_RANGE);
        }
    }
    std::mem::take(&mut draft.errors).into_result()
}

/// Somebody took one of the SKUs since they were checked; the database does not say which.
fn sku_raced(draft: &Draft) -> Error {
    let simple = draft.places.iter().all(String::is_empty);
    let field = if simple { "sku" } else { "variants" };
    Error::invalid(field, "taken", SKU_TAKEN)
}

/// Reads what was written and leaves the entry in the audit log.
pub(super) async fn finish(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    action: &str,
    before: Option<&Product>,
    id: ProductId,
) -> Result<Product> {
    let after = store::product(tx, id, app.currency())
        .await?
        .ok_or(Error::NotFound)?;
    let before = before.map_or(Value::Null, facts);
    audit::record(tx, ctx, action, &subject(id), before, facts(&after)).await?;
    jobs::announce(tx, ctx, CHANGED, &json!({ "id": id })).await?;
    Ok(after)
}

pub(super) fn subject(id: ProductId) -> String {
    format!("product {id}")
}

/// What the audit log tells of a product. Variants, pictures and options are told by their ids
/// and names, so that of a thousand only those that changed are kept.
pub(super) fn facts(product: &Product) -> Value {
    let variant = |variant: &Variant| {
        let facts = json!({
            "sku": variant.sku,
            "options": variant.options,
            "price": variant.price.amount(),
            "compare_at_price": variant.compare_at.map(|price| price.amount()),
            "weight_grams": variant.weight_grams,
            "barcode": variant.barcode,
            "position": variant.position,
            "on_hand": variant.stock.on_hand,
            "active": variant.active,
        });
        (variant.id.to_string(), facts)
    };
    let image = |image: &Image| {
        let facts = json!({
            "file": image.storage_key,
            "alt": image.alt,
            "shows": image.option_value,
            "position": image.position,
        });
        (image.id.to_string(), facts)
    };
    let option = |option: &ProductOption| {
        let value = |value: &OptionValue| match &value.swatch {
            Some(swatch) => format!("{} {swatch}", value.value),
            None => value.value.clone(),
        };
        let values: Vec<String> = option.values.iter().map(value).collect();
        (option.name.clone(), json!(values))
    };
    json!({
        "name": product.name,
        "slug": product.slug.as_str(),
        "maker": product.maker,
        "summary": product.summary,
        "description": product.description,
        "category_id": product.category_id,
        "status": product.status.as_str(),
        "publish_at": product.publish_at.map(Timestamp::rfc3339),
        "digital": product.digital,
        "tax_class": product.tax_class,
        "seo_title": product.seo.title,
        "seo_description": product.seo.description,
        "related": product.related.iter().map(|one| one.id).collect::<Vec<_>>(),
        "options": product.options.iter().map(option).collect::<Map<_, _>>(),
        "tags": product.tags,
        "attributes": product.attributes,
        "variants": product.variants.iter().map(variant).collect::<Map<_, _>>(),
        "images": product.images.iter().map(image).collect::<Map<_, _>>(),
    })
}

//! What those need who write many products: to know beforehand what an input would make of a
//! product, to find many products at once, to name categories by their path.

use std::collections::HashMap;

use super::categories::{create_category_in, delete_category_in};
use super::draft::{resolve, same};
use super::images::{place_last, store_picture};
use super::write::{blank, finish, remove, take_for_change};
use super::{CategoryInput, ProductInput, ProductKey};
use crate::app::App;
use crate::catalog::model::{CategoryTree, Image, Product};
use crate::catalog::store;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::types::{CategoryId, ImageId, ProductId, VariantId};

/// What an input would make of a product.
pub struct Preview {
    /// What there is before; for a new product an empty one.
    pub before: Product,
    /// The product. New variants have the id 0; an SKU that is to be made is empty.
    pub product: Product,
    /// What is to be on the shelf of each of the variants that the input names; they come first.
    pub stock: Vec<Option<i64>>,
    /// Variants that would go, or be switched off where somebody ordered them.
    pub gone: Vec<VariantId>,
    /// What the input names as related, ids or slugs; none: as before.
    pub related: Option<Vec<String>>,
    /// What is wrong with it, as far as no database is needed to tell.
    pub errors: FieldErrors,
}

/// What `input` would make of `before`, or of nothing: a new product.
pub fn preview(app: &App, ctx: &Ctx, before: Option<&Product>, input: ProductInput) -> Preview {
    let before = before.cloned().unwrap_or_else(|| blank(ctx));
    let draft = resolve(&before, input, &[], app.currency());
    Preview {
        before,
        product: draft.product,
        stock: draft.stock,
        gone: draft.gone,
        related: draft.related,
        errors: draft.errors,
    }
}

/// Products that were looked for.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By slug.
    pub slugs: HashMap<String, ProductId>,
    /// Which product has a variant of this SKU.
    pub skus: HashMap<String, ProductId>,
    /// The products, whole.
    pub products: HashMap<ProductId, Product>,
}

/// The products with these slugs or SKUs, in a number of statements that does not grow with them.
pub async fn find_products(
    app: &App,
    ctx: &Ctx,
    conn: &mut Conn,
    slugs: &[String],
    skus: &[String],
) -> Result<Found> {
    ctx.require(Permission::Catalog)?;
    let mut found = Found::default();
    for slugs in slugs.chunks(store::CHUNK) {
        for one in store::named(conn, &[], slugs).await? {
            found.slugs.insert(one.slug.to_string(), one.id);
        }
    }
    let owners = store::owners_of_skus(conn, skus).await?;
    found.skus = owners.into_iter().collect();
    let ids = found.slugs.values().chain(found.skus.values());
    let mut ids: Vec<ProductId> = ids.copied().collect();
    ids.sort_unstable();
    ids.dedup();
    found.products = load_products(app, ctx, conn, &ids).await?;
    Ok(found)
}

/// These products, whole, without those that are not there.
pub async fn load_products(
    app: &App,
    ctx: &Ctx,
    conn: &mut Conn,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, Product>> {
    ctx.require(Permission::Catalog)?;
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(store::CHUNK) {
        for product in store::products(conn, ids, app.currency()).await? {
            found.insert(product.id, product);
        }
    }
    Ok(found)
}

/// Those of these ids and slugs that name a product.
pub async fn known_products(ctx: &Ctx, conn: &mut Conn, keys: &[String]) -> Result<Vec<String>> {
    ctx.require(Permission::Catalog)?;
    let (mut ids, mut slugs) = (Vec::new(), Vec::new());
    for key in keys {
        match ProductKey::parse(key) {
            ProductKey::Id(id) => ids.push(id),
            ProductKey::Slug(slug) => slugs.push(slug),
        }
    }
    let found = store::named(conn, &ids, &slugs).await?;
    let known = |key: &&String| match ProductKey::parse(key) {
        ProductKey::Id(id) => found.iter().any(|one| one.id == id),
        ProductKey::Slug(slug) => found.iter().any(|one| one.slug.as_str() == slug),
    };
    Ok(keys.iter().filter(known).cloned().collect())
}

/// All categories, as the transaction sees them.
pub async fn tree(ctx: &Ctx, conn: &mut Conn) -> Result<CategoryTree> {
    ctx.require(Permission::Catalog)?;
    Ok(store::category_tree(conn).await?)
}

/// The category with these names from the root down, whatever their case.
pub fn category_named(tree: &CategoryTree, names: &[String]) -> Option<CategoryId> {
    let mut parent = None;
    for name in names {
        let children = tree.children(parent);
        parent = Some(
            children
                .iter()
                .find(|one| same(one.name.trim(), name.trim()))?
                .id,
        );
    }
    parent
}

/// Like [`category_named`], but what is missing of the path is made. Gives the ids of what was
/// made, too, from the root down.
pub async fn make_category_path(
    ctx: &Ctx,
    tx: &mut Tx,
    names: &[String],
) -> Result<(Option<CategoryId>, Vec<CategoryId>)> {
    let mut made = Vec::new();
    let mut parent = None;
    for depth in 1..=names.len() {
        let tree = store::category_tree(tx).await?;
        if let Some(found) = category_named(&tree, &names[..depth]) {
            parent = Some(found);
            continue;
        }
        let input = CategoryInput {
            name: Some(names[depth - 1].clone()),
            parent_id: parent,
            ..CategoryInput::default()
        };
        let category = create_category_in(ctx, tx, input).await?;
        made.push(category.id);
        parent = Some(category.id);
    }
    Ok((parent, made))
}

/// Deletes a category that has no children and no products, as a part of a greater change; any
/// other stays. Gives whether it went.
pub async fn delete_empty_category(ctx: &Ctx, tx: &mut Tx, id: CategoryId) -> Result<bool> {
    ctx.require(Permission::Catalog)?;
    store::lock_categories(tx).await?;
    let tree = store::category_tree(tx).await?;
    let stands = tree.get(id).is_some() && tree.children(Some(id)).is_empty();
    if !stands || !store::is_empty_category(tx, id).await? {
        return Ok(false);
    }
    delete_category_in(ctx, tx, id, None).await?;
    Ok(true)
}

/// Deletes or archives a product as a part of a greater change, like
/// [`delete_product`](super::delete_product).
pub async fn delete_product_in(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    id: ProductId,
    version: Option<i64>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    remove(app, ctx, tx, &ProductKey::Id(id), version).await
}

/// A picture whose files are stored and that stands with no product yet.
#[derive(Clone, Debug)]
pub struct StoredImage {
    key: String,
    width: i64,
    height: i64,
}

/// Decodes a picture and encodes it anew, like [`add_image`](super::add_image), to be added later
/// by [`add_stored_image_in`]. Errors: `Invalid` at `image`.
pub async fn store_image(app: &App, ctx: &Ctx, bytes: Vec<u8>) -> Result<StoredImage> {
    ctx.require(Permission::Catalog)?;
    let (key, picture) = store_picture(app, bytes).await?;
    Ok(StoredImage {
        key,
        width: i64::from(picture.width),
        height: i64::from(picture.height),
    })
}

/// Adds a picture at the end of a product's, as a part of a greater change; one that the product
/// has already is not added again. Gives the picture and the product's version before and after.
pub async fn add_stored_image_in(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    product: ProductId,
    stored: StoredImage,
    alt: &str,
    option_value: &str,
) -> Result<(ImageId, i64, i64)> {
    ctx.require(Permission::Catalog)?;
    let version = store::lock_product_version(tx, product).await?;
    let version = version.ok_or(Error::NotFound)?;
    let there = store::product(tx, product, app.currency()).await?;
    let images = there.map(|product| product.images).unwrap_or_default();
    if let Some(known) = images.iter().find(|image| image.storage_key == stored.key) {
        return Ok((known.id, version, version));
    }
    let before = take_for_change(app, ctx, tx, &ProductKey::Id(product), None).await?;
    let mut image = Image {
        id: ImageId(0),
        storage_key: stored.key,
        alt: String::new(),
        width: stored.width,
        height: stored.height,
        option_value: option_value.to_owned(),
        position: 0,
    };
    place_last(&before, &mut image, alt)?;
    let known = |value: &str| {
        let mut values = before.options.iter().flat_map(|option| &option.values);
        values.any(|one| one.value == value)
    };
    if !known(option_value) {
        image.option_value.clear();
    }
    image.id = store::insert_image(tx, product, &image, ctx.now).await?;
    let action = "product.image_added";
    let after = finish(app, ctx, tx, action, Some(&before), product).await?;
    Ok((image.id, version, after.version))
}

/// Removes pictures of a product, as a part of a greater change; those that it does not have are
/// left away.
pub async fn remove_images_in(
    app: &App,
    ctx: &Ctx,
    tx: &mut Tx,
    product: ProductId,
    gone: &[ImageId],
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    if gone.is_empty() {
        return Ok(());
    }
    let before = take_for_change(app, ctx, tx, &ProductKey::Id(product), None).await?;
    for image in before.images.iter().filter(|one| gone.contains(&one.id)) {
        store::delete_image(tx, image.id).await?;
    }
    let action = "product.image_removed";
    finish(app, ctx, tx, action, Some(&before), product).await?;
    Ok(())
}

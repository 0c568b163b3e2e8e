//! Reading: lists, facets, one product.

use std::collections::BTreeMap;

use super::ProductKey;
use crate::app::App;
use crate::catalog::model::{
    CategoryTree, Facets, LowStock, Product, ProductCard, ProductFilter, ProductSort, ProductStatus,
};
use crate::catalog::store::{self, Matching};
use crate::ctx::{Ctx, Permission};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::inventory::StockLevel;
use crate::types::text::fold;
use crate::types::{CategoryId, Page, PageRequest, ProductId};

/// More words or attributes than this do not make a search any finer.
const MAX_TERMS: usize = 16;
/// The most values that are counted of one attribute.
const MAX_FACET_VALUES: usize = 50;

/// A page of products that the asker may see.
pub async fn list_products(
    app: &App,
    ctx: &Ctx,
    filter: &ProductFilter,
    page: PageRequest,
) -> Result<Page<ProductCard>> {
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let Some(matching) = matching(ctx, filter, &tree)? else {
        return Ok(Page {
            items: Vec::new(),
            total: 0,
            request: page,
        });
    };
    let total = store::count(&mut conn, &matching).await?;
    let items = store::cards(&mut conn, &matching, filter.sort, page, app.currency()).await?;
    Ok(Page {
        items,
        total,
        request: page,
    })
}

/// What the products of a list have, for the filters beside it.
pub async fn facets(app: &App, ctx: &Ctx, filter: &ProductFilter) -> Result<Facets> {
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let Some(matching) = matching(ctx, filter, &tree)? else {
        return Ok(Facets::default());
    };
    let in_stock = Matching {
        in_stock: true,
        ..matching.clone()
    };
    Ok(Facets {
        categories: by_category(&mut conn, &matching, &tree).await?,
        in_stock: store::count(&mut conn, &in_stock).await?,
        attributes: by_attribute(&mut conn, &matching).await?,
    })
}

async fn by_category(
    conn: &mut Conn,
    matching: &Matching,
    tree: &CategoryTree,
) -> Result<Vec<(CategoryId, i64)>> {
    let anywhere = Matching {
        categories: None,
        ..matching.clone()
    };
    let mut totals = BTreeMap::new();
    for (category, count) in store::count_by_category(conn, &anywhere).await? {
        for above in tree.path(category) {
            *totals.entry(above.id).or_insert(0) += count;
        }
    }
    let total = |category: CategoryId| totals.get(&category).copied();
    Ok(tree
        .0
        .iter()
        .filter_map(|category| Some((category.id, total(category.id)?)))
        .collect())
}

/// One statement for all attributes that nobody filters by, and one for each of the others.
async fn by_attribute(
    conn: &mut Conn,
    matching: &Matching,
) -> Result<Vec<(String, Vec<(String, i64)>)>> {
    let chosen: Vec<String> = matching
        .attributes
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let mut counts = store::count_by_attribute(conn, matching, None, &chosen).await?;
    for name in &chosen {
        let mut without = matching.clone();
        without.attributes.retain(|(other, _)| other != name);
        counts.extend(store::count_by_attribute(conn, &without, Some(name), &[]).await?);
    }
    let mut facets: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (name, value, count) in counts {
        let values = facets.entry(name).or_default();
        if values.len() < MAX_FACET_VALUES {
            values.push((value, count));
        }
    }
    Ok(facets.into_iter().collect())
}

/// The best-rated products that can be bought.
pub async fn featured_products(app: &App, _ctx: &Ctx, limit: i64) -> Result<Vec<ProductCard>> {
    let limit = u32::try_from(limit.clamp(1, 100)).unwrap_or(1);
    let matching = Matching {
        in_stock: true,
        status: Some(ProductStatus::Active),
        ..Matching::default()
    };
    let mut conn = app.db.conn().await?;
    let cards = store::cards(
        &mut conn,
        &matching,
        ProductSort::Rating,
        PageRequest::new(1, limit),
        app.currency(),
    );
    Ok(cards.await?)
}

/// What the merchant says goes well with a product, as far as shoppers may see it.
pub async fn related_products(
    app: &App,
    _ctx: &Ctx,
    product: &Product,
) -> Result<Vec<ProductCard>> {
    if product.related.is_empty() {
        return Ok(Vec::new());
    }
    let place = |id: ProductId| product.related.iter().position(|one| one.id == id);
    let matching = Matching {
        ids: Some(product.related.iter().map(|one| one.id).collect()),
        status: Some(ProductStatus::Active),
        ..Matching::default()
    };
    let mut conn = app.db.conn().await?;
    let all = PageRequest::new(1, PageRequest::MAX_PER_PAGE);
    let sort = ProductSort::default();
    let mut cards = store::cards(&mut conn, &matching, sort, all, app.currency()).await?;
    cards.sort_by_key(|card| place(card.id));
    Ok(cards)
}

/// A product. Errors: `NotFound` for what the asker may not see.
pub async fn product(app: &App, ctx: &Ctx, key: &ProductKey) -> Result<Product> {
    let mut conn = app.db.conn().await?;
    let id = visible_id(&mut conn, ctx, key).await?;
    let mut product = store::product(&mut conn, id, app.currency())
        .await?
        .ok_or(Error::NotFound)?;
    if !ctx.may(Permission::Catalog) {
        product.variants.retain(|variant| variant.active);
    }
    Ok(product)
}

/// Products with everything, above `after`, in ascending order of their ids, as far as the asker
/// may see them: for what goes through the whole catalog bit by bit. At most 500 at once.
pub async fn products_after(
    app: &App,
    ctx: &Ctx,
    after: ProductId,
    limit: i64,
) -> Result<Vec<Product>> {
    let all = ctx.may(Permission::Catalog);
    let status = (!all).then_some(ProductStatus::Active);
    let mut conn = app.db.conn().await?;
    let ids = store::ids_after(&mut conn, after, status, limit.clamp(1, 500)).await?;
    let mut products = store::products(&mut conn, &ids, app.currency()).await?;
    if !all {
        for product in &mut products {
            product.variants.retain(|variant| variant.active);
        }
    }
    Ok(products)
}

/// The id of a product. Errors: `NotFound` for what the asker may not see.
pub async fn product_id(app: &App, ctx: &Ctx, key: &ProductKey) -> Result<ProductId> {
    visible_id(&mut app.db.conn().await?, ctx, key).await
}

/// Staff: a product, for those who work on the catalog only.
pub async fn product_for_staff(app: &App, ctx: &Ctx, key: &ProductKey) -> Result<Product> {
    ctx.require(Permission::Catalog)?;
    product(app, ctx, key).await
}

/// Staff: variants that are about to run out, the fewest pieces first.
pub async fn low_stock(app: &App, ctx: &Ctx, limit: i64) -> Result<Vec<LowStock>> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    Ok(store::low_stock(&mut conn, StockLevel::LOW, limit).await?)
}

/// Like [`product`], but a slug that a product gave up leads to it, too.
pub async fn find_product(app: &App, ctx: &Ctx, key: &ProductKey) -> Result<Product> {
    let found = product(app, ctx, key).await;
    if let (Err(Error::NotFound), ProductKey::Slug(slug)) = (&found, key)
        && let Some(slug) = redirect_of(app, slug).await?
    {
        return product(app, ctx, &ProductKey::Slug(slug)).await;
    }
    found
}

/// Where a slug that no product has any more leads: the product's new slug.
pub async fn redirect_of(app: &App, slug: &str) -> Result<Option<String>> {
    let mut conn = app.db.conn().await?;
    let target = store::redirect(&mut conn, slug).await?;
    Ok(target
        .filter(|(_, status)| *status == ProductStatus::Active)
        .map(|(slug, _)| slug))
}

/// The id of a product that the asker may see.
pub(super) async fn visible_id(conn: &mut Conn, ctx: &Ctx, key: &ProductKey) -> Result<ProductId> {
    let found = match key {
        ProductKey::Id(id) => store::status_of(conn, *id).await?,
        ProductKey::Slug(slug) => store::id_of_slug(conn, slug).await?,
    };
    found
        .filter(|(_, status)| *status == ProductStatus::Active || ctx.may(Permission::Catalog))
        .map(|(id, _)| id)
        .ok_or(Error::NotFound)
}

/// What a filter means for the asker; none when nothing can match it.
fn matching(ctx: &Ctx, filter: &ProductFilter, tree: &CategoryTree) -> Result<Option<Matching>> {
    if filter.for_staff {
        ctx.require(Permission::Catalog)?;
    }
    let Some(words) = words(&filter.search, tree) else {
        return Ok(None);
    };
    let mut attributes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in filter.attributes.iter().take(MAX_TERMS) {
        attributes.entry(name).or_default().push(value.clone());
    }
    Ok(Some(Matching {
        words,
        categories: filter.category.map(|id| tree.with_descendants(id)),
        min_price: filter.min_price.map(|price| price.minor()),
        max_price: filter.max_price.map(|price| price.minor()),
        in_stock: filter.in_stock,
        min_rating: filter.min_rating.filter(|&stars| stars > 0),
        ids: None,
        tag: Some(filter.tag.clone()).filter(|tag| !tag.is_empty()),
        attributes: attributes
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values))
            .collect(),
        status: if filter.for_staff {
            filter.status
        } else {
            Some(ProductStatus::Active)
        },
    }))
}

/// The words of a search, each with the categories that it names; none when nothing can match.
pub(super) fn words(search: &str, tree: &CategoryTree) -> Option<Vec<(String, Vec<CategoryId>)>> {
    let folded = fold(search);
    if folded.is_empty() && !search.trim().is_empty() {
        // A search for signs only finds nothing, rather than everything.
        return None;
    }
    let words = folded.split_whitespace().take(MAX_TERMS);
    let words = words.map(|word| (word.to_owned(), categories_named(word, tree)));
    Some(words.collect())
}

/// Categories whose own name, or that of one above, has this word in it: their products are
/// found by it, and no product need be written again when a category is renamed.
fn categories_named(word: &str, tree: &CategoryTree) -> Vec<CategoryId> {
    let mut named = Vec::new();
    for category in &tree.0 {
        if fold(&category.name).contains(word) {
            named.extend(tree.with_descendants(category.id));
        }
    }
    named.sort_unstable();
    named.dedup();
    named
}

//! Reading: lists, facets, one product.

use std::collections::BTreeMap;

use super::facets::count as count_facets;
use super::{ProductKey, indexing};
use crate::app::App;
use crate::catalog::model::{
    CategoryTree, Facets, Listing, LowStock, Product, ProductCard, ProductFilter, ProductSort,
    ProductStatus, SitemapPart, SitemapProduct, Suggestions,
};
use crate::catalog::store::{self, Matching};
use crate::ctx::{Ctx, Permission};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::inventory::StockLevel;
use crate::search::{self, Found, Looking, Matched};
use crate::types::{Page, PageRequest, ProductId};

/// More attributes than this do not make a list any finer.
const MAX_TERMS: usize = 16;

/// A page of products that the asker may see.
pub async fn list_products(
    app: &App,
    ctx: &Ctx,
    filter: &ProductFilter,
    page: PageRequest,
) -> Result<Page<ProductCard>> {
    Ok(search_products(app, ctx, filter, page, false)
        .await?
        .products)
}

/// A page of products that the asker may see, and what is told beside it. What matches the words
/// is looked up once for both.
pub async fn search_products(
    app: &App,
    ctx: &Ctx,
    filter: &ProductFilter,
    page: PageRequest,
    with_facets: bool,
) -> Result<Listing> {
    let found = find(app, ctx, filter).await?;
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let matching = matching(ctx, filter, &tree, found.as_ref())?;
    let total = store::count(&mut conn, &matching).await?;
    let items = store::cards(&mut conn, &matching, filter.sort, page, app.currency()).await?;
    let facets = if with_facets {
        Some(count_facets(app, &mut conn, &matching, &tree).await?)
    } else {
        None
    };
    let widened = match filter.widened() {
        Some(wide) if total == 0 => {
            let matching = self::matching(ctx, &wide, &tree, found.as_ref())?;
            Some(store::count(&mut conn, &matching).await?)
        }
        _ => None,
    };
    let found = found.unwrap_or_default();
    if page.page() == 1 && !filter.search.trim().is_empty() {
        note_search(app, ctx, filter, found.matched);
    }
    Ok(Listing {
        products: Page {
            items,
            total,
            request: page,
        },
        facets,
        matched: found.matched,
        corrected: found.corrected,
        widened,
    })
}

/// What the products of a list have, for the filters beside it.
pub async fn facets(app: &App, ctx: &Ctx, filter: &ProductFilter) -> Result<Facets> {
    let found = find(app, ctx, filter).await?;
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let matching = matching(ctx, filter, &tree, found.as_ref())?;
    count_facets(app, &mut conn, &matching, &tree).await
}

/// What the index has of the words of a filter; none for a filter without words.
async fn find(app: &App, ctx: &Ctx, filter: &ProductFilter) -> Result<Option<Found>> {
    if filter.for_staff {
        ctx.require(Permission::Catalog)?;
    }
    indexing::find_words(app, &filter.search, filter.for_staff).await
}

/// Counts a search, and takes note of what shoppers looked for in vain. Staff try things out.
fn note_search(app: &App, ctx: &Ctx, filter: &ProductFilter, matched: Matched) {
    metrics::counter!("zoco_searches_total").increment(1);
    if matched == Matched::All {
        return;
    }
    metrics::counter!("zoco_searches_without_result_total").increment(1);
    let words = search::words(&filter.search).join(" ");
    if !ctx.is_staff() && !words.is_empty() {
        app.search.note_miss(words, ctx.now);
    }
}

/// The most products, words and categories that are suggested.
const SUGGESTED: usize = 6;

/// What somebody may mean who has typed so far.
pub async fn suggest(app: &App, _ctx: &Ctx, typed: &str) -> Result<Suggestions> {
    let looking = Looking {
        text: typed,
        for_staff: false,
        typing: true,
        limit: SUGGESTED,
    };
    let found = indexing::find(app, &looking).await?;
    let mut words: Vec<String> = found.corrected.into_iter().collect();
    for completion in indexing::completions(app, &looking).await? {
        if !words.contains(&completion) && words.len() < SUGGESTED {
            words.push(completion);
        }
    }
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let typed = search::words(typed);
    let matching = Matching {
        ranked: Some(found.products.into()),
        status: Some(ProductStatus::Active),
        ..Matching::default()
    };
    let page = PageRequest::new(1, SUGGESTED as u32);
    let sort = ProductSort::Relevance;
    let named = tree
        .0
        .iter()
        .filter(|category| begins_with(&category.name, &typed));
    Ok(Suggestions {
        words,
        categories: named.take(SUGGESTED).cloned().collect(),
        products: store::cards(&mut conn, &matching, sort, page, app.currency()).await?,
    })
}

/// Whether each of the typed words begins a word of the name.
fn begins_with(name: &str, typed: &[String]) -> bool {
    let words = search::words(name);
    let begins = |typed: &String| words.iter().any(|word| word.starts_with(typed.as_str()));
    !typed.is_empty() && typed.iter().all(begins)
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
    let matching = Matching {
        ranked: Some(product.related.iter().map(|one| one.id).collect()),
        status: Some(ProductStatus::Active),
        ..Matching::default()
    };
    let mut conn = app.db.conn().await?;
    let all = PageRequest::new(1, PageRequest::MAX_PER_PAGE);
    let sort = ProductSort::Relevance;
    Ok(store::cards(&mut conn, &matching, sort, all, app.currency()).await?)
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

/// The parts of the sitemap, each of `per_part` ids of products that shoppers see.
pub async fn sitemap_parts(app: &App, _ctx: &Ctx, per_part: i64) -> Result<Vec<SitemapPart>> {
    Ok(store::sitemap_parts(&mut app.db.conn().await?, per_part).await?)
}

/// What a part of the sitemap tells: of products that shoppers see.
pub async fn sitemap_products(
    app: &App,
    _ctx: &Ctx,
    per_part: i64,
    number: i64,
) -> Result<Vec<SitemapProduct>> {
    Ok(store::sitemap_products(&mut app.db.conn().await?, per_part, number).await?)
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

/// What a filter means for the asker, with what was found of its words.
fn matching(
    ctx: &Ctx,
    filter: &ProductFilter,
    tree: &CategoryTree,
    found: Option<&Found>,
) -> Result<Matching> {
    if filter.for_staff {
        ctx.require(Permission::Catalog)?;
    }
    let mut attributes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in filter.attributes.iter().take(MAX_TERMS) {
        attributes.entry(name).or_default().push(value.clone());
    }
    Ok(Matching {
        ranked: found.map(|found| found.products.as_slice().into()),
        categories: filter.category.map(|id| tree.with_descendants(id)),
        min_price: filter.min_price.map(|price| price.minor()),
        max_price: filter.max_price.map(|price| price.minor()),
        in_stock: filter.in_stock,
        min_rating: filter.min_rating.filter(|&stars| stars > 0),
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
    })
}

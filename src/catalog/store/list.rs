//! SQL of lists of products: which ones, in which order, and what their cards show.

use std::collections::HashMap;
use std::sync::Arc;

use super::images::ImageRow;
use super::read_options;
use crate::catalog::model::{
    Image, OptionValue, ProductCard, ProductSort, ProductStatus, Rating, StockLevel,
};
use crate::db::{self, Conn, FromRow, Query};
use crate::types::{
    CategoryId, Currency, Money, PageRequest, ProductId, Slug, Timestamp, VariantId,
};

/// What the rows of a list have in common, worked out from the filter.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// One of these; their order is [`ProductSort::Relevance`].
    pub ranked: Option<Arc<[ProductId]>>,
    /// In one of these categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Some variant costs at least so much, in minor units.
    pub min_price: Option<i64>,
    /// Some variant costs at most so much, in minor units.
    pub max_price: Option<i64>,
    /// Some active variant can be bought now.
    pub in_stock: bool,
    /// At least so many stars on average.
    pub min_rating: Option<i64>,
    /// With this tag.
    pub tag: Option<String>,
    /// One of the values of each attribute.
    pub attributes: Vec<(String, Vec<String>)>,
    /// Of this status; `None` for all.
    pub status: Option<ProductStatus>,
}

impl Matching {
    /// Adds ` … where …` over `products as p`. However many ids there are, they are one value.
    pub(super) fn push(&self, query: &mut Query) {
        if let Some(ranked) = &self.ranked {
            query.push_fork(" join json_each(", " join json_array_elements_text(");
            query.bind(serde_json::to_string(&**ranked).unwrap_or_default());
            query.push_fork(
                ") as r on r.value = p.id",
                "::json) with ordinality as r(value, key) on cast(r.value as bigint) = p.id",
            );
        }
        query.push(" where true");
        if let Some(status) = self.status {
            query.push(" and p.status = ").bind(status);
        }
        if let Some(categories) = &self.categories {
            query.push(" and p.category_id in ");
            query.bind_list(categories.iter().copied());
        }
        if let Some(minor) = self.min_price {
            query.push(" and p.price_max_minor >= ").bind(minor);
        }
        if let Some(minor) = self.max_price {
            query.push(" and p.price_min_minor <= ").bind(minor);
        }
        if self.in_stock {
            query.push(
                " and exists (
                    select 1
                    from variants as v
                    left join stock_levels as s on s.variant_id = v.id
                        and s.location_id in (select id from locations where active)
                    where v.product_id = p.id
                        and v.active
                        and (v.backorder or s.on_hand > s.reserved))",
            );
        }
        if let Some(stars) = self.min_rating {
            query.push(" and p.rating_count > 0 and p.rating_sum >= p.rating_count * ");
            query.bind(stars);
        }
        if let Some(tag) = &self.tag {
            query.push(
                " and exists (
                    select 1
                    from product_tags as t
                    where t.product_id = p.id and t.tag = ",
            );
            query.bind(tag).push(")");
        }
        for (name, values) in &self.attributes {
            query.push(
                " and exists (
                    select 1
                    from product_attributes as a
                    where a.product_id = p.id and a.name = ",
            );
            query.bind(name).push(" and a.value in ");
            query.bind_list(values).push(")");
        }
    }
}

#[derive(FromRow)]
struct CardRow {
    id: ProductId,
    #[sqlx(try_from = "String")]
    slug: Slug,
    name: String,
    summary: String,
    category_id: Option<CategoryId>,
    #[sqlx(try_from = "String")]
    status: ProductStatus,
    options: String,
    price_min_minor: Option<i64>,
    price_max_minor: Option<i64>,
    rating_sum: i64,
    rating_count: i64,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    publish_at: Option<Timestamp>,
    digital: bool,
}

#[derive(FromRow)]
struct VariantsRow {
    product_id: ProductId,
    variants: i64,
    first_id: VariantId,
    compare_at_minor: Option<i64>,
    on_hand: i64,
    reserved: i64,
    backorder: bool,
}

/// How many products match.
pub async fn count(conn: &mut Conn, matching: &Matching) -> db::Result<i64> {
    let mut query = Query::new("select count(*) from products as p");
    matching.push(&mut query);
    let (total,) = query.fetch_one::<(i64,)>(conn).await?;
    Ok(total)
}

/// A page of cards of the products that match, in a fixed number of statements.
pub async fn cards(
    conn: &mut Conn,
    matching: &Matching,
    sort: ProductSort,
    page: PageRequest,
    currency: Currency,
) -> db::Result<Vec<ProductCard>> {
    let mut query = Query::new(
        "select p.id, p.slug, p.name, p.summary, p.category_id, p.status, p.options,
            p.price_min_minor, p.price_max_minor, p.rating_sum, p.rating_count,
            p.version, p.created_at, p.updated_at, p.publish_at, p.digital
        from products as p",
    );
    matching.push(&mut query);
    query.push(match sort {
        ProductSort::Relevance if matching.ranked.is_some() => " order by r.key",
        ProductSort::Relevance | ProductSort::Rating => {
            " order by p.rating_score desc, p.rating_count desc, p.id desc"
        }
        ProductSort::Newest => " order by p.created_at desc, p.id desc",
        ProductSort::PriceAscending => " order by p.price_min_minor nulls last, p.id",
        ProductSort::PriceDescending => " order by p.price_min_minor desc nulls last, p.id desc",
        ProductSort::Name => " order by lower(p.name), p.id",
    });
    query.push(" limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<CardRow> = query.fetch_all(conn).await?;
    let ids: Vec<ProductId> = rows.iter().map(|row| row.id).collect();
    let mut covers = covers(conn, &ids).await?;
    let variants = variants_of(conn, &ids).await?;
    let card = |row: CardRow| {
        let cover = covers.remove(&row.id);
        card(row, cover, &variants, currency)
    };
    Ok(rows.into_iter().map(card).collect())
}

fn card(
    row: CardRow,
    cover: Option<Image>,
    variants: &HashMap<ProductId, VariantsRow>,
    currency: Currency,
) -> ProductCard {
    let variants = variants.get(&row.id);
    let stock = variants.map_or(StockLevel::default(), |variants| StockLevel {
        on_hand: variants.on_hand,
        reserved: variants.reserved,
    });
    ProductCard {
        id: row.id,
        slug: row.slug,
        name: row.name,
        summary: row.summary,
        category_id: row.category_id,
        status: row.status,
        price: row.price_min_minor.map(|minor| Money::new(minor, currency)),
        price_varies: row.price_min_minor != row.price_max_minor,
        compare_at: variants
            .and_then(|variants| variants.compare_at_minor)
            .map(|minor| Money::new(minor, currency)),
        rating: Rating {
            sum: row.rating_sum,
            count: row.rating_count,
        },
        cover,
        swatches: swatches(&row.options),
        available: stock.available(),
        backorder: variants.is_some_and(|variants| variants.backorder),
        stock,
        only_variant: variants
            .filter(|variants| variants.variants == 1)
            .map(|variants| variants.first_id),
        variant_count: variants.map_or(0, |variants| variants.variants),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
        publish_at: row.publish_at,
        digital: row.digital,
    }
}

/// The values of the first option that has colours.
fn swatches(options: &str) -> Vec<OptionValue> {
    // Most products have no colours; do not read what cannot hold any.
    if !options.contains("swatch") {
        return Vec::new();
    }
    let coloured = |values: &[OptionValue]| values.iter().any(|value| value.swatch.is_some());
    read_options(options)
        .into_iter()
        .map(|option| option.values)
        .find(|values| coloured(values))
        .unwrap_or_default()
        .into_iter()
        .filter(|value| value.swatch.is_some())
        .collect()
}

/// The first picture of each product.
async fn covers(conn: &mut Conn, products: &[ProductId]) -> db::Result<HashMap<ProductId, Image>> {
    let mut query = Query::new(
        "select i.id, i.product_id, i.storage_key, i.alt, i.width, i.height, i.option_value,
            i.position
        from product_images as i
        where not exists (
            select 1
            from product_images as before
            where before.product_id = i.product_id
                and (before.position < i.position
                    or (before.position = i.position and before.id < i.id)))
            and i.product_id in ",
    );
    query.bind_list(products.iter().copied());
    let rows: Vec<ImageRow> = query.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.product_id, row.into()))
        .collect())
}

/// What the active variants of each product have together.
async fn variants_of(
    conn: &mut Conn,
    products: &[ProductId],
) -> db::Result<HashMap<ProductId, VariantsRow>> {
    let mut query = Query::new(
        "select v.product_id, count(distinct v.id) as variants, min(v.id) as first_id,
            min(case when v.price_minor = p.price_min_minor then v.compare_at_minor end)
                as compare_at_minor,
            cast(coalesce(sum(s.on_hand), 0) as bigint) as on_hand,
            cast(coalesce(sum(s.reserved), 0) as bigint) as reserved,
            max(case when v.backorder then 1 else 0 end) = 1 as backorder
        from variants as v
        join products as p on p.id = v.product_id
        left join stock_levels as s on s.variant_id = v.id
            and s.location_id in (select id from locations where active)
        where v.active and v.product_id in ",
    );
    query.bind_list(products.iter().copied());
    query.push(" group by v.product_id");
    let rows: Vec<VariantsRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.product_id, row)).collect())
}

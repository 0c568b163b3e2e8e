//! SQL that reads one product with all that belongs to it.

use std::collections::HashMap;

use super::images::images;
use super::{read_options, read_texts};
use crate::catalog::model::{
    LowStock, Product, ProductStatus, Rating, Related, Seo, StockLevel, Variant,
};
use crate::db::{self, Conn, FromRow, Query, fetch_all, fetch_optional};
use crate::types::{CategoryId, Currency, Money, ProductId, Slug, Timestamp, UserId, VariantId};

#[derive(FromRow)]
struct ProductRow {
    id: ProductId,
    #[sqlx(try_from = "String")]
    slug: Slug,
    name: String,
    maker: String,
    summary: String,
    description: String,
    category_id: Option<CategoryId>,
    #[sqlx(try_from = "String")]
    status: ProductStatus,
    publish_at: Option<Timestamp>,
    digital: bool,
    tax_class: String,
    seo_title: String,
    seo_description: String,
    options: String,
    rating_sum: i64,
    rating_count: i64,
    version: i64,
    created_by: Option<UserId>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(FromRow)]
struct VariantRow {
    id: VariantId,
    product_id: ProductId,
    sku: String,
    options: String,
    price_minor: i64,
    compare_at_minor: Option<i64>,
    weight_grams: i64,
    barcode: String,
    position: i64,
    active: bool,
    on_hand: i64,
    reserved: i64,
    backorder: bool,
}

impl VariantRow {
    fn into_variant(self, currency: Currency) -> Variant {
        Variant {
            id: self.id,
            product_id: self.product_id,
            sku: self.sku,
            options: read_texts(&self.options),
            price: Money::new(self.price_minor, currency),
            compare_at: self
                .compare_at_minor
                .map(|minor| Money::new(minor, currency)),
            weight_grams: self.weight_grams,
            barcode: self.barcode,
            position: self.position,
            active: self.active,
            stock: StockLevel {
                on_hand: self.on_hand,
                reserved: self.reserved,
            },
            backorder: self.backorder,
        }
    }
}

/// The id and status of the product with this slug.
pub async fn id_of_slug(
    conn: &mut Conn,
    slug: &str,
) -> db::Result<Option<(ProductId, ProductStatus)>> {
    let row = fetch_optional!(
        conn,
        IdRow,
        "select id, status from products where slug = $1",
        slug
    )?;
    Ok(row.map(|row| (row.id, row.status)))
}

/// The id and status of the product with this id.
pub async fn status_of(
    conn: &mut Conn,
    id: ProductId,
) -> db::Result<Option<(ProductId, ProductStatus)>> {
    let row = fetch_optional!(
        conn,
        IdRow,
        "select id, status from products where id = $1",
        id
    )?;
    Ok(row.map(|row| (row.id, row.status)))
}

#[derive(FromRow)]
struct IdRow {
    id: ProductId,
    #[sqlx(try_from = "String")]
    status: ProductStatus,
}

/// A product with everything, inactive variants too.
pub async fn product(
    conn: &mut Conn,
    id: ProductId,
    currency: Currency,
) -> db::Result<Option<Product>> {
    Ok(products(conn, &[id], currency).await?.pop())
}

/// Ids of products above `after`, in ascending order; of one status, or of any.
pub async fn ids_after(
    conn: &mut Conn,
    after: ProductId,
    status: Option<ProductStatus>,
    limit: i64,
) -> db::Result<Vec<ProductId>> {
    let mut query = Query::new("select id from products where id > ");
    query.bind(after);
    if let Some(status) = status {
        query.push(" and status = ").bind(status);
    }
    query.push(" order by id limit ").bind(limit);
    let rows: Vec<(ProductId,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Products with everything, inactive variants too, by ascending id: as many statements for a
/// thousand as for one. Not for more than a thousand at once.
pub async fn products(
    conn: &mut Conn,
    ids: &[ProductId],
    currency: Currency,
) -> db::Result<Vec<Product>> {
    let mut query = Query::new(
        "select id, slug, name, maker, summary, description, category_id, status, publish_at,
            digital, seo_title, seo_description, options, rating_sum, rating_count, version,
            created_by, created_at, updated_at,
            coalesce(tax_class, 'standard') as tax_class
        from products
        where id in ",
    );
    query.bind_list(ids.iter().copied()).push(" order by id");
    let rows: Vec<ProductRow> = query.fetch_all(conn).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut products: Vec<Product> = rows.into_iter().map(Product::from).collect();
    let place: HashMap<ProductId, usize> = (0..)
        .zip(&products)
        .map(|(place, product)| (product.id, place))
        .collect();
    for (id, name, value) in attributes(conn, ids).await? {
        products[place[&id]].attributes.push((name, value));
    }
    for (id, tag) in tags(conn, ids).await? {
        products[place[&id]].tags.push(tag);
    }
    for row in related(conn, ids).await? {
        products[place[&row.product_id]].related.push(row.into());
    }
    for row in variants(conn, ids).await? {
        let place = place[&row.product_id];
        products[place].variants.push(row.into_variant(currency));
    }
    for row in images(conn, ids).await? {
        products[place[&row.product_id]].images.push(row.into());
    }
    Ok(products)
}

impl From<ProductRow> for Product {
    /// Without what lies in tables of its own.
    fn from(row: ProductRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            maker: row.maker,
            summary: row.summary,
            description: row.description,
            category_id: row.category_id,
            status: row.status,
            publish_at: row.publish_at,
            digital: row.digital,
            tax_class: row.tax_class,
            seo: Seo {
                title: row.seo_title,
                description: row.seo_description,
            },
            options: read_options(&row.options),
            tags: Vec::new(),
            attributes: Vec::new(),
            related: Vec::new(),
            variants: Vec::new(),
            images: Vec::new(),
            rating: Rating {
                sum: row.rating_sum,
                count: row.rating_count,
            },
            version: row.version,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

async fn attributes(
    conn: &mut Conn,
    products: &[ProductId],
) -> db::Result<Vec<(ProductId, String, String)>> {
    let mut query = Query::new(
        "select product_id, name, value
        from product_attributes
        where product_id in ",
    );
    query.bind_list(products.iter().copied());
    query.push(" order by product_id, position, name");
    query.fetch_all(conn).await
}

async fn tags(conn: &mut Conn, products: &[ProductId]) -> db::Result<Vec<(ProductId, String)>> {
    let mut query = Query::new(
        "select product_id, tag
        from product_tags
        where product_id in ",
    );
    query.bind_list(products.iter().copied());
    query.push(" order by product_id, position, tag");
    query.fetch_all(conn).await
}

#[derive(FromRow)]
struct RelatedRow {
    product_id: ProductId,
    id: ProductId,
    #[sqlx(try_from = "String")]
    slug: Slug,
    name: String,
}

impl From<RelatedRow> for Related {
    fn from(row: RelatedRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
        }
    }
}

async fn related(conn: &mut Conn, products: &[ProductId]) -> db::Result<Vec<RelatedRow>> {
    // There always is such a product. `left`, because SQLite, whose figures may be those of a
    // shop that was small once, would else go through all products first.
    let mut query = Query::new(
        "select r.product_id, p.id, p.slug, p.name
        from product_relations as r
        left join products as p on p.id = r.related_id
        where r.product_id in ",
    );
    query.bind_list(products.iter().copied());
    query.push(" order by r.product_id, r.position, p.id");
    query.fetch_all(conn).await
}

/// The products with these ids or slugs.
pub async fn named(
    conn: &mut Conn,
    ids: &[ProductId],
    slugs: &[String],
) -> db::Result<Vec<Related>> {
    let mut query =
        Query::new("select id as product_id, id, slug, name from products where id in ");
    query.bind_list(ids.iter().copied());
    query.push(" or slug in ").bind_list(slugs);
    let rows: Vec<RelatedRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Related::from).collect())
}

/// The variants of products in their order, with what is there of them.
async fn variants(conn: &mut Conn, products: &[ProductId]) -> db::Result<Vec<VariantRow>> {
    let mut query = Query::new(
        "select v.id, v.product_id, v.sku, v.options, v.price_minor, v.compare_at_minor,
            v.weight_grams, v.barcode, v.position, v.active, v.backorder,
            cast(coalesce(sum(s.on_hand), 0) as bigint) as on_hand,
            cast(coalesce(sum(s.reserved), 0) as bigint) as reserved
        from variants as v
        left join stock_levels as s on s.variant_id = v.id
            and s.location_id in (select id from locations where active)
        where v.product_id in ",
    );
    query.bind_list(products.iter().copied());
    // In the order of the index by product, so that it is taken.
    query.push(
        " group by v.product_id, v.position, v.id
        order by v.product_id, v.position, v.id",
    );
    query.fetch_all(conn).await
}

/// Active variants of active products of which there are `at_most` pieces, the fewest first.
pub async fn low_stock(conn: &mut Conn, at_most: i64, limit: i64) -> db::Result<Vec<LowStock>> {
    #[derive(FromRow)]
    struct Row {
        product_id: ProductId,
        name: String,
        options: String,
        sku: String,
        on_hand: i64,
        reserved: i64,
    }
    let rows = fetch_all!(
        conn,
        Row,
        "select p.id as product_id, p.name, v.options, v.sku,
            cast(coalesce(sum(s.on_hand), 0) as bigint) as on_hand,
            cast(coalesce(sum(s.reserved), 0) as bigint) as reserved
        from variants as v
        join products as p on p.id = v.product_id
        left join stock_levels as s on s.variant_id = v.id
            and s.location_id in (select id from locations where active)
        where v.active and p.status = 'active'
        group by v.id, p.id
        having coalesce(sum(s.on_hand - s.reserved), 0) <= coalesce(v.low_stock, $1)
        order by coalesce(sum(s.on_hand - s.reserved), 0), v.id
        limit $2",
        at_most,
        limit,
    )?;
    let found = rows.into_iter().map(|row| LowStock {
        product_id: row.product_id,
        name: row.name,
        variant: read_texts(&row.options).join(", "),
        sku: row.sku,
        stock: StockLevel {
            on_hand: row.on_hand,
            reserved: row.reserved,
        },
    });
    Ok(found.collect())
}

/// Where a slug that a product gave up leads: the product's slug and status.
pub async fn redirect(conn: &mut Conn, slug: &str) -> db::Result<Option<(String, ProductStatus)>> {
    #[derive(FromRow)]
    struct Row {
        slug: String,
        #[sqlx(try_from = "String")]
        status: ProductStatus,
    }
    let row = fetch_optional!(
        conn,
        Row,
        "select p.slug, p.status
        from product_redirects as r
        join products as p on p.id = r.product_id
        where r.slug = $1",
        slug,
    )?;
    Ok(row.map(|row| (row.slug, row.status)))
}

//! SQL that reads products as the index of the search knows them.

use std::collections::HashMap;

use super::read_options;
use crate::catalog::model::{Document, ProductStatus};
use crate::db::{self, Conn, FromRow, Query, fetch_all, fetch_one};
use crate::types::{CategoryId, ProductId};

#[derive(FromRow)]
struct DocumentRow {
    id: ProductId,
    version: i64,
    name: String,
    maker: String,
    summary: String,
    description: String,
    category_id: Option<CategoryId>,
    #[sqlx(try_from = "String")]
    status: ProductStatus,
    options: String,
}

/// The words of some products, each with the category that it stands in. Drafts and archived
/// products, too.
pub async fn documents(
    conn: &mut Conn,
    ids: &[ProductId],
) -> db::Result<Vec<(Document, Option<CategoryId>)>> {
    let mut query = Query::new(
        "select id, version, name, maker, summary, description, category_id, status, options
        from products
        where id in ",
    );
    query.bind_list(ids.iter().copied()).push(" order by id");
    let rows: Vec<DocumentRow> = query.fetch_all(conn).await?;
    let mut tags = tags(conn, ids).await?;
    let mut attributes = attributes(conn, ids).await?;
    let mut variants = variants(conn, ids).await?;
    let document = |row: DocumentRow| {
        let mut labels = tags.remove(&row.id).unwrap_or_default();
        labels.push(row.maker);
        let mut facts = attributes.remove(&row.id).unwrap_or_default();
        for option in read_options(&row.options) {
            facts.push(option.name);
            facts.extend(option.values.into_iter().map(|value| value.value));
        }
        let document = Document {
            id: row.id,
            version: row.version,
            public: row.status == ProductStatus::Active,
            name: row.name,
            labels,
            facts,
            text: vec![row.summary, row.description],
            skus: variants.remove(&row.id).unwrap_or_default(),
        };
        (document, row.category_id)
    };
    Ok(rows.into_iter().map(document).collect())
}

type ByProduct = HashMap<ProductId, Vec<String>>;

fn by_product(rows: impl IntoIterator<Item = (ProductId, Vec<String>)>) -> ByProduct {
    let mut found = ByProduct::new();
    for (product, texts) in rows {
        found.entry(product).or_default().extend(texts);
    }
    found
}

async fn tags(conn: &mut Conn, ids: &[ProductId]) -> db::Result<ByProduct> {
    let mut query = Query::new("select product_id, tag from product_tags where product_id in ");
    query.bind_list(ids.iter().copied());
    let rows: Vec<(ProductId, String)> = query.fetch_all(conn).await?;
    Ok(by_product(
        rows.into_iter().map(|(id, tag)| (id, vec![tag])),
    ))
}

async fn attributes(conn: &mut Conn, ids: &[ProductId]) -> db::Result<ByProduct> {
    let mut query =
        Query::new("select product_id, name, value from product_attributes where product_id in ");
    query.bind_list(ids.iter().copied());
    let rows: Vec<(ProductId, String, String)> = query.fetch_all(conn).await?;
    let texts = rows
        .into_iter()
        .map(|(id, name, value)| (id, vec![name, value]));
    Ok(by_product(texts))
}

async fn variants(conn: &mut Conn, ids: &[ProductId]) -> db::Result<ByProduct> {
    let mut query = Query::new("select product_id, sku from variants where product_id in ");
    query.bind_list(ids.iter().copied());
    let rows: Vec<(ProductId, String)> = query.fetch_all(conn).await?;
    Ok(by_product(
        rows.into_iter().map(|(id, sku)| (id, vec![sku])),
    ))
}

/// How many products there are in all.
pub async fn count_all(conn: &mut Conn) -> db::Result<i64> {
    let (count,) = fetch_one!(conn, (i64,), "select count(*) from products")?;
    Ok(count)
}

/// The ids of all products in some categories.
pub async fn ids_in(conn: &mut Conn, categories: &[CategoryId]) -> db::Result<Vec<ProductId>> {
    let mut query = Query::new("select id from products where category_id in ");
    query.bind_list(categories.iter().copied());
    let rows: Vec<(ProductId,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Every product with its version, by id.
pub async fn versions(conn: &mut Conn) -> db::Result<Vec<(ProductId, i64)>> {
    fetch_all!(
        conn,
        (ProductId, i64),
        "select id, version
        from products
        order by id"
    )
}

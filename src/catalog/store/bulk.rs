//! SQL that changes many products at once.

use super::write::price_columns;
use crate::catalog::model::Product;
use crate::db::{self, Conn, Query, Tx};
use crate::types::{ProductId, VariantId};

/// Locks products until the transaction ends, in ascending order, so that two such changes never
/// wait for each other. At most a thousand.
pub async fn lock_products(tx: &mut Tx, ids: &[ProductId]) -> db::Result<()> {
    let mut query = Query::new("select id from products where id in ");
    query.bind_list(ids.iter().copied()).push(" order by id");
    let _: Vec<(ProductId,)> = query.lock().fetch_all(tx).await?;
    Ok(())
}

/// Which of these were ever ordered; see [`ordered_variants`](super::ordered_variants).
pub async fn ordered_products(conn: &mut Conn, ids: &[ProductId]) -> db::Result<Vec<ProductId>> {
    let mut query = Query::new(
        "select distinct product_id
        from order_lines
        where product_id in ",
    );
    query.bind_list(ids.iter().copied());
    let rows: Vec<(ProductId,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The product of each of these variants, as far as they are there. At most a thousand.
pub async fn products_of_variants(
    conn: &mut Conn,
    variants: &[VariantId],
) -> db::Result<Vec<(VariantId, ProductId)>> {
    let mut query = Query::new("select id, product_id from variants where id in ");
    query.bind_list(variants.iter().copied());
    query.fetch_all(conn).await
}

/// Writes the version, time, place, status and price range of products that the
/// transaction has locked. At most a thousand, at least one.
pub async fn write_products(tx: &mut Tx, products: &[&Product]) -> db::Result<()> {
    // Both databases call the columns of `values` so.
    let mut query = Query::new(
        "update products
        set version = d.column2, updated_at = d.column3, category_id = d.column4,
            status = d.column5, publish_at = d.column6, price_min_minor = d.column7,
            price_max_minor = d.column8
        from (values ",
    );
    for (index, product) in products.iter().enumerate() {
        let (lowest, highest) = price_columns(product);
        query.push(if index == 0 { "(" } else { ", (" });
        query.bind(product.id).push(", ").bind(product.version);
        query.push(", ").bind(product.updated_at);
        query.push(", ").bind(product.category_id);
        query.push(", ").bind(product.status);
        query.push(", ").bind(product.publish_at);
        query.push(", ").bind(lowest);
        query.push(", ").bind(highest).push(")");
    }
    query.push(") as d where products.id = d.column1");
    query.execute(tx).await?;
    Ok(())
}

/// Writes all tags of products anew, in their order. At most a hundred.
pub async fn replace_tags_of(tx: &mut Tx, products: &[&Product]) -> db::Result<()> {
    let mut query = Query::new("delete from product_tags where product_id in ");
    query.bind_list(products.iter().map(|product| product.id));
    query.execute(tx).await?;
    let mut query = Query::new("insert into product_tags (product_id, tag, position) values ");
    let mut first = true;
    for product in products {
        for (position, tag) in (0_i64..).zip(&product.tags) {
            query.push(if first { "(" } else { ", (" });
            query.bind(product.id).push(", ").bind(tag);
            query.push(", ").bind(position).push(")");
            first = false;
        }
    }
    if !first {
        query.execute(tx).await?;
    }
    Ok(())
}

/// Deletes products with all that belongs to them; the files of their pictures stay.
pub async fn delete_products(tx: &mut Tx, ids: &[ProductId]) -> db::Result<()> {
    let mut query = Query::new("delete from products where id in ");
    query.bind_list(ids.iter().copied());
    query.execute(tx).await?;
    Ok(())
}

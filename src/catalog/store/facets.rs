//! SQL that counts what the products of a list have.

use super::Matching;
use crate::db::{self, Conn, Query};
use crate::types::CategoryId;

/// Matching products by the category that they stand in themselves.
pub async fn count_by_category(
    conn: &mut Conn,
    matching: &Matching,
) -> db::Result<Vec<(CategoryId, i64)>> {
    let mut query = Query::new("select p.category_id, count(*) from products as p");
    matching.push(&mut query);
    query.push(" and p.category_id is not null group by p.category_id");
    query.fetch_all(conn).await
}

/// Matching products by attribute name and value, the most frequent value of each name first.
/// With `name`, of that attribute only; else of all but those in `without`.
pub async fn count_by_attribute(
    conn: &mut Conn,
    matching: &Matching,
    name: Option<&str>,
    without: &[String],
) -> db::Result<Vec<(String, String, i64)>> {
    let mut query = Query::new(
        "select f.name, f.value, count(*) as products
        from product_attributes as f
        join products as p on p.id = f.product_id",
    );
    matching.push(&mut query);
    if let Some(name) = name {
        query.push(" and f.name = ").bind(name);
    }
    if !without.is_empty() {
        query.push(" and f.name not in ").bind_list(without);
    }
    query.push(" group by f.name, f.value order by f.name, products desc, f.value");
    query.fetch_all(conn).await
}

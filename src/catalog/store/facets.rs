//! SQL that counts what the products of a list have.

use super::Matching;
use crate::db::{self, Conn, FromRow, Query};
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

/// Matching products by tag, the most frequent first.
pub async fn count_by_tag(
    conn: &mut Conn,
    matching: &Matching,
    limit: i64,
) -> db::Result<Vec<(String, i64)>> {
    let mut query = Query::new(
        "select f.tag, count(*) as products
        from product_tags as f
        join products as p on p.id = f.product_id",
    );
    matching.push(&mut query);
    query
        .push(" group by f.tag order by products desc, f.tag limit ")
        .bind(limit);
    query.fetch_all(conn).await
}

/// Matching products with at least 4, 3, 2 and 1 stars on average.
pub async fn count_by_rating(conn: &mut Conn, matching: &Matching) -> db::Result<[i64; 4]> {
    let mut query = Query::new(
        "select
            count(case when p.rating_sum >= p.rating_count * 4 then 1 end),
            count(case when p.rating_sum >= p.rating_count * 3 then 1 end),
            count(case when p.rating_sum >= p.rating_count * 2 then 1 end),
            count(*)
        from products as p",
    );
    matching.push(&mut query);
    query.push(" and p.rating_count > 0");
    let (four, three, two, one) = query.fetch_one(conn).await?;
    Ok([four, three, two, one])
}

/// What matching products cost, in minor units.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct PriceQuarter {
    /// The lowest price of a quarter of them, by their lowest price.
    pub begins: i64,
    /// The highest price in it.
    pub ends: i64,
}

/// What matching products cost: up to four equal parts, the cheapest first.
pub async fn price_quarters(conn: &mut Conn, matching: &Matching) -> db::Result<Vec<PriceQuarter>> {
    let mut query = Query::new(
        "select min(q.lowest) as begins, max(q.highest) as ends
        from (
            select p.price_min_minor as lowest, p.price_max_minor as highest,
                ntile(4) over (order by p.price_min_minor, p.id) as quarter
            from products as p",
    );
    matching.push(&mut query);
    query.push(
        " and p.price_min_minor is not null) as q
        group by q.quarter
        order by q.quarter",
    );
    query.fetch_all(conn).await
}

/// How many matching products have a variant in each of up to four ranges of prices: at least
/// the one, at most the other, in minor units. Fewer ranges give 0 for the rest.
pub async fn count_by_price(
    conn: &mut Conn,
    matching: &Matching,
    ranges: &[(i64, i64)],
) -> db::Result<[i64; 4]> {
    let mut query = Query::new("select ");
    for place in 0..4 {
        let (from, to) = ranges.get(place).copied().unwrap_or((0, -1));
        query.push(if place == 0 { "" } else { ", " });
        query
            .push("count(case when p.price_max_minor >= ")
            .bind(from);
        query
            .push(" and p.price_min_minor <= ")
            .bind(to)
            .push(" then 1 end)");
    }
    query.push(" from products as p");
    matching.push(&mut query);
    let (one, two, three, four) = query.fetch_one(conn).await?;
    Ok([one, two, three, four])
}

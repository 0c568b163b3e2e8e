//! SQL of the list of products for staff: more to filter and sort by than shoppers have.

use super::Matching;
use crate::catalog::model::{StaffSort, StockChoice, StockLevel};
use crate::db::{self, Conn, Query, fetch_all};
use crate::types::{PageRequest, ProductId};

/// The most words that a field offers.
const MAX_WORDS: i64 = 500;

/// What the rows of the list for staff have in common.
#[derive(Clone, Debug, Default)]
pub struct StaffMatching {
    /// What a list for shoppers can be narrowed by, too.
    pub common: Matching,
    /// With this tag, whatever its case.
    pub tag: Option<String>,
    /// By this maker, whatever its case.
    pub maker: Option<String>,
    /// With so much on the shelf.
    pub stock: Option<StockChoice>,
    /// Only drafts that go on sale by themselves.
    pub scheduled: bool,
    /// Only what has no picture.
    pub without_picture: bool,
}

/// What an active variant `v` of the product `p` can sell now is counted so.
const AVAILABLE: &str = "select 1
    from variants as v
    left join stock_levels as s on s.variant_id = v.id
        and s.location_id in (select id from locations where active)
    where v.product_id = p.id and v.active
    group by v.id
    having coalesce(sum(s.on_hand - s.reserved), 0)";

impl StaffMatching {
    /// Adds ` where …` over `products as p`.
    fn push(&self, query: &mut Query) {
        self.common.push(query);
        if let Some(tag) = &self.tag {
            query.push(
                " and exists (
                    select 1
                    from product_tags as t
                    where t.product_id = p.id and lower(t.tag) = lower(",
            );
            query.bind(tag).push("))");
        }
        if let Some(maker) = &self.maker {
            query
                .push(" and lower(p.maker) = lower(")
                .bind(maker)
                .push(")");
        }
        if let Some(stock) = self.stock {
            query.push(match stock {
                StockChoice::Out => " and not exists (",
                StockChoice::In | StockChoice::Low => " and exists (",
            });
            query.push(AVAILABLE);
            match stock {
                StockChoice::In | StockChoice::Out => query.push(" > 0)"),
                StockChoice::Low => query
                    .push(" between 1 and coalesce(v.low_stock, ")
                    .bind(StockLevel::LOW)
                    .push("))"),
            };
        }
        if self.scheduled {
            query.push(" and p.status = 'draft' and p.publish_at is not null");
        }
        if self.without_picture {
            query.push(
                " and not exists (
                    select 1
                    from product_images as i
                    where i.product_id = p.id)",
            );
        }
    }
}

/// The pieces of all active variants together that can be sold now.
const STOCK: &str = " order by (
    select coalesce(sum(s.on_hand - s.reserved), 0)
    from variants as v
    join stock_levels as s on s.variant_id = v.id
        and s.location_id in (select id from locations where active)
    where v.product_id = p.id and v.active)";

fn push_order(query: &mut Query, sort: StaffSort) {
    const STATUS: &str =
        " order by case p.status when 'active' then 0 when 'draft' then 1 else 2 end";
    match sort {
        StaffSort::Newest => query.push(" order by p.created_at desc, p.id desc"),
        StaffSort::Name => query.push(" order by lower(p.name), p.id"),
        StaffSort::NameDescending => query.push(" order by lower(p.name) desc, p.id desc"),
        StaffSort::Price => query.push(" order by p.price_min_minor nulls last, p.id"),
        StaffSort::PriceDescending => {
            query.push(" order by p.price_max_minor desc nulls last, p.id desc")
        }
        StaffSort::Stock => query.push(STOCK).push(", p.id"),
        StaffSort::StockDescending => query.push(STOCK).push(" desc, p.id desc"),
        StaffSort::Status => query.push(STATUS).push(", lower(p.name), p.id"),
        StaffSort::StatusDescending => query.push(STATUS).push(" desc, lower(p.name), p.id"),
        StaffSort::Updated => query.push(" order by p.updated_at, p.id"),
        StaffSort::UpdatedDescending => query.push(" order by p.updated_at desc, p.id desc"),
        StaffSort::Rating => {
            query.push(" order by p.rating_score desc, p.rating_count desc, p.id desc")
        }
        StaffSort::RatingAscending => query.push(" order by p.rating_score, p.rating_count, p.id"),
    };
}

/// How many products match.
pub async fn count_for_staff(conn: &mut Conn, matching: &StaffMatching) -> db::Result<i64> {
    let mut query = Query::new("select count(*) from products as p");
    matching.push(&mut query);
    let (total,) = query.fetch_one::<(i64,)>(conn).await?;
    Ok(total)
}

/// The products of a page, in their order.
pub async fn ids_for_staff(
    conn: &mut Conn,
    matching: &StaffMatching,
    sort: StaffSort,
    page: PageRequest,
) -> db::Result<Vec<ProductId>> {
    let mut query = Query::new("select p.id from products as p");
    matching.push(&mut query);
    push_order(&mut query, sort);
    query.push(" limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<(ProductId,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// All products that match, by id.
pub async fn all_ids(conn: &mut Conn, matching: &StaffMatching) -> db::Result<Vec<ProductId>> {
    let mut query = Query::new("select p.id from products as p");
    matching.push(&mut query);
    query.push(" order by p.id");
    let rows: Vec<(ProductId,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// An SKU of each product's active variants: the only one where there is only one.
pub async fn first_skus(
    conn: &mut Conn,
    products: &[ProductId],
) -> db::Result<Vec<(ProductId, String)>> {
    let mut query = Query::new(
        "select product_id, min(sku)
        from variants
        where active and product_id in ",
    );
    query.bind_list(products.iter().copied());
    query.push(" group by product_id");
    query.fetch_all(conn).await
}

/// The makers that products name, by name.
pub async fn known_makers(conn: &mut Conn) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "select distinct maker
        from products
        where maker <> ''
        order by maker
        limit $1",
        MAX_WORDS
    )?;
    Ok(rows.into_iter().map(|(maker,)| maker).collect())
}

/// The tags that products have, by name.
pub async fn known_tags(conn: &mut Conn) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "select distinct tag
        from product_tags
        order by tag
        limit $1",
        MAX_WORDS
    )?;
    Ok(rows.into_iter().map(|(tag,)| tag).collect())
}

//! SQL of the sitemap.

use crate::catalog::model::{Image, SitemapPart, SitemapProduct};
use crate::db::{self, Conn, FromRow, fetch_all};
use crate::types::{Slug, Timestamp};

/// The parts that have active products, each of `per_part` ids.
pub async fn sitemap_parts(conn: &mut Conn, per_part: i64) -> db::Result<Vec<SitemapPart>> {
    let rows = fetch_all!(
        conn,
        (i64, Timestamp),
        "select (id - 1) / $1 + 1 as number, max(updated_at) as updated_at
        from products
        where status = 'active'
        group by 1
        order by 1",
        per_part,
    )?;
    let part = |(number, updated_at)| SitemapPart { number, updated_at };
    Ok(rows.into_iter().map(part).collect())
}

/// The active products of a part.
pub async fn sitemap_products(
    conn: &mut Conn,
    per_part: i64,
    number: i64,
) -> db::Result<Vec<SitemapProduct>> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(try_from = "String")]
        slug: Slug,
        updated_at: Timestamp,
        storage_key: Option<String>,
        width: Option<i64>,
    }
    let rows = fetch_all!(
        conn,
        Row,
        "select p.slug, p.updated_at, i.storage_key, i.width
        from products as p
        left join product_images as i on i.id = (
            select m.id
            from product_images as m
            where m.product_id = p.id
            order by m.position, m.id
            limit 1)
        where p.status = 'active' and p.id > $1 and p.id <= $2
        order by p.id",
        (number - 1) * per_part,
        number * per_part,
    )?;
    let product = |row: Row| {
        let width = u32::try_from(row.width.unwrap_or(0)).unwrap_or(0);
        let widest = Image::widths_of(width).last().copied();
        SitemapProduct {
            slug: row.slug,
            updated_at: row.updated_at,
            cover: row.storage_key.zip(widest),
        }
    };
    Ok(rows.into_iter().map(product).collect())
}

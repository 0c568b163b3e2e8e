//! SQL that compares orders with their lines.

use crate::db::{self, Conn, fetch_all};
use crate::orders::model::OrderImbalance;

/// Orders whose total, tax or discount is not that of their lines and shipping; none when the
/// books are right.
pub async fn imbalances(conn: &mut Conn) -> db::Result<Vec<OrderImbalance>> {
    let rows = fetch_all!(
        conn,
        (String, i64, i64, i64, i64, i64, i64),
        "select number, total_minor, lines_total, tax_minor, lines_tax, discount_minor, lines_discount
        from (
            select o.number, o.total_minor, o.tax_minor, o.discount_minor,
                cast(coalesce(sum(l.total_minor), 0) as bigint) + o.shipping_minor as lines_total,
                cast(coalesce(sum(l.tax_minor), 0) as bigint) + o.shipping_tax_minor as lines_tax,
                cast(coalesce(sum(l.line_discount_minor + l.order_discount_minor), 0) as bigint)
                    as lines_discount,
                -- Orders of old kept neither the tax of shipping nor taxes by rate.
                o.taxes
            from orders o
            left join order_lines l on l.order_id = o.id
            group by o.id
        ) as added
        where total_minor <> lines_total or discount_minor <> lines_discount
            or (taxes <> '[]' and tax_minor <> lines_tax)
        order by number"
    )?;
    let imbalance =
        |(number, total, lines_total, tax, lines_tax, discount, lines_discount)| OrderImbalance {
            number,
            kept: [total, tax, discount],
            counted: [lines_total, lines_tax, lines_discount],
        };
    Ok(rows.into_iter().map(imbalance).collect())
}

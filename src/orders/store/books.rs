//! SQL that compares orders with what belongs to them. Each looks at all orders in one statement.

use crate::db::{self, Conn, FromRow, fetch_all};
use crate::orders::model::{
    BrokenSeries, FulfilmentStatus, IdleHold, Missent, OrderImbalance, OrderStatus, Overrefunded,
    Oversent, RefundImbalance,
};
use crate::types::{Currency, Money, RefundId, Timestamp};

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

#[derive(FromRow)]
struct HoldRow {
    reference: String,
    pieces: i64,
    status: Option<String>,
}

/// What is held for something that needs it no longer: for no order, for one that is cancelled, or
/// for one whose goods were taken.
pub async fn idle_holds(conn: &mut Conn) -> db::Result<Vec<IdleHold>> {
    let rows = fetch_all!(
        conn,
        HoldRow,
        "select r.reference, cast(sum(r.quantity) as bigint) as pieces, o.status
        from reservations r
        left join orders o on o.number = r.reference
        where o.id is null or o.status = 'cancelled'
            or exists (
                select 1
                from payments p
                where p.order_id = o.id and p.settled_at is not null
            )
        group by r.reference, o.status
        order by r.reference"
    )?;
    let hold = |row: HoldRow| IdleHold {
        number: row.reference,
        pieces: row.pieces,
        status: row.status.and_then(|text| text.parse::<OrderStatus>().ok()),
    };
    Ok(rows.into_iter().map(hold).collect())
}

/// Lines of which more was sent than was ordered and not called off.
pub async fn oversent(conn: &mut Conn) -> db::Result<Vec<Oversent>> {
    let rows = fetch_all!(
        conn,
        (String, String, i64, i64),
        "select o.number, l.sku, coalesce(s.sent, 0), l.quantity - l.cancelled_quantity
        from order_lines l
        join orders o on o.id = l.order_id
        left join (
            select order_line_id, cast(sum(quantity) as bigint) as sent
            from fulfilment_lines
            group by order_line_id
        ) s on s.order_line_id = l.id
        where coalesce(s.sent, 0) > l.quantity - l.cancelled_quantity
        order by l.id"
    )?;
    let oversent = |(number, sku, sent, wanted)| Oversent {
        number,
        sku,
        sent,
        wanted,
    };
    Ok(rows.into_iter().map(oversent).collect())
}

#[derive(FromRow)]
struct MissentRow {
    number: String,
    #[sqlx(try_from = "String")]
    fulfilment_status: FulfilmentStatus,
    sent: i64,
    wanted: i64,
}

/// Orders whose status of delivery is not what their parcels make of it.
pub async fn missent(conn: &mut Conn) -> db::Result<Vec<Missent>> {
    let rows = fetch_all!(
        conn,
        MissentRow,
        "select o.number, o.fulfilment_status, t.sent, t.wanted
        from orders o
        join (
            select l.order_id,
                cast(sum(l.quantity - l.cancelled_quantity) as bigint) as wanted,
                cast(sum(coalesce(s.sent, 0)) as bigint) as sent
            from order_lines l
            left join (
                select order_line_id, cast(sum(quantity) as bigint) as sent
                from fulfilment_lines
                group by order_line_id
            ) s on s.order_line_id = l.id
            group by l.order_id
        ) t on t.order_id = o.id
        where (o.fulfilment_status = 'unfulfilled' and t.sent > 0)
            or (o.fulfilment_status = 'partial' and (t.sent = 0 or t.sent >= t.wanted))
            or (o.fulfilment_status = 'fulfilled' and t.sent < t.wanted)
        order by o.id"
    )?;
    let missent = |row: MissentRow| Missent {
        number: row.number,
        kept: row.fulfilment_status,
        sent: row.sent,
        wanted: row.wanted,
    };
    Ok(rows.into_iter().map(missent).collect())
}

#[derive(FromRow)]
struct RefundRow {
    number: String,
    refund: RefundId,
    #[sqlx(try_from = "String")]
    currency: Currency,
    kept: Option<i64>,
    moved: i64,
}

impl From<RefundRow> for RefundImbalance {
    fn from(row: RefundRow) -> Self {
        Self {
            number: row.number,
            refund: row.refund,
            kept: row.kept.map(|minor| Money::new(minor, row.currency)),
            moved: Money::new(row.moved, row.currency),
        }
    }
}

/// Refunds that are not the sum of what is asked of their payments, or was done by them.
pub async fn uneven_refunds(conn: &mut Conn) -> db::Result<Vec<RefundImbalance>> {
    let rows = fetch_all!(
        conn,
        RefundRow,
        "select o.number, r.id as refund, r.currency, r.amount_minor as kept,
            coalesce(m.moved, 0) as moved
        from refunds r
        join orders o on o.id = r.order_id
        left join (
            select refund_id, cast(sum(amount_minor) as bigint) as moved
            from payment_operations
            where kind = 'refund' and state <> 'failed' and refund_id is not null
            group by refund_id
        ) m on m.refund_id = r.id
        where r.state <> 'failed' and r.amount_minor <> coalesce(m.moved, 0)
        order by r.id"
    )?;
    Ok(rows.into_iter().map(RefundImbalance::from).collect())
}

#[derive(FromRow)]
struct OverRow {
    number: String,
    #[sqlx(try_from = "String")]
    currency: Currency,
    back: i64,
    came: i64,
}

/// Orders of which more goes back than came, over all of their payments.
pub async fn overrefunded(conn: &mut Conn) -> db::Result<Vec<Overrefunded>> {
    let rows = fetch_all!(
        conn,
        OverRow,
        "select o.number, o.currency, b.back, coalesce(c.came, 0) as came
        from orders o
        join (
            select order_id, currency, cast(sum(amount_minor) as bigint) as back
            from refunds
            where state <> 'failed'
            group by order_id, currency
        ) b on b.order_id = o.id and b.currency = o.currency
        left join (
            select order_id, currency, cast(sum(captured_minor) as bigint) as came
            from payments
            group by order_id, currency
        ) c on c.order_id = o.id and c.currency = o.currency
        where b.back > coalesce(c.came, 0)
        order by o.id"
    )?;
    let over = |row: OverRow| Overrefunded {
        number: row.number,
        back: Money::new(row.back, row.currency),
        came: Money::new(row.came, row.currency),
    };
    Ok(rows.into_iter().map(over).collect())
}

/// Credit notes that say something else than what the payments of their refund sent back.
pub async fn wrong_credit_notes(conn: &mut Conn) -> db::Result<Vec<(String, String)>> {
    fetch_all!(
        conn,
        (String, String),
        "select c.number, o.number
        from invoices c
        join orders o on o.id = c.order_id
        left join (
            select 'refund ' || refund_id as reference,
                cast(sum(amount_minor) as bigint) as moved
            from payment_operations
            where kind = 'refund' and state = 'succeeded' and refund_id is not null
            group by refund_id
        ) m on m.reference = c.reference
        where c.kind = 'credit_note' and c.total_minor <> coalesce(m.moved, 0)
        order by c.id"
    )
}

/// Refunds of invoiced orders that ended before a time and have no credit note. What went back
/// before an order was invoiced needs none.
pub async fn unnoted_refunds(
    conn: &mut Conn,
    before: Timestamp,
) -> db::Result<Vec<RefundImbalance>> {
    let rows = fetch_all!(
        conn,
        RefundRow,
        "select o.number, r.id as refund, r.currency, cast(null as bigint) as kept, m.moved
        from refunds r
        join orders o on o.id = r.order_id
        join (
            select refund_id, cast(sum(amount_minor) as bigint) as moved
            from payment_operations
            where kind = 'refund' and state = 'succeeded' and refund_id is not null
            group by refund_id
        ) m on m.refund_id = r.id
        join invoices i on i.order_id = r.order_id and i.kind = 'invoice'
        left join invoices c on c.order_id = r.order_id and c.kind = 'credit_note'
            and c.reference = 'refund ' || r.id
        where r.state <> 'requested' and r.updated_at < $1 and i.issued_at <= r.updated_at
            and c.id is null
        order by r.id",
        before,
    )?;
    Ok(rows.into_iter().map(RefundImbalance::from).collect())
}

#[derive(FromRow)]
struct SeriesRow {
    series: String,
    issued: i64,
    highest: i64,
    counted: i64,
}

/// The series with a gap, or whose counter says something else. Of one series no position stands
/// there twice.
pub async fn broken_series(conn: &mut Conn) -> db::Result<Vec<BrokenSeries>> {
    let rows = fetch_all!(
        conn,
        SeriesRow,
        "select b.series, cast(sum(b.issued) as bigint) as issued, max(b.position) as highest,
            max(b.counted) as counted
        from (
            select series, cast(1 as bigint) as issued, position, cast(0 as bigint) as counted
            from invoices
            union all
            select name, cast(0 as bigint), cast(0 as bigint), value from counters
        ) as b
        group by b.series
        having sum(b.issued) <> max(b.position) or max(b.position) <> max(b.counted)
        order by b.series"
    )?;
    let series = rows.into_iter().map(|row| BrokenSeries {
        series: row.series,
        issued: row.issued,
        highest: row.highest,
        counted: row.counted,
    });
    Ok(series.collect())
}

/// The numbers of invoices whose total is not their order's, with the order's number.
pub async fn wrong_invoices(conn: &mut Conn) -> db::Result<Vec<(String, String)>> {
    fetch_all!(
        conn,
        (String, String),
        "select i.number, o.number
        from invoices i
        join orders o on o.id = i.order_id
        where i.kind = 'invoice' and i.total_minor <> o.total_minor
        order by i.id"
    )
}

/// The numbers of orders of which credit notes give more back than they had invoiced.
pub async fn overcredited(conn: &mut Conn) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "select o.number
        from orders o
        join invoices i on i.order_id = o.id and i.kind = 'credit_note'
        group by o.id, o.number, o.total_minor
        having sum(i.total_minor) > o.total_minor
        order by o.id"
    )?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

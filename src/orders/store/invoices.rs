//! SQL of orders: invoices, credit notes and their numbers.

use crate::db::{self, Conn, FromRow, Query, Tx, fetch_all, fetch_one};
use crate::orders::model::{BrokenSeries, Invoice, InvoiceKind, NewInvoice};
use crate::types::{Currency, InvoiceId, Money, OrderId, Timestamp};

#[derive(FromRow)]
struct InvoiceRow {
    id: InvoiceId,
    order_id: OrderId,
    #[sqlx(try_from = "String")]
    kind: InvoiceKind,
    number: String,
    reference: String,
    #[sqlx(try_from = "String")]
    currency: Currency,
    total_minor: i64,
    snapshot: String,
    issued_at: Timestamp,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.id,
            order_id: row.order_id,
            kind: row.kind,
            number: row.number,
            reference: row.reference,
            total: Money::new(row.total_minor, row.currency),
            snapshot: row.snapshot,
            issued_at: row.issued_at,
        }
    }
}

/// What was issued for an order, oldest first.
pub async fn invoices(conn: &mut Conn, order: OrderId) -> db::Result<Vec<Invoice>> {
    let mut query = Query::new(
        "select id, order_id, kind, number, reference, currency, total_minor, snapshot, issued_at
        from invoices
        where order_id = ",
    );
    query.bind(order).push(" order by id");
    let rows: Vec<InvoiceRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Invoice::from).collect())
}

/// The next position of a series, from 1. Whoever asks holds the series until their transaction
/// ends, and a transaction that is rolled back gives its position back: there is no gap.
pub async fn next_position(tx: &mut Tx, series: &str) -> db::Result<i64> {
    let (position,) = fetch_one!(
        tx,
        (i64,),
        "insert into counters (name, value)
        values ($1, 1)
        on conflict (name) do update
        set value = counters.value + 1
        returning value",
        series,
    )?;
    Ok(position)
}

/// Keeps an invoice or a credit note. Of one order, kind and reference there is one.
pub async fn insert_invoice(
    tx: &mut Tx,
    invoice: &NewInvoice,
    now: Timestamp,
) -> db::Result<InvoiceId> {
    let (id,) = fetch_one!(
        tx,
        (InvoiceId,),
        "insert into invoices (order_id, kind, series, position, number, reference, currency,
            total_minor, snapshot, issued_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        returning id",
        invoice.order_id,
        invoice.kind,
        &invoice.series,
        invoice.position,
        &invoice.number,
        &invoice.reference,
        invoice.total.currency().code(),
        invoice.total.minor(),
        &invoice.snapshot,
        now,
    )?;
    Ok(id)
}

#[derive(FromRow)]
struct SeriesRow {
    series: String,
    issued: i64,
    highest: i64,
    counted: i64,
}

/// The series with a gap, or whose counter says something else.
pub async fn broken_series(conn: &mut Conn) -> db::Result<Vec<BrokenSeries>> {
    let rows = fetch_all!(
        conn,
        SeriesRow,
        "select i.series, count(*) as issued, max(i.position) as highest,
            coalesce(max(c.value), 0) as counted
        from invoices i
        left join counters c on c.name = i.series
        group by i.series
        having count(*) <> max(i.position) or max(i.position) <> coalesce(max(c.value), 0)
        order by i.series"
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

/// The numbers of orders that sent more of a line than was ordered, or whose status says
/// something else than their parcels.
pub async fn missent(conn: &mut Conn) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "select o.number
        from orders o
        join (
            select l.order_id,
                cast(sum(l.quantity - l.cancelled_quantity) as bigint) as wanted,
                cast(sum(coalesce(s.sent, 0)) as bigint) as sent,
                max(case when coalesce(s.sent, 0) > l.quantity - l.cancelled_quantity
                    then 1 else 0 end) as too_much
            from order_lines l
            left join (
                select order_line_id, cast(sum(quantity) as bigint) as sent
                from fulfilment_lines
                group by order_line_id
            ) s on s.order_line_id = l.id
            group by l.order_id
        ) t on t.order_id = o.id
        where t.too_much = 1
            or (o.fulfilment_status = 'unfulfilled' and t.sent > 0)
            or (o.fulfilment_status = 'partial' and (t.sent = 0 or t.sent >= t.wanted))
            or (o.fulfilment_status = 'fulfilled' and t.sent < t.wanted)
        order by o.id"
    )?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

//! SQL of orders: invoices, credit notes and their numbers.

use crate::db::{self, Conn, FromRow, Query, Tx, fetch_one};
use crate::orders::model::{Invoice, InvoiceKind, NewInvoice};
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

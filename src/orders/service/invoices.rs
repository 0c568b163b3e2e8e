//! Issuing invoices and credit notes, and showing them.
//!
//! A number is taken in the transaction that keeps what it numbers: a series has no gap, and no
//! two have the same, however many are issued at once.

use serde_json::{Value, json};

use super::change::tell;
use super::{find, find_to_change};
use crate::app::App;
use crate::audit;
use crate::config::InvoiceAt;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::orders::model::{Invoice, InvoiceKind, NewInvoice, Order, OrderStatus};
use crate::orders::paper::{self, Credit, CreditLine, Printed};
use crate::orders::store;
use crate::types::Money;

/// What was issued for an order that the asker may see, oldest first.
pub async fn invoices(app: &App, ctx: &Ctx, number: &str) -> Result<Vec<Invoice>> {
    let mut conn = app.db.conn().await?;
    let order = find(&mut conn, ctx, number).await?;
    Ok(store::invoices(&mut conn, order.id).await?)
}

/// What is printed on the invoice of an order, which has one at most. Errors: `NotFound`.
pub async fn printed_invoice(app: &App, ctx: &Ctx, number: &str) -> Result<Printed> {
    let issued = invoices(app, ctx, number).await?;
    let found = issued
        .into_iter()
        .find(|one| one.kind == InvoiceKind::Invoice);
    read(&found.ok_or(Error::NotFound)?)
}

/// What is printed on one of them. Errors: `NotFound`.
pub async fn printed(app: &App, ctx: &Ctx, number: &str, invoice: &str) -> Result<Printed> {
    let issued = invoices(app, ctx, number).await?;
    let found = issued.into_iter().find(|one| one.number == invoice);
    read(&found.ok_or(Error::NotFound)?)
}

/// The same as PDF, with the name of its file.
pub async fn invoice_pdf(
    app: &App,
    ctx: &Ctx,
    number: &str,
    invoice: &str,
) -> Result<(String, Vec<u8>)> {
    let printed = printed(app, ctx, number, invoice).await?;
    let name = printed.title().to_lowercase().replace(' ', "-");
    let drawn = tokio::task::spawn_blocking(move || paper::invoice_pdf(&printed)).await;
    let pdf = drawn.map_err(anyhow::Error::from)??;
    Ok((format!("{name}.pdf"), pdf))
}

/// Staff: the packing slips of a parcel each, as PDF: of one, or of the newest of several orders.
/// Errors: `NotFound`.
pub async fn slips_pdf(app: &App, ctx: &Ctx, parcels: &[(String, i64)]) -> Result<Vec<u8>> {
    ctx.require(Permission::Orders)?;
    let mut slips = Vec::new();
    for (number, parcel) in parcels {
        slips.push(slip(app, ctx, number, *parcel).await?);
    }
    let drawn = tokio::task::spawn_blocking(move || paper::slips_pdf(&slips)).await;
    drawn.map_err(anyhow::Error::from)?
}

/// Staff: the packing slip of a parcel. Errors: `NotFound`.
pub async fn slip(app: &App, ctx: &Ctx, number: &str, parcel: i64) -> Result<paper::Slip> {
    ctx.require(Permission::Orders)?;
    let order = find(&mut app.db.conn().await?, ctx, number).await?;
    let parcel = order.parcel(parcel).ok_or(Error::NotFound)?;
    Ok(paper::slip(app, &order, parcel))
}

fn read(invoice: &Invoice) -> Result<Printed> {
    Ok(serde_json::from_str(&invoice.snapshot)?)
}

/// Staff: issues the invoice of an order now. Safe to repeat: there is one for each order. Errors:
/// conflict `order_cancelled`.
pub async fn issue_invoice(app: &App, ctx: &Ctx, number: &str) -> Result<Invoice> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if order.status == OrderStatus::Cancelled {
        let detail = "This order was cancelled; it gets no invoice.";
        return Err(Error::conflict("order_cancelled", detail));
    }
    let invoice = ensure_invoice(&mut tx, app, ctx, &order).await?;
    tx.commit().await?;
    Ok(invoice)
}

/// Issues the invoice of an order that was paid, or sent, if the shop's settings say that it is
/// time. A job may ask twice.
pub async fn invoice_when_due(app: &App, ctx: &Ctx, number: &str, sent: bool) -> Result<()> {
    let due = match app.config.invoice_at {
        InvoiceAt::Paid => true,
        InvoiceAt::Sent => sent,
        InvoiceAt::Never => false,
    };
    if due {
        match issue_invoice(app, ctx, number).await {
            // It was called off meanwhile, and owes nothing.
            Ok(_) | Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The invoice of an order, issued now where there is none. The caller holds the order's lock.
async fn ensure_invoice(tx: &mut Tx, app: &App, ctx: &Ctx, order: &Order) -> Result<Invoice> {
    let issued = store::invoices(tx, order.id).await?;
    let kind = InvoiceKind::Invoice;
    if let Some(known) = issued.into_iter().find(|one| one.kind == kind) {
        return Ok(known);
    }
    let print = |number: &str| paper::invoice(app, order, number, ctx.now);
    issue(tx, app, ctx, order, kind, "", print).await
}

/// Issues the note of money that goes back, once for each `reference`; with the order's invoice
/// first, where it has none. The caller holds the order's lock. None in a shop that issues no
/// invoices.
pub async fn issue_credit_note(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    reference: &str,
    credit: &Credit,
) -> Result<Option<Invoice>> {
    let issued = store::invoices(tx, order.id).await?;
    let has_invoice = issued.iter().any(|one| one.kind == InvoiceKind::Invoice);
    if !has_invoice && app.config.invoice_at == InvoiceAt::Never {
        return Ok(None);
    }
    let kind = InvoiceKind::CreditNote;
    let mut known = issued.into_iter();
    if let Some(known) = known.find(|one| one.kind == kind && one.reference == reference) {
        return Ok(Some(known));
    }
    let invoice = ensure_invoice(tx, app, ctx, order).await?;
    let print =
        |number: &str| paper::credit_note(app, order, credit, &invoice.number, number, ctx.now);
    let note = issue(tx, app, ctx, order, kind, reference, print).await?;
    Ok(Some(note))
}

async fn issue(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    kind: InvoiceKind,
    reference: &str,
    print: impl FnOnce(&str) -> Printed,
) -> Result<Invoice> {
    let prefix = match kind {
        InvoiceKind::Invoice => &app.config.invoice_prefix,
        InvoiceKind::CreditNote => &app.config.credit_note_prefix,
    };
    let series = format!("{prefix}{}", ctx.now.to_utc().year());
    let position = store::next_position(tx, &series).await?;
    let number = format!("{series}-{position:06}");
    let printed = print(&number);
    let total = Money::new(printed.total, order.total.currency());
    let snapshot = serde_json::to_string(&printed)?;
    let new = NewInvoice {
        order_id: order.id,
        kind,
        series,
        position,
        number: number.clone(),
        reference: reference.to_owned(),
        total,
        snapshot: snapshot.clone(),
    };
    let id = store::insert_invoice(tx, &new, ctx.now).await?;
    let (event, action) = match kind {
        InvoiceKind::Invoice => ("invoice_issued", "order.invoice_issued"),
        InvoiceKind::CreditNote => ("credit_note_issued", "order.credit_note_issued"),
    };
    tell(tx, ctx, order, event, &printed.title()).await?;
    let subject = format!("order {}", order.number);
    let after = json!({ "number": number, "total": total.amount() });
    audit::record(tx, ctx, action, &subject, Value::Null, after).await?;
    metrics::counter!("zoco_invoices_total", "kind" => kind.as_str()).increment(1);
    Ok(Invoice {
        id,
        order_id: order.id,
        kind,
        number,
        reference: reference.to_owned(),
        total,
        snapshot,
        issued_at: ctx.now,
    })
}

/// Issues the note of a refund that went through, once. `refund`: the shop's own name of it;
/// without one it is of `amount`, and of nothing in particular. A job may ask twice.
pub async fn credit(
    app: &App,
    ctx: &Ctx,
    number: &str,
    refund: Option<i64>,
    amount: &str,
) -> Result<()> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let Some(refund) = refund else {
        // Money that belonged to no order went back: nothing was invoiced for it.
        return Ok(());
    };
    let total = Money::parse(amount, order.total.currency()).map_err(anyhow::Error::from)?;
    let refunds = store::refunds(&mut tx, order.id).await?;
    let whole = refunds
        .iter()
        .find(|one| one.id.0 == refund && one.amount == total);
    let credit = match whole {
        Some(one) => Credit {
            total,
            lines: one
                .lines
                .iter()
                .map(|line| CreditLine {
                    line: line.line_id,
                    quantity: line.quantity,
                    amount: line.amount,
                })
                .collect(),
            shipping: one.shipping,
            reason: one.reason.clone(),
        },
        // Only a part of it went through: its lines say nothing about the sum.
        None => Credit {
            total,
            lines: Vec::new(),
            shipping: Money::zero(total.currency()),
            reason: String::new(),
        },
    };
    let reference = format!("refund {refund}");
    issue_credit_note(&mut tx, app, ctx, &order, &reference, &credit).await?;
    Ok(tx.commit().await?)
}

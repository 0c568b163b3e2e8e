//! The books of orders, compared with what belongs to them, for `zoco doctor`.

use super::super::model::{IdleHold, OrderStatus};
use super::super::store;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::inventory;
use crate::types::Timestamp;

/// A credit note is written by a job, a moment after the money went back; one that is not there
/// after so many seconds is missing.
const NOTE_SECONDS: i64 = 3600;

/// What is not as it should be with the lines, parcels, refunds, invoices and credit notes of
/// orders at a time, a sentence for each; none when the books are right.
pub async fn imbalances(conn: &mut Conn, now: Timestamp) -> Result<Vec<String>> {
    let mut found = lines_and_parcels(conn).await?;
    found.extend(refunds(conn).await?);
    found.extend(papers(conn, now).await?);
    Ok(found)
}

async fn lines_and_parcels(conn: &mut Conn) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for one in store::imbalances(conn).await? {
        let ([total, tax, discount], [lines, lines_tax, lines_discount]) = (one.kept, one.counted);
        found.push(format!(
            "{} has total {total}, tax {tax}, discount {discount}; its lines and shipping come to \
            {lines}, {lines_tax}, {lines_discount}",
            one.number
        ));
    }
    for one in store::oversent(conn).await? {
        found.push(format!(
            "{} sent {} of {}, and {} were to be sent",
            one.number, one.sent, one.sku, one.wanted
        ));
    }
    for one in store::missent(conn).await? {
        found.push(format!(
            "{} is {}, its parcels hold {} of {} pieces",
            one.number, one.kept, one.sent, one.wanted
        ));
    }
    Ok(found)
}

async fn refunds(conn: &mut Conn) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for one in store::uneven_refunds(conn).await? {
        let kept = one.kept.map(|kept| kept.to_string()).unwrap_or_default();
        found.push(format!(
            "refund {} of {} is {kept}, its payments say {}",
            one.refund, one.number, one.moved
        ));
    }
    for one in store::overrefunded(conn).await? {
        found.push(format!(
            "of {} goes {} back, and {} came",
            one.number, one.back, one.came
        ));
    }
    Ok(found)
}

async fn papers(conn: &mut Conn, now: Timestamp) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for one in store::broken_series(conn).await? {
        found.push(format!(
            "the series {} has {} numbers up to {}, its counter says {}",
            one.series, one.issued, one.highest, one.counted
        ));
    }
    for (invoice, order) in store::wrong_invoices(conn).await? {
        found.push(format!(
            "invoice {invoice} has another total than its order {order}"
        ));
    }
    for (note, order) in store::wrong_credit_notes(conn).await? {
        found.push(format!(
            "credit note {note} says something else than what went back of {order}"
        ));
    }
    for number in store::overcredited(conn).await? {
        found.push(format!("credit notes give back more than {number} cost"));
    }
    let before = now.plus_seconds(-NOTE_SECONDS);
    for one in store::unnoted_refunds(conn, before).await? {
        found.push(format!(
            "{} of {} went back by refund {}, which has no credit note",
            one.moved, one.number, one.refund
        ));
    }
    Ok(found)
}

/// What is held in stock for something that needs it no longer, a sentence for each.
pub async fn idle_holds(conn: &mut Conn) -> Result<Vec<String>> {
    let found = store::idle_holds(conn).await?;
    Ok(found.iter().map(in_words).collect())
}

fn in_words(one: &IdleHold) -> String {
    let why = match one.status {
        None => "which is no order",
        Some(OrderStatus::Cancelled) => "which is cancelled",
        Some(_) => "whose goods were taken",
    };
    format!("{} pieces are held for {}, {why}", one.pieces, one.number)
}

/// Frees them, for `zoco doctor --repair`. Gives a sentence for each.
pub async fn free_idle_holds(tx: &mut Tx, ctx: &Ctx) -> Result<Vec<String>> {
    let found = store::idle_holds(tx).await?;
    for one in &found {
        inventory::service::release(tx, ctx, &one.number).await?;
    }
    let freed = found.iter().map(in_words);
    Ok(freed
        .map(|words| format!("stock: {words}: they are free again"))
        .collect())
}

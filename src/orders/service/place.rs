//! Writing a new order, in the transaction of checkout.

use serde_json::{Value, json};

use super::super::model::{NewOrder, PaymentStatus, Statuses};
use super::super::store;
use super::guest;
use crate::app::App;
use crate::audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, Result};
use crate::jobs;
use crate::payments::{self, PaymentState};
use crate::types::OrderId;

/// What the timeline says of an order that staff made.
const BY_STAFF: &str = "Order made for the customer";

/// Writes an order with its lines, its first timeline entry, its payments and its event. The
/// caller has priced it and taken its stock and what gift cards and store credit pay of it, in the
/// same transaction. Errors: `Unavailable` when
/// the cart or the number is taken, which the caller's lock on the cart makes all but impossible.
pub async fn place(tx: &mut Tx, app: &App, ctx: &Ctx, order: &NewOrder) -> Result<OrderId> {
    let guest_token = match order.user_id {
        Some(_) => None,
        None => Some(guest::hash(&app.guest_tokens.token(&order.number))),
    };
    let inserted = store::insert(tx, order, guest_token.as_deref(), ctx.now).await;
    let id = on_unique(inserted, || Error::Unavailable)?;
    let actor = ctx.actor_name();
    let detail = if order.by_staff {
        BY_STAFF
    } else {
        "Order placed"
    };
    store::insert_event(tx, id, "placed", detail, (ctx.user_id(), &actor), ctx.now).await?;
    let (provider, number) = (&order.provider, &order.number);
    if order.by_staff {
        // Whose it is stands in the order, and is erased there.
        let after = json!({
            "total": order.quote.total.amount(),
            "provider": provider,
            "has_account": order.user_id.is_some(),
        });
        let subject = format!("order {number}");
        audit::record(tx, ctx, "order.placed", &subject, Value::Null, after).await?;
    }
    let rest = order.remaining;
    for part in &order.credits {
        payments::service::take_credit(tx, ctx, id, part, number, rest.is_zero()).await?;
    }
    let covered = !order.credits.is_empty() && rest.is_zero();
    let paid = covered || {
        let begun = payments::service::begin(tx, app, ctx, id, provider, rest, number).await?;
        begun.state == PaymentState::Captured
    };
    let payload = json!({ "order_id": id, "number": number });
    jobs::emit(tx, ctx, "order.placed", &payload).await?;
    if paid {
        // Nothing remained to be paid.
        let after = Statuses {
            payment: PaymentStatus::Paid,
            ..Statuses::NEW
        };
        store::set_statuses(tx, id, Statuses::NEW, after, ctx.now).await?;
        jobs::emit(tx, ctx, "order.paid", &payload).await?;
    }
    Ok(id)
}

//! Moving orders on. Everything that changes a status goes through [`change`].

use serde_json::{Value, json};

use super::super::model::{Order, OrderStatus, Statuses};
use super::super::store;
use super::{find, find_to_change, fulfil, payment};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::faults;
use crate::jobs;
use crate::reviews;
use crate::types::ProductId;

/// Staff: moves an order along the table of transitions. Errors: conflicts
/// `transition_not_allowed`, `changed_meanwhile`; for a step to `shipped` those of
/// [`fulfil`](super::fulfil), too.
pub async fn transition(app: &App, ctx: &Ctx, number: &str, to: OrderStatus) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    if to == OrderStatus::Cancelled {
        return cancel(app, ctx, number).await;
    }
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if !order.status.may_become(to) {
        return Err(not_allowed(order.status, to));
    }
    match to {
        // Marking an order as shipped sends all that is left.
        OrderStatus::Shipped => fulfil::send_rest(&mut tx, ctx, &order).await?,
        OrderStatus::Delivered => fulfil::all_delivered(&mut tx, ctx, &order).await?,
        _ => {
            move_to(&mut tx, ctx, &order, to).await?;
        }
    }
    finish(tx, ctx, &order.number).await
}

/// Moves an order one step on, with its timeline, event and audit entry. Gives the order with its
/// new status.
pub(super) async fn move_to(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    to: OrderStatus,
) -> Result<Order> {
    let after = Statuses {
        order: to,
        ..order.statuses()
    };
    let detail = format!("{} → {to}", order.status);
    change(tx, ctx, order, after, "status_changed", &detail).await?;
    tell_of_move(tx, ctx, order, after).await?;
    Ok(Order {
        status: to,
        ..order.clone()
    })
}

/// The event and the audit entry of an order that moved on.
pub(super) async fn tell_of_move(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    after: Statuses,
) -> Result<()> {
    let (from, to) = (order.status.as_str(), after.order.as_str());
    let payload = event(order, json!({ "from": from, "to": to }));
    jobs::emit(tx, ctx, "order.status_changed", &payload).await?;
    note(tx, ctx, "order.status_changed", order, after).await
}

/// Cancels an order: stock goes back, money too. By its owner while it is `pending` or
/// `confirmed`, by staff as long as the table allows; not once something was sent. Errors:
/// conflicts `transition_not_allowed`, `partly_sent`, `changed_meanwhile`.
pub async fn cancel(app: &App, ctx: &Ctx, number: &str) -> Result<Order> {
    let mut tx = app.db.begin().await?;
    // The order's row first: whoever changes it holds its payments and its stock, too.
    let order = find_to_change(&mut tx, ctx, number).await?;
    if !may_cancel(ctx, &order) {
        return Err(
            if order.status.may_become(OrderStatus::Cancelled) && !order.fulfilments.is_empty() {
                let detail = "Part of this order was sent already. Refund what is not to be sent.";
                Error::conflict("partly_sent", detail)
            } else {
                not_allowed(order.status, OrderStatus::Cancelled)
            },
        );
    }
    let mut after = order.statuses();
    after.order = OrderStatus::Cancelled;
    change(&mut tx, ctx, &order, after, "cancelled", "Order cancelled").await?;
    after = payment::end(&mut tx, app, ctx, &order, after, json!({})).await?;
    if ctx.may(Permission::Orders) {
        note(&mut tx, ctx, "order.cancelled", &order, after).await?;
    }
    faults::reach("cancel.written");
    let order = finish(tx, ctx, &order.number).await?;
    faults::reach("cancel.committed");
    metrics::counter!("zoco_orders_cancelled_total").increment(1);
    Ok(order)
}

/// Whether the asker, who may see this order, may cancel it now.
pub fn may_cancel(ctx: &Ctx, order: &Order) -> bool {
    let early = matches!(order.status, OrderStatus::Pending | OrderStatus::Confirmed);
    order.status.may_become(OrderStatus::Cancelled)
        && order.fulfilments.is_empty()
        && (early || ctx.may(Permission::Orders))
}

/// Writes the three statuses, if the tables allow it and nobody was faster, and the timeline.
pub(super) async fn change(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    after: Statuses,
    kind: &str,
    detail: &str,
) -> Result<()> {
    let before = order.statuses();
    let moves = after != before && before.may_become(after);
    if !moves {
        return Err(not_allowed(before.order, after.order));
    }
    if !store::set_statuses(tx, order.id, before, after, ctx.now).await? {
        let detail = "Somebody else changed this order meanwhile. Look again.";
        return Err(Error::conflict("changed_meanwhile", detail));
    }
    tell(tx, ctx, order, kind, detail).await
}

/// What an account's order brought is received: reviews of it are verified.
pub(super) async fn tell_reviews(tx: &mut Tx, ctx: &Ctx, order: &Order) -> Result<()> {
    let Some(user) = order.user_id else {
        return Ok(());
    };
    let products: Vec<ProductId> = order.lines.iter().map(|line| line.product_id).collect();
    reviews::service::received(tx, user, &products, ctx.now).await
}

pub(super) async fn tell(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    kind: &str,
    detail: &str,
) -> Result<()> {
    let actor = ctx.actor_name();
    let actor = (ctx.user_id(), actor.as_str());
    Ok(store::insert_event(tx, order.id, kind, detail, actor, ctx.now).await?)
}

pub(super) async fn note(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    order: &Order,
    after: Statuses,
) -> Result<()> {
    let subject = format!("order {}", order.number);
    let (before, after) = (statuses(order.statuses()), statuses(after));
    audit::record(tx, ctx, action, &subject, before, after).await
}

/// The order as it is now, and the transaction committed.
pub(super) async fn finish(mut tx: Tx, ctx: &Ctx, number: &str) -> Result<Order> {
    let order = find(&mut tx, ctx, number).await?;
    tx.commit().await?;
    Ok(order)
}

fn statuses(statuses: Statuses) -> Value {
    json!({
        "status": statuses.order.as_str(),
        "payment_status": statuses.payment.as_str(),
        "fulfilment_status": statuses.fulfilment.as_str(),
    })
}

/// An event's payload: the order, and `more`.
pub(super) fn event(order: &Order, more: Value) -> Value {
    let mut payload = json!({ "order_id": order.id, "number": order.number });
    if let (Value::Object(payload), Value::Object(more)) = (&mut payload, more) {
        payload.extend(more);
    }
    payload
}

pub(super) fn not_allowed(from: OrderStatus, to: OrderStatus) -> Error {
    let detail = format!("An order that is {from} cannot become {to}.");
    Error::conflict("transition_not_allowed", detail)
}

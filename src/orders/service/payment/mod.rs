//! The money of an order: begun with it, asked about, taken, called off. Whatever tells of money
//! (an event, the shopper's return, the reconciler, staff) ends in [`sync`], which asks the gateway.

mod end;
mod perform;
mod reconcile;
mod start;
mod status;
mod sync;

use serde_json::json;

use super::super::model::{Order, OrderLine, OrderStatus, PaymentStatus, Statuses};
use super::super::store;
use super::change::{change, event, finish, note, tell};
use super::{complete, find_to_change};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::jobs;
use crate::payments::service::{self as payments, is_asked, operations_of};
use crate::payments::{OperationKind, Payment, PaymentState};
use crate::types::{Money, MoneyInput, OperationId, VariantId};

pub use end::end;
pub use perform::{act_on_event, perform};
pub use reconcile::{NOT_PAID, RECONCILE, money_imbalances, reconcile};
pub use start::{next_step, pay, start};
pub use status::payment_status;
pub use sync::{returned, send_back, sync, without_money};

/// The order of a payment, for the shop itself: nobody else changes it, its payments or its refunds
/// until the transaction ends.
async fn lock_of(tx: &mut Tx, payment: &Payment) -> Result<Order> {
    let head = store::lock(tx, &payment.reference).await?;
    complete(tx, head.ok_or(Error::NotFound)?, true).await
}

/// What an order holds in stock.
pub(super) fn pieces(order: &Order) -> Vec<(VariantId, i64)> {
    let lines = order.lines.iter();
    let wanted = |line: &OrderLine| (line.variant_id, line.quantity - line.cancelled);
    lines
        .map(wanted)
        .filter(|(_, pieces)| *pieces > 0)
        .collect()
}

/// Brings the payment status of an order that stands at `now` to what its payments make of it.
/// Gives where it stands then. The caller holds the order's row and has written the payments.
pub(super) async fn settle_status(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    mut now: Statuses,
) -> Result<Statuses> {
    let payments = payments::of_orders(tx, &[order.id]).await?;
    let wanted = payment_status(order.total, &payments);
    while now.payment != wanted {
        // What came and went back before anybody looked was paid in between.
        let direct = now.payment.next().contains(&wanted);
        let step = if direct { wanted } else { PaymentStatus::Paid };
        let next = Statuses {
            payment: step,
            ..now
        };
        if now == next || !now.may_become(next) {
            let words = format!(
                "a payment status cannot go from {} to {wanted}",
                now.payment
            );
            return Err(Error::Internal(anyhow::anyhow!(words)));
        }
        if !store::set_statuses(tx, order.id, now, next, ctx.now).await? {
            return Err(Error::Internal(anyhow::anyhow!("a locked order changed")));
        }
        if step == PaymentStatus::Paid && direct {
            jobs::emit(tx, ctx, "order.paid", &event(order, json!({}))).await?;
        }
        now = next;
    }
    Ok(now)
}

/// Staff: the money of the pending payment came (a transfer arrived, cash was taken); at any
/// time, except for a cancelled order. Errors: conflicts `not_pending`, `order_cancelled`,
/// `paid_online`, `changed_meanwhile`.
pub async fn record_payment(app: &App, ctx: &Ctx, number: &str) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if order.status == OrderStatus::Cancelled {
        let detail = "This order was cancelled; it takes no payment.";
        return Err(Error::conflict("order_cancelled", detail));
    }
    let open = || order.payments.iter().filter(|one| one.state.is_open());
    let by_hand = |payment: &&Payment| app.payments.gateway(&payment.provider).is_none();
    let Some(pending) = open().find(by_hand) else {
        return Err(match open().next() {
            Some(_) => {
                let detail = "This payment comes from its gateway; nobody records it by hand.";
                Error::conflict("paid_online", detail)
            }
            None => {
                let detail = "No payment of this order is pending.";
                Error::conflict("not_pending", detail)
            }
        });
    };
    let mut after = order.statuses();
    after.payment = PaymentStatus::Paid;
    let detail = arrived(app, pending, pending.amount);
    change(&mut tx, ctx, &order, after, "payment_captured", &detail).await?;
    payments::capture(&mut tx, ctx, pending.id).await?;
    jobs::emit(&mut tx, ctx, "order.paid", &event(&order, json!({}))).await?;
    note(&mut tx, ctx, "order.payment_recorded", &order, after).await?;
    finish(tx, ctx, &order.number).await
}

/// In words: `24.00 € by Bank transfer`.
fn arrived(app: &App, payment: &Payment, amount: Money) -> String {
    format!("{amount} by {}", app.payments.label(&payment.provider))
}

/// Staff: takes what is promised, or, with an amount, a part of it; the rest is given free.
/// Errors: `Invalid` at `amount`; conflicts `nothing_promised`, `order_cancelled`, `under_way`.
pub async fn capture(
    app: &App,
    ctx: &Ctx,
    number: &str,
    amount: Option<MoneyInput>,
) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if order.status == OrderStatus::Cancelled {
        let detail = "This order was cancelled; it takes no payment.";
        return Err(Error::conflict("order_cancelled", detail));
    }
    let payment = promised(&order)?;
    let amount = match amount.map(|amount| amount.read(app.currency())) {
        None => payment.amount,
        Some(Ok(amount)) if (1..=payment.amount.minor()).contains(&amount.minor()) => amount,
        Some(Ok(_)) => {
            let message = format!("Write an amount up to {}.", payment.amount.amount());
            return Err(Error::invalid("amount", "range", message));
        }
        Some(Err(error)) => return Err(Error::invalid("amount", "money", error.to_string())),
    };
    let kind = OperationKind::Capture;
    let id = ask(&mut tx, app, ctx, payment, kind, amount).await?;
    let words = format!("{amount} of {} to be taken", payment.amount);
    tell(&mut tx, ctx, &order, "capture_requested", &words).await?;
    let subject = format!("order {}", order.number);
    let after = json!({ "payment": payment.id, "amount": amount.amount() });
    let nothing = serde_json::Value::Null;
    audit::record(
        &mut tx,
        ctx,
        "order.capture_requested",
        &subject,
        nothing,
        after,
    )
    .await?;
    tx.commit().await?;
    at_once(app, id).await;
    super::order(app, ctx, number).await
}

/// Staff: gives what is promised free again, or stops waiting for a payment that was begun. The
/// order stays. Errors: conflicts `nothing_promised`, `under_way`.
pub async fn void(app: &App, ctx: &Ctx, number: &str) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let payment = promised(&order)?;
    let id = ask(
        &mut tx,
        app,
        ctx,
        payment,
        OperationKind::Void,
        payment.amount,
    )
    .await?;
    let words = format!("{} to be given free", payment.amount);
    tell(&mut tx, ctx, &order, "void_requested", &words).await?;
    let subject = format!("order {}", order.number);
    let after = json!({ "payment": payment.id });
    let nothing = serde_json::Value::Null;
    audit::record(
        &mut tx,
        ctx,
        "order.void_requested",
        &subject,
        nothing,
        after,
    )
    .await?;
    tx.commit().await?;
    at_once(app, id).await;
    super::order(app, ctx, number).await
}

/// The payment of an order that is promised and can be taken. Errors: conflict
/// `nothing_promised`.
fn promised(order: &Order) -> Result<&Payment> {
    let mut payments = order.payments.iter();
    let found = payments.find(|one| one.counts() && one.state == PaymentState::Authorized);
    found.ok_or_else(|| {
        let detail = "No payment of this order is promised and waits to be taken.";
        Error::conflict("nothing_promised", detail)
    })
}

/// Writes down what is to be asked, unless something is being asked that it would contradict.
async fn ask(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    payment: &Payment,
    kind: OperationKind,
    amount: Money,
) -> Result<OperationId> {
    let asked = operations_of(tx, &[payment.id]).await?;
    let busy = |kind| is_asked(&asked, payment.id, kind);
    if busy(OperationKind::Capture) || busy(OperationKind::Void) {
        let detail = "The gateway was asked something about this payment and has not answered yet.";
        return Err(Error::conflict("under_way", detail));
    }
    payments::request(tx, app, ctx, payment, kind, amount, None).await
}

/// Asks at once what a job would ask a moment later. A failure is the job's matter.
pub(super) async fn at_once(app: &App, id: OperationId) {
    if let Err(error) = perform(app, id).await {
        tracing::info!(operation = id.0, %error, "a gateway is asked again later");
    }
}

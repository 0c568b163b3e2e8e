//! What becomes of an order's money and goods when it is cancelled.

use serde_json::Value;

use super::settle_status;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::inventory;
use crate::jobs;
use crate::orders::model::{Order, Statuses};
use crate::orders::service::change::event;
use crate::orders::service::refund;
use crate::payments::service::{self as payments, is_asked, operations_of};
use crate::payments::{OperationKind, Payment, PaymentState};
use crate::promotions;
use crate::types::PaymentId;

/// Everything that comes of an order that its caller has just cancelled, whoever did: its payments
/// are called off, its goods and its uses of promotions are given back, and `order.cancelled` is
/// told with `more`. Gives where the order, which stood at `now`, stands then.
pub async fn end(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    now: Statuses,
    more: Value,
) -> Result<Statuses> {
    call_off(tx, app, ctx, order).await?;
    let now = settle_status(tx, ctx, order, now).await?;
    give_stock_back(tx, ctx, order).await?;
    promotions::service::release(tx, ctx, &order.number).await?;
    jobs::emit(tx, ctx, "order.cancelled", &event(order, more)).await?;
    Ok(now)
}

/// Calls the payments of an order off: what did not come is expected no longer, what is promised
/// is given free, what came goes back. By hand that is done at once; of gateways it is asked after
/// the commit.
async fn call_off(tx: &mut Tx, app: &App, ctx: &Ctx, order: &Order) -> Result<()> {
    expect_no_more(tx, app, ctx, order, None).await?;
    let promised = |one: &&Payment| one.counts() && one.state == PaymentState::Authorized;
    for payment in order.payments.iter().filter(promised) {
        if app.payments.gateway(&payment.provider).is_some() {
            // It stays promised until the gateway has given it free.
            ask_void(tx, app, ctx, payment).await?;
        } else {
            payments::void(tx, ctx, payment.id).await?;
        }
    }
    refund::everything(tx, app, ctx, order).await
}

/// Waits no longer for the pending payments of an order, but for one.
pub(super) async fn expect_no_more(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    but: Option<PaymentId>,
) -> Result<()> {
    let pending = |one: &&Payment| one.state == PaymentState::Pending && Some(one.id) != but;
    for payment in order.payments.iter().filter(pending) {
        if app.payments.gateway(&payment.provider).is_some() {
            ask_void(tx, app, ctx, payment).await?;
        }
        payments::void(tx, ctx, payment.id).await?;
    }
    Ok(())
}

/// Has the gateway give a payment free, unless that is asked already.
async fn ask_void(tx: &mut Tx, app: &App, ctx: &Ctx, payment: &Payment) -> Result<()> {
    let void = OperationKind::Void;
    let asked = operations_of(tx, &[payment.id]).await?;
    if !is_asked(&asked, payment.id, void) {
        payments::request(tx, app, ctx, payment, void, payment.amount, None).await?;
    }
    Ok(())
}

/// Gives the goods of an order free: what was taken goes back to the shelf, what was held is held
/// no longer.
async fn give_stock_back(tx: &mut Tx, ctx: &Ctx, order: &Order) -> Result<()> {
    let taken = order.payments.iter().any(|one| one.settled_at.is_some());
    if taken {
        let variants: Vec<_> = order.lines.iter().map(|line| line.variant_id).collect();
        // Of what it took, a refund or whoever called pieces off may have put some back.
        let taken = inventory::service::outstanding(tx, &variants, &order.number).await?;
        let lines: Vec<_> = taken.into_iter().collect();
        inventory::service::put_back(tx, ctx, &lines, &order.number).await
    } else {
        inventory::service::release(tx, ctx, &order.number).await
    }
}

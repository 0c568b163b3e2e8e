//! Beginning to pay, and paying anew after it did not work.

use serde_json::json;

use super::end::expect_no_more;
use super::{at_once, pieces};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::inventory;
use crate::orders::model::{NextStep, Order, OrderStatus, PaymentStatus};
use crate::orders::service::change::tell;
use crate::orders::service::{find_to_change, order};
use crate::payments::service::{self as payments, is_asked, operations_of};
use crate::payments::{OperationKind, Payment, PaymentState};

/// What comes next of an order's newest payment; none for an order that takes no more money.
pub fn next_step(app: &App, order: &Order) -> Option<NextStep> {
    let payment = order.payments.iter().rev().find(|one| one.counts());
    let payment = payment.or(order.payments.last())?;
    Some(NextStep {
        provider: payment.provider.clone(),
        state: payment.state,
        online: app.payments.gateway(&payment.provider).is_some(),
        url: payment.pay_url.clone(),
        failure: payment.failure.clone(),
    })
}

/// Tells gateways of the payments that an order waits for, if that has not happened yet; a job
/// does it otherwise, a moment later. Gives the order with its payments as they are then.
pub async fn start(app: &App, mut order: Order) -> Result<Order> {
    let open = |payment: &&Payment| {
        payment.state == PaymentState::Pending
            && payment.pay_url.is_empty()
            && app.payments.gateway(&payment.provider).is_some()
    };
    let waiting: Vec<_> = order
        .payments
        .iter()
        .filter(open)
        .map(|one| one.id)
        .collect();
    if waiting.is_empty() {
        return Ok(order);
    }
    let asked = operations_of(&mut app.db.conn().await?, &waiting).await?;
    let begins = asked.into_iter().filter(|one| {
        one.kind == OperationKind::Begin
            && is_asked(std::slice::from_ref(one), one.payment_id, one.kind)
    });
    for operation in begins {
        at_once(app, operation.id).await;
    }
    order.payments = payments::of_orders(&mut app.db.conn().await?, &[order.id]).await?;
    Ok(order)
}

/// Has an order paid anew, or in another way, by whoever may see it. A payment that still waits in
/// the same way is given again. Errors: `Invalid` at `provider`; conflicts `not_payable`,
/// `out_of_stock`.
pub async fn pay(app: &App, ctx: &Ctx, number: &str, provider: Option<&str>) -> Result<Order> {
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let unpaid = order.payment_status == PaymentStatus::Unpaid;
    if order.status == OrderStatus::Cancelled || !unpaid {
        let detail = "This order takes no payment any more.";
        return Err(Error::conflict("not_payable", detail));
    }
    let last = order.payments.iter().rev().find(|one| one.counts());
    let wanted = provider.filter(|name| !name.is_empty());
    let wanted = wanted.or(order.payments.last().map(|one| one.provider.as_str()));
    let Some(wanted) = wanted.and_then(|name| app.payments.get(name)) else {
        let message = "There is no such way to pay.";
        return Err(Error::invalid("provider", "unknown", message));
    };
    let same = |payment: &&Payment| {
        payment.state == PaymentState::Pending && payment.provider == wanted.name()
    };
    if last.filter(same).is_some() {
        drop(tx);
        let order = self::order(app, ctx, number).await?;
        return start(app, order).await;
    }
    let taken = order.payments.iter().any(|one| one.settled_at.is_some());
    expect_no_more(&mut tx, app, ctx, &order, None).await?;
    let lines = pieces(&order);
    let short = if taken {
        Vec::new()
    } else if wanted.takes_money_online() {
        // All of them at once: what is held still may be fewer, and one lock after the other
        // would meet a checkout that comes from the other end.
        let variants: Vec<_> = lines.iter().map(|(variant, _)| *variant).collect();
        inventory::service::hold(&mut tx, &variants).await?;
        inventory::service::release(&mut tx, ctx, &order.number).await?;
        let until = inventory::service::deadline(app, ctx);
        inventory::service::reserve(&mut tx, ctx, &lines, &order.number, until).await?
    } else {
        inventory::service::settle(&mut tx, ctx, &lines, &order.number).await?
    };
    if !short.is_empty() {
        let name = |id| {
            let line = order.lines.iter().find(|line| line.variant_id == id);
            line.map(|line| line.label()).unwrap_or_default()
        };
        let names: Vec<String> = short.iter().map(|one| name(one.variant_id)).collect();
        let lines: Vec<_> = short
            .iter()
            .map(|one| json!({ "variant_id": one.variant_id, "available": one.available }))
            .collect();
        return Err(Error::Conflict {
            code: "out_of_stock",
            detail: format!("There is not enough left of {}.", names.join(", ")),
            data: json!({ "lines": lines }),
        });
    }
    let (total, number) = (order.to_pay(), &order.number);
    payments::begin(&mut tx, app, ctx, order.id, wanted.name(), total, number).await?;
    let words = format!("Payment begun anew: {}", wanted.label());
    tell(&mut tx, ctx, &order, "payment_begun", &words).await?;
    tx.commit().await?;
    let order = self::order(app, ctx, number).await?;
    start(app, order).await
}

//! The reconciler: asks about whatever has been open for too long, so that an event that never came
//! and a job that died cost nothing but time.

use std::time::Duration;

use serde_json::json;

use super::{at_once, end, payment_status, sync};
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Conn;
use crate::error::Result;
use crate::inventory;
use crate::jobs::Chore;
use crate::orders::model::{MoneyImbalance, OrderStatus};
use crate::orders::service::change::change;
use crate::orders::service::find_to_change;
use crate::orders::store;
use crate::payments::service::{self as payments, inbox};
use crate::payments::{Payment, PaymentState};
use crate::types::OrderId;

/// Looks after payments that wait.
pub const RECONCILE: Chore = Chore {
    name: "payments.reconcile",
    every: Duration::from_secs(30),
    run: |app| Box::pin(async move { reconcile(&app).await }),
};

/// Why an order was cancelled that nobody paid in time, as `order.cancelled` tells it.
pub const NOT_PAID: &str = "not_paid";

/// Things of a kind that are looked at in one go.
const MOST: i64 = 100;
/// What was tried so many seconds ago has no job any more that tries it soon.
const OVERDUE_SECONDS: i64 = 15 * 60;
/// A payment that waits is asked about so often, in seconds.
const LOOK_SECONDS: i64 = 60;

/// Asks gateways about payments that wait and about what they did not answer, acts on events whose
/// jobs died, and gives orders up that nobody paid in time. Gives how many things it looked at.
pub async fn reconcile(app: &App) -> Result<u64> {
    let ctx = app.system();
    let overdue = ctx.now.plus_seconds(-OVERDUE_SECONDS);
    let mut touched = 0;
    for payment in payments::due(app, MOST).await? {
        look(app, &ctx, &payment).await?;
        touched += 1;
    }
    let mut conn = app.db.conn().await?;
    let operations = payments::overdue_operations(&mut conn, overdue, MOST).await?;
    let events = inbox::waiting(&mut conn, overdue).await?;
    let timeout = i64::from(app.config.payment_timeout_minutes) * 60;
    let since = ctx.now.plus_seconds(-timeout);
    let unpaid = store::given_up_on(&mut conn, since, ctx.now, MOST).await?;
    let (states, strays) = payments::figures(&mut conn).await?;
    drop(conn);
    for (state, count) in states {
        metrics::gauge!("zoco_payments", "state" => state).set(count as f64);
    }
    metrics::gauge!("zoco_payments_stray").set(strays as f64);
    for operation in operations {
        at_once(app, operation.id).await;
        touched += 1;
    }
    for event in events {
        if let Err(error) = super::act_on_event(app, event.id).await {
            tracing::info!(event = event.id.0, %error, "an event waits");
        }
        touched += 1;
    }
    for number in unpaid {
        give_up(app, &number).await?;
        touched += 1;
    }
    Ok(touched)
}

/// Asks about a payment, and when again. While it can be paid, the order's goods are held.
async fn look(app: &App, ctx: &Ctx, payment: &Payment) -> Result<()> {
    let seen = sync(app, payment.id).await;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, &payment.reference).await?;
    let now = payments::by_id(&mut tx, payment.id).await?;
    let next = match now.state {
        PaymentState::Pending => Some(ctx.now.plus_seconds(LOOK_SECONDS)),
        PaymentState::Authorized => Some(ctx.now.plus_seconds(24 * 3600)),
        // Where it was called off and the gateway does not answer, it may have come after all.
        _ if seen.is_err() => Some(ctx.now.plus_seconds(OVERDUE_SECONDS)),
        _ => None,
    };
    payments::check_at(&mut tx, payment.id, next).await?;
    if now.state == PaymentState::Pending && now.counts() {
        let until = inventory::service::deadline(app, ctx);
        inventory::service::extend(&mut tx, &payment.reference, until).await?;
    }
    Ok(tx.commit().await?)
}

/// Cancels an order that nobody paid in time. The gateway is asked once more before; if it does
/// not answer, the order waits.
async fn give_up(app: &App, number: &str) -> Result<()> {
    let ctx = app.system();
    let order = super::super::order(app, &ctx, number).await?;
    for payment in order.payments.iter().filter(|one| one.state.is_open()) {
        if sync(app, payment.id).await.is_err() {
            return Ok(());
        }
    }
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, &ctx, number).await?;
    let settled = order.payments.iter().any(|one| one.settled_at.is_some());
    if order.status != OrderStatus::Pending || settled {
        return Ok(());
    }
    let mut after = order.statuses();
    after.order = OrderStatus::Cancelled;
    let words = "Order cancelled: it was not paid in time";
    change(&mut tx, &ctx, &order, after, "cancelled", words).await?;
    let reason = json!({ "reason": NOT_PAID });
    end(&mut tx, app, &ctx, &order, after, reason).await?;
    tx.commit().await?;
    metrics::counter!("zoco_orders_not_paid_total").increment(1);
    Ok(())
}

/// Orders that `zoco doctor` reads at once.
const CHUNK: i64 = 500;

/// Orders whose payment status is not what their payments make of it; none when the books are
/// right.
pub async fn money_imbalances(conn: &mut Conn) -> Result<Vec<MoneyImbalance>> {
    let mut found = Vec::new();
    let mut after = OrderId(0);
    loop {
        let orders = store::money_of(conn, after, CHUNK).await?;
        let Some((last, ..)) = orders.last() else {
            return Ok(found);
        };
        after = *last;
        let ids: Vec<OrderId> = orders.iter().map(|(id, ..)| *id).collect();
        let all = payments::of_orders(conn, &ids).await?;
        for (id, number, kept, total) in orders {
            let own: Vec<Payment> = all
                .iter()
                .filter(|one| one.order_id == id)
                .cloned()
                .collect();
            let derived = payment_status(total, &own);
            if derived != kept {
                found.push(MoneyImbalance {
                    number,
                    kept,
                    derived,
                });
            }
        }
    }
}

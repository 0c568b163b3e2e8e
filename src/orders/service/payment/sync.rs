//! Where a payment stands, as its gateway says, and what that means for its order: the one way by
//! which money of a gateway comes to count. It may be called twice, late and from several sides at
//! once.

use serde_json::json;

use super::end::expect_no_more;
use super::perform::tell_failure;
use super::{arrived, at_once, end, lock_of, pieces, settle_status};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::faults;
use crate::inventory;
use crate::orders::model::{Order, OrderStatus, OrderSummary};
use crate::orders::service::change::{change, tell};
use crate::orders::service::{find, refund};
use crate::orders::store;
use crate::payments::service::{self as payments, is_asked, operations_of, still_refundable};
use crate::payments::{OperationKind, Payment, PaymentState, Sight, Unmatched};
use crate::types::{Money, PaymentId, Timestamp};

/// A payment that changes between the question and the answer each time is asked about so often.
const TRIES: usize = 5;
/// Orders without money that the page of staff shows.
const MOST: i64 = 100;

/// What came of trying to write a sight down.
enum Written {
    /// It is.
    Done,
    /// The payment changed since the gateway was asked: the sight may be old.
    Old,
    /// The goods are gone.
    Short,
}

/// Asks the gateway where a payment stands, and brings payment and order there. Errors:
/// `Unavailable` while the gateway does not answer.
pub async fn sync(app: &App, id: PaymentId) -> Result<()> {
    let ctx = app.system();
    for _ in 0..TRIES {
        let payment = payments::by_id(&mut app.db.conn().await?, id).await?;
        let Some(sight) = payments::fetch(app, &payment).await? else {
            return Ok(());
        };
        faults::reach("payment.seen");
        let mut written = write_down(app, &ctx, &payment, &sight, true).await?;
        if matches!(written, Written::Short) {
            written = write_down(app, &ctx, &payment, &sight, false).await?;
        }
        if matches!(written, Written::Done) {
            return Ok(());
        }
    }
    Err(Error::Unavailable)
}

/// The shopper came back from the gateway: asks about every payment of the order that is open, and
/// gives the order as it is then. A gateway that does not answer is no fault of theirs.
pub async fn returned(app: &App, ctx: &Ctx, number: &str) -> Result<Order> {
    let order = find(&mut app.db.conn().await?, ctx, number).await?;
    let open = order.payments.iter().filter(|one| one.state.is_open());
    for payment in open {
        match sync(app, payment.id).await {
            Ok(()) | Err(Error::Unavailable) => {}
            Err(error) => return Err(error),
        }
    }
    find(&mut app.db.conn().await?, ctx, number).await
}

/// Writes down what the gateway said of the payment that was `asked` about. `fill`: whether the
/// goods are to be had for it.
async fn write_down(
    app: &App,
    ctx: &Ctx,
    asked: &Payment,
    sight: &Sight,
    fill: bool,
) -> Result<Written> {
    let mut tx = app.db.begin().await?;
    let order = lock_of(&mut tx, asked).await?;
    let before = payments::by_id(&mut tx, asked.id).await?;
    if before.version != asked.version {
        return Ok(Written::Old);
    }
    let mut payment = before.clone();
    let turns = before.state.may_turn_into(sight.state);
    let arrives = turns
        && matches!(
            sight.state,
            PaymentState::Authorized | PaymentState::Captured
        );
    if turns {
        payment.state = sight.state;
        payment.pay_url.clear();
        payment.failure = match sight.state {
            PaymentState::Failed => sight.failure.clone(),
            _ => String::new(),
        };
    }
    // Money that is here stays here, whatever the gateway says later.
    if payment.state == PaymentState::Captured
        && sight.state == PaymentState::Captured
        && sight.captured.minor() >= payment.captured.minor()
    {
        let refunded = payment.refunded.minor();
        payment.captured = sight.captured;
        payment.refunded = Money::new(refunded, sight.captured.currency());
    }
    if sight.charge_reference.is_some() {
        payment.charge_reference.clone_from(&sight.charge_reference);
    }
    // Taking what was promised to the order is no new arrival.
    if arrives && before.settled_at.is_none() && before.unmatched.is_none() {
        payment.unmatched = judge(&order, &payment, sight, fill);
        if payment.unmatched.is_none() {
            let taken = order.payments.iter().any(|one| one.settled_at.is_some());
            let lines = if taken { Vec::new() } else { pieces(&order) };
            let short = inventory::service::settle(&mut tx, ctx, &lines, &order.number).await?;
            if !short.is_empty() {
                // Dropped, and with it whatever was taken.
                return Ok(Written::Short);
            }
            payment.settled_at = Some(ctx.now);
            // Whatever else was begun for this order is no longer waited for.
            if covered(&order, &payment) + payment.amount.minor() == order.total.minor() {
                expect_no_more(&mut tx, app, ctx, &order, Some(payment.id)).await?;
            }
        }
    }
    if payment != before {
        payments::save(&mut tx, ctx, &payment).await?;
    }
    if turns {
        payments::count(&payment);
        payments::check_at(&mut tx, payment.id, next_look(ctx, &payment)).await?;
        tell_turn(&mut tx, app, ctx, &order, &payment, sight).await?;
    }
    see_refunds(&mut tx, app, ctx, &order, &payment, sight).await?;
    settle_status(&mut tx, ctx, &order, order.statuses()).await?;
    if turns && payment.is_stray() {
        give_back(&mut tx, app, ctx, &order, &payment).await?;
    }
    // It was promised to the order, and taken while the order was cancelled.
    if turns
        && payment.state == PaymentState::Captured
        && payment.counts()
        && order.status == OrderStatus::Cancelled
    {
        let order = lock_of(&mut tx, &payment).await?;
        refund::everything(&mut tx, app, ctx, &order).await?;
    }
    if payment.unmatched == Some(Unmatched::CannotFill) {
        cancel_unfilled(&mut tx, app, ctx, &payment).await?;
    }
    faults::reach("payment.written");
    tx.commit().await?;
    faults::reach("payment.committed");
    Ok(Written::Done)
}

/// What is promised runs out one day; all else is over.
fn next_look(ctx: &Ctx, payment: &Payment) -> Option<Timestamp> {
    let daily = ctx.now.plus_seconds(24 * 3600);
    (payment.state == PaymentState::Authorized).then_some(daily)
}

/// What the other payments of an order cover, in minor units.
fn covered(order: &Order, payment: &Payment) -> i64 {
    let others = order.payments.iter().filter(|one| one.id != payment.id);
    let covers = |one: &&Payment| {
        let here = matches!(one.state, PaymentState::Authorized | PaymentState::Captured);
        here && one.counts()
    };
    others.filter(covers).map(|one| one.amount.minor()).sum()
}

/// Why money that came is not the order's; none when it is.
fn judge(order: &Order, payment: &Payment, sight: &Sight, fill: bool) -> Option<Unmatched> {
    if order.status == OrderStatus::Cancelled {
        Some(Unmatched::OrderCancelled)
    } else if sight.amount.currency() != payment.amount.currency() {
        Some(Unmatched::CurrencyDiffers)
    } else if sight.amount != payment.amount || sight.captured.minor() > payment.amount.minor() {
        Some(Unmatched::AmountDiffers)
    } else if covered(order, payment) + payment.amount.minor() > order.total.minor() {
        Some(Unmatched::PaidTwice)
    } else if !fill {
        Some(Unmatched::CannotFill)
    } else {
        None
    }
}

/// Tells the timeline and the outbox what a payment turned into.
async fn tell_turn(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    sight: &Sight,
) -> Result<()> {
    if let Some(reason) = payment.unmatched {
        let sum = match payment.state {
            PaymentState::Captured => sight.captured,
            _ => sight.amount,
        };
        let words = arrived(app, payment, sum);
        let words = match payment.state {
            PaymentState::Failed | PaymentState::Voided => format!("{words} was given free"),
            _ => format!("{words} goes back: {}", reason.in_words()),
        };
        let labels = [("reason", reason.as_str())];
        metrics::counter!("zoco_payments_unmatched_total", &labels).increment(1);
        return tell(tx, ctx, order, "payment_unmatched", &words).await;
    }
    match payment.state {
        PaymentState::Captured => {
            let words = arrived(app, payment, payment.captured);
            tell(tx, ctx, order, "payment_captured", &words).await
        }
        PaymentState::Authorized => {
            let words = arrived(app, payment, payment.amount);
            tell(tx, ctx, order, "payment_authorized", &words).await
        }
        PaymentState::Failed => {
            let words = match payment.failure.as_str() {
                "" => "The payment did not work.",
                words => words,
            };
            tell_failure(tx, ctx, order, payment, words).await
        }
        PaymentState::Voided => {
            let words = arrived(app, payment, payment.amount);
            tell(tx, ctx, order, "payment_voided", &words).await
        }
        PaymentState::Pending => Ok(()),
    }
}

/// Somebody sent money back at the gateway itself: the shop's books follow.
async fn see_refunds(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    sight: &Sight,
) -> Result<()> {
    let more = sight.refunded.minor() - payment.refunded.minor();
    let asked = operations_of(tx, &[payment.id]).await?;
    // One of ours may be done there and not be written down here yet.
    if more <= 0
        || payment.state != PaymentState::Captured
        || is_asked(&asked, payment.id, OperationKind::Refund)
    {
        return Ok(());
    }
    let more = Money::new(more, sight.refunded.currency());
    refund::seen_at_gateway(tx, app, ctx, order, payment, more).await
}

/// Has money go back that belongs to no order, when it comes. What a gateway then refuses is for
/// people: the page of strays shows it.
async fn give_back(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
) -> Result<()> {
    // What was written since the payment was read.
    let payment = payments::by_id(tx, payment.id).await?;
    let asked = operations_of(tx, &[payment.id]).await?;
    let (kind, amount) = match payment.state {
        PaymentState::Authorized => (OperationKind::Void, payment.amount),
        _ => (OperationKind::Refund, still_refundable(&payment, &asked)),
    };
    if amount.is_zero() {
        return Ok(());
    }
    tracing::warn!(
        order = order.number,
        payment = payment.id.0,
        "money goes back by itself"
    );
    if kind == OperationKind::Refund {
        payments::refund(tx, app, ctx, payment.id, amount, None).await?;
    } else {
        payments::request(tx, app, ctx, &payment, kind, amount, None).await?;
    }
    Ok(())
}

/// An order whose goods are gone is no order any more; what else was paid of it goes back.
async fn cancel_unfilled(tx: &mut Tx, app: &App, ctx: &Ctx, payment: &Payment) -> Result<()> {
    // As it stands now: the payment that came too late is no longer its own.
    let order = lock_of(tx, payment).await?;
    if order.status != OrderStatus::Pending {
        return Ok(());
    }
    let mut after = order.statuses();
    after.order = OrderStatus::Cancelled;
    let words = "Order cancelled: the goods were gone before the payment came";
    change(tx, ctx, &order, after, "cancelled", words).await?;
    let reason = json!({ "reason": Unmatched::CannotFill.as_str() });
    end(tx, app, ctx, &order, after, reason).await?;
    Ok(())
}

/// Staff: money that belongs to no order goes back after all: the gateway, which refused, is asked
/// once more, or somebody sent it back by hand. Errors: conflicts `nothing_stray`, `under_way`.
pub async fn send_back(app: &App, ctx: &Ctx, id: PaymentId, by_hand: bool) -> Result<()> {
    ctx.require(Permission::Orders)?;
    let payment = payments::by_id(&mut app.db.conn().await?, id).await?;
    let mut tx = app.db.begin().await?;
    let order = lock_of(&mut tx, &payment).await?;
    let payment = payments::by_id(&mut tx, id).await?;
    if !payment.is_stray() {
        let detail = "This payment holds no money that belongs to no order.";
        return Err(Error::conflict("nothing_stray", detail));
    }
    let asked = operations_of(&mut tx, &[id]).await?;
    let (kind, amount) = match payment.state {
        PaymentState::Authorized => (OperationKind::Void, payment.amount),
        _ => (OperationKind::Refund, payment.kept()),
    };
    if is_asked(&asked, id, kind) {
        let detail = "The gateway is being asked to send it back.";
        return Err(Error::conflict("under_way", detail));
    }
    let mut ask = None;
    if by_hand {
        refund::by_hand(&mut tx, app, ctx, &order, &payment, amount).await?;
    } else {
        ask = Some(payments::request(&mut tx, app, ctx, &payment, kind, amount, None).await?);
    }
    let subject = format!("order {}", order.number);
    let after = json!({ "payment": id, "amount": amount.amount(), "by_hand": by_hand });
    let nothing = serde_json::Value::Null;
    audit::record(&mut tx, ctx, "payment.sent_back", &subject, nothing, after).await?;
    tx.commit().await?;
    if let Some(operation) = ask {
        at_once(app, operation).await;
    }
    Ok(())
}

/// Staff: orders that hold goods, for which no money came and none is expected.
pub async fn without_money(app: &App, ctx: &Ctx) -> Result<Vec<OrderSummary>> {
    ctx.require(Permission::Orders)?;
    Ok(store::without_money(&mut app.db.conn().await?, MOST).await?)
}

//! Carrying out what is written down, and acting on what gateways tell. Jobs call this, as often as
//! it takes.

use serde_json::json;

use super::{lock_of, settle_status, sync};
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::faults;
use crate::jobs;
use crate::orders::model::Order;
use crate::orders::service::change::{event, tell};
use crate::orders::service::refund;
use crate::orders::{store, urls};
use crate::payments::model::EventState;
use crate::payments::service::inbox::{self, About};
use crate::payments::service::{self as payments, Reply, Shopper};
use crate::payments::{Operation, OperationKind, OperationState, Payment, PaymentState};
use crate::types::{Money, OperationId, PaymentEventId, PaymentId};

/// After so many seconds the gateway is asked for the first time what became of a payment.
const FIRST_LOOK_SECONDS: i64 = 60;

/// What a gateway does not answer for so long is for people.
const PATIENCE_SECONDS: i64 = 3 * 24 * 3600;

/// Asks a gateway what is written down, and writes down what came of it. Whatever stops it, it is
/// done again, under the same key. Errors: `Unavailable` while the gateway does not answer.
pub async fn perform(app: &App, id: OperationId) -> Result<()> {
    let ctx = app.system();
    let mut conn = app.db.conn().await?;
    let operation = payments::operation(&mut conn, id).await?;
    let payment = payments::by_id(&mut conn, operation.payment_id).await?;
    let head = store::by_id(&mut conn, payment.order_id).await?;
    drop(conn);
    let order = head.ok_or(Error::NotFound)?.order;
    if operation.state == OperationState::Requested {
        let shopper = Shopper {
            email: order.email.to_string(),
            return_path: urls::payment_return(&order.number),
        };
        // What was never asked, because the shop stood still, is asked however old it is.
        let old = operation.created_at.plus_seconds(PATIENCE_SECONDS) < ctx.now;
        let tired = old && operation.attempts > 0;
        let reply = if tired {
            Reply::Refused("There was no answer for three days.".to_owned())
        } else {
            payments::ask(app, &payment, &operation, &shopper).await?
        };
        let mut tx = app.db.begin().await?;
        let order = lock_of(&mut tx, &payment).await?;
        if payments::end_operation(&mut tx, &ctx, &operation, &reply).await? {
            write_down(&mut tx, app, &ctx, &order, &operation, &reply).await?;
            if tired && operation.kind == OperationKind::Refund {
                // It may have been made all the same: then the gateway's books say so.
                payments::check_at(&mut tx, payment.id, Some(ctx.now)).await?;
            }
        }
        faults::reach("gateway.written");
        tx.commit().await?;
        faults::reach("gateway.committed");
    }
    match operation.kind {
        // The gateway says best what stands now, also when it refused.
        OperationKind::Capture | OperationKind::Void => sync(app, operation.payment_id).await,
        OperationKind::Begin | OperationKind::Refund => Ok(()),
    }
}

async fn write_down(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    operation: &Operation,
    reply: &Reply,
) -> Result<()> {
    let mut payment = payments::by_id(tx, operation.payment_id).await?;
    match (operation.kind, reply) {
        (OperationKind::Begin, Reply::Begun(begun)) => {
            payment.gateway_reference = Some(begun.reference.clone());
            if payment.state == PaymentState::Pending {
                payment.pay_url.clone_from(&begun.pay_url);
            } else {
                // It was called off while the gateway was told of it.
                let void = OperationKind::Void;
                payments::request(tx, app, ctx, &payment, void, payment.amount, None).await?;
            }
            payments::save(tx, ctx, &payment).await?;
            let look = ctx.now.plus_seconds(FIRST_LOOK_SECONDS);
            payments::check_at(tx, payment.id, Some(look)).await
        }
        (OperationKind::Begin, Reply::Refused(words)) if payment.state == PaymentState::Pending => {
            payment.state = PaymentState::Failed;
            "The payment could not be begun.".clone_into(&mut payment.failure);
            payments::save(tx, ctx, &payment).await?;
            payments::count(&payment);
            tell_failure(tx, ctx, order, &payment, words).await
        }
        (OperationKind::Capture | OperationKind::Void, Reply::Refused(words)) => {
            let kind = format!("{}_refused", operation.kind);
            let words = format!("{}: {words}", app.payments.label(&payment.provider));
            tell(tx, ctx, order, &kind, &words).await
        }
        (OperationKind::Void, Reply::Done(_)) if payment.gateway_reference.is_none() => {
            payments::void(tx, ctx, payment.id).await?;
            settle_status(tx, ctx, order, order.statuses()).await?;
            Ok(())
        }
        (OperationKind::Refund, Reply::Done(_)) => {
            let refunded = payment.refunded.minor() + operation.amount.minor();
            payment.refunded = Money::new(refunded, payment.refunded.currency());
            payments::save(tx, ctx, &payment).await?;
            refund::went_back(tx, app, ctx, order, &payment, operation).await
        }
        (OperationKind::Refund, Reply::Refused(words)) => {
            refund::was_refused(tx, app, ctx, order, &payment, operation, words).await
        }
        _ => Ok(()),
    }
}

/// Tells the timeline and the outbox that a payment did not work.
pub(super) async fn tell_failure(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    words: &str,
) -> Result<()> {
    tell(tx, ctx, order, "payment_failed", words).await?;
    let more = json!({ "payment_id": payment.id, "reason": payment.failure });
    jobs::emit(tx, ctx, "order.payment_failed", &event(order, more)).await
}

/// Acts on an event of the inbox: asks the gateway about its payment. Errors: `Unavailable` while
/// the gateway does not answer, and for an event that came before the payment was begun.
pub async fn act_on_event(app: &App, id: PaymentEventId) -> Result<()> {
    let ctx = app.system();
    let mut conn = app.db.conn().await?;
    let event = inbox::event(&mut conn, id).await?;
    if event.state != EventState::Received {
        return Ok(());
    }
    let about = inbox::about(app, &mut conn, &event).await?;
    drop(conn);
    let (payment, state, outcome) = match about {
        About::TooEarly => return Err(Error::Unavailable),
        About::Payment(payment, begun_as) => {
            if let Some(reference) = begun_as {
                adopt(app, &ctx, payment, reference).await?;
            }
            sync(app, payment).await?;
            let now = payments::by_id(&mut app.db.conn().await?, payment).await?;
            let outcome = format!("The payment is {}.", now.state);
            (Some(payment), EventState::Done, outcome)
        }
        About::Nothing => {
            let outcome = "It is about nothing of this shop.".to_owned();
            (None, EventState::Ignored, outcome)
        }
        About::Unknown => {
            tracing::warn!(event = event.event_id, "an event names an unknown payment");
            let outcome = "This shop has no such payment.".to_owned();
            (None, EventState::Unknown, outcome)
        }
    };
    let mut tx = app.db.begin().await?;
    inbox::finish(&mut tx, &ctx, &event, payment, state, &outcome).await?;
    Ok(tx.commit().await?)
}

/// The gateway expects a payment, but its answer never came: its event tells how it calls it.
async fn adopt(app: &App, ctx: &Ctx, id: PaymentId, reference: String) -> Result<()> {
    let payment = payments::by_id(&mut app.db.conn().await?, id).await?;
    if payment.gateway_reference.is_some() {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    lock_of(&mut tx, &payment).await?;
    let mut payment = payments::by_id(&mut tx, id).await?;
    if payment.gateway_reference.is_none() {
        payment.gateway_reference = Some(reference);
        payments::save(&mut tx, ctx, &payment).await?;
    }
    Ok(tx.commit().await?)
}

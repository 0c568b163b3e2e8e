//! Asking gateways. What is to be asked is written down first, in the transaction that decides it;
//! then it is asked, without a transaction, as often as it takes, always under the same key.

use serde_json::json;

use crate::app::App;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::faults;
use crate::jobs;
use crate::payments::model::{Begun, Operation, OperationKind, OperationState, Payment, Sight};
use crate::payments::provider::{Answer, Call, Expected, Trouble};
use crate::payments::store;
use crate::types::{Money, OperationId, PaymentId, RefundId, Timestamp};

/// The topic of what is to be asked.
pub const REQUESTED: &str = "payment.operation_requested";

/// What a gateway is told of the shopper when it is to expect a payment.
#[derive(Clone, Debug)]
pub struct Shopper {
    /// Their e-mail address.
    pub email: String,
    /// Where they come back to: a path of the shop.
    pub return_path: String,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The gateway expects the payment.
    Begun(Begun),
    /// It was done; what the gateway calls it.
    Done(String),
    /// It was not done and will not be.
    Refused(String),
}

/// An operation. Errors: `NotFound`.
pub async fn operation(conn: &mut Conn, id: OperationId) -> Result<Operation> {
    store::operation(conn, id).await?.ok_or(Error::NotFound)
}

/// What was asked of some payments, oldest first.
pub async fn operations_of(conn: &mut Conn, payments: &[PaymentId]) -> Result<Vec<Operation>> {
    Ok(store::operations_of(conn, payments).await?)
}

/// The parts of a refund, oldest first.
pub async fn operations_of_refund(conn: &mut Conn, refund: RefundId) -> Result<Vec<Operation>> {
    Ok(store::operations_of_refund(conn, refund).await?)
}

/// What was to be asked and was not tried since `before`: its job died.
pub async fn overdue_operations(
    conn: &mut Conn,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<Operation>> {
    Ok(store::requested_before(conn, before, limit).await?)
}

/// Writes down that something is to be asked of a payment's gateway; a job asks it after the
/// commit.
pub async fn request(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    payment: &Payment,
    kind: OperationKind,
    amount: Money,
    refund: Option<RefundId>,
) -> Result<OperationId> {
    let key = new_key(app, payment.id, kind);
    let id = store::insert_operation(tx, payment.id, kind, amount, refund, &key, ctx.now).await?;
    if app.payments.gateway(&payment.provider).is_some() {
        jobs::emit(tx, ctx, REQUESTED, &json!({ "operation_id": id })).await?;
    }
    Ok(id)
}

/// A key of its own. It is random, because a gateway remembers keys for longer than a shop that is
/// set up anew.
pub(super) fn new_key(app: &App, payment: PaymentId, kind: OperationKind) -> String {
    format!(
        "zoco-{kind}-{payment}-{}",
        hex::encode(app.rng.bytes::<12>())
    )
}

/// Writes down a refund that somebody made at the gateway itself.
pub async fn note_seen_refund(
    tx: &mut Tx,
    ctx: &Ctx,
    payment: &Payment,
    amount: Money,
    refund: RefundId,
) -> Result<()> {
    let key = format!("seen-{}-{}", payment.id, payment.refunded.minor());
    let kind = OperationKind::Refund;
    let refund = Some(refund);
    let id = store::insert_operation(tx, payment.id, kind, amount, refund, &key, ctx.now).await?;
    store::succeed_operation(tx, id, "", ctx.now).await?;
    Ok(())
}

/// Asks a gateway what is written down. Call it without a transaction. Errors: `Unavailable` when
/// it is not known whether it was done; ask again.
pub async fn ask(
    app: &App,
    payment: &Payment,
    operation: &Operation,
    shopper: &Shopper,
) -> Result<Reply> {
    let Some(gateway) = app.payments.gateway(&payment.provider) else {
        let words = "The shop does not offer this way to pay any more.";
        return Ok(Reply::Refused(words.to_owned()));
    };
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    store::note_attempt(&mut tx, operation.id, now).await?;
    tx.commit().await?;
    faults::reach("gateway.about_to_be_asked");
    let call = Call {
        key: &operation.idempotency_key,
        amount: operation.amount,
        since: operation.created_at,
    };
    let answer = match operation.kind {
        OperationKind::Begin => {
            let timeout = i64::from(app.config.payment_timeout_minutes) * 60;
            let expected = Expected {
                key: operation.idempotency_key.clone(),
                payment_id: payment.id,
                order_number: payment.reference.clone(),
                amount: operation.amount,
                email: shopper.email.clone(),
                return_url: app.config.absolute(&shopper.return_path),
                capture: app.config.payment_capture,
                since: operation.created_at,
                until: operation.created_at.plus_seconds(timeout),
            };
            gateway.begin(app, &expected).await.map(Reply::Begun)
        }
        // What the gateway never knew, it need not be told.
        OperationKind::Void if payment.gateway_reference.is_none() => {
            Ok(Reply::Done(String::new()))
        }
        OperationKind::Void => gateway.void(app, payment, call).await.map(Reply::Done),
        OperationKind::Capture => gateway.capture(app, payment, call).await.map(Reply::Done),
        OperationKind::Refund => gateway.refund(app, payment, call).await.map(Reply::Done),
    };
    faults::reach("gateway.answered");
    match answer {
        Ok(reply) => Ok(reply),
        Err(Trouble::Refused(words)) => {
            failed(payment, operation.kind.as_str(), &words);
            Ok(Reply::Refused(words))
        }
        Err(Trouble::Passing(words)) => {
            failed(payment, operation.kind.as_str(), &words);
            let mut tx = app.db.begin().await?;
            store::fail_operation(&mut tx, operation.id, &words, false, now).await?;
            tx.commit().await?;
            Err(Error::Unavailable)
        }
    }
}

/// Ends an operation. Gives false when it had ended before: then nothing more may come of this
/// reply.
pub async fn end_operation(
    tx: &mut Tx,
    ctx: &Ctx,
    operation: &Operation,
    reply: &Reply,
) -> Result<bool> {
    let id = operation.id;
    Ok(match reply {
        Reply::Begun(begun) => store::succeed_operation(tx, id, &begun.reference, ctx.now).await?,
        Reply::Done(reference) => store::succeed_operation(tx, id, reference, ctx.now).await?,
        Reply::Refused(words) => store::fail_operation(tx, id, words, true, ctx.now).await?,
    })
}

/// Where a payment stands at its gateway; none for one that no gateway knows. Call it without a
/// transaction. Errors: `Unavailable`.
pub async fn fetch(app: &App, payment: &Payment) -> Result<Option<Sight>> {
    let gateway = app.payments.gateway(&payment.provider);
    let Some(gateway) = gateway.filter(|_| payment.gateway_reference.is_some()) else {
        return Ok(None);
    };
    let sight: Answer<Sight> = gateway.fetch(app, payment).await;
    sight.map(Some).map_err(|trouble| {
        failed(payment, "fetch", &trouble.to_string());
        Error::Unavailable
    })
}

fn failed(payment: &Payment, call: &str, words: &str) {
    let id = payment.id.0;
    tracing::warn!(
        provider = payment.provider,
        payment = id,
        call,
        words,
        "a gateway said no"
    );
    let labels = [
        ("provider", payment.provider.clone()),
        ("call", call.to_owned()),
    ];
    metrics::counter!("zoco_payment_gateway_failures_total", &labels).increment(1);
}

/// Whether something of this kind is being asked of a payment.
pub fn is_asked(operations: &[Operation], payment: PaymentId, kind: OperationKind) -> bool {
    operations.iter().any(|one| {
        one.payment_id == payment && one.kind == kind && one.state == OperationState::Requested
    })
}

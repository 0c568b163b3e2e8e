//! The payments of orders. The caller has checked who may do this, and holds the order's row; what
//! an order makes of its payments is said in `orders`.

pub mod inbox;
mod operations;
pub mod test_gateway;

use super::model::{
    Imbalance, NewPayment, Operation, OperationKind, Payment, PaymentFilter, PaymentState, Strays,
};
use super::store;
use crate::app::App;
use crate::credit::{self, CreditPart};
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::{
    Money, OperationId, OrderId, Page, PageRequest, PaymentId, RefundId, Timestamp,
};

pub use operations::{
    REQUESTED, Reply, Shopper, ask, end_operation, fetch, is_asked, note_seen_refund, operation,
    operations_of, operations_of_refund, overdue_operations, request,
};

/// How many strays of a kind the page of staff shows.
const STRAYS: i64 = 100;

/// The payments of some orders, oldest first.
pub async fn of_orders(conn: &mut Conn, orders: &[OrderId]) -> Result<Vec<Payment>> {
    Ok(store::of_orders(conn, orders).await?)
}

/// A payment. Errors: `NotFound`.
pub async fn by_id(conn: &mut Conn, id: PaymentId) -> Result<Payment> {
    store::by_id(conn, id).await?.ok_or(Error::NotFound)
}

/// Begins a payment in the transaction that places the order, or has it paid anew. `reference` is
/// what the payer writes on a transfer: the order's number. Where a gateway takes the money, it is
/// asked to expect it after the commit, and the stock is not taken before it comes; a payment of
/// nothing has come already.
pub async fn begin(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order_id: OrderId,
    provider: &str,
    amount: Money,
    reference: &str,
) -> Result<Payment> {
    let online = app.payments.gateway(provider).is_some();
    let new = NewPayment {
        order_id,
        provider,
        amount,
        reference,
        settles: !online || amount.is_zero(),
        next_check_at: None,
        credit_account: None,
    };
    let mut payment = store::insert(tx, &new, ctx.now).await?;
    if online && amount.is_zero() {
        payment.state = PaymentState::Captured;
        store::save(tx, &payment, ctx.now).await?;
    } else if online {
        request(tx, app, ctx, &payment, OperationKind::Begin, amount, None).await?;
    }
    Ok(payment)
}

/// What a gift card or store credit paid of a new order, in the transaction that took it from
/// there. `settles`: whether nothing else is to be paid, so that the order's stock is taken with it.
pub async fn take_credit(
    tx: &mut Tx,
    ctx: &Ctx,
    order_id: OrderId,
    part: &CreditPart,
    reference: &str,
    settles: bool,
) -> Result<Payment> {
    let new = NewPayment {
        order_id,
        provider: part.kind.as_str(),
        amount: part.amount,
        reference,
        settles,
        next_check_at: None,
        credit_account: Some(part.account_id),
    };
    let mut payment = store::insert(tx, &new, ctx.now).await?;
    payment.state = PaymentState::Captured;
    payment.captured = payment.amount;
    store::save(tx, &payment, ctx.now).await?;
    count(&payment);
    Ok(payment)
}

/// Writes down what became of a payment that was read under the order's lock.
pub async fn save(tx: &mut Tx, ctx: &Ctx, payment: &Payment) -> Result<()> {
    Ok(store::save(tx, payment, ctx.now).await?)
}

/// The money came by hand. Errors: conflict `not_pending`.
pub async fn capture(tx: &mut Tx, ctx: &Ctx, id: PaymentId) -> Result<Payment> {
    let mut payment = by_id(tx, id).await?;
    if !payment.state.is_open() {
        let detail = "Nothing more is expected of this payment.";
        return Err(Error::conflict("not_pending", detail));
    }
    payment.state = PaymentState::Captured;
    payment.captured = payment.amount;
    payment.settled_at = payment.settled_at.or(Some(ctx.now));
    save(tx, ctx, &payment).await?;
    count(&payment);
    Ok(payment)
}

/// Counts, for the figures, that a payment came into the state that it is in.
pub fn count(payment: &Payment) {
    if payment.state == PaymentState::Captured {
        metrics::counter!("zoco_payments_captured_total").increment(1);
    }
    let provider = payment.provider.clone();
    let labels = [("provider", provider), ("state", payment.state.to_string())];
    metrics::counter!("zoco_payments_total", &labels).increment(1);
}

/// Nothing is expected of a payment any more of which nothing came. One that is over already
/// stays as it is.
pub async fn void(tx: &mut Tx, ctx: &Ctx, id: PaymentId) -> Result<Payment> {
    let mut payment = by_id(tx, id).await?;
    if payment.state.is_open() {
        payment.state = PaymentState::Voided;
        payment.pay_url.clear();
        save(tx, ctx, &payment).await?;
        store::check_at(tx, id, None).await?;
        count(&payment);
    }
    Ok(payment)
}

/// What can still go back of a payment: what came, less what went back and what is on its way.
pub async fn refundable(conn: &mut Conn, payment: &Payment) -> Result<Money> {
    let operations = store::operations_of(conn, &[payment.id]).await?;
    Ok(still_refundable(payment, &operations))
}

/// The same, of what was asked of it.
pub fn still_refundable(payment: &Payment, operations: &[Operation]) -> Money {
    use super::model::OperationState::Requested;
    let asked = operations.iter().filter(|one| {
        one.payment_id == payment.id && one.kind == OperationKind::Refund && one.state == Requested
    });
    let asked: i64 = asked.map(|one| one.amount.minor()).sum();
    let left = match payment.state {
        PaymentState::Captured => payment.kept().minor() - asked,
        _ => 0,
    };
    Money::new(left.max(0), payment.captured.currency())
}

/// Sends some of the money back: by its gateway, after the commit, to the gift card or store credit
/// that it came from, or by hand; the last two are done at once. Never more than came. Errors: `Invalid` at `amount`; conflict `refund_too_large`.
pub async fn refund(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    id: PaymentId,
    amount: Money,
    refund: Option<RefundId>,
) -> Result<Payment> {
    let mut payment = by_id(tx, id).await?;
    if amount.minor() <= 0 || amount.currency() != payment.captured.currency() {
        let message = "Write an amount above zero.";
        return Err(Error::invalid("amount", "range", message));
    }
    if amount.minor() > refundable(tx, &payment).await?.minor() {
        let detail = "More cannot go back than came.";
        return Err(Error::conflict("refund_too_large", detail));
    }
    let kind = OperationKind::Refund;
    let operation = request(tx, app, ctx, &payment, kind, amount, refund).await?;
    if let Some(account) = payment.credit_account {
        let (number, once) = (&payment.reference, format!("refund {operation}"));
        credit::service::give_back(tx, ctx, account, amount, number, &once).await?;
    }
    if payment.gateway_reference.is_none() {
        done_by_hand(tx, ctx, &mut payment, operation, amount).await?;
    }
    Ok(payment)
}

/// Somebody sent money of a gateway's payment back without the gateway. The caller has checked
/// that nothing is being asked.
pub async fn refund_by_hand(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    id: PaymentId,
    amount: Money,
) -> Result<()> {
    let mut payment = by_id(tx, id).await?;
    let key = operations::new_key(app, id, OperationKind::Refund);
    let kind = OperationKind::Refund;
    let operation = store::insert_operation(tx, id, kind, amount, None, &key, ctx.now).await?;
    done_by_hand(tx, ctx, &mut payment, operation, amount).await
}

async fn done_by_hand(
    tx: &mut Tx,
    ctx: &Ctx,
    payment: &mut Payment,
    operation: OperationId,
    amount: Money,
) -> Result<()> {
    store::succeed_operation(tx, operation, "", ctx.now).await?;
    payment.refunded = Money::new(
        payment.refunded.minor() + amount.minor(),
        payment.refunded.currency(),
    );
    save(tx, ctx, payment).await
}

/// Says when the gateway is asked again; none for never.
pub async fn check_at(tx: &mut Tx, id: PaymentId, at: Option<Timestamp>) -> Result<()> {
    Ok(store::check_at(tx, id, at).await?)
}

/// Payments whose gateway is to be asked by now.
pub async fn due(app: &App, limit: i64) -> Result<Vec<Payment>> {
    Ok(store::due(&mut app.db.conn().await?, app.clock.now(), limit).await?)
}

/// Staff: payments, newest first.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    filter: &PaymentFilter,
    page: PageRequest,
) -> Result<Page<Payment>> {
    ctx.require(Permission::Orders)?;
    Ok(store::list(&mut app.db.conn().await?, filter, page).await?)
}

/// Staff: money that is not where it belongs.
pub async fn strays(app: &App, ctx: &Ctx) -> Result<Strays> {
    ctx.require(Permission::Orders)?;
    let mut conn = app.db.conn().await?;
    let refused = store::refused_operations(&mut conn, STRAYS).await?;
    let ids: Vec<PaymentId> = refused.iter().map(|one| one.payment_id).collect();
    let theirs = store::by_ids(&mut conn, &ids).await?;
    let with_payment = refused.into_iter().filter_map(|operation| {
        let payment = theirs.iter().find(|one| one.id == operation.payment_id)?;
        Some((payment.clone(), operation))
    });
    Ok(Strays {
        refused: with_payment.collect(),
        payments: store::unmatched(&mut conn, false, STRAYS).await?,
        events: store::unknown_events(&mut conn, STRAYS).await?,
        returned: store::unmatched(&mut conn, true, STRAYS).await?,
    })
}

/// How many payments there are in each state, and how many hold money that belongs to no order:
/// for the figures.
pub async fn figures(conn: &mut Conn) -> Result<(Vec<(String, i64)>, i64)> {
    let states = store::count_by_state(conn).await?;
    Ok((states, store::count_unmatched(conn).await?))
}

/// Payments whose count of what went back is not the sum of their refunds; none when the books
/// are right.
pub async fn imbalances(conn: &mut Conn) -> Result<Vec<Imbalance>> {
    Ok(store::imbalances(conn).await?)
}

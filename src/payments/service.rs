//! The payments of orders. The caller has checked who may do this, and holds the order's row.

use super::model::Payment;
use super::store;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::{Money, OrderId, PaymentId};

/// The payments of some orders, oldest first.
pub async fn of_orders(conn: &mut Conn, orders: &[OrderId]) -> Result<Vec<Payment>> {
    Ok(store::of_orders(conn, orders).await?)
}

/// Begins a payment in the transaction that places the order. `reference` is what the payer
/// writes on a transfer: the order's number.
pub async fn begin(
    tx: &mut Tx,
    ctx: &Ctx,
    order: OrderId,
    provider: &str,
    amount: Money,
    reference: &str,
) -> Result<Payment> {
    Ok(store::insert(tx, order, provider, amount, reference, ctx.now).await?)
}

/// The money came. Errors: conflict `not_pending`.
pub async fn capture(tx: &mut Tx, ctx: &Ctx, payment: PaymentId) -> Result<Payment> {
    match store::capture(tx, payment, ctx.now).await? {
        Some(payment) => {
            metrics::counter!("zoco_payments_captured_total").increment(1);
            Ok(payment)
        }
        None => {
            known(tx, payment).await?;
            let detail = "Nothing more is expected of this payment.";
            Err(Error::conflict("not_pending", detail))
        }
    }
}

/// Calls a payment off: a pending one is voided, a captured one refunded in full. One that is
/// over already stays as it is.
pub async fn cancel(tx: &mut Tx, ctx: &Ctx, payment: PaymentId) -> Result<Payment> {
    match store::cancel(tx, payment, ctx.now).await? {
        Some(payment) => Ok(payment),
        None => known(tx, payment).await,
    }
}

/// Sends some of the money back; never more than came. Errors: `Invalid` at `amount`; conflict
/// `refund_too_large`.
pub async fn refund(tx: &mut Tx, ctx: &Ctx, payment: PaymentId, amount: Money) -> Result<Payment> {
    let current = known(tx, payment).await?;
    if amount.minor() <= 0 || amount.currency() != current.amount.currency() {
        let message = "Write an amount above zero.";
        return Err(Error::invalid("amount", "range", message));
    }
    let refunded = store::refund(tx, payment, amount.minor(), ctx.now).await?;
    refunded.ok_or_else(|| {
        let detail = "More cannot go back than came.";
        Error::conflict("refund_too_large", detail)
    })
}

async fn known(conn: &mut Conn, payment: PaymentId) -> Result<Payment> {
    store::by_id(conn, payment).await?.ok_or(Error::NotFound)
}

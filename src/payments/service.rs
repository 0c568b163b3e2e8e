//! The ways to pay, and the payments of orders.

use super::model::Payment;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::types::{Money, OrderId, PaymentId};

/// The payments of some orders, oldest first.
pub async fn of_orders(_conn: &mut Conn, _orders: &[OrderId]) -> Result<Vec<Payment>> {
    todo!()
}

/// Begins a payment in the transaction that places the order. `reference` is what the payer
/// writes on a transfer: the order's number.
pub async fn begin(
    _tx: &mut Tx,
    _ctx: &Ctx,
    _order: OrderId,
    _provider: &str,
    _amount: Money,
    _reference: &str,
) -> Result<Payment> {
    todo!()
}

/// The money came. Errors: conflict `not_pending`.
pub async fn capture(_tx: &mut Tx, _ctx: &Ctx, _payment: PaymentId) -> Result<Payment> {
    todo!()
}

/// Calls a payment off: a pending one is voided, a captured one refunded in full.
pub async fn cancel(_tx: &mut Tx, _ctx: &Ctx, _payment: PaymentId) -> Result<Payment> {
    todo!()
}

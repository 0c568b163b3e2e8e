//! Reading orders and moving them on. Visible to their owner, to the holder of the guest token
//! and to staff with `orders`; for everyone else they do not exist.

use super::model::{Order, OrderFilter, OrderStatus, OrderSummary};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::types::{Page, PageRequest};

/// The signed-in user's own orders, newest first.
pub async fn list_own(_app: &App, _ctx: &Ctx, _page: PageRequest) -> Result<Page<OrderSummary>> {
    todo!()
}

/// Staff: all orders, newest first.
pub async fn list(
    _app: &App,
    _ctx: &Ctx,
    _filter: &OrderFilter,
    _page: PageRequest,
) -> Result<Page<OrderSummary>> {
    todo!()
}

/// An order with lines, payments and timeline.
pub async fn order(_app: &App, _ctx: &Ctx, _number: &str) -> Result<Order> {
    todo!()
}

/// Staff: moves an order along the table of transitions. Errors: conflict `transition_not_allowed`.
pub async fn transition(_app: &App, _ctx: &Ctx, _number: &str, _to: OrderStatus) -> Result<Order> {
    todo!()
}

/// Cancels an order: stock goes back, money too. By its owner while it is `pending` or
/// `confirmed`, by staff as long as the table allows.
pub async fn cancel(_app: &App, _ctx: &Ctx, _number: &str) -> Result<Order> {
    todo!()
}

/// Staff: the money of the pending payment came (a transfer arrived, cash was taken).
pub async fn record_payment(_app: &App, _ctx: &Ctx, _number: &str) -> Result<Order> {
    todo!()
}

/// Whether the asker may cancel this order now.
pub fn may_cancel(_ctx: &Ctx, _order: &Order) -> bool {
    todo!()
}

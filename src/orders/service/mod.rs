//! Reading orders and moving them on. Visible to their owner, to the holder of the guest token
//! and to staff with `orders`; for everyone else they do not exist.

mod balance;
mod change;
mod fulfil;
mod guest;
mod invoices;
mod lookup;
mod notes;
mod payment;
mod person;
mod place;
mod refund;
mod rest;
mod returns;
mod views;
mod words;

use super::model::{Address, Order, OrderFilter, OrderSummary, Waiting};
use super::store::{self, Head};
use crate::app::App;
use crate::ctx::{Ctx, Permission, Rule};
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::inventory;
use crate::payments::{self, Payment};
use crate::types::{CartId, Page, PageRequest, Timestamp};

pub use balance::{free_idle_holds, idle_holds, imbalances};
pub use change::{cancel, may_cancel, transition};
pub use fulfil::{GOODS_NOT_TAKEN, NewParcel, ParcelLine, TrackingInput, delivered, fulfil, track};
pub use guest::{GuestTokens, new_number, tidy_number};
pub use invoices::{
    credit, invoice_pdf, invoice_when_due, invoices, issue_credit_note, issue_invoice, printed,
    printed_invoice, slip, slips_pdf,
};
pub use lookup::{FindOrder, find_by_email, link_to};
pub use notes::{MAX_NOTE, NewNote, add_note};
pub use payment::{
    NOT_PAID, RECONCILE, act_on_event, capture, money_imbalances, next_step, pay, payment_status,
    perform, reconcile, record_payment, returned, send_back, start, sync, void, without_money,
};
pub use person::{all_own, erase};
pub use place::place;
pub use refund::{
    RefundInput, RefundLineInput, WAITS_FOR_PAYMENT, books, refund, waits_for_payment,
};
pub use rest::{CancelPieces, PAYMENT_OPEN, cancel_pieces, has_open_pieces, is_payment_open};
pub use returns::{
    NewReturn, NewReturnLine, Receipt, ReceiptLine, ReturnAnswer, ReturnRefund, answer_return,
    cancel_return, may_return, receive_return, refund_return, request_return,
};
pub use views::{BUILT_IN, OrderExport, delete_view, export_orders, save_view, views};
pub use words::how_to_pay;

/// The signed-in user's own orders, newest first.
pub async fn list_own(app: &App, ctx: &Ctx, page: PageRequest) -> Result<Page<OrderSummary>> {
    let user = ctx.signed_in()?.id;
    let mut conn = app.db.conn().await?;
    Ok(store::list(&mut conn, Some(user), &OrderFilter::default(), page).await?)
}

/// Staff: all orders, newest first.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    filter: &OrderFilter,
    page: PageRequest,
) -> Result<Page<OrderSummary>> {
    ctx.require(Permission::Orders)?;
    let mut conn = app.db.conn().await?;
    Ok(store::list(&mut conn, None, filter, page).await?)
}

/// Staff: how many orders wait for them.
pub async fn waiting(app: &App, ctx: &Ctx) -> Result<Waiting> {
    ctx.require(Permission::Orders)?;
    let mut conn = app.db.conn().await?;
    Ok(store::waiting(&mut conn).await?)
}

/// An order with lines, payments and timeline.
pub async fn order(app: &App, ctx: &Ctx, number: &str) -> Result<Order> {
    find(&mut app.db.conn().await?, ctx, number).await
}

/// Staff: the same, for those who work on orders only.
pub async fn order_for_staff(app: &App, ctx: &Ctx, number: &str) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    order(app, ctx, number).await
}

/// The payments of an order, oldest first.
pub async fn payments(app: &App, ctx: &Ctx, number: &str) -> Result<Vec<Payment>> {
    Ok(order(app, ctx, number).await?.payments)
}

/// The order that a cart became, for checkout, which knows that the asker had the cart.
pub async fn of_cart(conn: &mut Conn, cart: CartId) -> Result<Option<Order>> {
    match store::of_cart(conn, cart).await? {
        Some(head) => Ok(Some(complete(conn, head, false).await?)),
        None => Ok(None),
    }
}

/// Where the signed-in user's newest order went, to fill the next form with.
pub async fn last_address(app: &App, ctx: &Ctx) -> Result<Option<Address>> {
    let Some(user) = ctx.user_id() else {
        return Ok(None);
    };
    let head = store::newest_of_user(&mut app.db.conn().await?, user).await?;
    Ok(head.map(|head| head.order.shipping_address))
}

/// Until when the goods of an order are held that is not paid yet; none when they are not, or are
/// taken already.
pub async fn held_until(app: &App, order: &Order) -> Result<Option<Timestamp>> {
    let mut conn = app.db.conn().await?;
    let until = inventory::service::held_until(&mut conn, &order.number).await?;
    Ok(until.filter(|at| *at > app.clock.now()))
}

/// The token that opens a guest's order; none for an account's order.
pub fn guest_token(app: &App, order: &Order) -> Option<String> {
    let guests = order.user_id.is_none();
    guests.then(|| app.guest_tokens.token(&order.number))
}

/// An order that the asker may see. Errors: `NotFound` for any other.
async fn find(conn: &mut Conn, ctx: &Ctx, number: &str) -> Result<Order> {
    let head = store::by_number(conn, &guest::tidy_number(number)).await?;
    let head = head.filter(|head| may_see(ctx, head));
    let staff = ctx.may(Permission::Orders);
    complete(conn, head.ok_or(Error::NotFound)?, staff).await
}

/// The same, locked until the transaction ends: whoever else would change it waits. Errors:
/// `NotFound`.
async fn find_to_change(tx: &mut Tx, ctx: &Ctx, number: &str) -> Result<Order> {
    let head = store::lock(tx, &guest::tidy_number(number)).await?;
    let head = head.filter(|head| may_see(ctx, head));
    let staff = ctx.may(Permission::Orders);
    complete(tx, head.ok_or(Error::NotFound)?, staff).await
}

fn may_see(ctx: &Ctx, head: &Head) -> bool {
    let owner = head.order.user_id.map(Rule::IsOwner);
    let holder = head.guest_token_hash.as_deref().map(Rule::HoldsToken);
    let rules = [owner, holder, Some(Rule::Staff(Permission::Orders))];
    rules.into_iter().flatten().any(|rule| ctx.allows(rule))
}

/// An order with everything that belongs to it; with what staff wrote for each other only for
/// them.
async fn complete(conn: &mut Conn, head: Head, for_staff: bool) -> Result<Order> {
    let mut order = head.order;
    order.lines = store::lines(conn, order.id, order.total.currency()).await?;
    order.payments = payments::service::of_orders(conn, &[order.id]).await?;
    order.fulfilments = store::fulfilments(conn, order.id).await?;
    order.returns = store::returns(conn, order.id, order.total.currency()).await?;
    order.events = store::events(conn, order.id).await?;
    if !for_staff {
        order.events.retain(|event| !event.is_internal());
    }
    Ok(order)
}

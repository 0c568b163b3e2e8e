//! Calling off what of an order is not sent: of some lines, or all that is open.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::change::{change, event, finish, tell, tell_of_move};
use super::{ParcelLine, RefundInput, RefundLineInput, find, find_to_change, fulfil, refund};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::inventory;
use crate::jobs;
use crate::orders::model::{
    Fulfilment, FulfilmentLine, FulfilmentState, FulfilmentStatus, Order, OrderStatus, Statuses,
};
use crate::orders::store;
use crate::types::{Money, MoneyInput, OperationId, VariantId};

/// What is called off.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CancelPieces {
    /// Which lines, how many of each; left out: all that is not sent.
    pub lines: Option<Vec<ParcelLine>>,
    /// Whether their money goes back, each piece by its share of what was paid for its line.
    pub refund: bool,
    /// Why, for the books and the customer; at most 500 characters.
    pub reason: String,
    /// What had gone back when the asker looked; another sum is the conflict `changed_meanwhile`.
    #[schema(value_type = Option<String>)]
    pub expected_refunded: Option<MoneyInput>,
}

/// Whether pieces of an order can be called off: its goods are taken for it, and some of them are
/// not sent.
pub fn has_open_pieces(order: &Order) -> bool {
    let early = matches!(
        order.status,
        OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Processing
    );
    early && order.has_its_goods() && order.lines.iter().any(|line| order.unsent(line) > 0)
}

/// Why no pieces are called off of an order whose payment is open, see [`is_payment_open`].
pub const PAYMENT_OPEN: &str = "The payment of this order is open, for all of its pieces: \
     take or record it first, or cancel the order.";

/// Whether money is still to come for an order. It would come for what was called off, too.
pub fn is_payment_open(order: &Order) -> bool {
    let mut own = order.payments.iter().filter(|payment| payment.counts());
    !order.is_covered() || own.any(|payment| payment.state.is_open())
}

/// Staff: calls off pieces that are not sent: they go back to the shelf, their money goes back
/// where that is wanted, and an order of which all the rest is sent moves on. Errors: those of
/// [`refund`](super::refund); fields; conflicts `nothing_open`, `payment_open`, `cancel_order` for
/// what is the whole order.
pub async fn cancel_pieces(
    app: &App,
    ctx: &Ctx,
    number: &str,
    input: CancelPieces,
) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if !has_open_pieces(&order) {
        let detail = "Nothing of this order waits to be sent.";
        return Err(Error::conflict("nothing_open", detail));
    }
    if is_payment_open(&order) {
        return Err(Error::conflict("payment_open", PAYMENT_OPEN));
    }
    let reason = refund::read_reason(&input.reason)?;
    let lines = match &input.lines {
        Some(lines) => fulfil::read_lines(&order, lines)?,
        None => fulfil::rest(&order),
    };
    let open: i64 = order.lines.iter().map(|line| order.unsent(line)).sum();
    if order.fulfilments.is_empty() && lines.iter().map(|line| line.quantity).sum::<i64>() == open {
        let detail = "That is all of the order: cancel the order itself.";
        return Err(Error::conflict("cancel_order", detail));
    }
    call_off(&mut tx, &lines).await?;
    // Money first, then goods: so does whoever places an order.
    let (back, asked) = match input.refund {
        true => send_money(&mut tx, app, ctx, &order, &lines, input).await?,
        false => (None, Vec::new()),
    };
    give_back(&mut tx, ctx, &order, &lines).await?;
    tell_of_pieces(&mut tx, ctx, &order, &lines, back, &reason).await?;
    finish(tx, ctx, &order.number).await?;
    refund::ask_gateways(app, asked).await;
    super::order(app, ctx, &order.number).await
}

/// Writes down that pieces are called off.
pub(super) async fn call_off(tx: &mut Tx, lines: &[FulfilmentLine]) -> Result<()> {
    for line in lines {
        if !store::call_off(tx, line.order_line_id, line.quantity).await? {
            return Err(Error::Internal(anyhow::anyhow!("a locked order changed")));
        }
    }
    Ok(())
}

/// Moves an order on of which pieces were just called off, where nothing more is to be sent, and
/// tells of them. `back` is the money that goes back.
pub(super) async fn tell_of_pieces(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    lines: &[FulfilmentLine],
    back: Option<Money>,
    reason: &str,
) -> Result<()> {
    let pieces = order.lines.iter().map(|line| line.cancelled).sum::<i64>()
        + lines.iter().map(|line| line.quantity).sum::<i64>();
    let after = find(tx, ctx, &order.number).await?;
    move_on(tx, ctx, &after, &in_words(order, lines)).await?;
    let listed: Vec<Value> = lines
        .iter()
        .map(|line| json!({ "line_id": line.order_line_id, "quantity": line.quantity }))
        .collect();
    let facts = json!({
        "lines": listed,
        "refunded": back.map(Money::amount),
        "reason": reason,
        "cancelled_in_all": pieces,
    });
    let payload = event(order, facts.clone());
    jobs::emit(tx, ctx, "order.pieces_cancelled", &payload).await?;
    let subject = format!("order {}", order.number);
    let action = "order.pieces_cancelled";
    audit::record(tx, ctx, action, &subject, Value::Null, facts).await?;
    metrics::counter!("zoco_order_pieces_cancelled_total").increment(listed_pieces(lines));
    Ok(())
}

fn listed_pieces(lines: &[FulfilmentLine]) -> u64 {
    let pieces = lines.iter().map(|line| line.quantity.unsigned_abs());
    pieces.sum()
}

/// The lines in the words of the timeline: `Called off: 2 × Everyday mug`.
fn in_words(order: &Order, lines: &[FulfilmentLine]) -> String {
    let goods = lines.iter().filter_map(|line| {
        let known = order.line(line.order_line_id)?;
        Some(format!("{} × {}", line.quantity, known.label()))
    });
    format!("Called off: {}", goods.collect::<Vec<_>>().join(", "))
}

/// Sends the money of the pieces back that did not go back before. Gives how much that is, and what
/// gateways are to be asked after the commit.
async fn send_money(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    lines: &[FulfilmentLine],
    input: CancelPieces,
) -> Result<(Option<Money>, Vec<OperationId>)> {
    let left = refund::left(tx, order).await?;
    let wanted = lines.iter().map(|line| RefundLineInput {
        line_id: line.order_line_id.0,
        quantity: line.quantity.min(left.pieces(line.order_line_id)),
        // Its goods are not the refund's matter.
        restock: false,
    });
    let wanted: Vec<_> = wanted.filter(|line| line.quantity > 0).collect();
    if wanted.is_empty() {
        return Ok((None, Vec::new()));
    }
    let refund = RefundInput {
        lines: wanted,
        reason: input.reason,
        expected_refunded: input.expected_refunded,
        ..RefundInput::default()
    };
    let (amount, asked) = refund::within(tx, app, ctx, order, &refund).await?;
    Ok((Some(amount), asked))
}

/// Puts pieces back on the shelf, unless a refund has done that already: then the ledger says that
/// the order has no more of them than it needs for its other pieces.
async fn give_back(tx: &mut Tx, ctx: &Ctx, order: &Order, lines: &[FulfilmentLine]) -> Result<()> {
    let known = |line: &FulfilmentLine| order.line(line.order_line_id);
    let variants: Vec<VariantId> = lines
        .iter()
        .filter_map(|line| Some(known(line)?.variant_id))
        .collect();
    let taken = inventory::service::outstanding(tx, &variants, &order.number).await?;
    let mut shelf = Vec::new();
    for line in lines {
        let Some(known) = known(line) else { continue };
        let back = order.returns.iter().flat_map(|one| &one.lines);
        let back = back.filter(|one| one.order_line_id == known.id);
        let back: i64 = back.map(|one| one.restocked).sum();
        let needed = order.unsent(known) - line.quantity + order.sent(known) - back;
        let taken = taken.get(&known.variant_id).copied().unwrap_or_default();
        let quantity = line.quantity.min(taken - needed);
        if quantity > 0 {
            shelf.push((known.variant_id, quantity));
        }
    }
    inventory::service::put_back(tx, ctx, &shelf, &order.number).await
}

/// Tells the timeline, and moves an order on of which nothing is open any more.
async fn move_on(tx: &mut Tx, ctx: &Ctx, order: &Order, detail: &str) -> Result<()> {
    let kind = "pieces_cancelled";
    // Of which nothing is sent, nothing is on its way.
    let open = order.lines.iter().any(|line| order.unsent(line) > 0);
    if open || order.fulfilments.is_empty() {
        return tell(tx, ctx, order, kind, detail).await;
    }
    let after = Statuses {
        order: OrderStatus::Shipped,
        fulfilment: FulfilmentStatus::Fulfilled,
        ..order.statuses()
    };
    change(tx, ctx, order, after, kind, detail).await?;
    let step = format!("{} → {}", order.status, after.order);
    tell(tx, ctx, order, "status_changed", &step).await?;
    tell_of_move(tx, ctx, order, after).await?;
    let arrived = |one: &Fulfilment| one.state == FulfilmentState::Delivered;
    if order.fulfilments.iter().all(arrived) {
        let shipped = Order {
            status: after.order,
            fulfilment_status: after.fulfilment,
            ..order.clone()
        };
        fulfil::all_delivered(tx, ctx, &shipped).await?;
    }
    Ok(())
}

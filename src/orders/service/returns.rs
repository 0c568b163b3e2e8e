//! Sending things back: the shopper asks, staff agree or not, the goods come, the money goes.
//!
//! Whoever changes a return holds the lock of its order, so that nobody sends back more than was
//! delivered.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::change::{event, finish, tell};
use super::{RefundInput, RefundLineInput, find_to_change, refund};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::faults;
use crate::inventory::{self, Reason};
use crate::jobs;
use crate::orders::model::{Order, OrderLine, Return, ReturnLine, ReturnReason, ReturnState};
use crate::orders::store;
use crate::types::{MoneyInput, OrderLineId, VariantId};

/// The longest text of a shopper or of staff, in characters.
const MAX_TEXT: usize = 2000;
/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// What somebody wants to send back.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    /// Which lines, how many of each, and why.
    pub lines: Option<Vec<NewReturnLine>>,
    /// What else there is to say; at most 2000 characters.
    pub note: Option<String>,
}

/// Pieces of a line that somebody wants to send back.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturnLine {
    /// The line's id.
    pub line_id: i64,
    /// How many; 0 leaves it out.
    pub quantity: i64,
    /// `unwanted`, `damaged`, `wrong_item`, `not_as_described`, `late` or `other`.
    #[schema(example = "unwanted")]
    pub reason: String,
}

/// What staff say to a return.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnAnswer {
    /// `approved`, `rejected` or `cancelled`.
    #[schema(example = "approved")]
    pub to: String,
    /// For the shopper: where to send it, or why not; at most 2000 characters.
    pub message: String,
}

/// What came of a return.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// How many of each line came; left out: all of them, and back to the shelf.
    pub lines: Option<Vec<ReceiptLine>>,
}

/// How the money of a return goes back.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnRefund {
    /// Whether what is left of shipping goes back, too.
    #[serde(default)]
    pub shipping: bool,
    /// What had gone back of the order when the asker looked; another sum is the conflict
    /// `changed_meanwhile`.
    #[schema(value_type = Option<String>)]
    pub expected_refunded: Option<MoneyInput>,
}

/// Pieces of a line that came.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptLine {
    /// The line's id.
    pub line_id: i64,
    /// How many came.
    pub quantity: i64,
    /// Whether they go back to the shelf.
    pub restock: bool,
}

/// Whether the asker of an order may still send something of it back.
pub fn may_return(app: &App, ctx: &Ctx, order: &Order) -> bool {
    let days = i64::from(app.config.return_days);
    let arrived = order.fulfilments.iter().filter_map(|one| one.delivered_at);
    let in_time = arrived
        .max()
        .is_some_and(|at| ctx.now < at.plus_seconds(days * DAY));
    let some_left = order.lines.iter().any(|line| order.returnable(line) > 0);
    some_left && (in_time || ctx.may(Permission::Orders))
}

/// The shopper, or staff for them, asks to send something back that was delivered. Errors: fields;
/// conflict `not_returnable`.
pub async fn request_return(app: &App, ctx: &Ctx, number: &str, input: NewReturn) -> Result<Order> {
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if !may_return(app, ctx, &order) {
        let days = app.config.return_days;
        let detail = format!("Only what was delivered within {days} days can be sent back.");
        return Err(Error::conflict("not_returnable", detail));
    }
    let note = input.note.unwrap_or_default().trim().to_owned();
    let lines = read_lines(&order, &input.lines.unwrap_or_default(), &note)?;
    let position = order.returns.len() as i64 + 1;
    let id = store::insert_return(&mut tx, order.id, position, &lines, &note, ctx.now).await?;
    let goods = lines.iter().filter_map(|line| {
        let known = order.line(line.order_line_id)?;
        Some(format!("{} × {}", line.quantity, known.label()))
    });
    let goods: Vec<String> = goods.collect();
    let detail = format!("Return {position}: {}", goods.join(", "));
    tell(&mut tx, ctx, &order, "return_requested", &detail).await?;
    let state = ReturnState::Requested.as_str();
    let payload = event(
        &order,
        json!({ "return_id": id, "return": position, "to": state }),
    );
    jobs::emit(&mut tx, ctx, "order.return_changed", &payload).await?;
    let order = finish(tx, ctx, &order.number).await?;
    metrics::counter!("zoco_returns_total").increment(1);
    Ok(order)
}

fn read_lines(order: &Order, input: &[NewReturnLine], note: &str) -> Result<Vec<ReturnLine>> {
    let mut errors = FieldErrors::default();
    let mut lines: Vec<ReturnLine> = Vec::new();
    for (at, asked) in input.iter().enumerate() {
        let Some(line) = order.line(OrderLineId(asked.line_id)) else {
            let message = "The order has no such line.";
            errors.add(&format!("lines.{at}.line_id"), "unknown", message);
            continue;
        };
        let left = order.returnable(line);
        let twice = lines.iter().any(|one| one.order_line_id == line.id);
        if twice || !(0..=left).contains(&asked.quantity) {
            let message = if twice {
                "This line stands here twice.".to_owned()
            } else {
                format!("0 to {left}: more of it did not arrive, or is on its way back.")
            };
            errors.add(&format!("lines.{at}.quantity"), "range", message);
        } else if asked.quantity > 0 {
            let field = format!("lines.{at}.reason");
            let reason: std::result::Result<ReturnReason, String> = asked.reason.parse();
            let reason = reason.map_err(|_| "Choose a reason.");
            if let Some(reason) = errors.keep(&field, "unknown", reason) {
                lines.push(ReturnLine {
                    order_line_id: line.id,
                    quantity: asked.quantity,
                    reason,
                    received: 0,
                    restocked: 0,
                });
            }
        }
    }
    if note.chars().count() > MAX_TEXT {
        let message = format!("At most {MAX_TEXT} characters.");
        errors.add("note", "length", message);
    }
    if lines.is_empty() && errors.is_empty() {
        errors.add("lines", "required", "Choose what you want to send back.");
    }
    errors.into_result()?;
    Ok(lines)
}

fn known(order: &Order, number: i64) -> Result<&Return> {
    let mut returns = order.returns.iter();
    returns
        .find(|one| one.number == number)
        .ok_or(Error::NotFound)
}

fn not_allowed(one: &Return, to: ReturnState) -> Error {
    let detail = format!("A return that is {} cannot become {to}.", one.state);
    Error::conflict("transition_not_allowed", detail)
}

/// Moves a return on, with timeline, event and audit entry.
async fn move_on(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    one: &Return,
    to: ReturnState,
    answer: &str,
) -> Result<()> {
    let moved = one.state.may_become(to)
        && store::set_return_state(tx, one.id, one.state, to, answer, ctx.now).await?;
    if !moved {
        return Err(not_allowed(one, to));
    }
    let detail = format!("Return {} {to}", one.number);
    tell(tx, ctx, order, "return_changed", &detail).await?;
    let more = json!({ "return_id": one.id, "return": one.number, "to": to.as_str() });
    jobs::emit(tx, ctx, "order.return_changed", &event(order, more)).await?;
    if ctx.may(Permission::Orders) {
        let subject = format!("order {}", order.number);
        let state = |state: ReturnState| json!({ "return": one.number, "status": state.as_str() });
        let (before, after) = (state(one.state), state(to));
        audit::record(tx, ctx, "order.return_changed", &subject, before, after).await?;
    }
    Ok(())
}

/// Staff: agrees to a return, does not, or calls it off. Errors: fields; `NotFound`; conflict
/// `transition_not_allowed`.
pub async fn answer_return(
    app: &App,
    ctx: &Ctx,
    number: &str,
    position: i64,
    input: &ReturnAnswer,
) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let one = known(&order, position)?;
    let mut errors = FieldErrors::default();
    let to = match input.to.as_str() {
        "approved" => ReturnState::Approved,
        "rejected" => ReturnState::Rejected,
        "cancelled" => ReturnState::Cancelled,
        _ => {
            errors.add("to", "unknown", "Agree, or say why not.");
            one.state
        }
    };
    let message = input.message.trim();
    if message.chars().count() > MAX_TEXT {
        let words = format!("At most {MAX_TEXT} characters.");
        errors.add("message", "length", words);
    }
    if to == ReturnState::Rejected && message.is_empty() {
        errors.add("message", "required", "Say why not.");
    }
    errors.into_result()?;
    move_on(&mut tx, ctx, &order, one, to, message).await?;
    finish(tx, ctx, &order.number).await
}

/// The shopper calls a return off that is not on its way. Errors: `NotFound`; conflict
/// `transition_not_allowed`.
pub async fn cancel_return(app: &App, ctx: &Ctx, number: &str, position: i64) -> Result<Order> {
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let one = known(&order, position)?;
    move_on(
        &mut tx,
        ctx,
        &order,
        one,
        ReturnState::Cancelled,
        &one.answer,
    )
    .await?;
    finish(tx, ctx, &order.number).await
}

/// Staff: the goods of a return came, and go back to the shelf or not. Errors: fields; `NotFound`;
/// conflict `transition_not_allowed`.
pub async fn receive_return(
    app: &App,
    ctx: &Ctx,
    number: &str,
    position: i64,
    input: &Receipt,
) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let one = known(&order, position)?;
    let came = read_receipt(one, input)?;
    move_on(
        &mut tx,
        ctx,
        &order,
        one,
        ReturnState::Received,
        &one.answer,
    )
    .await?;
    let mut shelf: Vec<(VariantId, i64)> = Vec::new();
    for (line, received, restock) in came {
        let restocked = if restock { received } else { 0 };
        store::set_received(&mut tx, one.id, line, received, restocked).await?;
        let variant = order.line(line).map(|known: &OrderLine| known.variant_id);
        if let Some(variant) = variant.filter(|_| restocked > 0) {
            shelf.push((variant, restocked));
        }
    }
    let reason = Reason::Returned;
    inventory::service::give_back(&mut tx, ctx, &shelf, reason, &order.number).await?;
    finish(tx, ctx, &order.number).await
}

/// Staff: sends the money of what came back, and of shipping on demand, and ends the return, both
/// or neither: a return that is not `refunded` has had no money, however the program stopped.
/// Errors: those of [`refund`](super::refund); `NotFound`; conflict `transition_not_allowed`.
pub async fn refund_return(
    app: &App,
    ctx: &Ctx,
    number: &str,
    position: i64,
    input: ReturnRefund,
) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let one = known(&order, position)?;
    let to = ReturnState::Refunded;
    if !one.state.may_become(to) {
        return Err(not_allowed(one, to));
    }
    let lines = one.lines.iter().filter(|line| line.received > 0);
    let wanted = RefundInput {
        lines: lines
            .map(|line| RefundLineInput {
                line_id: line.order_line_id.0,
                quantity: line.received,
                // It went back to the shelf, or not, when it came.
                restock: false,
            })
            .collect(),
        shipping: input.shipping,
        amount: None,
        reason: format!("Return {}", one.number),
        expected_refunded: input.expected_refunded,
    };
    let (amount, asked) = refund::within(&mut tx, app, ctx, &order, &wanted).await?;
    move_on(&mut tx, ctx, &order, one, to, &one.answer).await?;
    store::set_return_refunded(&mut tx, one.id, amount).await?;
    faults::reach("return.written");
    tx.commit().await?;
    faults::reach("return.committed");
    refund::ask_gateways(app, asked).await;
    super::order(app, ctx, &order.number).await
}

/// Line, pieces that came, and whether they go back to the shelf.
fn read_receipt(one: &Return, input: &Receipt) -> Result<Vec<(OrderLineId, i64, bool)>> {
    let Some(given) = &input.lines else {
        let all = one.lines.iter();
        return Ok(all
            .map(|line| (line.order_line_id, line.quantity, true))
            .collect());
    };
    let mut errors = FieldErrors::default();
    let mut came = Vec::new();
    for (at, line) in given.iter().enumerate() {
        let id = OrderLineId(line.line_id);
        let wanted = one.lines.iter().find(|known| known.order_line_id == id);
        match wanted {
            None => {
                let message = "The return has no such line.";
                errors.add(&format!("lines.{at}.line_id"), "unknown", message);
            }
            Some(known) if !(0..=known.quantity).contains(&line.quantity) => {
                let message = format!("0 to {}: more was not announced.", known.quantity);
                errors.add(&format!("lines.{at}.quantity"), "range", message);
            }
            Some(_) if came.iter().any(|(known, _, _)| *known == id) => {
                let message = "This line stands here twice.";
                errors.add(&format!("lines.{at}.line_id"), "repeated", message);
            }
            Some(_) => came.push((id, line.quantity, line.restock)),
        }
    }
    if errors.is_empty() && came.iter().all(|(_, quantity, _)| *quantity == 0) {
        errors.add("lines", "required", "Say what came.");
    }
    errors.into_result()?;
    Ok(came)
}

//! Money that goes back: by line, shipping or a free amount. What goes back never exceeds what
//! came, which is checked where it is decided, under the order's lock.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::model::{
    Books, FulfilmentLine, Order, OrderStatus, Refund, RefundLine, RefundState, Refundable, share,
};
use super::super::store;
use super::change::{event, tell};
use super::payment::{at_once, settle_status};
use super::{find, find_to_change, rest};
use crate::app::App;
use crate::audit;
use crate::credit;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::faults;
use crate::inventory;
use crate::jobs;
use crate::payments::service::{self as payments, operations_of, still_refundable};
use crate::payments::{Operation, OperationState, Payment, PaymentState};
use crate::types::{Money, MoneyInput, OperationId, OrderLineId, PaymentId, RefundId, VariantId};

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// What is to go back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefundInput {
    /// Pieces of lines, each by its share of what was paid for the line.
    pub lines: Vec<RefundLineInput>,
    /// Whether what is left of shipping goes back.
    pub shipping: bool,
    /// A free amount, beside lines and shipping.
    #[schema(value_type = Option<String>)]
    pub amount: Option<MoneyInput>,
    /// Why, for the books and the customer.
    pub reason: String,
    /// What had gone back when the asker looked; another sum is the conflict `changed_meanwhile`.
    #[schema(value_type = Option<String>)]
    pub expected_refunded: Option<MoneyInput>,
}

/// Pieces of a line that go back.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefundLineInput {
    /// The line of the order.
    pub line_id: i64,
    /// How many pieces.
    pub quantity: i64,
    /// Whether they go back to the shelf.
    pub restock: bool,
}

/// Staff: what went back of an order, what can, and what gateways are being asked.
pub async fn books(app: &App, ctx: &Ctx, number: &str) -> Result<Books> {
    ctx.require(Permission::Orders)?;
    let mut conn = app.db.conn().await?;
    let order = find(&mut conn, ctx, number).await?;
    let refunds = store::refunds(&mut conn, order.id).await?;
    let refundable = refundable(&mut conn, &order, &refunds).await?;
    let ids: Vec<PaymentId> = order.payments.iter().map(|one| one.id).collect();
    let mut asked = operations_of(&mut conn, &ids).await?;
    asked.retain(|one| one.state == OperationState::Requested);
    Ok(Books {
        refunds,
        refundable,
        asked,
    })
}

/// Staff: sends money back. By gateways that is done after the commit, by hand at once. Pieces of
/// it that are not sent yet will not be: they are called off. Errors: fields, `lines.0.quantity`
/// among them; conflicts `refund_too_large` (`data.refundable`), `not_paid` for an order whose
/// payments do not cover it, `changed_meanwhile`.
pub async fn refund(app: &App, ctx: &Ctx, number: &str, input: RefundInput) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let new = decide(&mut tx, app, ctx, &order, &input).await?;
    let (amount, reason) = (new.amount, new.reason.clone());
    let off = unsent_of(&order, &new);
    rest::call_off(&mut tx, &off).await?;
    let asked = write(&mut tx, app, ctx, &order, new, &off).await?;
    if !off.is_empty() {
        rest::tell_of_pieces(&mut tx, ctx, &order, &off, Some(amount), &reason).await?;
    }
    faults::reach("refund.written");
    tx.commit().await?;
    faults::reach("refund.committed");
    ask_gateways(app, asked).await;
    super::order(app, ctx, &order.number).await
}

/// The same within the transaction of whatever else comes of it, which says itself what becomes of
/// the goods. The caller has checked the permission, holds the order's row, and has
/// [`ask_gateways`] do what is given here beside the sum, after the commit.
pub(super) async fn within(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    input: &RefundInput,
) -> Result<(Money, Vec<OperationId>)> {
    let new = decide(tx, app, ctx, order, input).await?;
    let amount = new.amount;
    Ok((amount, write(tx, app, ctx, order, new, &[]).await?))
}

/// What goes back, if it may.
async fn decide(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    input: &RefundInput,
) -> Result<Refund> {
    let left = left(tx, order).await?;
    let new = read(app, ctx, order, &left, input)?;
    if new.amount.minor() > left.amount.minor() {
        return Err(Error::Conflict {
            code: "refund_too_large",
            detail: format!("More cannot go back than came; {} is left.", left.amount),
            data: json!({ "refundable": left.amount.amount() }),
        });
    }
    if waits_for_payment(order) {
        return Err(Error::conflict("not_paid", WAITS_FOR_PAYMENT));
    }
    Ok(new)
}

/// Why nothing goes back of an order that [`waits_for_payment`].
pub const WAITS_FOR_PAYMENT: &str =
    "This order is not paid in full: wait for its payment, or cancel the order.";

/// Whether an order is not covered by its payments yet: had something gone back of what came, the
/// rest could not be paid any more. One that is cancelled waits for nothing.
pub fn waits_for_payment(order: &Order) -> bool {
    order.status != OrderStatus::Cancelled && !order.is_covered()
}

/// Of the pieces that are refunded, those that are not sent: nobody gets them any more.
fn unsent_of(order: &Order, new: &Refund) -> Vec<FulfilmentLine> {
    if !rest::has_open_pieces(order) {
        return Vec::new();
    }
    let lines = new.lines.iter().filter_map(|line| {
        let known = order.line(line.line_id)?;
        Some(FulfilmentLine {
            order_line_id: line.line_id,
            quantity: line.quantity.min(order.unsent(known)),
        })
    });
    lines.filter(|line| line.quantity > 0).collect()
}

/// Writes down what goes back and has it go. Of the order's lines, `off` was called off just now.
async fn write(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    mut new: Refund,
    off: &[FulfilmentLine],
) -> Result<Vec<OperationId>> {
    new.id = store::insert_refund(tx, order.id, &new, ctx.now).await?;
    // Money first, then goods: so does whoever places an order.
    let asked = carry_out(tx, app, ctx, order, &new).await?;
    let shelf = shelf(tx, order, &new, off).await?;
    inventory::service::put_back(tx, ctx, &shelf, &order.number).await?;
    settle_status(tx, ctx, order, order.statuses()).await?;
    let subject = format!("order {}", order.number);
    let (before, after) = (Value::Null, told(&new));
    audit::record(tx, ctx, "order.refunded", &subject, before, after).await?;
    Ok(asked)
}

/// What of a refund goes back to the shelf: no more than the order has beside what is still to be
/// sent of it. A refund that a gateway refused has put its pieces back already.
async fn shelf(
    tx: &mut Tx,
    order: &Order,
    new: &Refund,
    off: &[FulfilmentLine],
) -> Result<Vec<(VariantId, i64)>> {
    let lines = new.lines.iter().filter(|line| line.restocked);
    let known =
        lines.filter_map(|line| Some((order.line(line.line_id)?.variant_id, line.quantity)));
    let wanted: Vec<(VariantId, i64)> = known.collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let variants: Vec<VariantId> = wanted.iter().map(|(variant, _)| *variant).collect();
    let mut spare = inventory::service::outstanding(tx, &variants, &order.number).await?;
    if order.status != OrderStatus::Cancelled {
        for line in &order.lines {
            let gone = off.iter().find(|one| one.order_line_id == line.id);
            let open = order.unsent(line) - gone.map_or(0, |one| one.quantity);
            if let Some(spare) = spare.get_mut(&line.variant_id) {
                *spare -= open;
            }
        }
    }
    let mut shelf = Vec::new();
    for (variant, quantity) in wanted {
        let Some(spare) = spare.get_mut(&variant) else {
            continue;
        };
        let quantity = quantity.min(*spare);
        if quantity > 0 {
            *spare -= quantity;
            shelf.push((variant, quantity));
        }
    }
    Ok(shelf)
}

/// Reads why something goes back or is called off. Errors: `Invalid` at `reason`.
pub(super) fn read_reason(text: &str) -> Result<String> {
    let reason = text.trim();
    if reason.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", "length", too_long()));
    }
    Ok(reason.to_owned())
}

fn too_long() -> String {
    format!("At most {MAX_REASON} characters.")
}

/// What of an order can go back. The caller holds its row.
pub(super) async fn left(tx: &mut Tx, order: &Order) -> Result<Refundable> {
    let earlier = store::refunds(tx, order.id).await?;
    refundable(tx, order, &earlier).await
}

/// Asks gateways at once for what jobs would ask a moment later. No transaction is open.
pub(super) async fn ask_gateways(app: &App, asked: Vec<OperationId>) {
    for operation in asked {
        at_once(app, operation).await;
    }
}

/// For the audit log.
fn told(refund: &Refund) -> Value {
    let lines: Vec<Value> = refund
        .lines
        .iter()
        .map(|line| json!({ "line": line.line_id, "quantity": line.quantity, "restocked": line.restocked }))
        .collect();
    json!({
        "amount": refund.amount.amount(),
        "shipping": refund.shipping.amount(),
        "lines": lines,
        "reason": refund.reason,
    })
}

/// What of refunds counts: all but what a gateway refused.
fn standing(refunds: &[Refund]) -> impl Iterator<Item = &Refund> {
    let refused = |one: &&Refund| one.state != RefundState::Failed;
    refunds.iter().filter(refused)
}

async fn refundable(conn: &mut Conn, order: &Order, refunds: &[Refund]) -> Result<Refundable> {
    let ids: Vec<PaymentId> = order.payments.iter().map(|one| one.id).collect();
    let asked = operations_of(conn, &ids).await?;
    let amount = parts(order, &asked).map(|(_, left)| left.minor()).sum();
    let currency = order.total.currency();
    let sum = |part: fn(&Refund) -> Money| -> i64 {
        standing(refunds).map(|one| part(one).minor()).sum()
    };
    let shipping = order.shipping.minor() - sum(|one| one.shipping);
    let lines = order.lines.iter().map(|line| {
        let gone = pieces_back(refunds, line.id);
        (line.id, (line.quantity - gone).max(0))
    });
    Ok(Refundable {
        amount: Money::new(amount, currency),
        refunded: Money::new(sum(|one| one.amount), currency),
        shipping: Money::new(shipping.max(0), currency),
        lines: lines.collect(),
    })
}

/// Payments of the order with what can go back of each, in the order in which it goes: money first,
/// then store credit and gift cards, each the oldest first. A customer who sends a part of an order
/// back gets money as long as they paid with money, and nobody's money becomes credit.
fn parts<'o>(
    order: &'o Order,
    asked: &'o [Operation],
) -> impl Iterator<Item = (&'o Payment, Money)> {
    let currency = order.total.currency();
    let of = move |credit: bool| {
        let own = order.payments.iter().filter(|payment| payment.counts());
        own.filter(move |payment| payment.credit_account.is_some() == credit)
    };
    let parts = of(false)
        .chain(of(true))
        .map(|payment| (payment, still_refundable(payment, asked)));
    parts.filter(move |(_, left)| left.minor() > 0 && left.currency() == currency)
}

/// How many pieces of a line were refunded.
fn pieces_back(refunds: &[Refund], line: OrderLineId) -> i64 {
    let lines = standing(refunds).flat_map(|refund| &refund.lines);
    let own = lines.filter(|one| one.line_id == line);
    own.map(|one| one.quantity).sum()
}

/// Reads what is to go back. Errors: fields; conflict `changed_meanwhile`.
fn read(
    app: &App,
    ctx: &Ctx,
    order: &Order,
    left: &Refundable,
    input: &RefundInput,
) -> Result<Refund> {
    let currency = order.total.currency();
    let mut errors = FieldErrors::default();
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    for (index, wanted) in input.lines.iter().enumerate() {
        let field = format!("lines.{index}.quantity");
        let id = OrderLineId(wanted.line_id);
        let Some(line) = order.lines.iter().find(|line| line.id == id) else {
            let field = format!("lines.{index}.line_id");
            errors.add(&field, "unknown", "This order has no such line.");
            continue;
        };
        let pieces = left.pieces(id);
        if seen.contains(&id) {
            errors.add(&field, "repeated", "This line stands here twice.");
        } else if !(1..=pieces).contains(&wanted.quantity) {
            let message = match pieces {
                0 => format!("Nothing is left of {} to refund.", line.label()),
                _ => format!("Write 1 to {pieces} pieces of {}.", line.label()),
            };
            errors.add(&field, "range", message);
        } else {
            lines.push(RefundLine {
                line_id: id,
                quantity: wanted.quantity,
                amount: share(
                    line.total,
                    line.quantity,
                    line.quantity - pieces,
                    wanted.quantity,
                ),
                restocked: wanted.restock,
            });
        }
        seen.push(id);
    }
    let free = input.amount.as_ref();
    let free = free.and_then(|amount| errors.keep("amount", "money", amount.read(app.currency())));
    let expected = input.expected_refunded.as_ref();
    let expected = expected
        .and_then(|sum| errors.keep("expected_refunded", "money", sum.read(app.currency())));
    let reason = input.reason.trim().to_owned();
    if reason.chars().count() > MAX_REASON {
        errors.add("reason", "length", too_long());
    }
    let shipping = match input.shipping {
        true => left.shipping,
        false => Money::zero(currency),
    };
    let sum = lines.iter().map(|line| line.amount.minor()).sum::<i64>()
        + shipping.minor()
        + free.map_or(0, Money::minor);
    if errors.is_empty() && sum == 0 {
        let message = "Choose what goes back: pieces, shipping or an amount.";
        errors.add("amount", "required", message);
    }
    errors.into_result()?;
    if expected.is_some_and(|expected| expected != left.refunded) {
        let detail = "Something went back meanwhile. Look again.";
        return Err(Error::conflict("changed_meanwhile", detail));
    }
    Ok(Refund {
        id: RefundId(0),
        amount: Money::new(sum, currency),
        shipping,
        state: RefundState::Requested,
        reason,
        actor_name: ctx.actor_name(),
        lines,
        created_at: ctx.now,
        updated_at: ctx.now,
    })
}

/// Shares a refund out over the order's [`parts`], and has each go back.
/// Gives what is asked of gateways.
async fn carry_out(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    refund: &Refund,
) -> Result<Vec<OperationId>> {
    let ids: Vec<PaymentId> = order.payments.iter().map(|one| one.id).collect();
    let asked = operations_of(tx, &ids).await?;
    // All at once, as the checkout does, which would come from the other end otherwise.
    let credits: Vec<_> = parts(order, &asked)
        .filter_map(|(payment, _)| payment.credit_account)
        .collect();
    credit::service::lock_cards(tx, &credits).await?;
    let mut rest = refund.amount.minor();
    for (payment, left) in parts(order, &asked) {
        let part = rest.min(left.minor());
        if part > 0 {
            let amount = Money::new(part, left.currency());
            payments::refund(tx, app, ctx, payment.id, amount, Some(refund.id)).await?;
            rest -= part;
        }
    }
    if rest > 0 {
        let detail = "More cannot go back than came.";
        return Err(Error::conflict("refund_too_large", detail));
    }
    let open = end(tx, ctx, order, refund.id).await?;
    if !open.is_empty() {
        let words = format!("{} goes back", refund.amount);
        tell(tx, ctx, order, "refund_requested", &words).await?;
    }
    Ok(open)
}

/// Ends a refund when all of its parts have ended, and tells of it. Gives the parts that have not.
async fn end(tx: &mut Tx, ctx: &Ctx, order: &Order, id: RefundId) -> Result<Vec<OperationId>> {
    let parts = payments::operations_of_refund(tx, id).await?;
    let open = parts
        .iter()
        .filter(|one| one.state == OperationState::Requested);
    let open: Vec<OperationId> = open.map(|one| one.id).collect();
    if !open.is_empty() {
        return Ok(open);
    }
    let done = parts
        .iter()
        .filter(|one| one.state == OperationState::Succeeded);
    let sum: i64 = done.map(|one| one.amount.minor()).sum();
    let all = parts
        .iter()
        .all(|one| one.state == OperationState::Succeeded);
    let state = match all || sum > 0 {
        true => RefundState::Succeeded,
        false => RefundState::Failed,
    };
    if !all && sum > 0 {
        // What went back went back. Its lines say nothing about that sum, and the rest is left.
        store::cut_refund(tx, id, Money::new(sum, order.total.currency())).await?;
    }
    store::end_refund(tx, id, state, ctx.now).await?;
    if sum > 0 {
        let amount = Money::new(sum, order.total.currency());
        tell_refund(
            tx,
            ctx,
            order,
            Some(id),
            amount,
            &format!("{amount} refunded"),
        )
        .await?;
    }
    Ok(Vec::new())
}

/// Tells the timeline and the outbox that money went back.
async fn tell_refund(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    refund: Option<RefundId>,
    amount: Money,
    words: &str,
) -> Result<()> {
    tell(tx, ctx, order, "payment_refunded", words).await?;
    let more = json!({
        "refund_id": refund,
        "amount": amount.amount(),
        "currency": amount.currency().code(),
    });
    jobs::emit(tx, ctx, "order.refunded", &event(order, more)).await?;
    metrics::counter!("zoco_refunds_total").increment(1);
    Ok(())
}

/// All that is left of an order's money goes back: the order is cancelled.
pub(super) async fn everything(tx: &mut Tx, app: &App, ctx: &Ctx, order: &Order) -> Result<()> {
    let left = left(tx, order).await?;
    if left.amount.is_zero() {
        return Ok(());
    }
    let lines = order.lines.iter().filter_map(|line| {
        let quantity = left.pieces(line.id);
        let amount = share(
            line.total,
            line.quantity,
            line.quantity - quantity,
            quantity,
        );
        // The stock is the cancelled order's matter.
        let restocked = false;
        (quantity > 0).then_some(RefundLine {
            line_id: line.id,
            quantity,
            amount,
            restocked,
        })
    });
    let lines: Vec<RefundLine> = lines.collect();
    let sum: i64 = lines.iter().map(|line| line.amount.minor()).sum();
    // Where free amounts went back, or less came, the lines say nothing about the sum.
    let fits = sum + left.shipping.minor() == left.amount.minor();
    let (lines, shipping) = match fits {
        true => (lines, left.shipping),
        false => (Vec::new(), Money::zero(left.amount.currency())),
    };
    let mut refund = Refund {
        id: RefundId(0),
        amount: left.amount,
        shipping,
        state: RefundState::Requested,
        reason: "Order cancelled".to_owned(),
        actor_name: ctx.actor_name(),
        lines,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    refund.id = store::insert_refund(tx, order.id, &refund, ctx.now).await?;
    carry_out(tx, app, ctx, order, &refund).await?;
    Ok(())
}

/// A gateway sent money back, as it was asked to.
pub(super) async fn went_back(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    operation: &Operation,
) -> Result<()> {
    match operation.refund_id {
        Some(id) => {
            end(tx, ctx, order, id).await?;
        }
        None => {
            let amount = operation.amount;
            let label = app.payments.label(&payment.provider);
            let words = format!("{amount} by {label} went back");
            tell_refund(tx, ctx, order, None, amount, &words).await?;
        }
    }
    settle_status(tx, ctx, order, order.statuses()).await?;
    Ok(())
}

/// A gateway refused to send money back.
pub(super) async fn was_refused(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    operation: &Operation,
    words: &str,
) -> Result<()> {
    if let Some(id) = operation.refund_id {
        end(tx, ctx, order, id).await?;
    }
    let label = app.payments.label(&payment.provider);
    let words = format!("{} did not go back by {label}: {words}", operation.amount);
    metrics::counter!("zoco_refunds_refused_total").increment(1);
    tell(tx, ctx, order, "refund_refused", &words).await
}

/// Somebody sent money back by hand that belongs to no order.
pub(super) async fn by_hand(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    amount: Money,
) -> Result<()> {
    if payment.state == PaymentState::Authorized {
        payments::void(tx, ctx, payment.id).await?;
        return tell(
            tx,
            ctx,
            order,
            "payment_voided",
            &format!("{amount} given free by hand"),
        )
        .await;
    }
    payments::refund_by_hand(tx, app, ctx, payment.id, amount).await?;
    let words = format!("{amount} went back by hand");
    tell_refund(tx, ctx, order, None, amount, &words).await
}

/// Somebody sent money back at the gateway itself.
pub(super) async fn seen_at_gateway(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    order: &Order,
    payment: &Payment,
    amount: Money,
) -> Result<()> {
    let refund = Refund {
        id: RefundId(0),
        amount,
        shipping: Money::zero(amount.currency()),
        state: RefundState::Requested,
        reason: "Refunded at the gateway".to_owned(),
        actor_name: app.payments.label(&payment.provider).to_owned(),
        lines: Vec::new(),
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    let id = store::insert_refund(tx, order.id, &refund, ctx.now).await?;
    let mut payment = payments::by_id(tx, payment.id).await?;
    let refunded = payment.refunded.minor() + amount.minor();
    payment.refunded = Money::new(refunded, amount.currency());
    payments::note_seen_refund(tx, ctx, &payment, amount, id).await?;
    payments::save(tx, ctx, &payment).await?;
    store::end_refund(tx, id, RefundState::Succeeded, ctx.now).await?;
    let words = format!("{amount} refunded at the gateway");
    tell_refund(tx, ctx, order, Some(id), amount, &words).await
}

//! Sending an order in one or several parcels, following them, and their arrival.
//!
//! Whoever sends holds the lock of the order's row, so that nothing is sent twice, however many
//! do it at once.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use utoipa::ToSchema;

use super::change::{
    change, event, finish, move_to, not_allowed, tell, tell_of_move, tell_reviews,
};
use super::find_to_change;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::jobs;
use crate::orders::model::{
    Fulfilment, FulfilmentLine, FulfilmentState, FulfilmentStatus, Order, OrderLine, OrderStatus,
    Statuses, Tracking, carrier,
};
use crate::orders::store;
use crate::types::{FulfilmentId, OrderLineId};

/// The longest number of a parcel, in characters.
const MAX_NUMBER: usize = 100;
/// The longest address of a page where a parcel is followed, in bytes.
const MAX_URL: usize = 500;

/// Why an order cannot be sent that does not have its goods.
pub const GOODS_NOT_TAKEN: &str = "No payment of this order has come or is promised, so its goods \
     are not taken from stock. Wait for its payment, or cancel the order.";

/// What is sent together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewParcel {
    /// Which lines, how many of each; left out: all that is left.
    pub lines: Option<Vec<ParcelLine>>,
    /// A carrier's code, such as `dhl`; with it and a number the shopper gets a link.
    #[schema(example = "dhl")]
    pub carrier: Option<String>,
    /// What the carrier calls the parcel.
    #[schema(example = "00340434161094042557")]
    pub tracking_number: Option<String>,
    /// Where it is followed, `https` only; left out: the carrier's own page.
    pub tracking_url: Option<String>,
}

/// Pieces of a line of the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParcelLine {
    /// The line's id.
    pub line_id: i64,
    /// How many of it; 0 leaves it out.
    pub quantity: i64,
}

/// Who carries a parcel, and where it is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingInput {
    /// A carrier's code, such as `dhl`.
    #[schema(example = "dhl")]
    pub carrier: Option<String>,
    /// What the carrier calls the parcel.
    pub tracking_number: Option<String>,
    /// Where it is followed, `https` only; left out: the carrier's own page.
    pub tracking_url: Option<String>,
}

impl TrackingInput {
    fn read(&self) -> Result<Tracking> {
        let text = |given: &Option<String>| given.as_deref().unwrap_or_default().trim().to_owned();
        let (code, number, url) = (
            text(&self.carrier),
            text(&self.tracking_number),
            text(&self.tracking_url),
        );
        let mut errors = FieldErrors::default();
        let carrier = carrier(&code);
        if carrier.is_none() && !code.is_empty() {
            errors.add("carrier", "unknown", "There is no such carrier.");
        }
        if number.chars().count() > MAX_NUMBER || number.chars().any(char::is_control) {
            let message = format!("At most {MAX_NUMBER} characters, in one line.");
            errors.add("tracking_number", "length", message);
        }
        if !url.is_empty() && !is_safe(&url) {
            let message = "Write the whole address of a page, beginning with https://.";
            errors.add("tracking_url", "url", message);
        }
        errors.into_result()?;
        let own = carrier.map(|carrier| carrier.url(&number));
        Ok(Tracking {
            url: if url.is_empty() {
                own.unwrap_or_default()
            } else {
                url
            },
            carrier: code,
            number,
        })
    }
}

/// Whether shoppers may be led to an address: a page by TLS, without a password in it.
fn is_safe(address: &str) -> bool {
    let parsed = Url::parse(address).ok();
    address.len() <= MAX_URL
        && parsed.is_some_and(|url| {
            url.scheme() == "https"
                && url.host_str().is_some()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

/// Staff: sends some lines of an order, or all that is left. Errors: fields; conflicts
/// `transition_not_allowed`, `nothing_left`, `not_paid` for goods that were not taken from stock.
pub async fn fulfil(app: &App, ctx: &Ctx, number: &str, input: NewParcel) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let tracking = TrackingInput {
        carrier: input.carrier,
        tracking_number: input.tracking_number,
        tracking_url: input.tracking_url,
    };
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let tracking = tracking.read()?;
    if !order.may_be_sent() {
        return Err(not_allowed(order.status, OrderStatus::Shipped));
    }
    let lines = match input.lines {
        Some(lines) => read_lines(&order, &lines)?,
        None => rest(&order),
    };
    send(&mut tx, ctx, &order, &lines, &tracking).await?;
    let order = finish(tx, ctx, &order.number).await?;
    metrics::counter!("zoco_fulfilments_total").increment(1);
    Ok(order)
}

/// All that is left to be sent.
pub(super) fn rest(order: &Order) -> Vec<FulfilmentLine> {
    let line = |line: &OrderLine| FulfilmentLine {
        order_line_id: line.id,
        quantity: order.unsent(line),
    };
    let lines = order.lines.iter().map(line);
    lines.filter(|line| line.quantity > 0).collect()
}

/// What was asked for, if there is so much left of it. A line that is named twice counts once
/// for both.
pub(super) fn read_lines(order: &Order, input: &[ParcelLine]) -> Result<Vec<FulfilmentLine>> {
    let mut errors = FieldErrors::default();
    let mut lines: Vec<FulfilmentLine> = Vec::new();
    for (at, asked) in input.iter().enumerate() {
        let Some(line) = order.line(OrderLineId(asked.line_id)) else {
            let message = "The order has no such line.";
            errors.add(&format!("lines.{at}.line_id"), "unknown", message);
            continue;
        };
        let earlier = lines.iter().position(|one| one.order_line_id == line.id);
        let before = earlier.map_or(0, |index| lines[index].quantity);
        let left = order.unsent(line) - before;
        if !(0..=left).contains(&asked.quantity) {
            let message = match left {
                0 => "Nothing of it is left to be sent.".to_owned(),
                left => format!("0 to {left}: more is not left to be sent."),
            };
            errors.add(&format!("lines.{at}.quantity"), "range", message);
        } else if let Some(index) = earlier {
            lines[index].quantity += asked.quantity;
        } else if asked.quantity > 0 {
            lines.push(FulfilmentLine {
                order_line_id: line.id,
                quantity: asked.quantity,
            });
        }
    }
    if lines.is_empty() && errors.is_empty() {
        errors.add("lines", "required", "Choose at least one piece.");
    }
    errors.into_result()?;
    Ok(lines)
}

/// Sends all that is left of an order, for the step to `shipped`.
pub(super) async fn send_rest(tx: &mut Tx, ctx: &Ctx, order: &Order) -> Result<()> {
    send(tx, ctx, order, &rest(order), &Tracking::default()).await
}

/// Writes a parcel, and moves the order on as far as it is sent. The caller holds its lock.
async fn send(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    lines: &[FulfilmentLine],
    tracking: &Tracking,
) -> Result<()> {
    if lines.is_empty() {
        let detail = "Nothing of this order is left to be sent.";
        return Err(Error::conflict("nothing_left", detail));
    }
    if !order.has_its_goods() {
        return Err(Error::conflict("not_paid", GOODS_NOT_TAKEN));
    }
    // What is sent was packed.
    let order = match order.status {
        OrderStatus::Confirmed => &move_to(tx, ctx, order, OrderStatus::Processing).await?,
        _ => order,
    };
    let number = order.fulfilments.len() as i64 + 1;
    let id = store::insert_fulfilment(tx, order.id, number, lines, tracking, ctx.now).await?;
    let detail = told(order, number, lines, tracking);
    let left: i64 = order.lines.iter().map(|line| order.unsent(line)).sum();
    let sent: i64 = lines.iter().map(|line| line.quantity).sum();
    let after = Statuses {
        order: if sent == left {
            OrderStatus::Shipped
        } else {
            order.status
        },
        fulfilment: if sent == left {
            FulfilmentStatus::Fulfilled
        } else {
            FulfilmentStatus::Partial
        },
        ..order.statuses()
    };
    if after == order.statuses() {
        tell(tx, ctx, order, "fulfilled", &detail).await?;
    } else {
        change(tx, ctx, order, after, "fulfilled", &detail).await?;
    }
    if after.order != order.status {
        let detail = format!("{} → {}", order.status, after.order);
        tell(tx, ctx, order, "status_changed", &detail).await?;
        tell_of_move(tx, ctx, order, after).await?;
    }
    announce(tx, ctx, order, id, number).await?;
    let subject = format!("order {}", order.number);
    let parcel = parcel_json(number, lines, tracking);
    audit::record(tx, ctx, "order.fulfilled", &subject, Value::Null, parcel).await
}

async fn announce(
    tx: &mut Tx,
    ctx: &Ctx,
    order: &Order,
    id: FulfilmentId,
    number: i64,
) -> Result<()> {
    let payload = event(order, json!({ "fulfilment_id": id, "fulfilment": number }));
    jobs::emit(tx, ctx, "order.fulfilled", &payload).await
}

/// A parcel in the words of the timeline: `Parcel 1: 2 × Everyday mug, DHL 0034`.
fn told(order: &Order, number: i64, lines: &[FulfilmentLine], tracking: &Tracking) -> String {
    let goods = lines.iter().filter_map(|line| {
        let known = order.line(line.order_line_id)?;
        Some(format!("{} × {}", line.quantity, known.label()))
    });
    let mut parts: Vec<String> = goods.collect();
    let followed = tracking.in_words();
    if !followed.is_empty() {
        parts.push(followed);
    }
    format!("Parcel {number}: {}", parts.join(", "))
}

fn parcel_json(number: i64, lines: &[FulfilmentLine], tracking: &Tracking) -> Value {
    let lines = lines.iter();
    let lines: Vec<Value> = lines
        .map(|line| json!({ "line_id": line.order_line_id, "quantity": line.quantity }))
        .collect();
    let mut parcel = tracking_json(tracking);
    parcel["fulfilment"] = number.into();
    parcel["lines"] = lines.into();
    parcel
}

fn tracking_json(tracking: &Tracking) -> Value {
    json!({
        "carrier": tracking.carrier,
        "tracking_number": tracking.number,
        "tracking_url": tracking.url,
    })
}

/// Staff: says anew who carries a parcel and where it is followed. Errors: fields; `NotFound`.
pub async fn track(
    app: &App,
    ctx: &Ctx,
    number: &str,
    parcel: i64,
    input: &TrackingInput,
) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let parcel = order.parcel(parcel).ok_or(Error::NotFound)?;
    let tracking = input.read()?;
    if tracking != parcel.tracking {
        store::set_tracking(&mut tx, parcel.id, &tracking).await?;
        let words = tracking.in_words();
        let detail = match words.as_str() {
            "" => format!("Parcel {}: no longer followed", parcel.number),
            words => format!("Parcel {}: {words}", parcel.number),
        };
        tell(&mut tx, ctx, &order, "tracking_changed", &detail).await?;
        let subject = format!("order {}", order.number);
        let (before, after) = (tracking_json(&parcel.tracking), tracking_json(&tracking));
        audit::record(
            &mut tx,
            ctx,
            "order.tracking_changed",
            &subject,
            before,
            after,
        )
        .await?;
    }
    finish(tx, ctx, &order.number).await
}

/// Staff: a parcel arrived; with the last one of an order that is sent, the order is delivered.
/// Errors: `NotFound`; conflict `transition_not_allowed`.
pub async fn delivered(app: &App, ctx: &Ctx, number: &str, parcel: i64) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    let parcel = order.parcel(parcel).ok_or(Error::NotFound)?;
    arrive(&mut tx, ctx, &order, parcel).await?;
    let under_way = |one: &Fulfilment| one.state == FulfilmentState::Sent && one.id != parcel.id;
    if order.status == OrderStatus::Shipped && !order.fulfilments.iter().any(under_way) {
        all_delivered(&mut tx, ctx, &without(&order, parcel)).await?;
    }
    finish(tx, ctx, &order.number).await
}

async fn arrive(tx: &mut Tx, ctx: &Ctx, order: &Order, parcel: &Fulfilment) -> Result<()> {
    let to = FulfilmentState::Delivered;
    let allowed = parcel.state.next().contains(&to);
    if !allowed || !store::set_delivered(tx, parcel.id, ctx.now).await? {
        let detail = format!("Parcel {} was delivered before.", parcel.number);
        return Err(Error::conflict("transition_not_allowed", detail));
    }
    let detail = format!("Parcel {} delivered", parcel.number);
    tell(tx, ctx, order, "parcel_delivered", &detail).await?;
    let subject = format!("order {}", order.number);
    let state =
        |state: FulfilmentState| json!({ "fulfilment": parcel.number, "status": state.as_str() });
    let (before, after) = (state(parcel.state), state(to));
    audit::record(tx, ctx, "order.parcel_delivered", &subject, before, after).await
}

/// The order as it is once this parcel has arrived.
fn without(order: &Order, parcel: &Fulfilment) -> Order {
    let mut order = order.clone();
    order.fulfilments.retain(|one| one.id != parcel.id);
    order
}

/// Everything that was sent has arrived: the order is delivered, and those of its parcels that
/// were still under way are.
pub(super) async fn all_delivered(tx: &mut Tx, ctx: &Ctx, order: &Order) -> Result<()> {
    for parcel in &order.fulfilments {
        if parcel.state == FulfilmentState::Sent {
            store::set_delivered(tx, parcel.id, ctx.now).await?;
        }
    }
    move_to(tx, ctx, order, OrderStatus::Delivered).await?;
    tell_reviews(tx, ctx, order).await
}

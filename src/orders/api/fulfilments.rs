//! API: what was sent of an order, and sending it.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::json::OrderJson;
use crate::app::App;
use crate::orders::model::{Fulfilment, Order};
use crate::orders::service::{self, CancelPieces, NewNote, NewParcel, TrackingInput};
use crate::web::json::{Json, Problem, created};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(send))
        .routes(routes!(track))
        .routes(routes!(delivered))
        .routes(routes!(cancel_pieces))
        .routes(routes!(add_note))
}

/// A part of an order that left the house together.
#[derive(Serialize, ToSchema)]
pub struct FulfilmentJson {
    /// Its number within the order, from 1.
    number: i64,
    /// `sent` or `delivered`.
    status: &'static str,
    /// The carrier's code; empty where none is known.
    carrier: String,
    /// The carrier's name; empty where none is known.
    carrier_name: &'static str,
    /// What the carrier calls it.
    tracking_number: String,
    /// Where it is followed, or null.
    tracking_url: Option<String>,
    /// What is in it.
    lines: Vec<FulfilmentLineJson>,
    /// When it was sent.
    created_at: String,
    /// When it arrived, or null.
    delivered_at: Option<String>,
}

/// Pieces of a line of the order.
#[derive(Serialize, ToSchema)]
struct FulfilmentLineJson {
    /// The line's id.
    line_id: i64,
    /// Its SKU at the time of the order.
    sku: String,
    /// How many.
    quantity: i64,
}

/// What was sent of an order.
#[derive(Serialize, ToSchema)]
struct FulfilmentsJson {
    /// Oldest first.
    items: Vec<FulfilmentJson>,
}

impl FulfilmentJson {
    /// Everything that was sent of an order.
    pub fn all(order: &Order) -> Vec<Self> {
        let parcels = order.fulfilments.iter();
        parcels.map(|parcel| Self::new(order, parcel)).collect()
    }

    fn new(order: &Order, parcel: &Fulfilment) -> Self {
        let tracking = &parcel.tracking;
        let lines = parcel.lines.iter().map(|line| FulfilmentLineJson {
            line_id: line.order_line_id.0,
            sku: order
                .line(line.order_line_id)
                .map(|known| known.sku.clone())
                .unwrap_or_default(),
            quantity: line.quantity,
        });
        Self {
            number: parcel.number,
            status: parcel.state.as_str(),
            carrier: tracking.carrier.clone(),
            carrier_name: tracking.carrier_name(),
            tracking_number: tracking.number.clone(),
            tracking_url: Some(tracking.url.clone()).filter(|url| !url.is_empty()),
            lines: lines.collect(),
            created_at: parcel.created_at.rfc3339(),
            delivered_at: parcel.delivered_at.map(|at| at.rfc3339()),
        }
    }
}

/// What was sent of an order
#[utoipa::path(get, path = "/orders/{number}/fulfilments", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = FulfilmentsJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<FulfilmentsJson>, Failure> {
    let order = service::order(&app, &ctx, &number).await?;
    let items = FulfilmentJson::all(&order);
    Ok(Json(FulfilmentsJson { items }))
}

/// Send some lines of an order, or all that is left (staff)
///
/// The order must be `confirmed` or `processing`. It becomes `processing` with its first parcel,
/// and `shipped` when nothing is left.
#[utoipa::path(post, path = "/admin/orders/{number}/fulfilments", tag = "orders",
    request_body = NewParcel,
    params(
        ("number" = String, Path, description = "The public number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 201, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`, `nothing_left`, `not_paid`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn send(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<NewParcel>,
) -> Result<Response, Failure> {
    let order = service::fulfil(&app, &ctx, &number, input).await?;
    let location = format!("/api/orders/{}/fulfilments", order.number);
    Ok(created(&location, OrderJson::new(&ctx, &order)))
}

/// Say who carries a parcel (staff)
#[utoipa::path(put, path = "/admin/orders/{number}/fulfilments/{fulfilment}/tracking",
    tag = "orders", request_body = TrackingInput,
    params(
        ("number" = String, Path, description = "The public number"),
        ("fulfilment" = i64, Path, description = "The parcel's number within the order"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn track(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, fulfilment)): Path<(String, i64)>,
    Json(input): Json<TrackingInput>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::track(&app, &ctx, &number, fulfilment, &input).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// A parcel arrived (staff)
///
/// With the last parcel of an order that is `shipped`, the order becomes `delivered`.
#[utoipa::path(post, path = "/admin/orders/{number}/fulfilments/{fulfilment}/delivered",
    tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("fulfilment" = i64, Path, description = "The parcel's number within the order"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`"),
    ), security(("bearer" = [])))]
async fn delivered(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, fulfilment)): Path<(String, i64)>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::delivered(&app, &ctx, &number, fulfilment).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Call off pieces of an order that are not sent (staff)
///
/// They go back to the shelf, and with `refund` their money goes back, too. An order of which all
/// the rest is sent becomes `shipped`. All of an order that nothing was sent of is cancelled by its
/// transition.
#[utoipa::path(post, path = "/admin/orders/{number}/cancellations", tag = "orders",
    request_body = CancelPieces,
    params(
        ("number" = String, Path, description = "The public number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`nothing_open`, `payment_open`, `cancel_order`, `refund_too_large`, `changed_meanwhile`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn cancel_pieces(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<CancelPieces>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::cancel_pieces(&app, &ctx, &number, input).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Write a note on an order for the team (staff)
///
/// The shopper does not see it.
#[utoipa::path(post, path = "/admin/orders/{number}/notes", tag = "orders",
    request_body = NewNote,
    params(("number" = String, Path, description = "The public number")),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn add_note(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<NewNote>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::add_note(&app, &ctx, &number, input).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

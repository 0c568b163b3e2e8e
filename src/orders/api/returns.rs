//! API: what is sent back of an order.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::json::OrderJson;
use crate::app::App;
use crate::orders::model::Order;
use crate::orders::service::{self, NewReturn, Receipt, ReturnAnswer, ReturnRefund};
use crate::web::json::{Json, MoneyJson, Problem, created};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, ask))
        .routes(routes!(cancel))
        .routes(routes!(answer))
        .routes(routes!(receive))
        .routes(routes!(refund))
}

/// Something that is sent back.
#[derive(Serialize, ToSchema)]
pub struct ReturnJson {
    /// Its number within the order, from 1.
    number: i64,
    /// `requested`, `approved`, `rejected`, `cancelled`, `received` or `refunded`.
    status: &'static str,
    /// What the shopper wrote.
    note: String,
    /// What staff answered.
    answer: String,
    /// What went back for it.
    refunded: MoneyJson,
    /// What it is.
    lines: Vec<ReturnLineJson>,
    /// When it was asked for.
    requested_at: String,
    /// When it last changed.
    updated_at: String,
}

/// Pieces of a line of the order.
#[derive(Serialize, ToSchema)]
struct ReturnLineJson {
    /// The line's id.
    line_id: i64,
    /// How many are to come.
    quantity: i64,
    /// Why: `unwanted`, `damaged`, `wrong_item`, `not_as_described`, `late` or `other`.
    reason: &'static str,
    /// How many came.
    received: i64,
    /// How many of them went back to the shelf.
    restocked: i64,
}

/// What is sent back of an order.
#[derive(Serialize, ToSchema)]
struct ReturnsJson {
    /// Oldest first.
    items: Vec<ReturnJson>,
}

impl ReturnJson {
    /// Everything that is sent back of an order.
    pub fn all(order: &Order) -> Vec<Self> {
        let returns = order.returns.iter().map(|one| Self {
            number: one.number,
            status: one.state.as_str(),
            note: one.note.clone(),
            answer: one.answer.clone(),
            refunded: one.refunded.into(),
            lines: one
                .lines
                .iter()
                .map(|line| ReturnLineJson {
                    line_id: line.order_line_id.0,
                    quantity: line.quantity,
                    reason: line.reason.as_str(),
                    received: line.received,
                    restocked: line.restocked,
                })
                .collect(),
            requested_at: one.requested_at.rfc3339(),
            updated_at: one.updated_at.rfc3339(),
        });
        returns.collect()
    }
}

/// What is sent back of an order
#[utoipa::path(get, path = "/orders/{number}/returns", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = ReturnsJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<ReturnsJson>, Failure> {
    let order = service::order(&app, &ctx, &number).await?;
    let items = ReturnJson::all(&order);
    Ok(Json(ReturnsJson { items }))
}

/// Ask to send something back
///
/// Of what was delivered, within the shop's days for it.
#[utoipa::path(post, path = "/orders/{number}/returns", tag = "orders", request_body = NewReturn,
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 201, body = OrderJson),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`not_returnable`"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn ask(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<NewReturn>,
) -> Result<Response, Failure> {
    let order = service::request_return(&app, &ctx, &number, input).await?;
    let location = format!("/api/orders/{}/returns", order.number);
    Ok(created(&location, OrderJson::new(&ctx, &order)))
}

/// Call a return off
#[utoipa::path(post, path = "/orders/{number}/returns/{return}/cancel", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("return" = i64, Path, description = "The return's number within the order"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`"),
    ), security((), ("bearer" = [])))]
async fn cancel(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, one)): Path<(String, i64)>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::cancel_return(&app, &ctx, &number, one).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Agree to a return, or not (staff)
#[utoipa::path(post, path = "/admin/orders/{number}/returns/{return}/answer", tag = "orders",
    request_body = ReturnAnswer,
    params(
        ("number" = String, Path, description = "The public number"),
        ("return" = i64, Path, description = "The return's number within the order"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn answer(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, one)): Path<(String, i64)>,
    Json(input): Json<ReturnAnswer>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::answer_return(&app, &ctx, &number, one, &input).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// The goods of a return came (staff)
#[utoipa::path(post, path = "/admin/orders/{number}/returns/{return}/received", tag = "orders",
    request_body = Receipt,
    params(
        ("number" = String, Path, description = "The public number"),
        ("return" = i64, Path, description = "The return's number within the order"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn receive(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, one)): Path<(String, i64)>,
    Json(input): Json<Receipt>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::receive_return(&app, &ctx, &number, one, &input).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Send the money of a return back (staff)
///
/// Of the pieces that came, by their share of what was paid for their line.
#[utoipa::path(post, path = "/admin/orders/{number}/returns/{return}/refund", tag = "orders",
    request_body = ReturnRefund,
    params(
        ("number" = String, Path, description = "The public number"),
        ("return" = i64, Path, description = "The return's number within the order"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`, `refund_too_large`, `not_paid`, `changed_meanwhile`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn refund(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, one)): Path<(String, i64)>,
    Json(input): Json<ReturnRefund>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::refund_return(&app, &ctx, &number, one, input).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

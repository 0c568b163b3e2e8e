//! API: orders, for shoppers here and for staff in [`staff`]. Placing one is in `checkout`.

mod fulfilments;
mod invoices;
mod json;
mod payment;
mod returns;
mod staff;

use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{self, FindOrder};
use crate::app::App;
use crate::web::json::{Json, List, PageQuery, Problem, Query};
use crate::web::{ApiCtx, Failure};

pub use json::{
    AddressJson, OrderEventJson, OrderJson, OrderLineJson, OrderSummaryJson, PaymentJson,
    PaymentsJson, ShippingMethodJson,
};

pub use payment::{NextStepJson, RefundJson, RefundsJson};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_own))
        .routes(routes!(list_own_alias))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(payments))
        .routes(routes!(find))
        .merge(fulfilments::routes())
        .merge(invoices::routes())
        .merge(returns::routes())
        .merge(staff::routes())
        .merge(payment::routes())
}

/// The signed-in user's own orders, newest first
#[utoipa::path(get, path = "/orders", tag = "orders", params(PageQuery),
    responses(
        (status = 200, body = List<OrderSummaryJson>),
        (status = 401, body = Problem),
    ), security(("bearer" = [])))]
async fn list_own(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<OrderSummaryJson>>, Failure> {
    let orders = service::list_own(&app, &ctx, query.read()?).await?;
    Ok(Json(List::new(orders, &uri, OrderSummaryJson::from)))
}

/// The signed-in user's own orders (alias)
///
/// The address of an earlier version; the same as `GET /orders`.
#[utoipa::path(get, path = "/orders/orders", tag = "orders", params(PageQuery),
    responses(
        (status = 200, body = List<OrderSummaryJson>),
        (status = 401, body = Problem),
    ), security(("bearer" = [])))]
async fn list_own_alias(
    app: State<App>,
    ctx: ApiCtx,
    uri: OriginalUri,
    query: Query<PageQuery>,
) -> Result<Json<List<OrderSummaryJson>>, Failure> {
    list_own(app, ctx, uri, query).await
}

/// An order
///
/// For its owner, for whoever holds its guest token, and for staff.
#[utoipa::path(get, path = "/orders/{number}", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = OrderJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::order(&app, &ctx, &number).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Cancel an order
///
/// Stock goes back to the shelf, a payment is voided or refunded. Shoppers may while it is
/// `pending` or `confirmed`.
#[utoipa::path(post, path = "/orders/{number}/cancel", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
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
    Path(number): Path<String>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::cancel(&app, &ctx, &number).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// The payments of an order
#[utoipa::path(get, path = "/orders/{number}/payments", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = PaymentsJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn payments(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<PaymentsJson>, Failure> {
    let payments = service::payments(&app, &ctx, &number).await?;
    let items = payments.iter().map(PaymentJson::from).collect();
    Ok(Json(PaymentsJson { items }))
}

/// Have the link to an order sent
///
/// It goes to the address that the order was placed with, if `email` is that address. The answer
/// is the same whether it is, or there is no such order.
#[utoipa::path(post, path = "/orders/find", tag = "orders", request_body = FindOrder,
    responses(
        (status = 202, description = "If both fit together, a letter is on its way"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn find(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<FindOrder>,
) -> Result<StatusCode, Failure> {
    service::find_by_email(&app, &ctx, &input).await?;
    Ok(StatusCode::ACCEPTED)
}

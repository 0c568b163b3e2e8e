//! API: placing an order.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Placed;
use super::service::{self, PlaceOrder};
use crate::app::App;
use crate::ctx::Ctx;
use crate::orders::api::{NextStepJson, OrderJson};
use crate::web::json::{Json, Problem, created};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(place))
        .routes(routes!(place_alias))
}

/// An order that was placed.
#[derive(Serialize, ToSchema)]
struct PlacedJson {
    /// The order.
    #[serde(flatten)]
    order: OrderJson,
    /// What comes next of its payment.
    payment: Option<NextStepJson>,
    /// Guests: opens the order, as `Order-Token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_token: Option<String>,
}

/// 201 for a new order, 200 for one that an earlier call had placed.
fn present(app: &App, ctx: &Ctx, placed: &Placed) -> Response {
    let body = PlacedJson {
        order: OrderJson::new(ctx, &placed.order),
        payment: placed
            .payment
            .as_ref()
            .map(|step| NextStepJson::new(app, step)),
        order_token: placed.guest_token.clone(),
    };
    let location = format!("/api/orders/{}", placed.order.number);
    let mut response = created(&location, body);
    if placed.replayed {
        *response.status_mut() = StatusCode::OK;
    }
    let token = placed.guest_token.as_deref();
    if let Some(Ok(token)) = token.map(HeaderValue::from_str) {
        let name = HeaderName::from_static("order-token");
        response.headers_mut().insert(name, token);
    }
    response.into_response()
}

/// Place the cart
///
/// Safe to repeat: a cart that was placed already gives its order again, with 200. The header
/// `Cart-Token` names a guest's cart, and the one that a signed-in user placed before. With
/// `expected_total`, nothing is placed at another total.
#[utoipa::path(post, path = "/orders", tag = "orders", request_body = PlaceOrder,
    params(
        ("Cart-Token" = Option<String>, Header, description = "The cart"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 201, body = PlacedJson, description = "Placed; `Location` and, for guests, `Order-Token`"),
        (status = 200, body = PlacedJson, description = "Was placed before"),
        (status = 409, body = Problem, description = "`cart_empty`, `out_of_stock` (`data.lines`), `total_changed` (`data.quote`), `remaining_changed` (`data.remaining`): a gift card or store credit pays another sum"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn place(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<PlaceOrder>,
) -> Result<Response, Failure> {
    let token = ctx.cart_token.as_deref();
    let placed = service::place_order(&app, &ctx, token, input).await?;
    Ok(present(&app, &ctx, &placed))
}

/// Place the cart (alias)
///
/// The address of an earlier version; the same as `POST /orders`. With a `shipping_address`
/// alone, the first shipping method and cash on delivery are taken.
#[utoipa::path(post, path = "/orders/orders", tag = "orders", request_body = PlaceOrder,
    params(
        ("Cart-Token" = Option<String>, Header, description = "The cart"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 201, body = PlacedJson, description = "Placed"),
        (status = 200, body = PlacedJson, description = "Was placed before"),
        (status = 409, body = Problem, description = "`cart_empty`, `out_of_stock`, `total_changed`"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn place_alias(
    app: State<App>,
    ctx: ApiCtx,
    input: Json<PlaceOrder>,
) -> Result<Response, Failure> {
    place(app, ctx, input).await
}

//! API: placing an order.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Placed;
use super::service::{self, MakeOrder, PlaceOrder};
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
        .routes(routes!(make))
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

/// 201 for a new order, 200 for one that an earlier call had placed. `folder`: where it is found.
fn present(app: &App, ctx: &Ctx, placed: &Placed, folder: &str) -> Response {
    let body = PlacedJson {
        order: OrderJson::new(ctx, &placed.order),
        payment: placed
            .payment
            .as_ref()
            .map(|step| NextStepJson::new(app, step)),
        order_token: placed.guest_token.clone(),
    };
    let location = format!("{folder}/{}", placed.order.number);
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
    Ok(present(&app, &ctx, &placed, "/api/orders"))
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

/// Make an order for a customer (staff)
///
/// For somebody who phoned or wrote. It goes into the account that has confirmed this e-mail, or
/// is a guest's: then `order_token` opens it. The rules are those of the checkout, and the customer
/// gets its letters. The same `Idempotency-Key` of the same member of staff never makes two orders,
/// however late it comes.
#[utoipa::path(post, path = "/admin/orders", tag = "orders", request_body = MakeOrder,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names the order that is made"),
    ),
    responses(
        (status = 201, body = PlacedJson, description = "Made; `Location` and, for a guest's, `Order-Token`"),
        (status = 200, body = PlacedJson, description = "Was made before, with this key"),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem, description = "`out_of_stock` (`data.lines`), `total_changed` (`data.quote`), `remaining_changed` (`data.remaining`), `code_refused`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn make(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    headers: HeaderMap,
    Json(input): Json<MakeOrder>,
) -> Result<Response, Failure> {
    let key = headers.get("idempotency-key").map(HeaderValue::to_str);
    let key = key.and_then(Result::ok).map(str::trim);
    let placed = service::make_order(&app, &ctx, key, &input).await?;
    Ok(present(&app, &ctx, &placed, "/api/admin/orders"))
}

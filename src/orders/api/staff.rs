//! API: orders for staff.

use axum::extract::{OriginalUri, Path, State};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::json::{OrderJson, OrderSummaryJson};
use crate::app::App;
use crate::audit::When;
use crate::error::Error;
use crate::orders::model::{
    FulfilmentStatus, OrderFilter, OrderStatus, PaymentStatus, ReturnState, Task,
};
use crate::orders::service;
use crate::types::{Currency, Money};
use crate::web::json::{Json, List, Problem, Query, page_request, query_money, query_value};
use crate::web::openapi::{money, word};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show_for_staff))
        .routes(routes!(transition))
        .routes(routes!(record_payment))
}

/// Which orders, for staff.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Part of a number, an e-mail or a name.
    search: Option<String>,
    /// In this status.
    #[param(schema_with = word::<OrderStatus>)]
    status: Option<String>,
    /// With this payment status.
    #[param(schema_with = word::<PaymentStatus>)]
    payment_status: Option<String>,
    /// With this fulfilment status.
    #[param(schema_with = word::<FulfilmentStatus>)]
    fulfilment_status: Option<String>,
    /// With a return in this state.
    #[param(schema_with = word::<ReturnState>)]
    return_status: Option<String>,
    /// With this to do.
    #[param(schema_with = word::<Task>)]
    task: Option<String>,
    /// With an invoice, or without.
    invoiced: Option<bool>,
    /// That go to this country, by its code.
    country: Option<String>,
    /// That are paid by this provider.
    provider: Option<String>,
    /// Placed on this day or later, or at this time (RFC 3339).
    placed_from: Option<String>,
    /// Placed on this day or before, or until this time (RFC 3339).
    placed_until: Option<String>,
    /// Whose total is at least this amount.
    #[param(schema_with = money)]
    min_total: String,
    /// Whose total is at most this amount.
    #[param(schema_with = money)]
    max_total: String,
    /// From 1.
    page: Option<String>,
    /// 1 to 100; left out: 24.
    per_page: Option<String>,
}

impl ListQuery {
    fn filter(&self, currency: Currency) -> Result<OrderFilter, Failure> {
        let total = |name: &str, text: &str| query_money(name, text, currency);
        Ok(OrderFilter {
            search: self.search.clone().unwrap_or_default(),
            status: query_value("status", self.status.as_deref())?,
            payment_status: query_value("payment_status", self.payment_status.as_deref())?,
            fulfilment_status: query_value("fulfilment_status", self.fulfilment_status.as_deref())?,
            return_state: query_value("return_status", self.return_status.as_deref())?,
            task: query_value("task", self.task.as_deref())?,
            invoiced: self.invoiced,
            country: self.country.clone().unwrap_or_default(),
            provider: self.provider.clone().unwrap_or_default(),
            from: query_value::<When>("placed_from", self.placed_from.as_deref())?
                .map(When::begins),
            until: query_value::<When>("placed_until", self.placed_until.as_deref())?
                .map(When::ends),
            min_total: total("min_total", &self.min_total)?.map(Money::minor),
            max_total: total("max_total", &self.max_total)?.map(Money::minor),
        })
    }
}

/// Where to move an order.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Transition {
    /// `confirmed`, `processing`, `shipped`, `delivered` or `cancelled`.
    #[schema(example = "confirmed")]
    to: String,
}

/// All orders, newest first (staff)
#[utoipa::path(get, path = "/admin/orders", tag = "orders", params(ListQuery),
    responses(
        (status = 200, body = List<OrderSummaryJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<OrderSummaryJson>>, Failure> {
    let page = page_request(query.page.as_deref(), query.per_page.as_deref())?;
    let orders = service::list(&app, &ctx, &query.filter(app.currency())?, page).await?;
    Ok(Json(List::new(orders, &uri, OrderSummaryJson::from)))
}

/// An order (staff)
#[utoipa::path(get, path = "/admin/orders/{number}", tag = "orders",
    params(("number" = String, Path, description = "The public number")),
    responses(
        (status = 200, body = OrderJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show_for_staff(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::order_for_staff(&app, &ctx, &number).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Move an order on (staff)
#[utoipa::path(post, path = "/admin/orders/{number}/transitions", tag = "orders",
    request_body = Transition,
    params(("number" = String, Path, description = "The public number")),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`transition_not_allowed`, `not_paid`, `nothing_left`, `changed_meanwhile`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn transition(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<Transition>,
) -> Result<Json<OrderJson>, Failure> {
    let to: OrderStatus = input
        .to
        .parse()
        .map_err(|message: String| Error::invalid("to", "unknown", format!("This {message}.")))?;
    let order = service::transition(&app, &ctx, &number, to).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Record that the money came (staff)
///
/// The pending payment is captured: a transfer arrived, or cash was taken.
#[utoipa::path(post, path = "/admin/orders/{number}/payments", tag = "orders",
    params(("number" = String, Path, description = "The public number")),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`not_pending`, `order_cancelled`, `paid_online`"),
    ), security(("bearer" = [])))]
async fn record_payment(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::record_payment(&app, &ctx, &number).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

//! API: paying orders anew, taking and sending back their money, and money that is not where it
//! belongs.

use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{OrderJson, OrderSummaryJson, PaymentJson};
use crate::app::App;
use crate::orders::model::{NextStep, Refund, RefundState, Refundable};
use crate::orders::service::{self, RefundInput};
use crate::payments::model::PaymentEvent;
use crate::payments::service::{self as payments, inbox};
use crate::payments::{Operation, Payment, PaymentFilter, PaymentState};
use crate::types::{MoneyInput, PaymentEventId, PaymentId};
use crate::web::json::{Json, List, MoneyJson, Problem, Query, created, page_request, query_value};
use crate::web::openapi::word;
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pay))
        .routes(routes!(capture))
        .routes(routes!(void))
        .routes(routes!(refunds, refund))
        .routes(routes!(list))
        .routes(routes!(unmatched))
        .routes(routes!(send_back))
        .routes(routes!(dismiss))
}

/// What comes next of a payment.
#[derive(Serialize, ToSchema)]
pub struct NextStepJson {
    /// `cash_on_delivery`, `bank_transfer`, `stripe`, `test`.
    pub provider: String,
    /// `pending`, `authorized`, `captured`, `failed` or `voided`.
    pub status: &'static str,
    /// Where the shopper pays; null where that is nowhere, or not known yet: ask again.
    pub redirect_url: Option<String>,
    /// Why it did not work; empty when nothing is known.
    pub failure: String,
}

impl NextStepJson {
    /// What comes next, with the address in full.
    pub fn new(app: &App, step: &NextStep) -> Self {
        let url = Some(&step.url).filter(|url| !url.is_empty());
        let full = |url: &String| match url.starts_with('/') {
            true => app.config.absolute(url),
            false => url.clone(),
        };
        Self {
            provider: step.provider.clone(),
            status: step.state.as_str(),
            redirect_url: url.map(full),
            failure: step.failure.clone(),
        }
    }
}

/// How to pay anew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct PayInput {
    /// The provider's name; left out: the one of the last try.
    provider: Option<String>,
}

/// Pay an order anew
///
/// After a payment did not work, or in another way than the last. A payment that still waits in the
/// same way is given again. For the order's owner, for whoever holds its guest token, and for staff.
#[utoipa::path(post, path = "/orders/{number}/pay", tag = "orders", request_body = PayInput,
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 200, body = NextStepJson),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`not_payable`, `out_of_stock`"),
        (status = 422, body = Problem),
    ), security((), ("bearer" = [])))]
async fn pay(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<PayInput>,
) -> Result<Json<NextStepJson>, Failure> {
    let order = service::pay(&app, &ctx, &number, input.provider.as_deref()).await?;
    let step = service::next_step(&app, &order).ok_or(crate::error::Error::NotFound)?;
    Ok(Json(NextStepJson::new(&app, &step)))
}

/// How much to take.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct CaptureInput {
    /// Left out: all that is promised.
    #[schema(value_type = Option<String>)]
    amount: Option<MoneyInput>,
}

/// Take what is promised (staff)
///
/// All of it or a part; the rest is given free. The gateway is asked at once, and again until it
/// answers; the order tells in `payment_status` what came of it.
#[utoipa::path(post, path = "/admin/orders/{number}/capture", tag = "orders",
    request_body = CaptureInput,
    params(
        ("number" = String, Path, description = "The public number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`nothing_promised`, `order_cancelled`, `under_way`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn capture(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<CaptureInput>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::capture(&app, &ctx, &number, input.amount).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Give what is promised free (staff)
///
/// The order stays, and is unpaid then.
#[utoipa::path(post, path = "/admin/orders/{number}/void", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 200, body = OrderJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`nothing_promised`, `under_way`"),
    ), security(("bearer" = [])))]
async fn void(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<OrderJson>, Failure> {
    let order = service::void(&app, &ctx, &number).await?;
    Ok(Json(OrderJson::new(&ctx, &order)))
}

/// Money of an order that went back, or is to.
#[derive(Serialize, ToSchema)]
pub struct RefundJson {
    /// Its id.
    pub id: i64,
    /// `requested`, `succeeded` or `failed`.
    #[schema(schema_with = word::<RefundState>)]
    pub status: &'static str,
    /// How much in all.
    pub amount: MoneyJson,
    /// Of this, so much for shipping.
    pub shipping: MoneyJson,
    /// For which lines; a free amount has none.
    pub lines: Vec<RefundLineJson>,
    /// Why.
    pub reason: String,
    /// Who decided it.
    pub actor: String,
    /// When it was decided.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// Pieces of a line whose money went back.
#[derive(Serialize, ToSchema)]
pub struct RefundLineJson {
    /// The line of the order.
    pub line_id: i64,
    /// How many pieces.
    pub quantity: i64,
    /// Their share.
    pub amount: MoneyJson,
    /// Whether they went back to the shelf.
    pub restocked: bool,
}

/// The refunds of an order.
#[derive(Serialize, ToSchema)]
pub struct RefundsJson {
    /// Oldest first.
    pub items: Vec<RefundJson>,
    /// What can still go back.
    pub refundable: RefundableJson,
}

/// What can still go back of an order.
#[derive(Serialize, ToSchema)]
pub struct RefundableJson {
    /// In all, as far as money came.
    pub amount: MoneyJson,
    /// What went back already, or is about to.
    pub refunded: MoneyJson,
    /// Of shipping.
    pub shipping: MoneyJson,
    /// Of each line.
    pub lines: Vec<RefundableLineJson>,
}

/// What can still go back of a line.
#[derive(Serialize, ToSchema)]
pub struct RefundableLineJson {
    /// The line of the order.
    pub line_id: i64,
    /// How many pieces.
    pub quantity: i64,
}

impl From<&Refund> for RefundJson {
    fn from(refund: &Refund) -> Self {
        let lines = refund.lines.iter().map(|line| RefundLineJson {
            line_id: line.line_id.0,
            quantity: line.quantity,
            amount: line.amount.into(),
            restocked: line.restocked,
        });
        Self {
            id: refund.id.0,
            status: refund.state.as_str(),
            amount: refund.amount.into(),
            shipping: refund.shipping.into(),
            lines: lines.collect(),
            reason: refund.reason.clone(),
            actor: refund.actor_name.clone(),
            created_at: refund.created_at.rfc3339(),
            updated_at: refund.updated_at.rfc3339(),
        }
    }
}

impl From<&Refundable> for RefundableJson {
    fn from(left: &Refundable) -> Self {
        let lines = left.lines.iter().map(|(id, quantity)| RefundableLineJson {
            line_id: id.0,
            quantity: *quantity,
        });
        Self {
            amount: left.amount.into(),
            refunded: left.refunded.into(),
            shipping: left.shipping.into(),
            lines: lines.collect(),
        }
    }
}

/// The refunds of an order (staff)
#[utoipa::path(get, path = "/admin/orders/{number}/refunds", tag = "orders",
    params(("number" = String, Path, description = "The public number")),
    responses(
        (status = 200, body = RefundsJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn refunds(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<RefundsJson>, Failure> {
    let books = service::books(&app, &ctx, &number).await?;
    Ok(Json(RefundsJson {
        items: books.refunds.iter().map(RefundJson::from).collect(),
        refundable: RefundableJson::from(&books.refundable),
    }))
}

/// Send money back (staff)
///
/// For pieces of lines (each by its share of what was paid for the line; all pieces together give
/// exactly the line's total), for shipping, or a free amount. Never more than came. A gateway is
/// asked at once, and again until it answers; what was paid by hand goes back by hand, and counts
/// as done.
#[utoipa::path(post, path = "/admin/orders/{number}/refunds", tag = "orders",
    request_body = RefundInput,
    params(
        ("number" = String, Path, description = "The public number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 201, body = OrderJson, description = "Decided; `Location` lists the refunds"),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`refund_too_large` (`data.refundable`), `not_paid`, `changed_meanwhile`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn refund(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
    Json(input): Json<RefundInput>,
) -> Result<Response, Failure> {
    let order = service::refund(&app, &ctx, &number, input).await?;
    let location = format!("/api/admin/orders/{}/refunds", order.number);
    Ok(created(&location, OrderJson::new(&ctx, &order)))
}

/// Which payments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// In this state.
    #[param(schema_with = word::<PaymentState>)]
    status: Option<String>,
    /// By this provider.
    provider: Option<String>,
    /// Of the order with this number.
    order: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100; left out: 24.
    per_page: Option<String>,
}

/// All payments, newest first (staff)
///
/// `reference` is the order's number.
#[utoipa::path(get, path = "/admin/payments", tag = "payments", params(ListQuery),
    responses(
        (status = 200, body = List<PaymentJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<PaymentJson>>, Failure> {
    let page = page_request(query.page.as_deref(), query.per_page.as_deref())?;
    let filter = PaymentFilter {
        state: query_value("status", query.status.as_deref())?,
        provider: query.provider.unwrap_or_default(),
        reference: query.order.unwrap_or_default(),
    };
    let found = payments::list(&app, &ctx, &filter, page).await?;
    let present = |payment: Payment| PaymentJson::from(&payment);
    Ok(Json(List::new(found, &uri, present)))
}

/// Money without order, order without money.
#[derive(Serialize, ToSchema)]
struct UnmatchedJson {
    /// Payments whose money belongs to no order (`unmatched` says why) and has not gone back yet.
    payments: Vec<PaymentJson>,
    /// Refunds that a gateway refused.
    refused: Vec<RefusedJson>,
    /// Events about payments that the shop does not know.
    events: Vec<EventJson>,
    /// Orders that hold goods, for which no money came and none is expected.
    orders: Vec<OrderSummaryJson>,
    /// Payments whose money belonged to no order and went back by itself, the newest first.
    returned: Vec<PaymentJson>,
}

/// A refund that a gateway refused.
#[derive(Serialize, ToSchema)]
struct RefusedJson {
    /// Of which payment.
    payment: PaymentJson,
    /// How much.
    amount: MoneyJson,
    /// What the gateway said.
    error: String,
    /// When.
    at: String,
}

/// An event about a payment that the shop does not know.
#[derive(Serialize, ToSchema)]
struct EventJson {
    /// Its id.
    id: i64,
    /// Whose it is.
    provider: String,
    /// What the gateway calls it.
    event: String,
    /// What it is about.
    kind: String,
    /// What it calls the payment.
    reference: String,
    /// When it came.
    received_at: String,
}

impl From<&(Payment, Operation)> for RefusedJson {
    fn from((payment, operation): &(Payment, Operation)) -> Self {
        Self {
            payment: PaymentJson::from(payment),
            amount: operation.amount.into(),
            error: operation.error.clone(),
            at: operation.updated_at.rfc3339(),
        }
    }
}

impl From<&PaymentEvent> for EventJson {
    fn from(event: &PaymentEvent) -> Self {
        Self {
            id: event.id.0,
            provider: event.provider.clone(),
            event: event.event_id.clone(),
            kind: event.kind.clone(),
            reference: event.reference.clone(),
            received_at: event.received_at.rfc3339(),
        }
    }
}

/// Money without order, order without money (staff)
///
/// All but `returned` should be empty.
#[utoipa::path(get, path = "/admin/payments/unmatched", tag = "payments",
    responses(
        (status = 200, body = UnmatchedJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn unmatched(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<UnmatchedJson>, Failure> {
    let strays = payments::strays(&app, &ctx).await?;
    let orders = service::without_money(&app, &ctx).await?;
    let all = |payments: &[Payment]| payments.iter().map(PaymentJson::from).collect();
    Ok(Json(UnmatchedJson {
        payments: all(&strays.payments),
        refused: strays.refused.iter().map(RefusedJson::from).collect(),
        events: strays.events.iter().map(EventJson::from).collect(),
        orders: orders.into_iter().map(OrderSummaryJson::from).collect(),
        returned: all(&strays.returned),
    }))
}

/// How money goes back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct SendBackInput {
    /// Whether somebody sent it back without the gateway.
    by_hand: bool,
}

/// Send money back that belongs to no order (staff)
///
/// After the gateway refused: asks it once more, or writes down that it went back by hand.
#[utoipa::path(post, path = "/admin/payments/{id}/return", tag = "payments",
    request_body = SendBackInput,
    params(("id" = i64, Path, description = "The payment")),
    responses(
        (status = 204, description = "Asked, or written down"),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`nothing_stray`, `under_way`"),
    ), security(("bearer" = [])))]
async fn send_back(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    Json(input): Json<SendBackInput>,
) -> Result<StatusCode, Failure> {
    service::send_back(&app, &ctx, PaymentId(id), input.by_hand).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An event was looked into (staff)
#[utoipa::path(post, path = "/admin/payments/events/{id}/dismiss", tag = "payments",
    params(("id" = i64, Path, description = "The event")),
    responses(
        (status = 204, description = "It is listed no more"),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn dismiss(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<StatusCode, Failure> {
    inbox::dismiss(&app, &ctx, PaymentEventId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

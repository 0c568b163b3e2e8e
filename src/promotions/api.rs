//! API: promotions, their codes and uses, for staff.

use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{
    Benefit, Code, Kind, Promotion, PromotionFilter, PromotionState, Redemption, Scope, Target,
};
use super::service::{self, NewCodes, PromotionInput};
use crate::app::App;
use crate::ctx::Ctx;
use crate::types::{PromotionId, percent};
use crate::web::json::{
    IfMatch, Json, List, MoneyJson, PageQuery, Problem, Query, Versioned, page_request, query_value,
};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(codes, add_codes))
        .routes(routes!(remove_code))
        .routes(routes!(redemptions))
}

/// A promotion.
#[derive(Serialize, ToSchema)]
pub struct PromotionJson {
    /// Its id.
    pub id: i64,
    /// What shoppers read.
    pub name: String,
    /// `automatic` or `code`.
    pub trigger: &'static str,
    /// `percentage`, `amount`, `free_shipping` or `buy_x_get_y`.
    pub kind: &'static str,
    /// Of the price, or by how much the pieces of `buy_x_get_y` are reduced.
    #[schema(example = "10")]
    pub percent: Option<String>,
    /// How much it takes off.
    pub amount: Option<MoneyJson>,
    /// Pieces at the full price.
    pub buy: Option<i64>,
    /// Pieces that are reduced.
    pub get: Option<i64>,
    /// `order`, `products` or `categories`.
    pub target: &'static str,
    /// For `products`: which.
    pub product_ids: Vec<i64>,
    /// For `categories`: which.
    pub category_ids: Vec<i64>,
    /// What the goods that it is for must cost at least.
    pub minimum: Option<MoneyJson>,
    /// Whether it is for a first order only.
    pub first_order: bool,
    /// When it begins.
    pub starts_at: Option<String>,
    /// When it is over.
    pub ends_at: Option<String>,
    /// Whether it stands alone.
    pub exclusive: bool,
    /// How many orders may have it.
    pub max_uses: Option<i64>,
    /// How many orders of one customer may have it.
    pub max_uses_per_customer: Option<i64>,
    /// How many orders have it.
    pub uses: i64,
    /// Smaller numbers are applied first.
    pub position: i64,
    /// Whether staff want it to count at all.
    pub active: bool,
    /// `live`, `scheduled`, `over`, `used_up` or `off`.
    pub state: &'static str,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl PromotionJson {
    fn new(ctx: &Ctx, promotion: &Promotion) -> Self {
        let rate = |rate: u32| Some(percent(rate).trim_end_matches(" %").to_owned());
        let (percent, amount, pieces) = match promotion.benefit {
            Benefit::Percentage(percent) => (rate(percent), None, None),
            Benefit::Amount(amount) => (None, Some(amount.into()), None),
            Benefit::FreeShipping => (None, None, None),
            Benefit::BuyXGetY { buy, get, percent } => (rate(percent), None, Some((buy, get))),
        };
        let (products, categories) = match &promotion.target {
            Target::Order => (Vec::new(), Vec::new()),
            Target::Products(ids) => (ids.iter().map(|id| id.0).collect(), Vec::new()),
            Target::Categories(ids) => (Vec::new(), ids.iter().map(|id| id.0).collect()),
        };
        Self {
            id: promotion.id.0,
            name: promotion.name.clone(),
            trigger: promotion.trigger.as_str(),
            kind: Kind::of(&promotion.benefit).as_str(),
            percent,
            amount,
            buy: pieces.map(|(buy, _)| buy),
            get: pieces.map(|(_, get)| get),
            target: Scope::of(&promotion.target).as_str(),
            product_ids: products,
            category_ids: categories,
            minimum: promotion.minimum.map(MoneyJson::from),
            first_order: promotion.first_order,
            starts_at: promotion.starts_at.map(|at| at.rfc3339()),
            ends_at: promotion.ends_at.map(|at| at.rfc3339()),
            exclusive: promotion.exclusive,
            max_uses: promotion.max_uses,
            max_uses_per_customer: promotion.max_uses_per_customer,
            uses: promotion.uses,
            position: promotion.position,
            active: promotion.active,
            state: promotion.state(ctx.now).as_str(),
            version: promotion.version,
            created_at: promotion.created_at.rfc3339(),
            updated_at: promotion.updated_at.rfc3339(),
        }
    }
}

fn present(ctx: &Ctx, promotion: &Promotion) -> Versioned<PromotionJson> {
    Versioned(PromotionJson::new(ctx, promotion), promotion.version)
}

/// Which promotions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PromotionQuery {
    /// Part of a name, or a whole code.
    search: String,
    /// `live`, `scheduled`, `over`, `used_up` or `off`.
    #[param(schema_with = crate::web::openapi::word::<PromotionState>)]
    state: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// All promotions, the most important first (staff)
#[utoipa::path(get, path = "/admin/promotions", tag = "promotions", params(PromotionQuery),
    responses(
        (status = 200, body = List<PromotionJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PromotionQuery>,
) -> Result<Json<List<PromotionJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let filter = PromotionFilter {
        state: query_value("state", Some(&query.state))?,
        search: query.search,
    };
    let found = service::list(&app, &ctx, &filter, page).await?;
    Ok(Json(List::new(found, &uri, |one| {
        PromotionJson::new(&ctx, &one)
    })))
}

/// Make a promotion (staff)
#[utoipa::path(post, path = "/admin/promotions", tag = "promotions",
    request_body = PromotionInput,
    responses(
        (status = 201, body = PromotionJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<PromotionInput>,
) -> Result<Response, Failure> {
    let made = service::create(&app, &ctx, input).await?;
    let location = format!("/api/admin/promotions/{}", made.id);
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, present(&ctx, &made)).into_response())
}

/// A promotion (staff)
#[utoipa::path(get, path = "/admin/promotions/{id}", tag = "promotions",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = PromotionJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Versioned<PromotionJson>, Failure> {
    let found = service::promotion(&app, &ctx, PromotionId(id)).await?;
    Ok(present(&ctx, &found))
}

/// Put a promotion in place of what it was (staff)
///
/// The whole of it: what is left out is not wanted. Its codes stay.
#[utoipa::path(put, path = "/admin/promotions/{id}", tag = "promotions",
    request_body = PromotionInput,
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = PromotionJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<PromotionInput>,
) -> Result<Versioned<PromotionJson>, Failure> {
    let saved = service::update(&app, &ctx, PromotionId(id), version, input).await?;
    Ok(present(&ctx, &saved))
}

/// Delete a promotion that no order has used (staff)
#[utoipa::path(delete, path = "/admin/promotions/{id}", tag = "promotions",
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`promotion_used`: switch it off"),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete(&app, &ctx, PromotionId(id), version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A code of a promotion.
#[derive(Serialize, ToSchema)]
pub struct PromotionCodeJson {
    /// In capitals.
    pub code: String,
    /// How many orders may use it; null for no end but the promotion's.
    pub max_uses: Option<i64>,
    /// How many orders used it.
    pub uses: i64,
    /// When it was made.
    pub created_at: String,
}

impl From<Code> for PromotionCodeJson {
    fn from(code: Code) -> Self {
        Self {
            code: code.code,
            max_uses: code.max_uses,
            uses: code.uses,
            created_at: code.created_at.rfc3339(),
        }
    }
}

/// The codes of a promotion, the newest first (staff)
#[utoipa::path(get, path = "/admin/promotions/{id}/codes", tag = "promotions",
    params(("id" = i64, Path), PageQuery),
    responses(
        (status = 200, body = List<PromotionCodeJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn codes(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<PromotionCodeJson>>, Failure> {
    let page = query.read()?;
    let found = service::codes(&app, &ctx, PromotionId(id), page).await?;
    Ok(Json(List::new(found, &uri, PromotionCodeJson::from)))
}

/// How many codes were added.
#[derive(Serialize, ToSchema)]
struct AddedCodesJson {
    /// The newest of the list.
    added: u64,
}

/// Add codes to a promotion (staff)
///
/// One that somebody thought of, or many that nobody guesses.
#[utoipa::path(post, path = "/admin/promotions/{id}/codes", tag = "promotions",
    request_body = NewCodes, params(("id" = i64, Path)),
    responses(
        (status = 201, body = AddedCodesJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`not_by_code`: it comes by itself"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn add_codes(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    Json(input): Json<NewCodes>,
) -> Result<Response, Failure> {
    let added = service::add_codes(&app, &ctx, PromotionId(id), input).await?;
    Ok((StatusCode::CREATED, Json(AddedCodesJson { added })).into_response())
}

/// Remove a code that no order has used (staff)
#[utoipa::path(delete, path = "/admin/promotions/{id}/codes/{code}", tag = "promotions",
    params(("id" = i64, Path), ("code" = String, Path)),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`code_used`: it stays in the books"),
    ), security(("bearer" = [])))]
async fn remove_code(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((id, code)): Path<(i64, String)>,
) -> Result<StatusCode, Failure> {
    service::remove_code(&app, &ctx, PromotionId(id), &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A use of a promotion by an order.
#[derive(Serialize, ToSchema)]
pub struct RedemptionJson {
    /// The number of the order.
    pub order: String,
    /// The code that was given.
    pub code: Option<String>,
    /// Whose order.
    pub email: String,
    /// What it took off.
    pub amount: MoneyJson,
    /// When.
    pub created_at: String,
    /// When the order was cancelled and the use given back.
    pub released_at: Option<String>,
}

impl From<Redemption> for RedemptionJson {
    fn from(redemption: Redemption) -> Self {
        Self {
            order: redemption.reference,
            code: redemption.code,
            email: redemption.email,
            amount: redemption.amount.into(),
            created_at: redemption.created_at.rfc3339(),
            released_at: redemption.released_at.map(|at| at.rfc3339()),
        }
    }
}

/// The uses of a promotion, the newest first (staff)
#[utoipa::path(get, path = "/admin/promotions/{id}/redemptions", tag = "promotions",
    params(("id" = i64, Path), PageQuery),
    responses(
        (status = 200, body = List<RedemptionJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn redemptions(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<RedemptionJson>>, Failure> {
    let page = query.read()?;
    let found = service::redemptions(&app, &ctx, PromotionId(id), page).await?;
    Ok(Json(List::new(found, &uri, RedemptionJson::from)))
}

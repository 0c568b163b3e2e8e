//! API: gift cards and store credit, for staff, and what shoppers may know of their own.

mod json;

use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{CreditAccount, CreditFilter, CreditKind, CreditState};
use super::service::{self, Adjustment, CardChange, Grant, NewCards};
use crate::app::App;
use crate::ctx::Ctx;
use crate::types::CreditAccountId;
use crate::web::json::{
    IfMatch, Json, List, PageQuery, Problem, Query, Versioned, page_request, query_value,
};
use crate::web::{ApiCtx, Failure};
use json::{CardBalanceJson, IssuedCardsJson};

pub use json::{
    CardCode, CreditEntryJson, GiftCardJson, IssuedCardJson, MyCreditJson, StoreCreditJson,
};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cards, issue))
        .routes(routes!(card, change_card))
        .routes(routes!(card_entries))
        .routes(routes!(adjust_card))
        .routes(routes!(renew_code))
        .routes(routes!(credits, grant))
        .routes(routes!(credit))
        .routes(routes!(credit_entries))
        .routes(routes!(adjust_credit))
        .routes(routes!(balance))
        .routes(routes!(mine))
}

/// Which accounts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CreditQuery {
    /// The last four of a code, or part of an e-mail address or note.
    search: String,
    /// `usable`, `empty`, `expired` or `off`.
    #[param(schema_with = crate::web::openapi::word::<CreditState>)]
    state: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

fn filter_of(query: &CreditQuery) -> Result<CreditFilter, Failure> {
    Ok(CreditFilter {
        state: query_value("state", Some(&query.state))?,
        search: query.search.clone(),
    })
}

/// What holds a code is kept by nobody on its way.
fn unkept(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, no_store);
    response
}

/// All gift cards, the newest first (staff)
#[utoipa::path(get, path = "/admin/gift-cards", tag = "promotions", params(CreditQuery),
    responses(
        (status = 200, body = List<GiftCardJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn cards(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<CreditQuery>,
) -> Result<Json<List<GiftCardJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let filter = filter_of(&query)?;
    let found = service::list(&app, &ctx, CreditKind::GiftCard, &filter, page).await?;
    Ok(Json(List::new(found, &uri, |one| {
        GiftCardJson::new(&ctx, &one)
    })))
}

/// Issue gift cards (staff)
///
/// The codes stand in this answer and nowhere else, but for a day with its `Idempotency-Key`. The
/// code of a card with a recipient stands in their letter only.
#[utoipa::path(post, path = "/admin/gift-cards", tag = "promotions", request_body = NewCards,
    responses(
        (status = 201, body = IssuedCardsJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn issue(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<NewCards>,
) -> Result<Response, Failure> {
    let issued = service::issue(&app, &ctx, input).await?;
    let items = issued.into_iter().map(|one| IssuedCardJson::new(&ctx, one));
    let items = IssuedCardsJson {
        items: items.collect(),
    };
    Ok(unkept((StatusCode::CREATED, Json(items)).into_response()))
}

fn present(ctx: &Ctx, card: &CreditAccount) -> Versioned<GiftCardJson> {
    Versioned(GiftCardJson::new(ctx, card), card.version)
}

/// A gift card (staff)
#[utoipa::path(get, path = "/admin/gift-cards/{id}", tag = "promotions",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = GiftCardJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn card(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Versioned<GiftCardJson>, Failure> {
    let (id, kind) = (CreditAccountId(id), CreditKind::GiftCard);
    let found = service::account(&app, &ctx, kind, id).await?;
    Ok(present(&ctx, &found))
}

/// Change a gift card (staff)
///
/// Switches it off and on, says until when it pays. What is left out stays.
#[utoipa::path(patch, path = "/admin/gift-cards/{id}", tag = "promotions",
    request_body = CardChange,
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = GiftCardJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_card(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<CardChange>,
) -> Result<Versioned<GiftCardJson>, Failure> {
    let id = CreditAccountId(id);
    let saved = service::change_card(&app, &ctx, id, version, input).await?;
    Ok(present(&ctx, &saved))
}

async fn ledger(
    app: &App,
    ctx: &Ctx,
    kind: CreditKind,
    id: i64,
    uri: &axum::http::Uri,
    query: &PageQuery,
) -> Result<Json<List<CreditEntryJson>>, Failure> {
    let page = query.read()?;
    let found = service::entries(app, ctx, kind, CreditAccountId(id), page).await?;
    Ok(Json(List::new(found, uri, CreditEntryJson::from)))
}

/// The ledger of a gift card, the newest entry first (staff)
#[utoipa::path(get, path = "/admin/gift-cards/{id}/entries", tag = "promotions",
    params(("id" = i64, Path), PageQuery),
    responses(
        (status = 200, body = List<CreditEntryJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn card_entries(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<CreditEntryJson>>, Failure> {
    ledger(&app, &ctx, CreditKind::GiftCard, id, &uri, &query).await
}

/// Put money onto a gift card, or take some off (staff)
#[utoipa::path(post, path = "/admin/gift-cards/{id}/adjustments", tag = "promotions",
    request_body = Adjustment, params(("id" = i64, Path)),
    responses(
        (status = 200, body = GiftCardJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`balance_too_low`, with `data.balance`; `other_currency`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn adjust_card(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    Json(input): Json<Adjustment>,
) -> Result<Versioned<GiftCardJson>, Failure> {
    let (id, kind) = (CreditAccountId(id), CreditKind::GiftCard);
    let adjusted = service::adjust(&app, &ctx, kind, id, None, input).await?;
    Ok(present(&ctx, &adjusted))
}

/// Give a gift card another code (staff)
///
/// The one before is good for nothing any more. The new one stands in this answer, or, for a card
/// with a recipient, in their letter only.
#[utoipa::path(post, path = "/admin/gift-cards/{id}/code", tag = "promotions",
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = IssuedCardJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn renew_code(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
) -> Result<Response, Failure> {
    let renewed = service::renew_code(&app, &ctx, CreditAccountId(id), version).await?;
    let body = Json(IssuedCardJson::new(&ctx, renewed));
    Ok(unkept(body.into_response()))
}

/// All store credit, the newest first (staff)
#[utoipa::path(get, path = "/admin/store-credit", tag = "customers", params(CreditQuery),
    responses(
        (status = 200, body = List<StoreCreditJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn credits(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<CreditQuery>,
) -> Result<Json<List<StoreCreditJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let filter = filter_of(&query)?;
    let found = service::list(&app, &ctx, CreditKind::StoreCredit, &filter, page).await?;
    Ok(Json(List::new(found, &uri, |one| {
        StoreCreditJson::from(&one)
    })))
}

/// Grant store credit to a customer (staff)
///
/// They get a letter.
#[utoipa::path(post, path = "/admin/store-credit", tag = "customers", request_body = Grant,
    responses(
        (status = 201, body = StoreCreditJson, headers(("Location" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn grant(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<Grant>,
) -> Result<Response, Failure> {
    let account = service::grant(&app, &ctx, input).await?;
    let location = format!("/api/admin/store-credit/{}", account.id);
    Ok(crate::web::json::created(
        &location,
        StoreCreditJson::from(&account),
    ))
}

/// Somebody's store credit (staff)
#[utoipa::path(get, path = "/admin/store-credit/{id}", tag = "customers",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = StoreCreditJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn credit(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Json<StoreCreditJson>, Failure> {
    let (id, kind) = (CreditAccountId(id), CreditKind::StoreCredit);
    let found = service::account(&app, &ctx, kind, id).await?;
    Ok(Json(StoreCreditJson::from(&found)))
}

/// The ledger of somebody's store credit, the newest entry first (staff)
#[utoipa::path(get, path = "/admin/store-credit/{id}/entries", tag = "customers",
    params(("id" = i64, Path), PageQuery),
    responses(
        (status = 200, body = List<CreditEntryJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn credit_entries(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<CreditEntryJson>>, Failure> {
    ledger(&app, &ctx, CreditKind::StoreCredit, id, &uri, &query).await
}

/// Grant more store credit, or take some back (staff)
#[utoipa::path(post, path = "/admin/store-credit/{id}/adjustments", tag = "customers",
    request_body = Adjustment, params(("id" = i64, Path)),
    responses(
        (status = 200, body = StoreCreditJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`balance_too_low`, with `data.balance`; `other_currency`"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn adjust_credit(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    Json(input): Json<Adjustment>,
) -> Result<Json<StoreCreditJson>, Failure> {
    let (id, kind) = (CreditAccountId(id), CreditKind::StoreCredit);
    let adjusted = service::adjust(&app, &ctx, kind, id, None, input).await?;
    Ok(Json(StoreCreditJson::from(&adjusted)))
}

/// What is left on a gift card
///
/// For whoever has its code. Guesses are slowed down.
#[utoipa::path(post, path = "/gift-cards/balance", tag = "cart", request_body = CardCode,
    responses(
        (status = 200, body = CardBalanceJson),
        (status = 422, body = Problem, description = "`unknown` at `code`"),
        (status = 429, body = Problem),
    ), security((), ("bearer" = [])))]
async fn balance(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<CardCode>,
) -> Result<Response, Failure> {
    let card = service::balance(&app, &ctx, &input.code).await?;
    let body = CardBalanceJson {
        balance: card.balance.into(),
        state: card.state(ctx.now).as_str(),
        expires_at: card.expires_at.map(|at| at.rfc3339()),
        last_four: card.last_four,
    };
    Ok(unkept(Json(body).into_response()))
}

/// One's own store credit
#[utoipa::path(get, path = "/auth/me/store-credit", tag = "auth", params(PageQuery),
    responses(
        (status = 200, body = MyCreditJson),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
    ), security(("bearer" = [])))]
async fn mine(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<PageQuery>,
) -> Result<Json<MyCreditJson>, Failure> {
    let page = query.read()?;
    let mine = service::mine(&app, &ctx, page).await?;
    Ok(Json(MyCreditJson::from(mine)))
}

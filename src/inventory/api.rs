//! API: what is where, changes of it with a reason, transfers, places, and the ledger.

use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{
    Location, MovementEntry, MovementFilter, Reason, StockFilter, StockRow, StockShow, Transfer,
};
use super::service::{self, AdjustInput, LocationInput, RulesInput, TransferInput, WaitInput};
use crate::app::App;
use crate::types::VariantId;
use crate::web::json::{Json, List, Problem, Query, created, page_request, query_value};
use crate::web::openapi::word;
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, set_rules))
        .routes(routes!(wait))
        .routes(routes!(movements))
        .routes(routes!(adjust))
        .routes(routes!(transfer))
        .routes(routes!(locations, create_location))
        .routes(routes!(location, change_location))
}

/// What is there of a variant in one place.
#[derive(Serialize, ToSchema)]
struct ShelfJson {
    /// The id of the place.
    location_id: i64,
    /// Pieces on the shelf; below zero where more was sold than there was.
    on_hand: i64,
    /// Pieces on the shelf that somebody is about to buy.
    reserved: i64,
    /// Whether orders are filled from there.
    active: bool,
}

/// What there is of a variant.
#[derive(Serialize, ToSchema)]
struct VariantStockJson {
    /// Which variant.
    variant_id: i64,
    /// Of which product.
    product_id: i64,
    /// The product's name.
    product: String,
    /// The variant's options in words; empty where there is only one.
    variant: String,
    /// Its SKU.
    sku: String,
    /// Pieces on all shelves that orders are filled from.
    on_hand: i64,
    /// Those of them that somebody is about to buy.
    reserved: i64,
    /// Pieces that can be bought from stock.
    available: i64,
    /// Whether it is sold beyond its stock.
    backorder: bool,
    /// From how many pieces down it is low.
    low_stock: i64,
    /// Whether it is low.
    low: bool,
    /// How many people wait for it.
    waiting: i64,
    /// What is where.
    locations: Vec<ShelfJson>,
}

impl From<StockRow> for VariantStockJson {
    fn from(row: StockRow) -> Self {
        let level = row.level();
        let shelves = row.shelves.iter().map(|shelf| ShelfJson {
            location_id: shelf.location_id.0,
            on_hand: shelf.stock.on_hand,
            reserved: shelf.stock.reserved,
            active: shelf.position.is_some(),
        });
        Self {
            variant_id: row.variant_id.0,
            product_id: row.product_id.0,
            on_hand: level.on_hand,
            reserved: level.reserved,
            available: level.available(),
            backorder: row.backorder,
            low_stock: row.threshold(),
            low: row.is_low(),
            waiting: row.waiting,
            locations: shelves.collect(),
            product: row.product,
            variant: row.variant,
            sku: row.sku,
        }
    }
}

/// Which variants.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StockQuery {
    /// Which variants; left out: `all`.
    #[param(schema_with = word::<StockShow>)]
    show: String,
    /// A part of a product's name or of an SKU.
    search: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// What is where of each variant (staff)
#[utoipa::path(get, path = "/admin/stock", tag = "inventory", params(StockQuery),
    responses(
        (status = 200, body = List<VariantStockJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<StockQuery>,
) -> Result<Json<List<VariantStockJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let filter = StockFilter {
        show: query_value("show", Some(&query.show))?.unwrap_or_default(),
        search: query.search,
    };
    let rows = service::stock_list(&app, &ctx, &filter, page).await?;
    Ok(Json(List::new(rows, &uri, VariantStockJson::from)))
}

/// What there is of a variant (staff)
#[utoipa::path(get, path = "/admin/stock/variants/{id}", tag = "inventory",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = VariantStockJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<VariantId>,
) -> Result<Json<VariantStockJson>, Failure> {
    Ok(Json(service::stock_row(&app, &ctx, id).await?.into()))
}

/// Say whether a variant is sold beyond its stock, and when it is low (staff)
///
/// What is left out stays as it is.
#[utoipa::path(patch, path = "/admin/stock/variants/{id}", tag = "inventory",
    params(("id" = i64, Path)), request_body = RulesInput,
    responses(
        (status = 200, body = VariantStockJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn set_rules(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<VariantId>,
    Json(input): Json<RulesInput>,
) -> Result<Json<VariantStockJson>, Failure> {
    Ok(Json(
        service::set_rules(&app, &ctx, id, input).await?.into(),
    ))
}

/// Ask for one letter when a variant can be bought again
///
/// The answer is the same whether it was asked for before.
#[utoipa::path(post, path = "/back-in-stock", tag = "catalog", request_body = WaitInput,
    responses(
        (status = 204),
        (status = 409, body = Problem, description = "`in_stock`: it can be bought now"),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security((), ("bearer" = [])))]
async fn wait(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<WaitInput>,
) -> Result<StatusCode, Failure> {
    service::wait_for(&app, &ctx, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An entry of the ledger.
#[derive(Serialize, ToSchema)]
struct MovementJson {
    /// Its number; the higher the later.
    id: i64,
    /// Of what.
    variant_id: i64,
    /// The code of the place.
    location: String,
    /// Pieces that came (positive) or went.
    quantity: i64,
    /// Pieces of the variant after it, over all places.
    balance: i64,
    /// Why.
    reason: &'static str,
    /// What caused it, such as the number of an order; or empty.
    reference: String,
    /// What somebody has to say about it, or empty.
    note: String,
    /// Who did it; null for the shop, guests, and people who are gone.
    actor: Option<String>,
    /// When.
    created_at: String,
}

impl From<MovementEntry> for MovementJson {
    fn from(entry: MovementEntry) -> Self {
        Self {
            id: entry.id,
            variant_id: entry.variant_id.0,
            location: entry.location,
            quantity: entry.quantity,
            balance: entry.balance,
            reason: entry.reason.as_str(),
            reference: entry.reference,
            note: entry.note,
            actor: entry.actor,
            created_at: entry.at.rfc3339(),
        }
    }
}

/// Which entries of the ledger.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MovementQuery {
    /// Of this variant.
    #[param(value_type = Option<i64>)]
    variant_id: String,
    /// At the place with this code.
    location: String,
    /// For this reason.
    #[param(schema_with = word::<Reason>)]
    reason: String,
    /// With this cause, such as the number of an order.
    reference: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// The ledger of stock, the newest entry first (staff)
#[utoipa::path(get, path = "/admin/stock/movements", tag = "inventory", params(MovementQuery),
    responses(
        (status = 200, body = List<MovementJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn movements(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<MovementQuery>,
) -> Result<Json<List<MovementJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let filter = MovementFilter {
        variant_id: query_value("variant_id", Some(&query.variant_id))?,
        location: given(query.location),
        reason: query_value("reason", Some(&query.reason))?,
        reference: given(query.reference),
    };
    let entries = service::movements(&app, &ctx, &filter, page).await?;
    Ok(Json(List::new(entries, &uri, MovementJson::from)))
}

/// Change the stock of a variant in one place, with a reason (staff)
///
/// Either `on_hand`, what lies there, or `change`, so many more or fewer.
#[utoipa::path(post, path = "/admin/stock/adjustments", tag = "inventory",
    request_body = AdjustInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is answered with the first answer")),
    responses(
        (status = 200, body = VariantStockJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn adjust(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<AdjustInput>,
) -> Result<Json<VariantStockJson>, Failure> {
    Ok(Json(service::adjust(&app, &ctx, input).await?.into()))
}

/// A transfer that was made.
#[derive(Serialize, ToSchema)]
struct TransferJson {
    /// What its entries of the ledger carry.
    reference: String,
    /// The code of the place that they left.
    from: String,
    /// The code of the place that they came to.
    to: String,
    /// What went.
    lines: Vec<TransferLineJson>,
}

/// Pieces of a variant that went.
#[derive(Serialize, ToSchema)]
struct TransferLineJson {
    /// Which variant.
    variant_id: i64,
    /// How many pieces.
    quantity: i64,
}

impl From<Transfer> for TransferJson {
    fn from(transfer: Transfer) -> Self {
        let lines = transfer.lines.into_iter();
        let lines = lines.map(|(variant, quantity)| TransferLineJson {
            variant_id: variant.0,
            quantity,
        });
        Self {
            reference: transfer.reference,
            from: transfer.from,
            to: transfer.to,
            lines: lines.collect(),
        }
    }
}

/// Move stock from one place to another (staff)
///
/// All lines or none. Only what nobody holds can leave a place.
#[utoipa::path(post, path = "/admin/stock/transfers", tag = "inventory",
    request_body = TransferInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is answered with the first answer")),
    responses(
        (status = 200, body = TransferJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn transfer(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<TransferInput>,
) -> Result<Json<TransferJson>, Failure> {
    Ok(Json(service::transfer(&app, &ctx, input).await?.into()))
}

/// A place that holds stock.
#[derive(Serialize, ToSchema)]
struct LocationJson {
    /// Its id.
    id: i64,
    /// Its word in addresses; never changes.
    code: String,
    /// What people call it.
    name: String,
    /// Lines as on an envelope, or empty.
    address: String,
    /// Orders are filled from the lowest first.
    position: i64,
    /// Whether orders are filled from it.
    active: bool,
}

impl From<Location> for LocationJson {
    fn from(location: Location) -> Self {
        Self {
            id: location.id.0,
            code: location.code,
            name: location.name,
            address: location.address,
            position: location.position,
            active: location.active,
        }
    }
}

/// All places that hold stock, in the order that orders are filled from them (staff)
#[utoipa::path(get, path = "/admin/stock/locations", tag = "inventory",
    responses(
        (status = 200, body = List<LocationJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn locations(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<List<LocationJson>>, Failure> {
    let locations = service::locations(&app, &ctx).await?;
    Ok(Json(List {
        total: i64::try_from(locations.len()).unwrap_or(i64::MAX),
        items: locations.into_iter().map(LocationJson::from).collect(),
        next: None,
    }))
}

/// Make a place that holds stock (staff)
///
/// Orders are filled from it after all others, unless `position` says something else.
#[utoipa::path(post, path = "/admin/stock/locations", tag = "inventory",
    request_body = LocationInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is answered with the first answer")),
    responses(
        (status = 201, body = LocationJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem, description = "`too_many`: a shop has at most 50"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_location(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<LocationInput>,
) -> Result<Response, Failure> {
    let made = service::create_location(&app, &ctx, input).await?;
    let place = format!("/api/v1/admin/stock/locations/{}", made.code);
    Ok(created(&place, LocationJson::from(made)))
}

/// A place that holds stock (staff)
#[utoipa::path(get, path = "/admin/stock/locations/{code}", tag = "inventory",
    params(("code" = String, Path)),
    responses(
        (status = 200, body = LocationJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn location(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
) -> Result<Json<LocationJson>, Failure> {
    Ok(Json(service::location(&app, &ctx, &code).await?.into()))
}

/// Change a place that holds stock (staff)
///
/// What is left out stays as it is. Nothing of an inactive place is sold; `main` stays active.
#[utoipa::path(patch, path = "/admin/stock/locations/{code}", tag = "inventory",
    params(("code" = String, Path)), request_body = LocationInput,
    responses(
        (status = 200, body = LocationJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_location(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
    Json(input): Json<LocationInput>,
) -> Result<Json<LocationJson>, Failure> {
    let changed = service::change_location(&app, &ctx, &code, input).await?;
    Ok(Json(changed.into()))
}

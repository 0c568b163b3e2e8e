//! API: products, their pictures, and categories.

mod bulk;
mod categories;
mod images;
mod json;
mod lists;
mod query;
mod stock;
mod variants;

use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use json::*;
pub use lists::*;

use super::service::{self, ProductInput, ProductKey};
use crate::app::App;
use crate::catalog::model::{Product, StaffCard};
use crate::ctx::Ctx;
use crate::error::Result as ServiceResult;
use crate::web::json::{IfMatch, Json, List, PageQuery, Problem, Query, Versioned, query_value};
use crate::web::{ApiCtx, Failure};
use query::{Asked, ListQuery, StaffAsked, StaffNarrowed};

/// How many featured products there are when nobody says.
const FEATURED: i64 = 8;

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(featured))
        .routes(routes!(suggest))
        .routes(routes!(show, change, remove))
        .routes(routes!(list_for_staff))
        .routes(routes!(list_alias, create_alias))
        .merge(variants::routes())
        .merge(bulk::routes())
        .merge(stock::routes())
        .routes(routes!(duplicate))
        .merge(images::routes())
        .merge(categories::routes())
}

/// A product, with the category named.
async fn present(app: &App, ctx: &Ctx, product: &Product) -> ServiceResult<Versioned<ProductJson>> {
    let tree = service::categories(app).await?;
    let json = ProductJson::new(ctx, product, &tree);
    Ok(Versioned(json, product.version))
}

/// 201 with the address of the new thing and its `ETag`.
fn created(location: String, body: impl IntoResponse) -> Response {
    (StatusCode::CREATED, [(header::LOCATION, location)], body).into_response()
}

/// A list that is never long, all on one page.
fn whole<T: Serialize>(items: Vec<T>) -> Json<List<T>> {
    Json(List {
        total: i64::try_from(items.len()).unwrap_or(i64::MAX),
        items,
        next: None,
    })
}

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LimitQuery {
    /// 1 to 100; left out: 8.
    #[param(pattern = "^([1-9][0-9]?|100)?$")]
    limit: String,
}

/// Products that shoppers see
///
/// Each filter narrows the list. `attr.<name>=<value>` may be repeated: one of the values of each
/// name must be there. Unknown names are refused, so that a typo never returns everything.
#[utoipa::path(get, path = "/products", tag = "catalog",
    params(ListQuery, ("attr.<name>" = Option<Vec<String>>, Query,
        description = "A value of an attribute, `attr.Material=Stoneware`; may be repeated")),
    responses((status = 200, body = ProductListJson), (status = 400, body = Problem)),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Result<Json<ProductListJson>, Failure> {
    let (filter, page) = (asked.filter(&app).await?, asked.page()?);
    let found = service::search_products(&app, &ctx, &filter, page, asked.facets()?).await?;
    let tree = service::categories(&app).await?;
    let words = !filter.search.trim().is_empty();
    Ok(Json(ProductListJson::new(found, words, &uri, &tree)))
}

/// Products that shoppers see (alias)
///
/// The address of an earlier version; the same as `GET /products`.
#[utoipa::path(get, path = "/products/products", tag = "catalog",
    params(ListQuery, ("attr.<name>" = Option<Vec<String>>, Query,
        description = "A value of an attribute, `attr.Material=Stoneware`; may be repeated")),
    responses((status = 200, body = ProductListJson), (status = 400, body = Problem)),
    security((), ("bearer" = [])))]
async fn list_alias(
    app: State<App>,
    ctx: ApiCtx,
    uri: OriginalUri,
    asked: Asked,
) -> Result<Json<ProductListJson>, Failure> {
    list(app, ctx, uri, asked).await
}

/// Make a product (staff)
///
/// A simple product takes `price`, `stock` and `sku` at the top; one with options has them in
/// each of its `variants`.
#[utoipa::path(post, path = "/products", tag = "catalog", request_body = ProductInput,
    responses(
        (status = 201, body = ProductJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<ProductInput>,
) -> Result<Response, Failure> {
    let product = service::create_product(&app, &ctx, input).await?;
    let location = format!("/api/products/{}", product.id);
    Ok(created(location, present(&app, &ctx, &product).await?))
}

/// Make a product (alias, staff)
///
/// The address of an earlier version; the same as `POST /products`.
#[utoipa::path(post, path = "/products/products", tag = "catalog", request_body = ProductInput,
    responses(
        (status = 201, body = ProductJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_alias(
    app: State<App>,
    ctx: ApiCtx,
    input: Json<ProductInput>,
) -> Result<Response, Failure> {
    create(app, ctx, input).await
}

/// The best-rated products that can be bought
#[utoipa::path(get, path = "/products/featured", tag = "catalog", params(LimitQuery),
    responses((status = 200, body = List<ProductCardJson>), (status = 400, body = Problem)),
    security((), ("bearer" = [])))]
async fn featured(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<LimitQuery>,
) -> Result<Json<List<ProductCardJson>>, Failure> {
    let limit = query_value("limit", Some(&query.limit))?.unwrap_or(FEATURED);
    if !(1..=100).contains(&limit) {
        return Err(query::bad("limit: a number from 1 to 100."));
    }
    let products = service::featured_products(&app, &ctx, limit).await?;
    let tree = service::categories(&app).await?;
    let card = |card| ProductCardJson::new(card, &tree);
    Ok(whole(products.into_iter().map(card).collect()))
}

/// What somebody has typed so far.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SuggestQuery {
    /// The words, the last one perhaps unfinished.
    q: String,
}

/// What somebody may mean who is typing
#[utoipa::path(get, path = "/products/suggest", tag = "catalog", params(SuggestQuery),
    responses((status = 200, body = SuggestionsJson), (status = 400, body = Problem)),
    security((), ("bearer" = [])))]
async fn suggest(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<SuggestQuery>,
) -> Result<Json<SuggestionsJson>, Failure> {
    let found = service::suggest(&app, &ctx, &query.q).await?;
    let tree = service::categories(&app).await?;
    Ok(Json(SuggestionsJson::new(found, &tree)))
}

/// A product
///
/// A slug that a product gave up still leads to it. Drafts and archived products are there for
/// staff only.
#[utoipa::path(get, path = "/products/{key}", tag = "catalog",
    params(("key" = String, Path, description = "Id or slug")),
    responses(
        (status = 200, body = ProductJson, headers(("ETag" = String))),
        (status = 404, body = Problem),
    ), security((), ("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
) -> Result<Versioned<ProductJson>, Failure> {
    let product = service::find_product(&app, &ctx, &ProductKey::parse(&key)).await?;
    Ok(present(&app, &ctx, &product).await?)
}

/// Change a product (staff)
///
/// What is left out stays. `variants`, when given, are all of them: one with an id is changed,
/// one without is made, one left out goes; if it was ever ordered, it is switched off instead.
#[utoipa::path(patch, path = "/products/{key}", tag = "catalog", request_body = ProductInput,
    params(
        ("key" = String, Path, description = "Id or slug"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = ProductJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<ProductInput>,
) -> Result<Versioned<ProductJson>, Failure> {
    let key = ProductKey::parse(&key);
    let product = service::update_product(&app, &ctx, &key, version, input).await?;
    Ok(present(&app, &ctx, &product).await?)
}

/// Delete a product (staff)
///
/// One that was ever ordered is archived instead: orders go on naming it.
#[utoipa::path(delete, path = "/products/{key}", tag = "catalog",
    params(
        ("key" = String, Path, description = "Id or slug"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete_product(&app, &ctx, &ProductKey::parse(&key), version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a draft like a product (staff)
///
/// It has the same options, variants, pictures, attributes and tags, but a slug and SKUs of its
/// own, and nothing on the shelf.
#[utoipa::path(post, path = "/products/{key}/duplicate", tag = "catalog",
    params(
        ("key" = String, Path, description = "Id or slug"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is answered with the first answer"),
    ),
    responses(
        (status = 201, body = ProductJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn duplicate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let copy = service::duplicate_product(&app, &ctx, &ProductKey::parse(&key)).await?;
    let location = format!("/api/products/{}", copy.id);
    Ok(created(location, present(&app, &ctx, &copy).await?))
}

/// All products, drafts and archived ones, too (staff)
///
/// For those with the permission `catalog` or `inventory`.
#[utoipa::path(get, path = "/admin/products", tag = "catalog", params(StaffNarrowed, PageQuery),
    responses(
        (status = 200, body = List<ProductCardJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list_for_staff(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    asked: StaffAsked,
) -> Result<Json<List<ProductCardJson>>, Failure> {
    let (filter, page) = (asked.narrowed.filter(&app).await?, asked.page()?);
    let products = service::list_for_staff(&app, &ctx, &filter, page).await?;
    let tree = service::categories(&app).await?;
    let card = |one: StaffCard| ProductCardJson::for_staff(one.card, &tree);
    Ok(Json(List::new(products, &uri, card)))
}

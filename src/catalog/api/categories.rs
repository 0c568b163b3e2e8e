//! API: the category tree.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CategoryJson, created, whole};
use crate::app::App;
use crate::catalog::model::Category;
use crate::catalog::service::{self, CategoryInput};
use crate::web::json::{IfMatch, Json, List, Problem, Query, Versioned};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(list_alias, create_alias))
}

/// A query that takes nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

fn present(category: &Category) -> Versioned<CategoryJson> {
    Versioned(CategoryJson::from(category), category.version)
}

/// All categories, parents before their children
#[utoipa::path(get, path = "/categories", tag = "catalog",
    responses((status = 200, body = List<CategoryJson>), (status = 400, body = Problem)),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    _query: Query<NoQuery>,
) -> Result<Json<List<CategoryJson>>, Failure> {
    let tree = service::categories(&app).await?;
    let rows = tree.flattened().into_iter();
    Ok(whole(rows.map(|(_, category)| category.into()).collect()))
}

/// All categories (alias)
///
/// The address of an earlier version; the same as `GET /categories`.
#[utoipa::path(get, path = "/products/categories", tag = "catalog",
    responses((status = 200, body = List<CategoryJson>), (status = 400, body = Problem)),
    security((), ("bearer" = [])))]
async fn list_alias(
    app: State<App>,
    query: Query<NoQuery>,
) -> Result<Json<List<CategoryJson>>, Failure> {
    list(app, query).await
}

/// Make a category (staff)
#[utoipa::path(post, path = "/categories", tag = "catalog", request_body = CategoryInput,
    responses(
        (status = 201, body = CategoryJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<CategoryInput>,
) -> Result<Response, Failure> {
    let category = service::create_category(&app, &ctx, input).await?;
    let location = format!("/api/categories/{}", category.id);
    Ok(created(location, present(&category)))
}

/// Make a category (alias, staff)
///
/// The address of an earlier version; the same as `POST /categories`.
#[utoipa::path(post, path = "/products/categories", tag = "catalog",
    request_body = CategoryInput,
    responses(
        (status = 201, body = CategoryJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_alias(
    app: State<App>,
    ctx: ApiCtx,
    input: Json<CategoryInput>,
) -> Result<Response, Failure> {
    create(app, ctx, input).await
}

/// A category
#[utoipa::path(get, path = "/categories/{key}", tag = "catalog",
    params(("key" = String, Path, description = "Id or slug")),
    responses(
        (status = 200, body = CategoryJson, headers(("ETag" = String))),
        (status = 404, body = Problem),
    ), security((), ("bearer" = [])))]
async fn show(
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<Versioned<CategoryJson>, Failure> {
    Ok(present(&service::find_category(&app, &key).await?))
}

/// Change a category (staff)
#[utoipa::path(patch, path = "/categories/{key}", tag = "catalog",
    request_body = CategoryInput,
    params(
        ("key" = String, Path, description = "Id or slug"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = CategoryJson, headers(("ETag" = String))),
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
    Json(input): Json<CategoryInput>,
) -> Result<Versioned<CategoryJson>, Failure> {
    let id = service::category_for_staff(&app, &ctx, &key).await?.id;
    let category = service::update_category(&app, &ctx, id, version, input).await?;
    Ok(present(&category))
}

/// Delete a category (staff)
///
/// What stands below it moves up to its parent.
#[utoipa::path(delete, path = "/categories/{key}", tag = "catalog",
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
    let id = service::category_for_staff(&app, &ctx, &key).await?.id;
    service::delete_category(&app, &ctx, id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

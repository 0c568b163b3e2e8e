//! API: imports and exports of products.

mod json;

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Format, Outcome, PictureState, Verdict};
use super::service::{self, CSV, MAX_FORM, Upload};
use crate::app::App;
use crate::error::Error;
use crate::types::ImportId;
use crate::web::files::{download, receive};
use crate::web::json::{
    Json, List, PageQuery, Problem as ProblemJson, Query, page_request, query_value,
};
use crate::web::openapi::word;
use crate::web::{ApiCtx, Failure};
use json::{
    ImportCardJson, ImportErrorJson, ImportJson, ImportPictureJson, ImportProductJson, ImportUpload,
};

/// The routes of this part of the API, but for [`uploads`].
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, remove))
        .routes(routes!(products))
        .routes(routes!(errors))
        .routes(routes!(pictures))
        .routes(routes!(apply))
        .routes(routes!(stop))
        .routes(routes!(revert))
        .routes(routes!(retry_pictures))
        .routes(routes!(export))
}

/// What takes large files in.
pub fn uploads() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// Which products of an import.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProductsQuery {
    /// Only those that are `new`, `changed`, `unchanged`, `error` or `read`.
    #[param(schema_with = word::<Verdict>)]
    verdict: String,
    /// Only those that are `waiting`, `applied`, `conflict`, `refused`, `reverted` or `kept`.
    #[param(schema_with = word::<Outcome>)]
    outcome: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// Which pictures of an import.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PicturesQuery {
    /// `waiting`, `fetched` or `failed`; left out: `failed`.
    #[param(schema_with = word::<PictureState>)]
    state: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// Which format.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `zoco`, `shopify` or `woocommerce`; left out: `zoco`.
    #[param(schema_with = word::<Format>)]
    format: String,
}

/// Import products from a CSV file (staff)
///
/// The file is read and compared with the catalog in the background: ask for the import until it
/// is `ready`. Nothing is changed before it is applied.
#[utoipa::path(post, path = "/admin/imports", tag = "imports",
    request_body(content = ImportUpload, content_type = "multipart/form-data"),
    responses(
        (status = 202, body = ImportJson, headers(("Location" = String))),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 413, body = ProblemJson),
        (status = 415, body = ProblemJson),
        (status = 422, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn upload(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    // Before a hundred megabytes are read for somebody who may not send them.
    let mut upload = Upload::begin(&app, &ctx).await?;
    let form = form.map_err(|_| Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    let name = receive(form, "file", &mut upload, |upload, piece| {
        Box::pin(async move { upload.write(&piece).await })
    });
    let missing = || Error::invalid("file", "required", "Choose a file.");
    let name = name.await?.ok_or_else(missing)?;
    let id = upload.finish(&app, &ctx, &name).await?;
    let import = ImportJson::from(service::batch(&app, &ctx, id).await?);
    let location = [(header::LOCATION, format!("/api/admin/imports/{id}"))];
    Ok((StatusCode::ACCEPTED, location, Json(import)).into_response())
}

/// All imports, newest first (staff)
#[utoipa::path(get, path = "/admin/imports", tag = "imports", params(PageQuery),
    responses(
        (status = 200, body = List<ImportCardJson>),
        (status = 400, body = ProblemJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<ImportCardJson>>, Failure> {
    let page = query.read()?;
    let batches = service::batches(&app, &ctx, page).await?;
    Ok(Json(List::new(batches, &uri, ImportCardJson::from)))
}

/// An import, how far it is and what it found (staff)
#[utoipa::path(get, path = "/admin/imports/{id}", tag = "imports",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = ImportJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
) -> Result<Json<ImportJson>, Failure> {
    Ok(Json(service::batch(&app, &ctx, id).await?.into()))
}

/// The products of an import, with what would change, by line (staff)
#[utoipa::path(get, path = "/admin/imports/{id}/products", tag = "imports",
    params(("id" = i64, Path), ProductsQuery),
    responses(
        (status = 200, body = List<ImportProductJson>),
        (status = 400, body = ProblemJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn products(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ProductsQuery>,
) -> Result<Json<List<ImportProductJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let verdict = query_value("verdict", Some(&query.verdict))?;
    let outcome = query_value("outcome", Some(&query.outcome))?;
    let items = service::items(&app, &ctx, id, verdict, outcome, page).await?;
    Ok(Json(List::new(items, &uri, ImportProductJson::from)))
}

/// What is wrong with rows of an import's file, by line (staff)
#[utoipa::path(get, path = "/admin/imports/{id}/errors", tag = "imports",
    params(("id" = i64, Path), PageQuery),
    responses(
        (status = 200, body = List<ImportErrorJson>),
        (status = 400, body = ProblemJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn errors(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<ImportErrorJson>>, Failure> {
    let page = query.read()?;
    let errors = service::errors(&app, &ctx, id, page).await?;
    Ok(Json(List::new(errors, &uri, ImportErrorJson::from)))
}

/// The pictures that an import brings (staff)
#[utoipa::path(get, path = "/admin/imports/{id}/pictures", tag = "imports",
    params(("id" = i64, Path), PicturesQuery),
    responses(
        (status = 200, body = List<ImportPictureJson>),
        (status = 400, body = ProblemJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn pictures(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PicturesQuery>,
) -> Result<Json<List<ImportPictureJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let state = query_value("state", Some(&query.state))?.unwrap_or(PictureState::Failed);
    let pictures = service::pictures(&app, &ctx, id, state, page).await?;
    Ok(Json(List::new(pictures, &uri, ImportPictureJson::from)))
}

/// The import as it is now.
async fn accepted(app: &App, ctx: &crate::ctx::Ctx, id: ImportId) -> Result<Response, Failure> {
    let import = ImportJson::from(service::batch(app, ctx, id).await?);
    Ok((StatusCode::ACCEPTED, Json(import)).into_response())
}

/// Write what the dry run of an import found (staff)
///
/// It goes on in the background. What somebody changed since the dry run is left alone.
#[utoipa::path(post, path = "/admin/imports/{id}/apply", tag = "imports",
    params(("id" = i64, Path)),
    responses(
        (status = 202, body = ImportJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
        (status = 409, body = ProblemJson, description = "It is not ready"),
    ), security(("bearer" = [])))]
async fn apply(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
) -> Result<Response, Failure> {
    service::apply(&app, &ctx, id).await?;
    accepted(&app, &ctx, id).await
}

/// Stop an import that is being written or put back (staff)
///
/// What is done stays done; it can be gone on with, or put back.
#[utoipa::path(post, path = "/admin/imports/{id}/stop", tag = "imports",
    params(("id" = i64, Path)),
    responses(
        (status = 202, body = ImportJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
        (status = 409, body = ProblemJson, description = "Nothing is being written"),
    ), security(("bearer" = [])))]
async fn stop(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
) -> Result<Response, Failure> {
    service::stop(&app, &ctx, id).await?;
    accepted(&app, &ctx, id).await
}

/// Put back what an import wrote (staff)
///
/// New products go, changed ones become as they were. What somebody changed since stays.
#[utoipa::path(post, path = "/admin/imports/{id}/revert", tag = "imports",
    params(("id" = i64, Path)),
    responses(
        (status = 202, body = ImportJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
        (status = 409, body = ProblemJson, description = "It was not written"),
    ), security(("bearer" = [])))]
async fn revert(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
) -> Result<Response, Failure> {
    service::revert(&app, &ctx, id).await?;
    accepted(&app, &ctx, id).await
}

/// Fetch the missing pictures of an import again (staff)
#[utoipa::path(post, path = "/admin/imports/{id}/pictures", tag = "imports",
    params(("id" = i64, Path)),
    responses(
        (status = 202, body = ImportJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
        (status = 409, body = ProblemJson, description = "It is put back"),
    ), security(("bearer" = [])))]
async fn retry_pictures(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
) -> Result<Response, Failure> {
    service::retry_pictures(&app, &ctx, id).await?;
    accepted(&app, &ctx, id).await
}

/// Forget an import; its products stay as they are (staff)
#[utoipa::path(delete, path = "/admin/imports/{id}", tag = "imports",
    params(("id" = i64, Path)),
    responses(
        (status = 204),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
        (status = 404, body = ProblemJson),
        (status = 409, body = ProblemJson, description = "It is being written"),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<ImportId>,
) -> Result<StatusCode, Failure> {
    service::delete(&app, &ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All products as a CSV file (staff)
#[utoipa::path(get, path = "/admin/exports/products", tag = "imports", params(ExportQuery),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = 400, body = ProblemJson),
        (status = 401, body = ProblemJson),
        (status = 403, body = ProblemJson),
    ), security(("bearer" = [])))]
async fn export(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Failure> {
    let format = query_value("format", Some(&query.format))?.unwrap_or(Format::Zoco);
    let export = service::export(&app, &ctx, format)?;
    let name = export.file_name();
    Ok(download(&name, CSV, export.pieces()))
}

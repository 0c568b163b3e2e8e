//! API: pictures of products.

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ImageJson, created, whole};
use crate::app::App;
use crate::catalog::service::{self, ImageInput, ProductKey};
use crate::ctx::Permission;
use crate::error::Error;
use crate::types::ImageId;
use crate::web::files::{self, Parts};
use crate::web::json::{IfMatch, Json, List, Problem};
use crate::web::layers::MAX_UPLOAD;
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD))
        .routes(routes!(change, remove))
}

/// An upload.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only describes the form in the OpenAPI document")]
struct Upload {
    /// A JPEG, PNG or WebP.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// What it shows, for those who do not see it.
    alt: Option<String>,
}

/// The pictures of a product
#[utoipa::path(get, path = "/products/{key}/images", tag = "catalog",
    params(("key" = String, Path, description = "Id or slug of the product")),
    responses((status = 200, body = List<ImageJson>), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
) -> Result<Json<List<ImageJson>>, Failure> {
    let product = service::find_product(&app, &ctx, &ProductKey::parse(&key)).await?;
    Ok(whole(product.images.iter().map(ImageJson::from).collect()))
}

/// Add a picture to a product (staff)
///
/// It is decoded and encoded anew in several widths; the client's file name and type count for
/// nothing.
#[utoipa::path(post, path = "/products/{key}/images", tag = "catalog",
    request_body(content = Upload, content_type = "multipart/form-data"),
    params(("key" = String, Path, description = "Id or slug of the product")),
    responses(
        (status = 201, body = ImageJson, headers(("Location" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn add(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    upload: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    // Before ten megabytes are read for somebody who may not send them.
    ctx.require(Permission::Catalog)?;
    let upload = upload.map_err(|_| Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    let (bytes, alt) = read(upload).await?;
    let image = service::add_image(&app, &ctx, &ProductKey::parse(&key), bytes, &alt).await?;
    let location = format!("/api/products/{key}/images/{}", image.id);
    Ok(created(location, Json(ImageJson::from(&image))))
}

/// The picture and its alt text.
async fn read(upload: Multipart) -> Result<(Vec<u8>, String), Failure> {
    let (mut image, mut alt) = (None, String::new());
    let mut parts = Parts::new(upload);
    while let Some(part) = parts.next().await? {
        match part.name().unwrap_or_default() {
            "image" => image = Some(files::bytes(part, MAX_UPLOAD).await?),
            "alt" => alt = files::text(part).await?,
            other => {
                let other = other.to_owned();
                let message = "There is no such field.";
                return Err(Error::invalid(&other, "unknown_field", message).into());
            }
        }
    }
    let missing = || Error::invalid("image", "required", "Choose a picture.");
    Ok((image.ok_or_else(missing)?, alt))
}

/// Change what a picture shows, or its place (staff)
#[utoipa::path(patch, path = "/products/{key}/images/{id}", tag = "catalog",
    request_body = ImageInput,
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The picture"),
        ("If-Match" = Option<String>, Header, description = "The product's `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = ImageJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed the product meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(input): Json<ImageInput>,
) -> Result<Json<ImageJson>, Failure> {
    let (key, id) = (ProductKey::parse(&key), image_id(&id)?);
    let image = service::update_image(&app, &ctx, &key, id, version, input).await?;
    Ok(Json(ImageJson::from(&image)))
}

/// Remove a picture (staff)
#[utoipa::path(delete, path = "/products/{key}/images/{id}", tag = "catalog",
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The picture"),
        ("If-Match" = Option<String>, Header, description = "The product's `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed the product meanwhile"),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    let (key, id) = (ProductKey::parse(&key), image_id(&id)?);
    service::delete_image(&app, &ctx, &key, id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A picture's id from the address; what is no number names no picture.
fn image_id(text: &str) -> Result<ImageId, Failure> {
    text.parse().map_err(|_| Failure::from(Error::NotFound))
}

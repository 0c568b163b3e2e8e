//! API: variants of products.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{VariantJson, created, variants_json, whole};
use crate::app::App;
use crate::catalog::model::Product;
use crate::catalog::service::{self, ProductKey, VariantInput, VariantsInput};
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors};
use crate::types::VariantId;
use crate::web::json::{IfMatch, Json, List, Problem, Versioned, etag};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add, change_several))
        .routes(routes!(change, remove))
}

fn present(ctx: &Ctx, product: &Product) -> Versioned<List<VariantJson>> {
    let Json(list) = whole(variants_json(ctx, product));
    Versioned(list, product.version)
}

/// The variants of a product
///
/// The `ETag` is the product's.
#[utoipa::path(get, path = "/products/{key}/variants", tag = "catalog",
    params(("key" = String, Path, description = "Id or slug of the product")),
    responses(
        (status = 200, body = List<VariantJson>, headers(("ETag" = String))),
        (status = 404, body = Problem),
    ), security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
) -> Result<Versioned<List<VariantJson>>, Failure> {
    let product = service::find_product(&app, &ctx, &ProductKey::parse(&key)).await?;
    Ok(present(&ctx, &product))
}

/// Change some variants of a product (staff)
///
/// In one go: one with an id is changed, one without is made, those in `remove` go; one that was
/// ever ordered is switched off instead. The others stay.
#[utoipa::path(patch, path = "/products/{key}/variants", tag = "catalog",
    request_body = VariantsInput,
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("If-Match" = Option<String>, Header, description = "The product's `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = List<VariantJson>, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed the product meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_several(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<VariantsInput>,
) -> Result<Versioned<List<VariantJson>>, Failure> {
    let key = ProductKey::parse(&key);
    let product = service::update_variants(&app, &ctx, &key, version, input).await?;
    Ok(present(&ctx, &product))
}

/// Add a variant to a product (staff)
#[utoipa::path(post, path = "/products/{key}/variants", tag = "catalog",
    request_body = VariantInput,
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("If-Match" = Option<String>, Header, description = "The product's `ETag` that was last seen"),
    ),
    responses(
        (status = 201, body = VariantJson, headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed the product meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn add(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<VariantInput>,
) -> Result<Response, Failure> {
    if input.id.is_some() {
        let message = "A new variant has no id yet.";
        return Err(Error::invalid("id", "not_new", message).into());
    }
    let one = VariantsInput {
        variants: vec![input],
        ..VariantsInput::default()
    };
    let key = ProductKey::parse(&key);
    let product = service::update_variants(&app, &ctx, &key, version, one).await;
    let product = product.map_err(at_top)?;
    // What is new stands last.
    let made = variants_json(&ctx, &product).pop().ok_or(Error::NotFound)?;
    let location = format!("/api/products/{}/variants/{}", product.id, made.id);
    let mut response = created(location, Json(made));
    if let Ok(etag) = HeaderValue::from_str(&etag(product.version)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response.into_response())
}

/// Change a variant (staff)
#[utoipa::path(patch, path = "/products/{key}/variants/{id}", tag = "catalog",
    request_body = VariantInput,
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The variant"),
        ("If-Match" = Option<String>, Header, description = "The product's `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = VariantJson, headers(("ETag" = String))),
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
    Json(input): Json<VariantInput>,
) -> Result<Versioned<VariantJson>, Failure> {
    let key = ProductKey::parse(&key);
    let id = variant_id(&app, &ctx, &key, &id).await?;
    if input.id.is_some_and(|given| given != id) {
        let message = "The address names another variant.";
        return Err(Error::invalid("id", "other", message).into());
    }
    let one = VariantsInput {
        variants: vec![VariantInput {
            id: Some(id),
            ..input
        }],
        ..VariantsInput::default()
    };
    let product = service::update_variants(&app, &ctx, &key, version, one).await;
    let product = product.map_err(at_top)?;
    let mut variants = variants_json(&ctx, &product).into_iter();
    let changed = variants.find(|variant| variant.id == id.0);
    Ok(Versioned(changed.ok_or(Error::NotFound)?, product.version))
}

/// Remove a variant (staff)
///
/// One that was ever ordered is switched off instead: orders go on naming it.
#[utoipa::path(delete, path = "/products/{key}/variants/{id}", tag = "catalog",
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The variant"),
        ("If-Match" = Option<String>, Header, description = "The product's `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed the product meanwhile"),
        (status = 422, body = Problem, description = "It is the last one"),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    let key = ProductKey::parse(&key);
    let one = VariantsInput {
        remove: vec![variant_id(&app, &ctx, &key, &id).await?],
        ..VariantsInput::default()
    };
    service::update_variants(&app, &ctx, &key, version, one).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The variant of a product that the address names. Errors: `NotFound`, and what keeps the asker
/// from the catalog.
async fn variant_id(
    app: &App,
    ctx: &Ctx,
    key: &ProductKey,
    text: &str,
) -> Result<VariantId, Error> {
    let product = service::product_for_staff(app, ctx, key).await?;
    let id = text.parse().map(VariantId).map_err(|_| Error::NotFound)?;
    let known = product.variants.iter().any(|variant| variant.id == id);
    known.then_some(id).ok_or(Error::NotFound)
}

/// Of one variant alone, the messages stand at its own fields.
fn at_top(error: Error) -> Error {
    let Error::Invalid(errors) = error else {
        return error;
    };
    let mut top = FieldErrors::default();
    for (name, error) in errors.iter() {
        let field = name.strip_prefix("variants.0.").unwrap_or(name);
        top.add(field, error.code, error.message.clone());
    }
    Error::Invalid(top)
}

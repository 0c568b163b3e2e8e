//! API: tax classes and rates, for staff.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{TaxClass, TaxRule, write_percent};
use super::service::{self, TaxClassInput, TaxRateInput};
use crate::app::App;
use crate::types::TaxRateId;
use crate::web::json::{IfMatch, Json, List, Problem, Versioned};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(classes, create_class))
        .routes(routes!(class, change_class, remove_class))
        .routes(routes!(rates, create_rate))
        .routes(routes!(rate, change_rate, remove_rate))
}

/// A kind of goods, as far as tax goes.
#[derive(Serialize, ToSchema)]
pub struct TaxClassJson {
    /// Its name for programs, which products hold.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its place in lists.
    pub position: i64,
    /// Whether shipping is taxed as this; one class is.
    pub for_shipping: bool,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
}

impl From<TaxClass> for TaxClassJson {
    fn from(class: TaxClass) -> Self {
        Self {
            code: class.code,
            name: class.name,
            position: class.position,
            for_shipping: class.for_shipping,
            version: class.version,
        }
    }
}

/// How much tax is on a class of goods in a place.
#[derive(Serialize, ToSchema)]
pub struct TaxRateJson {
    /// Its id.
    pub id: i64,
    /// The code of the class.
    pub tax_class: String,
    /// ISO 3166-1 alpha-2; empty: any.
    pub country: String,
    /// A state or province in all the ways that people write it, parted by commas; empty: any.
    pub region: String,
    /// Its name, as shoppers see it.
    #[schema(example = "VAT")]
    pub name: String,
    /// Percent.
    #[schema(example = "21")]
    pub percent: String,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
    /// When it last changed.
    pub updated_at: String,
}

impl From<TaxRule> for TaxRateJson {
    fn from(rate: TaxRule) -> Self {
        Self {
            id: rate.id.0,
            tax_class: rate.tax_class,
            country: rate.country,
            region: rate.region,
            name: rate.name,
            percent: write_percent(rate.rate),
            version: rate.version,
            updated_at: rate.updated_at.rfc3339(),
        }
    }
}

fn present_class(class: TaxClass) -> Versioned<TaxClassJson> {
    let version = class.version;
    Versioned(class.into(), version)
}

fn present_rate(rate: TaxRule) -> Versioned<TaxRateJson> {
    let version = rate.version;
    Versioned(rate.into(), version)
}

fn list<T, U: From<T>>(items: Vec<T>) -> Json<List<U>> {
    Json(List {
        total: i64::try_from(items.len()).unwrap_or(i64::MAX),
        items: items.into_iter().map(U::from).collect(),
        next: None,
    })
}

/// All tax classes (staff)
///
/// Staff who work on the catalog may read them, too.
#[utoipa::path(get, path = "/taxes/classes", tag = "taxes",
    responses(
        (status = 200, body = List<TaxClassJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn classes(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<List<TaxClassJson>>, Failure> {
    Ok(list(service::classes(&app, &ctx).await?))
}

/// Make a tax class (staff)
#[utoipa::path(post, path = "/taxes/classes", tag = "taxes", request_body = TaxClassInput,
    responses(
        (status = 201, body = TaxClassJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_class(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<TaxClassInput>,
) -> Result<Response, Failure> {
    let class = service::create_class(&app, &ctx, input).await?;
    let location = [(
        header::LOCATION,
        format!("/api/taxes/classes/{}", class.code),
    )];
    Ok((StatusCode::CREATED, location, present_class(class)).into_response())
}

/// A tax class (staff)
#[utoipa::path(get, path = "/taxes/classes/{code}", tag = "taxes",
    params(("code" = String, Path)),
    responses(
        (status = 200, body = TaxClassJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn class(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
) -> Result<Versioned<TaxClassJson>, Failure> {
    Ok(present_class(service::class(&app, &ctx, &code).await?))
}

/// Change a tax class (staff)
///
/// Its code stays. `for_shipping: true` takes it from the class that had it.
#[utoipa::path(patch, path = "/taxes/classes/{code}", tag = "taxes",
    request_body = TaxClassInput,
    params(
        ("code" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = TaxClassJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_class(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<TaxClassInput>,
) -> Result<Versioned<TaxClassJson>, Failure> {
    Ok(present_class(
        service::update_class(&app, &ctx, &code, version, input).await?,
    ))
}

/// Delete a tax class with its rates (staff)
#[utoipa::path(delete, path = "/taxes/classes/{code}", tag = "taxes",
    params(
        ("code" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`tax_class_in_use`"),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn remove_class(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete_class(&app, &ctx, &code, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All tax rates (staff)
///
/// Of the rates of a class the most specific one counts: country and region, the country, any.
#[utoipa::path(get, path = "/taxes/rates", tag = "taxes",
    responses(
        (status = 200, body = List<TaxRateJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn rates(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<List<TaxRateJson>>, Failure> {
    Ok(list(service::all_rates(&app, &ctx).await?))
}

/// Make a tax rate (staff)
#[utoipa::path(post, path = "/taxes/rates", tag = "taxes", request_body = TaxRateInput,
    responses(
        (status = 201, body = TaxRateJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_rate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<TaxRateInput>,
) -> Result<Response, Failure> {
    let rate = service::create_rate(&app, &ctx, input).await?;
    let location = [(header::LOCATION, format!("/api/taxes/rates/{}", rate.id))];
    Ok((StatusCode::CREATED, location, present_rate(rate)).into_response())
}

/// A tax rate (staff)
#[utoipa::path(get, path = "/taxes/rates/{id}", tag = "taxes",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = TaxRateJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn rate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Versioned<TaxRateJson>, Failure> {
    Ok(present_rate(
        service::rate(&app, &ctx, TaxRateId(id)).await?,
    ))
}

/// Change a tax rate (staff)
///
/// It holds for every price from then on; orders keep what they were placed with.
#[utoipa::path(patch, path = "/taxes/rates/{id}", tag = "taxes",
    request_body = TaxRateInput,
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = TaxRateJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_rate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<TaxRateInput>,
) -> Result<Versioned<TaxRateJson>, Failure> {
    Ok(present_rate(
        service::update_rate(&app, &ctx, TaxRateId(id), version, input).await?,
    ))
}

/// Delete a tax rate (staff)
#[utoipa::path(delete, path = "/taxes/rates/{id}", tag = "taxes",
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn remove_rate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete_rate(&app, &ctx, TaxRateId(id), version).await?;
    Ok(StatusCode::NO_CONTENT)
}

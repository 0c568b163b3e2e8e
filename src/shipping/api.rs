//! API: zones and methods of shipping, for staff. What shoppers are offered is told with their
//! cart.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{MethodKind, ShippingMethod, ShippingZone};
use super::service::{self, MethodInput, ZoneInput};
use crate::app::App;
use crate::types::{Money, ShippingZoneId};
use crate::web::json::{IfMatch, Json, List, MoneyJson, Problem, Versioned};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(zones, create_zone))
        .routes(routes!(zone, change_zone, remove_zone))
        .routes(routes!(create_method))
        .routes(routes!(method, change_method, remove_method))
}

/// Where orders go, with the ways to ship there.
#[derive(Serialize, ToSchema)]
pub struct ZoneJson {
    /// Its id.
    pub id: i64,
    /// Its name, for staff.
    pub name: String,
    /// ISO 3166-1 alpha-2; empty: the rest of the world.
    pub countries: Vec<String>,
    /// Postal codes within the countries; empty: all of them.
    pub postal_codes: Vec<String>,
    /// Its place: the first zone that serves a destination is the one that counts.
    pub position: i64,
    /// Its methods in their order, offered or not.
    pub methods: Vec<MethodJson>,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
}

/// A way to ship.
#[derive(Serialize, ToSchema)]
pub struct MethodJson {
    /// Its name for programs.
    pub code: String,
    /// The zone that it is for.
    pub zone_id: i64,
    /// Its name, as shoppers see it.
    pub name: String,
    /// How long it takes.
    pub description: String,
    /// `flat`, `by_weight`, `by_total` or `pickup`.
    pub kind: &'static str,
    /// The price of a flat rate or a pickup; null for others.
    pub price: Option<MoneyJson>,
    /// The prices by weight or total, in ascending order.
    pub steps: Vec<StepJson>,
    /// Goods of this price make it free; null for never.
    pub free_over: Option<MoneyJson>,
    /// Where a pickup is, or empty.
    pub pickup_location: String,
    /// Whether it is offered.
    pub active: bool,
    /// Its place in its zone.
    pub position: i64,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
}

/// A price from some measure on.
#[derive(Serialize, ToSchema)]
pub struct StepJson {
    /// By weight: from so many grams on; else null.
    pub from_grams: Option<i64>,
    /// By total: from so much on; else null.
    pub from_total: Option<MoneyJson>,
    /// What shipping costs then.
    pub price: MoneyJson,
}

impl From<ShippingMethod> for MethodJson {
    fn from(method: ShippingMethod) -> Self {
        let by_weight = method.kind == MethodKind::ByWeight;
        let steps = method.steps.iter().map(|step| {
            let total = Money::new(step.from, step.price.currency());
            StepJson {
                from_grams: by_weight.then_some(step.from),
                from_total: (!by_weight).then(|| total.into()),
                price: step.price.into(),
            }
        });
        Self {
            steps: steps.collect(),
            price: (!method.kind.has_steps()).then(|| method.price.into()),
            code: method.code,
            zone_id: method.zone_id.0,
            name: method.name,
            description: method.description,
            kind: method.kind.as_str(),
            free_over: method.free_over.map(MoneyJson::from),
            pickup_location: method.pickup_location,
            active: method.active,
            position: method.position,
            version: method.version,
        }
    }
}

fn zone_json(zone: ShippingZone, methods: Vec<ShippingMethod>) -> ZoneJson {
    let patterns = zone.postal_codes.iter().map(ToString::to_string);
    ZoneJson {
        id: zone.id.0,
        name: zone.name,
        countries: zone.countries,
        postal_codes: patterns.collect(),
        position: zone.position,
        methods: methods.into_iter().map(MethodJson::from).collect(),
        version: zone.version,
    }
}

fn present_zone(zone: ShippingZone, methods: Vec<ShippingMethod>) -> Versioned<ZoneJson> {
    let version = zone.version;
    Versioned(zone_json(zone, methods), version)
}

fn present_method(method: ShippingMethod) -> Versioned<MethodJson> {
    let version = method.version;
    Versioned(method.into(), version)
}

/// All shipping zones with their methods (staff)
///
/// The first zone that serves a destination is the one whose methods are offered there.
#[utoipa::path(get, path = "/shipping/zones", tag = "shipping",
    responses(
        (status = 200, body = List<ZoneJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn zones(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<List<ZoneJson>>, Failure> {
    let zones = service::zones(&app, &ctx).await?;
    Ok(Json(List {
        total: i64::try_from(zones.len()).unwrap_or(i64::MAX),
        items: zones
            .into_iter()
            .map(|(zone, methods)| zone_json(zone, methods))
            .collect(),
        next: None,
    }))
}

/// Make a shipping zone (staff)
#[utoipa::path(post, path = "/shipping/zones", tag = "shipping", request_body = ZoneInput,
    responses(
        (status = 201, body = ZoneJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_zone(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<ZoneInput>,
) -> Result<Response, Failure> {
    let zone = service::create_zone(&app, &ctx, input).await?;
    let location = [(header::LOCATION, format!("/api/shipping/zones/{}", zone.id))];
    let body = present_zone(zone, Vec::new());
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// A shipping zone with its methods (staff)
#[utoipa::path(get, path = "/shipping/zones/{id}", tag = "shipping",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = ZoneJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn zone(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Versioned<ZoneJson>, Failure> {
    let (zone, methods) = service::zone(&app, &ctx, ShippingZoneId(id)).await?;
    Ok(present_zone(zone, methods))
}

/// Change a shipping zone (staff)
#[utoipa::path(patch, path = "/shipping/zones/{id}", tag = "shipping",
    request_body = ZoneInput,
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = ZoneJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_zone(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<ZoneInput>,
) -> Result<Versioned<ZoneJson>, Failure> {
    let id = ShippingZoneId(id);
    service::update_zone(&app, &ctx, id, version, input).await?;
    let (zone, methods) = service::zone(&app, &ctx, id).await?;
    Ok(present_zone(zone, methods))
}

/// Delete a shipping zone with its methods (staff)
///
/// Where no other zone serves its destinations, the shop no longer delivers there.
#[utoipa::path(delete, path = "/shipping/zones/{id}", tag = "shipping",
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
async fn remove_zone(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete_zone(&app, &ctx, ShippingZoneId(id), version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a way to ship in a zone (staff)
#[utoipa::path(post, path = "/shipping/zones/{id}/methods", tag = "shipping",
    request_body = MethodInput, params(("id" = i64, Path)),
    responses(
        (status = 201, body = MethodJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create_method(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    Json(input): Json<MethodInput>,
) -> Result<Response, Failure> {
    let method = service::create_method(&app, &ctx, ShippingZoneId(id), input).await?;
    let location = [(
        header::LOCATION,
        format!("/api/shipping/methods/{}", method.code),
    )];
    Ok((StatusCode::CREATED, location, present_method(method)).into_response())
}

/// A way to ship (staff)
#[utoipa::path(get, path = "/shipping/methods/{code}", tag = "shipping",
    params(("code" = String, Path)),
    responses(
        (status = 200, body = MethodJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn method(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
) -> Result<Versioned<MethodJson>, Failure> {
    Ok(present_method(service::method(&app, &ctx, &code).await?))
}

/// Change a way to ship (staff)
///
/// It holds for every price from then on; orders keep what they were placed with. Its code stays.
#[utoipa::path(patch, path = "/shipping/methods/{code}", tag = "shipping",
    request_body = MethodInput,
    params(
        ("code" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = MethodJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change_method(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<MethodInput>,
) -> Result<Versioned<MethodJson>, Failure> {
    Ok(present_method(
        service::update_method(&app, &ctx, &code, version, input).await?,
    ))
}

/// Delete a way to ship (staff)
#[utoipa::path(delete, path = "/shipping/methods/{code}", tag = "shipping",
    params(
        ("code" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn remove_method(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(code): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete_method(&app, &ctx, &code, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

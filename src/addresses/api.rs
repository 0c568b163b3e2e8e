//! API: one's own address book.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{PostalAddress, SavedAddress};
use super::service::{self, AddressChange};
use crate::app::App;
use crate::types::AddressId;
use crate::web::json::{Json, Problem, created};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(show, change, remove))
}

/// A postal address.
#[derive(Serialize, ToSchema)]
pub struct PostalAddressJson {
    /// Who lives there.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// More of it, or empty.
    pub line2: String,
    /// City.
    pub city: String,
    /// Region or state, or empty.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Phone, or empty.
    pub phone: String,
}

/// An address in one's own book.
#[derive(Serialize, ToSchema)]
pub struct SavedAddressJson {
    /// Its id.
    id: i64,
    #[serde(flatten)]
    address: PostalAddressJson,
    /// Whether orders go there unless said otherwise.
    default_shipping: bool,
    /// Whether bills go there unless said otherwise.
    default_billing: bool,
}

/// One's own address book.
#[derive(Serialize, ToSchema)]
struct AddressesJson {
    /// The oldest first; at most 50.
    items: Vec<SavedAddressJson>,
}

impl From<&PostalAddress> for PostalAddressJson {
    fn from(address: &PostalAddress) -> Self {
        let address = address.clone();
        Self {
            name: address.name,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
            phone: address.phone,
        }
    }
}

impl From<&SavedAddress> for SavedAddressJson {
    fn from(saved: &SavedAddress) -> Self {
        Self {
            id: saved.id.0,
            address: PostalAddressJson::from(&saved.address),
            default_shipping: saved.default_shipping,
            default_billing: saved.default_billing,
        }
    }
}

/// One's own addresses
#[utoipa::path(get, path = "/addresses", tag = "auth",
    responses((status = 200, body = AddressesJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn list(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Json<AddressesJson>, Failure> {
    let book = service::list(&app, &ctx).await?;
    Ok(Json(AddressesJson {
        items: book.iter().map(SavedAddressJson::from).collect(),
    }))
}

/// Add an address
///
/// The first one is the default for orders and bills.
#[utoipa::path(post, path = "/addresses", tag = "auth", request_body = AddressChange,
    responses(
        (status = 201, body = SavedAddressJson),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "`too_many`: the book is full"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn add(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<AddressChange>,
) -> Result<Response, Failure> {
    let saved = service::add(&app, &ctx, input).await?;
    let location = format!("/api/v1/addresses/{}", saved.id);
    Ok(created(&location, SavedAddressJson::from(&saved)))
}

/// One of one's own addresses
#[utoipa::path(get, path = "/addresses/{id}", tag = "auth", params(("id" = i64, Path)),
    responses(
        (status = 200, body = SavedAddressJson),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<AddressId>,
) -> Result<Json<SavedAddressJson>, Failure> {
    let saved = service::address(&app, &ctx, id).await?;
    Ok(Json(SavedAddressJson::from(&saved)))
}

/// Change one of one's own addresses
#[utoipa::path(patch, path = "/addresses/{id}", tag = "auth", params(("id" = i64, Path)),
    request_body = AddressChange,
    responses(
        (status = 200, body = SavedAddressJson),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<AddressId>,
    Json(input): Json<AddressChange>,
) -> Result<Json<SavedAddressJson>, Failure> {
    let saved = service::change(&app, &ctx, id, input).await?;
    Ok(Json(SavedAddressJson::from(&saved)))
}

/// Remove one of one's own addresses
///
/// Orders that went there keep their copy.
#[utoipa::path(delete, path = "/addresses/{id}", tag = "auth", params(("id" = i64, Path)),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<AddressId>,
) -> Result<StatusCode, Failure> {
    service::remove(&app, &ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

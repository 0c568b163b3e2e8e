//! API: the address to which gateways send their events.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::provider::Headers;
use super::{service, urls};
use crate::app::App;
use crate::error::Error;
use crate::web::Failure;
use crate::web::json::Problem;

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(webhook))
}

/// The same address outside of the API, without a session and without limits: gateways send many
/// events from few addresses.
pub fn front_door() -> axum::Router<App> {
    axum::Router::new().route(&urls::webhook("{provider}"), post(webhook))
}

/// Tell of a payment (gateways)
///
/// For the gateway of the provider, which signs what it sends: `stripe` by `Stripe-Signature`,
/// `test` by `Test-Gateway-Signature`, both over the body as it stands, at most five minutes old.
/// An event that came before is taken and changes nothing. The same address without limits is
/// `POST /payments/webhooks/{provider}`.
#[utoipa::path(post, path = "/webhooks/{provider}", tag = "payments", security(()),
    params(("provider" = String, Path, description = "The provider's name")),
    request_body(content = String, content_type = "application/json"),
    responses(
        (status = 200, description = "Taken"),
        (status = 400, body = Problem, description = "`bad_signature`: the gateway did not sign it, or not lately"),
        (status = 404, body = Problem, description = "No such provider is offered, or it sends no events"),
    ))]
async fn webhook(
    State(app): State<App>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let refuse =
        |detail: &str| Failure::new(StatusCode::BAD_REQUEST, "bad_signature", detail.to_owned());
    let Ok(body) = std::str::from_utf8(&body) else {
        return Err(refuse("This is no text."));
    };
    let headers: Headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    match service::inbox::receive(&app, &app.system(), &provider, &headers, body).await {
        Ok(()) => Ok(StatusCode::OK),
        Err(Error::Invalid(errors)) => Err(refuse(errors.of("signature"))),
        Err(error) => Err(error.into()),
    }
}

//! API: the second factor of one's sign-in.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::model::TwoFactor;
use crate::accounts::service::{self, BothFactors, TurnOn};
use crate::app::App;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, turn_on))
        .routes(routes!(set_up))
        .routes(routes!(turn_off))
        .routes(routes!(new_codes))
}

/// How the second factor stands.
#[derive(Serialize, ToSchema)]
struct TwoFactorJson {
    /// Whether a sign-in takes a code.
    on: bool,
    /// Recovery codes that were not used yet.
    recovery_codes_left: i64,
}

impl From<TwoFactor> for TwoFactorJson {
    fn from(two_factor: TwoFactor) -> Self {
        Self {
            on: two_factor.on,
            recovery_codes_left: two_factor.recovery_codes_left,
        }
    }
}

/// What an app for codes needs.
#[derive(Serialize, ToSchema)]
struct SetupJson {
    /// The secret, in base 32.
    secret: String,
    /// The same as an address, for a QR code.
    #[schema(example = "otpauth://totp/olmo:ada%40example.com?secret=…&issuer=olmo")]
    url: String,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
struct RecoveryCodesJson {
    /// Each good for one use; nothing shows them again.
    recovery_codes: Vec<String>,
}

/// A body that nobody on the way may keep.
fn secret<T: Serialize>(status: StatusCode, body: T) -> Response {
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, [no_store], Json(body)).into_response()
}

/// How one's second factor stands
#[utoipa::path(get, path = "/auth/two-factor", tag = "auth",
    responses((status = 200, body = TwoFactorJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn show(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Json<TwoFactorJson>, Failure> {
    Ok(Json(service::two_factor(&app, &ctx).await?.into()))
}

/// Get a secret for an app
///
/// Nothing changes yet: turning it on takes the secret back, with the code that the app makes of it.
#[utoipa::path(post, path = "/auth/two-factor/setup", tag = "auth",
    responses((status = 200, body = SetupJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn set_up(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Response, Failure> {
    let setup = service::new_two_factor(&app, &ctx)?;
    let body = SetupJson {
        secret: setup.secret,
        url: setup.url,
    };
    Ok(secret(StatusCode::OK, body))
}

/// Turn the second factor on
///
/// From then on a sign-in takes a code, too.
#[utoipa::path(post, path = "/auth/two-factor", tag = "auth", request_body = TurnOn,
    responses(
        (status = 201, body = RecoveryCodesJson),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "`two_factor_on`"),
        (status = 422, body = Problem, description = "`wrong_password` at `password`, `wrong_code` at `code`"),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn turn_on(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<TurnOn>,
) -> Result<Response, Failure> {
    let recovery_codes = service::turn_on_two_factor(&app, &ctx, input).await?;
    Ok(secret(
        StatusCode::CREATED,
        RecoveryCodesJson { recovery_codes },
    ))
}

/// Turn the second factor off
#[utoipa::path(post, path = "/auth/two-factor/off", tag = "auth", request_body = BothFactors,
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn turn_off(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<BothFactors>,
) -> Result<StatusCode, Failure> {
    service::turn_off_two_factor(&app, &ctx, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get new recovery codes
///
/// Those from before are good no more.
#[utoipa::path(post, path = "/auth/two-factor/recovery-codes", tag = "auth",
    request_body = BothFactors,
    responses(
        (status = 201, body = RecoveryCodesJson),
        (status = 401, body = Problem),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn new_codes(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<BothFactors>,
) -> Result<Response, Failure> {
    let recovery_codes = service::new_recovery_codes(&app, &ctx, input).await?;
    Ok(secret(
        StatusCode::CREATED,
        RecoveryCodesJson { recovery_codes },
    ))
}

//! API: where one is signed in.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::model::SignedIn;
use crate::accounts::service;
use crate::app::App;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, end_others))
        .routes(routes!(end))
}

/// Where somebody is signed in.
#[derive(Serialize, ToSchema)]
pub struct SignInJson {
    /// Names it, to end it.
    id: String,
    /// `browser` or `api`.
    kind: &'static str,
    /// With what, in words.
    #[schema(example = "Firefox on Linux")]
    device: String,
    /// The network address; may be empty.
    address: String,
    /// When they signed in.
    created_at: String,
    /// When it was last used, within minutes.
    last_used_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

impl From<SignedIn> for SignInJson {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            id: signed_in.id,
            kind: signed_in.by.as_str(),
            device: signed_in.device,
            address: signed_in.address,
            created_at: signed_in.since.rfc3339(),
            last_used_at: signed_in.last_used_at.rfc3339(),
            current: signed_in.current,
        }
    }
}

/// All places where somebody is signed in.
#[derive(Serialize, ToSchema)]
struct SignInsJson {
    /// Browsers, then clients of the API, each the last used first; a hundred of each at most.
    items: Vec<SignInJson>,
}

/// How many sign-ins were ended.
#[derive(Serialize, ToSchema)]
struct EndedJson {
    /// How many.
    ended: u64,
}

/// Where one is signed in
#[utoipa::path(get, path = "/auth/sessions", tag = "auth",
    responses((status = 200, body = SignInsJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn list(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Json<SignInsJson>, Failure> {
    let sign_ins = service::sign_ins(&app, &ctx).await?;
    let items = sign_ins.into_iter().map(SignInJson::from).collect();
    Ok(Json(SignInsJson { items }))
}

/// Sign out everywhere else
#[utoipa::path(delete, path = "/auth/sessions", tag = "auth",
    responses((status = 200, body = EndedJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn end_others(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<EndedJson>, Failure> {
    let ended = service::end_other_sign_ins(&app, &ctx).await?;
    Ok(Json(EndedJson { ended }))
}

/// Sign out somewhere
///
/// Its next request is refused already.
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth",
    params(("id" = String, Path, description = "As the list names it")),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 404, body = Problem, description = "It has ended, or is not yours"),
    ), security(("bearer" = [])))]
async fn end(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    service::end_sign_in(&app, &ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

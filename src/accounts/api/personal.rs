//! API: personal tokens for scripts.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::model::PersonalToken;
use crate::accounts::service::{self, NewToken};
use crate::app::App;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(revoke))
}

/// A personal token.
#[derive(Serialize, ToSchema)]
pub struct PersonalTokenJson {
    /// Its id.
    id: i64,
    /// What it is for.
    name: String,
    /// What it opens, as far as its owner may go there.
    scopes: Vec<&'static str>,
    /// When it was made.
    created_at: String,
    /// From when on it is good for nothing.
    expires_at: String,
    /// When it was last used, within minutes; null before.
    last_used_at: Option<String>,
    /// The token, in the answer that made it and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<PersonalToken> for PersonalTokenJson {
    fn from(token: PersonalToken) -> Self {
        let scopes = token.scopes.iter().map(|scope| scope.as_str());
        Self {
            id: token.id,
            scopes: scopes.collect(),
            name: token.name,
            created_at: token.created_at.rfc3339(),
            expires_at: token.expires_at.rfc3339(),
            last_used_at: token.last_used_at.map(|at| at.rfc3339()),
            token: None,
        }
    }
}

/// All personal tokens of somebody.
#[derive(Serialize, ToSchema)]
struct PersonalTokensJson {
    /// The newest first.
    items: Vec<PersonalTokenJson>,
}

/// One's own personal tokens
#[utoipa::path(get, path = "/auth/tokens", tag = "auth",
    responses((status = 200, body = PersonalTokensJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<PersonalTokensJson>, Failure> {
    let tokens = service::personal_tokens(&app, &ctx).await?;
    let items = tokens.into_iter().map(PersonalTokenJson::from).collect();
    Ok(Json(PersonalTokensJson { items }))
}

/// Make a personal token
///
/// For scripts: it needs no sign-in. The answer shows it, and nothing will again.
#[utoipa::path(post, path = "/auth/tokens", tag = "auth", request_body = NewToken,
    responses(
        (status = 201, body = PersonalTokenJson),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "`too_many_tokens`"),
        (status = 422, body = Problem, description = "`wrong_password` at `password`"),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn make(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<NewToken>,
) -> Result<Response, Failure> {
    let (made, token) = service::make_personal_token(&app, &ctx, input).await?;
    let body = PersonalTokenJson {
        token: Some(token),
        ..PersonalTokenJson::from(made)
    };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::CREATED, [no_store], Json(body)).into_response())
}

/// Revoke a personal token
#[utoipa::path(delete, path = "/auth/tokens/{id}", tag = "auth",
    params(("id" = i64, Path, description = "The token's id")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = [])))]
async fn revoke(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<StatusCode, Failure> {
    service::revoke_personal_token(&app, &ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

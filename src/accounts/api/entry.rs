//! API: register, sign in and out, tokens.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::UserJson;
use crate::accounts::model::{Tokens, User};
use crate::accounts::service::{
    self, Register, SignIn, TWO_FACTOR_REQUIRED, WRONG_CODE, WRONG_CREDENTIALS,
};
use crate::app::App;
use crate::error::Error;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure, SignedIn};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
}

/// Who signed in, and their tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedInJson {
    /// Who it is.
    user: UserJson,
    /// For `Authorization: Bearer`.
    access_token: String,
    /// For `POST auth/refresh`; good for one use, within 30 days.
    refresh_token: String,
    /// `Bearer`
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: i64,
}

/// A refresh token.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshJson {
    /// As the last answer gave it.
    refresh_token: String,
}

/// Tokens, which nobody on the way may keep.
pub(super) fn present(status: StatusCode, user: &User, tokens: Tokens) -> Response {
    let body = SignedInJson {
        user: UserJson::from(user),
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        token_type: "Bearer",
        expires_in: Tokens::ACCESS_SECONDS,
    };
    let mut response = (status, Json(body)).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// The same for somebody who just proved who they are.
fn present_sign_in(status: StatusCode, user: &User, tokens: Tokens) -> Response {
    let mut response = present(status, user, tokens);
    response.extensions_mut().insert(SignedIn(user.current()));
    response
}

/// A wrong password or code is 401, as clients of an API expect it; on pages it is a field's message.
fn refuse(error: Error) -> Failure {
    let Error::Invalid(fields) = &error else {
        return error.into();
    };
    for (field, at) in fields.iter() {
        let code = match at.code {
            WRONG_CREDENTIALS => "invalid_credentials",
            code @ (TWO_FACTOR_REQUIRED | WRONG_CODE) => code,
            _ => continue,
        };
        return Failure::new(StatusCode::UNAUTHORIZED, code, fields.of(field));
    }
    error.into()
}

/// Make an account
///
/// Signs in, too. With `Cart-Token`, the guest's cart becomes the account's.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = Register,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 201, body = SignedInJson),
        (status = 422, body = Problem, description = "`taken` at `email`: there is an account"),
        (status = 429, body = Problem),
    ), security(()))]
async fn register(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<Register>,
) -> Result<Response, Failure> {
    let user = service::register(&app, &ctx, input).await?;
    let tokens = service::issue_tokens(&app, &ctx, user.id).await?;
    Ok(present_sign_in(StatusCode::CREATED, &user, tokens))
}

/// Sign in
///
/// With `Cart-Token`, the guest's cart goes into the account's. An account with a second factor
/// takes a `code`, too.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = SignIn,
    params(("Cart-Token" = Option<String>, Header, description = "A guest's cart")),
    responses(
        (status = 200, body = SignedInJson),
        (status = 401, body = Problem, description = "`invalid_credentials`: unknown e-mail or wrong password; `two_factor_required`: a `code` is needed; `wrong_code`"),
        (status = 422, body = Problem),
        (status = 429, body = Problem, description = "Too many failures; `Retry-After` says how long to wait"),
    ), security(()))]
async fn login(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<SignIn>,
) -> Result<Response, Failure> {
    let code = input.code.clone();
    let user = service::sign_in(&app, &ctx, input).await.map_err(refuse)?;
    let second = service::second_step(&app, &ctx, &user, code.as_deref()).await;
    second.map_err(refuse)?;
    let tokens = service::issue_tokens(&app, &ctx, user.id).await?;
    Ok(present_sign_in(StatusCode::OK, &user, tokens))
}

/// Trade a refresh token for new tokens
///
/// The old one is good no more. Used twice, it ends the whole sign-in.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = RefreshJson,
    responses((status = 200, body = SignedInJson), (status = 401, body = Problem)), security(()))]
async fn refresh(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<RefreshJson>,
) -> Result<Response, Failure> {
    let (user, tokens) = service::refresh(&app, &ctx, &input.refresh_token).await?;
    Ok(present(StatusCode::OK, &user, tokens))
}

/// Sign out
///
/// Ends the sign-in that a refresh token comes from, its access tokens with it.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", request_body = RefreshJson,
    responses((status = 204)), security(()))]
async fn logout(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<RefreshJson>,
) -> Result<StatusCode, Failure> {
    service::revoke(&app, &ctx, &input.refresh_token).await?;
    Ok(StatusCode::NO_CONTENT)
}

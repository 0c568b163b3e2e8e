//! API: passwords.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::entry::{SignedInJson, present};
use crate::accounts::service::{self, ChangePassword, ForgotPassword, ResetPassword};
use crate::app::App;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(change))
        .routes(routes!(forgot))
        .routes(routes!(reset))
}

/// Change one's own password
///
/// All sign-ins end, in browsers and of API clients; the answer begins a new one.
#[utoipa::path(post, path = "/auth/password", tag = "auth", request_body = ChangePassword,
    responses(
        (status = 200, body = SignedInJson),
        (status = 401, body = Problem),
        (status = 422, body = Problem, description = "`wrong_password` at `current_password`; `length`, `weak` or `same` at `new_password`"),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<ChangePassword>,
) -> Result<Response, Failure> {
    let user = service::change_password(&app, &ctx, input).await?;
    let tokens = service::issue_tokens(&app, &ctx, user.id).await?;
    Ok(present(StatusCode::OK, &user, tokens))
}

/// Ask for a letter to set a new password
///
/// The answer is the same whether there is an account with this e-mail or not.
#[utoipa::path(post, path = "/auth/password/forgot", tag = "auth", request_body = ForgotPassword,
    responses(
        (status = 202, description = "If there is an account, a letter is on its way"),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security(()))]
async fn forgot(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<ForgotPassword>,
) -> Result<StatusCode, Failure> {
    service::forgot_password(&app, &ctx, input).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password
///
/// With the token of the link in the letter, which is good for one use within 30 minutes. All
/// sign-ins end.
#[utoipa::path(post, path = "/auth/password/reset", tag = "auth", request_body = ResetPassword,
    responses(
        (status = 204),
        (status = 422, body = Problem, description = "`bad_link` at `token`; `length` or `weak` at `password`"),
    ), security(()))]
async fn reset(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<ResetPassword>,
) -> Result<StatusCode, Failure> {
    service::reset_password(&app, &ctx, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! API: the e-mail address.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::service::{self, ChangeEmail, LinkToken};
use crate::app::App;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(change))
        .routes(routes!(confirm))
        .routes(routes!(verify))
        .routes(routes!(send_verification))
}

/// How far a change of address has come.
#[derive(Serialize, ToSchema)]
struct EmailChangeJson {
    /// The new address.
    email: String,
    /// Whether it is the account's by now. Otherwise the other address has still to confirm it.
    done: bool,
}

/// Ask to move the account to another address
///
/// Both addresses get a letter with a link, and both have to be followed within a day.
#[utoipa::path(post, path = "/auth/email", tag = "auth", request_body = ChangeEmail,
    responses(
        (status = 202, description = "Two letters are on their way"),
        (status = 401, body = Problem),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<ChangeEmail>,
) -> Result<StatusCode, Failure> {
    service::request_email_change(&app, &ctx, input).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Confirm a change of address
///
/// With the token of a link in one of the two letters.
#[utoipa::path(post, path = "/auth/email/confirm", tag = "auth", request_body = LinkToken,
    responses(
        (status = 200, body = EmailChangeJson),
        (status = 409, body = Problem, description = "`email_taken`: the address has another account by now"),
        (status = 422, body = Problem, description = "`bad_link` at `token`"),
    ), security(()))]
async fn confirm(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<LinkToken>,
) -> Result<Json<EmailChangeJson>, Failure> {
    let change = service::confirm_email_change(&app, &ctx, input).await?;
    Ok(Json(EmailChangeJson {
        email: change.email.to_string(),
        done: change.done,
    }))
}

/// Verify an e-mail address
///
/// With the token of the link in the letter.
#[utoipa::path(post, path = "/auth/email/verify", tag = "auth", request_body = LinkToken,
    responses(
        (status = 204),
        (status = 422, body = Problem, description = "`bad_link` at `token`"),
    ), security(()))]
async fn verify(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<LinkToken>,
) -> Result<StatusCode, Failure> {
    service::verify_email(&app, &ctx, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send the letter that verifies one's own address once more
#[utoipa::path(post, path = "/auth/email/verification", tag = "auth",
    responses(
        (status = 202, description = "A letter is on its way"),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "`already_verified`"),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn send_verification(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<StatusCode, Failure> {
    service::send_verification(&app, &ctx).await?;
    Ok(StatusCode::ACCEPTED)
}

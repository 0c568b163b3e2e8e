//! Pages of accounts.

mod email;
mod entry;
mod password;
mod personal;
mod profile;
mod sessions;
mod two_factor;

use axum::Router;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::urls;
use crate::app::App;
use crate::ctx::Ctx;
use crate::web::redirect;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(entry::routes())
        .merge(password::routes())
        .merge(email::routes())
        .merge(profile::routes())
        .merge(sessions::routes())
        .merge(personal::routes())
        .merge(two_factor::routes())
}

/// 303 to the sign-in form, which leads back to `next` afterwards.
pub fn to_sign_in(next: &str) -> Response {
    redirect(&urls::sign_in_then(next)).unwrap_or_else(IntoResponse::into_response)
}

/// 303 to the page that turns the second factor on.
pub fn to_two_factor() -> Response {
    redirect(urls::TWO_FACTOR).unwrap_or_else(IntoResponse::into_response)
}

/// What the link of a letter carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    token: String,
}

/// Where somebody goes on after something that both signed-in users and others may do.
fn home_of(ctx: &Ctx) -> &'static str {
    if ctx.user().is_some() {
        urls::ACCOUNT
    } else {
        urls::SIGN_IN
    }
}

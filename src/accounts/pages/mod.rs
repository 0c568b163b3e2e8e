//! Pages of accounts.

mod entry;
mod profile;

use axum::Router;
use axum::response::{IntoResponse, Response};

use super::urls;
use crate::app::App;
use crate::web::redirect;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(entry::routes())
        .merge(profile::routes())
}

/// 303 to the sign-in form, which leads back to `next` afterwards.
pub fn to_sign_in(next: &str) -> Response {
    redirect(&urls::sign_in_then(next)).unwrap_or_else(IntoResponse::into_response)
}

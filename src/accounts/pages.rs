//! Pages to register, sign in and out, and the profile.

use axum::Router;

use crate::app::App;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
}

/// 303 to the sign-in form, which leads back to `next` afterwards.
pub fn to_sign_in(_next: &str) -> axum::response::Response {
    todo!()
}

//! Order list and order page of shoppers.

use axum::Router;

use crate::app::App;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
}

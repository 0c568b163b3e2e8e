//! Shipping for staff: zones with their methods, and a form for each.

mod methods;
mod zones;

use axum::Router;

use crate::app::App;
use crate::web::{Answer, Flash, Viewer, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    zones::routes().merge(methods::routes())
}

const STALE: &str = "Somebody changed it meanwhile. Look again before you delete it.";

async fn done(viewer: &Viewer, words: impl Into<String>, path: &str) -> Answer {
    viewer.flash(Flash::good(words)).await?;
    redirect(path)
}

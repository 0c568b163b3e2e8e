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

/// Never none: who changes must have seen something.
fn version(typed: &str) -> Option<i64> {
    Some(typed.parse().unwrap_or(-1))
}

/// A number as typed; none for nothing. What is no number becomes -1, which the service refuses
/// with a message at that field.
fn number(typed: &str) -> Option<i64> {
    let typed = typed.trim();
    (!typed.is_empty()).then(|| typed.parse().unwrap_or(-1))
}

async fn done(viewer: &Viewer, words: impl Into<String>, path: &str) -> Answer {
    viewer.flash(Flash::good(words)).await?;
    redirect(path)
}

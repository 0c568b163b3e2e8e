//! API: the cart.

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

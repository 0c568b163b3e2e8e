//! API: stock as staff count it.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::whole;
use crate::app::App;
use crate::catalog::service::{self, StockInput};
use crate::inventory::Counted;
use crate::web::json::{Json, List, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(change))
}

/// What is on the shelf of a variant.
#[derive(Serialize, ToSchema)]
struct StockJson {
    /// Which variant.
    variant_id: i64,
    /// Pieces on the shelf before.
    before: i64,
    /// Pieces on the shelf now.
    on_hand: i64,
    /// Pieces on the shelf that somebody is about to buy.
    reserved: i64,
}

impl From<Counted> for StockJson {
    fn from(counted: Counted) -> Self {
        let after = counted.after.unwrap_or(counted.before);
        Self {
            variant_id: counted.variant_id.0,
            before: counted.before.on_hand,
            on_hand: after.on_hand,
            reserved: after.reserved,
        }
    }
}

/// Set the stock of several variants (staff)
///
/// All of them or none. For those with the permission `catalog` or `inventory`.
#[utoipa::path(patch, path = "/admin/stock", tag = "inventory", request_body = StockInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key is answered with the first answer")),
    responses(
        (status = 200, body = List<StockJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<StockInput>,
) -> Result<Json<List<StockJson>>, Failure> {
    let counted = service::edit_stock(&app, &ctx, input).await?;
    Ok(whole(counted.into_iter().map(StockJson::from).collect()))
}

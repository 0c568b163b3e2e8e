//! API: one's own profile.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::UserJson;
use crate::accounts::service::{self, UpdateProfile};
use crate::app::App;
use crate::web::json::{Json, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me, update_me))
}

/// Who is signed in
#[utoipa::path(get, path = "/auth/me", tag = "auth",
    responses((status = 200, body = UserJson), (status = 401, body = Problem)),
    security(("bearer" = [])))]
async fn me(State(app): State<App>, ApiCtx(ctx): ApiCtx) -> Result<Json<UserJson>, Failure> {
    let user = service::me(&app, &ctx).await?;
    Ok(Json(UserJson::from(&user)))
}

/// Change one's own profile
#[utoipa::path(patch, path = "/auth/me", tag = "auth", request_body = UpdateProfile,
    responses(
        (status = 200, body = UserJson),
        (status = 401, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn update_me(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<UpdateProfile>,
) -> Result<Json<UserJson>, Failure> {
    let user = service::update_profile(&app, &ctx, input).await?;
    Ok(Json(UserJson::from(&user)))
}

//! API: who works here.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::model::StaffMember;
use crate::accounts::service::{self, NewStaff, StaffInput};
use crate::app::App;
use crate::types::UserId;
use crate::web::json::{IfMatch, Json, List, Problem, Versioned};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(show, change))
}

/// Somebody who works here.
#[derive(Serialize, ToSchema)]
struct StaffJson {
    /// Their id.
    id: i64,
    /// Their address, in lower case.
    email: String,
    /// How they want to be called.
    name: String,
    /// `staff` or `admin`; `customer` in the answer that ends it.
    role: &'static str,
    /// What staff may work on; admins may do everything.
    permissions: Vec<&'static str>,
    /// Counts the changes of role and permissions; the `ETag` is made of it.
    version: i64,
    /// The newest sign-in that the shop remembers, or null. RFC 3339.
    signed_in_at: Option<String>,
    /// When they made their account. RFC 3339.
    created_at: String,
}

impl From<StaffMember> for StaffJson {
    fn from(member: StaffMember) -> Self {
        let StaffMember {
            user,
            version,
            signed_in_at,
        } = member;
        let permissions = user.permissions.iter();
        Self {
            id: user.id.0,
            email: user.email.to_string(),
            name: user.name,
            role: user.role.as_str(),
            permissions: permissions.map(|permission| permission.as_str()).collect(),
            version,
            signed_in_at: signed_in_at.map(|at| at.rfc3339()),
            created_at: user.created_at.rfc3339(),
        }
    }
}

fn present(member: StaffMember) -> Versioned<StaffJson> {
    let version = member.version;
    Versioned(member.into(), version)
}

/// All who work here (admins, and staff with `settings`)
#[utoipa::path(get, path = "/admin/staff", tag = "staff",
    responses(
        (status = 200, body = List<StaffJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<List<StaffJson>>, Failure> {
    let staff = service::list_staff(&app, &ctx).await?;
    Ok(Json(List {
        total: i64::try_from(staff.len()).unwrap_or(i64::MAX),
        items: staff.into_iter().map(StaffJson::from).collect(),
        next: None,
    }))
}

/// Make a customer staff (admins)
///
/// It holds from their next request on.
#[utoipa::path(post, path = "/admin/staff", tag = "staff", request_body = NewStaff,
    responses(
        (status = 201, body = StaffJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem, description = "`unknown` at `email`: there is no such account; `works_here`: they are staff already"),
    ), security(("bearer" = [])))]
async fn add(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<NewStaff>,
) -> Result<Response, Failure> {
    let member = service::add_staff(&app, &ctx, input).await?;
    let location = format!("/api/admin/staff/{}", member.user.id);
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, present(member)).into_response())
}

/// Somebody who works here (admins, and staff with `settings`)
#[utoipa::path(get, path = "/admin/staff/{id}", tag = "staff",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = StaffJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem, description = "Customers are none of the staff"),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Versioned<StaffJson>, Failure> {
    let member = service::staff_member(&app, &ctx, UserId(id)).await?;
    Ok(present(member))
}

/// Change role and permissions (admins)
///
/// It holds from their next request on. The role `customer` ends their work here.
#[utoipa::path(patch, path = "/admin/staff/{id}", tag = "staff", request_body = StaffInput,
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = StaffJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem, description = "Customers are none of the staff"),
        (status = 409, body = Problem, description = "`own_role`: no admin demotes themselves; `last_admin`"),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<StaffInput>,
) -> Result<Versioned<StaffJson>, Failure> {
    let changed = service::update_staff(&app, &ctx, UserId(id), version, input).await?;
    Ok(present(changed))
}

//! API: the audit log.

use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::json::EntryJson;
use super::model::{Filter, Format, When, Who};
use super::service;
use crate::app::App;
use crate::web::files::download;
use crate::web::json::{Json, List, Problem, Query, page_request, query_value};
use crate::web::openapi::word;
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(export))
        .routes(routes!(show))
}

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words that stand in subject, actor, action or address, each in any of them.
    search: String,
    /// A subject: `product 12`.
    subject: String,
    /// An action: `product.updated`.
    action: String,
    /// A user's id, or a part of an actor's name.
    actor: String,
    /// From this day in UTC, `2026-11-24`, or this moment on.
    from: String,
    /// Until this day, to its end, or this moment.
    until: String,
    /// From 1.
    page: String,
    /// 1 to 100; left out: 24.
    per_page: String,
}

/// Which entries, and as what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `csv` or `jsonl`; left out: `csv`.
    #[param(schema_with = word::<Format>)]
    format: String,
    /// Words that stand in subject, actor, action or address, each in any of them.
    search: String,
    /// A subject: `product 12`.
    subject: String,
    /// An action: `product.updated`.
    action: String,
    /// A user's id, or a part of an actor's name.
    actor: String,
    /// From this day in UTC, `2026-11-24`, or this moment on.
    from: String,
    /// Until this day, to its end, or this moment.
    until: String,
}

fn filter(
    [search, subject, action, actor]: [String; 4],
    from: &str,
    until: &str,
) -> Result<Filter, Failure> {
    Ok(Filter {
        search,
        subject,
        action,
        who: Who::read(&actor),
        from: query_value::<When>("from", Some(from))?.map(When::begins),
        until: query_value::<When>("until", Some(until))?.map(When::ends),
    })
}

/// The audit log, the newest entries first (staff)
#[utoipa::path(get, path = "/admin/audit", tag = "audit", params(ListQuery),
    responses(
        (status = 200, body = List<EntryJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<EntryJson>>, Failure> {
    let page = page_request(Some(&query.page), Some(&query.per_page))?;
    let words = [query.search, query.subject, query.action, query.actor];
    let filter = filter(words, &query.from, &query.until)?;
    let entries = service::list(&app, &ctx, &filter, page).await?;
    Ok(Json(List::new(entries, &uri, EntryJson::from)))
}

/// An entry of the audit log (staff)
#[utoipa::path(get, path = "/admin/audit/{entry}", tag = "audit",
    params(("entry" = i64, Path)),
    responses(
        (status = 200, body = EntryJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Json<EntryJson>, Failure> {
    let entry = service::entry(&app, &ctx, id).await?;
    Ok(Json(entry.into()))
}

/// The audit log as a file (staff)
///
/// As CSV or as JSON lines, whose objects are those of the list. That it was taken is an entry,
/// too.
#[utoipa::path(get, path = "/admin/audit/export", tag = "audit", params(ExportQuery),
    responses(
        (status = 200, content((String = "text/csv"), (String = "application/jsonl"))),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn export(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Failure> {
    let format = query_value::<Format>("format", Some(&query.format))?.unwrap_or_default();
    let words = [query.search, query.subject, query.action, query.actor];
    let filter = filter(words, &query.from, &query.until)?;
    let export = service::export(&app, &ctx, filter, format).await?;
    let name = export.file_name().to_owned();
    Ok(download(&name, export.kind(), export.pieces()))
}

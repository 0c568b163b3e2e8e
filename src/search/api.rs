//! API: what staff say about words, and searches that found nothing.

use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Miss, Synonym};
use super::service::{self, SynonymInput};
use crate::app::App;
use crate::web::json::{IfMatch, Json, List, PageQuery, Problem, Query, Versioned};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(misses, dismiss))
}

/// A rule about words.
#[derive(Serialize, ToSchema)]
pub struct SynonymJson {
    /// Its id.
    pub id: i64,
    /// The words that are searched for. Without `targets` all of them mean the same.
    pub words: Vec<String>,
    /// What is looked for as well; empty for words that mean the same.
    pub targets: Vec<String>,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
    /// When it last changed.
    pub updated_at: String,
}

impl From<Synonym> for SynonymJson {
    fn from(synonym: Synonym) -> Self {
        Self {
            id: synonym.id,
            words: synonym.words,
            targets: synonym.targets,
            version: synonym.version,
            updated_at: synonym.updated_at.rfc3339(),
        }
    }
}

/// A search that found nothing.
#[derive(Serialize, ToSchema)]
pub struct MissJson {
    /// What was looked for: lower case, without accents and signs.
    pub words: String,
    /// How often.
    pub count: i64,
    /// When last.
    pub last_at: String,
}

impl From<Miss> for MissJson {
    fn from(miss: Miss) -> Self {
        Self {
            words: miss.words,
            count: miss.count,
            last_at: miss.last_at.rfc3339(),
        }
    }
}

fn present(synonym: Synonym) -> Versioned<SynonymJson> {
    let version = synonym.version;
    Versioned(synonym.into(), version)
}

/// All rules about words (staff)
#[utoipa::path(get, path = "/admin/search/synonyms", tag = "search",
    responses(
        (status = 200, body = List<SynonymJson>),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
) -> Result<Json<List<SynonymJson>>, Failure> {
    let synonyms = service::synonyms(&app, &ctx).await?;
    Ok(Json(List {
        total: i64::try_from(synonyms.len()).unwrap_or(i64::MAX),
        items: synonyms.into_iter().map(SynonymJson::from).collect(),
        next: None,
    }))
}

/// Make a rule about words (staff)
///
/// Words alone mean the same; with `targets`, who searches for the words finds those, too. It
/// holds from the next search on.
#[utoipa::path(post, path = "/admin/search/synonyms", tag = "search", request_body = SynonymInput,
    responses(
        (status = 201, body = SynonymJson,
            headers(("Location" = String), ("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn create(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Json(input): Json<SynonymInput>,
) -> Result<Response, Failure> {
    let synonym = service::create_synonym(&app, &ctx, input).await?;
    let location = format!("/api/admin/search/synonyms/{}", synonym.id);
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, present(synonym)).into_response())
}

/// A rule about words (staff)
#[utoipa::path(get, path = "/admin/search/synonyms/{id}", tag = "search",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = SynonymJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
) -> Result<Versioned<SynonymJson>, Failure> {
    Ok(present(service::synonym(&app, &ctx, id).await?))
}

/// Change a rule about words (staff)
#[utoipa::path(patch, path = "/admin/search/synonyms/{id}", tag = "search",
    request_body = SynonymInput,
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = SynonymJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn change(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<SynonymInput>,
) -> Result<Versioned<SynonymJson>, Failure> {
    Ok(present(
        service::update_synonym(&app, &ctx, id, version, input).await?,
    ))
}

/// Delete a rule about words (staff)
#[utoipa::path(delete, path = "/admin/search/synonyms/{id}", tag = "search",
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "Somebody else changed it meanwhile"),
    ), security(("bearer" = [])))]
async fn remove(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, Failure> {
    service::delete_synonym(&app, &ctx, id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Searches that found nothing, the most frequent first (staff)
#[utoipa::path(get, path = "/admin/search/misses", tag = "search", params(PageQuery),
    responses(
        (status = 200, body = List<MissJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn misses(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<MissJson>>, Failure> {
    let misses = service::misses(&app, &ctx, query.read()?).await?;
    Ok(Json(List::new(misses, &uri, MissJson::from)))
}

/// Which search.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WordsQuery {
    /// Its words, as the list gives them.
    words: String,
}

/// Forget a search that found nothing (staff)
#[utoipa::path(delete, path = "/admin/search/misses", tag = "search", params(WordsQuery),
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn dismiss(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<WordsQuery>,
) -> Result<StatusCode, Failure> {
    service::dismiss_miss(&app, &ctx, &query.words).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! API: reviews.

use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{
    Histogram, Reply, Review, ReviewFilter, ReviewOfProduct, ReviewSort, ReviewState, StaffFilter,
};
use super::service::{self, ModerationInput, ReviewInput};
use crate::app::App;
use crate::catalog::ProductKey;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::types::ReviewId;
use crate::web::json::{
    IfMatch, Json, List, Problem, Query, Versioned, created, page_request, query_value,
};
use crate::web::openapi::{stars as stars_schema, word};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, update, delete))
        .routes(routes!(list_for_staff))
        .routes(routes!(show_to_staff, moderate))
}

/// What somebody wrote about a product.
#[derive(Serialize, ToSchema)]
pub struct ReviewJson {
    /// Its id.
    id: i64,
    /// About what.
    product_id: i64,
    /// First name and initial.
    author: String,
    /// Whether the asker wrote it.
    mine: bool,
    /// Stars, 1 to 5.
    rating: i64,
    /// A headline, or empty.
    title: String,
    /// The text, or empty.
    body: String,
    /// Whether the author received the product in an order.
    verified: bool,
    /// Whether the shop hid it; its author and staff still see it.
    hidden: bool,
    /// What the shop answers, or null.
    reply: Option<ReplyJson>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

/// The shop's answer to a review.
#[derive(Serialize, ToSchema)]
pub struct ReplyJson {
    /// The text.
    text: String,
    /// First name and initial.
    author: String,
    /// RFC 3339.
    at: String,
}

impl From<Reply> for ReplyJson {
    fn from(reply: Reply) -> Self {
        Self {
            text: reply.text,
            author: reply.author,
            at: reply.at.rfc3339(),
        }
    }
}

impl ReviewJson {
    /// A review as the asker sees it.
    pub fn new(ctx: &Ctx, review: Review) -> Self {
        Self {
            id: review.id.0,
            product_id: review.product_id.0,
            mine: ctx.is(review.user_id),
            author: review.author,
            rating: review.rating,
            title: review.title,
            body: review.body,
            verified: review.verified,
            hidden: review.hidden,
            reply: review.reply.map(ReplyJson::from),
            created_at: review.created_at.rfc3339(),
            updated_at: review.updated_at.rfc3339(),
        }
    }
}

/// How many reviews gave how many stars.
#[derive(Serialize, ToSchema)]
struct HistogramJson {
    /// One star.
    #[serde(rename = "1")]
    one: i64,
    /// Two stars.
    #[serde(rename = "2")]
    two: i64,
    /// Three stars.
    #[serde(rename = "3")]
    three: i64,
    /// Four stars.
    #[serde(rename = "4")]
    four: i64,
    /// Five stars.
    #[serde(rename = "5")]
    five: i64,
}

impl From<Histogram> for HistogramJson {
    fn from(Histogram([one, two, three, four, five]): Histogram) -> Self {
        Self {
            one,
            two,
            three,
            four,
            five,
        }
    }
}

/// A page of a product's reviews.
#[derive(Serialize, ToSchema)]
struct ReviewsJson {
    /// The reviews.
    #[serde(flatten)]
    list: List<ReviewJson>,
    /// How the stars of all of them are spread, whatever the list is filtered by.
    histogram: HistogramJson,
    /// The asker's own review, or null; it is there when it is hidden, too.
    own: Option<ReviewJson>,
}

/// A review and what it is about, for staff.
#[derive(Serialize, ToSchema)]
struct ReviewOfProductJson {
    /// The review.
    #[serde(flatten)]
    review: ReviewJson,
    /// The product's name.
    product_name: String,
    /// The product's name in URLs.
    product_slug: String,
}

impl ReviewOfProductJson {
    fn new(ctx: &Ctx, found: ReviewOfProduct) -> Self {
        Self {
            review: ReviewJson::new(ctx, found.review),
            product_name: found.product_name,
            product_slug: found.product_slug.to_string(),
        }
    }
}

/// Which reviews of a product.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those of so many stars, 1 to 5.
    #[param(schema_with = stars_schema)]
    stars: Option<String>,
    /// `newest` (if left out), `highest`, `lowest` or `verified` (buyers first).
    #[param(schema_with = word::<ReviewSort>)]
    sort: Option<String>,
    /// From 1.
    page: Option<String>,
    /// 1 to 100; 24 if left out.
    per_page: Option<String>,
}

impl ListQuery {
    fn filter(&self) -> Result<ReviewFilter, Failure> {
        Ok(ReviewFilter {
            stars: stars(self.stars.as_deref())?,
            sort: query_value("sort", self.sort.as_deref())?.unwrap_or_default(),
        })
    }
}

/// Which reviews of all products.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StaffQuery {
    /// `shown`, `hidden` or `unanswered`; left out: all.
    #[param(schema_with = word::<ReviewState>)]
    state: Option<String>,
    /// Only those of so many stars, 1 to 5.
    #[param(schema_with = stars_schema)]
    stars: Option<String>,
    /// Words that must all occur in the review or in the product's name.
    search: String,
    /// From 1.
    page: Option<String>,
    /// 1 to 100; 24 if left out.
    per_page: Option<String>,
}

impl StaffQuery {
    fn filter(&self) -> Result<StaffFilter, Failure> {
        Ok(StaffFilter {
            state: query_value("state", self.state.as_deref())?,
            stars: stars(self.stars.as_deref())?,
            search: self.search.clone(),
        })
    }
}

fn stars(text: Option<&str>) -> Result<Option<i64>, Failure> {
    let stars = query_value("stars", text)?;
    if stars.is_some_and(|stars| !(1..=5).contains(&stars)) {
        let detail = "stars: a number of stars from 1 to 5.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "bad_query", detail));
    }
    Ok(stars)
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ReviewChanges {
    /// Stars, 1 to 5.
    rating: Option<i64>,
    /// A headline, at most 120 characters.
    title: Option<String>,
    /// The text, at most 5000 characters.
    body: Option<String>,
}

impl ReviewChanges {
    /// The whole review after the changes.
    fn applied_to(self, review: Option<Review>) -> ReviewInput {
        let (rating, title, body) = review
            .map(|review| (review.rating, review.title, review.body))
            .unwrap_or_default();
        ReviewInput {
            rating: self.rating.unwrap_or(rating),
            title: self.title.unwrap_or(title),
            body: self.body.unwrap_or(body),
        }
    }
}

/// A product's reviews
#[utoipa::path(get, path = "/products/{key}/reviews", tag = "reviews",
    params(("key" = String, Path, description = "Id or slug of the product"), ListQuery),
    responses(
        (status = 200, body = ReviewsJson),
        (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    Query(query): Query<ListQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<ReviewsJson>, Failure> {
    let page = page_request(query.page.as_deref(), query.per_page.as_deref())?;
    let key = ProductKey::parse(&key);
    let (page, histogram) = service::list(&app, &ctx, &key, query.filter()?, page).await?;
    let own = service::own(&app, &ctx, &key).await?;
    Ok(Json(ReviewsJson {
        list: List::new(page, &uri, |review| ReviewJson::new(&ctx, review)),
        histogram: histogram.into(),
        own: own.map(|own| ReviewJson::new(&ctx, own)),
    }))
}

/// A review
///
/// A hidden one is there for its author and for staff only.
#[utoipa::path(get, path = "/products/{key}/reviews/{id}", tag = "reviews",
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The review"),
    ),
    responses(
        (status = 200, body = ReviewJson, headers(("ETag" = String))),
        (status = 404, body = Problem),
    ), security((), ("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
) -> Result<Versioned<ReviewJson>, Failure> {
    let key = ProductKey::parse(&key);
    let review = service::review(&app, &ctx, &key, review_id(&id)?).await?;
    Ok(versioned(&ctx, review))
}

fn versioned(ctx: &Ctx, review: Review) -> Versioned<ReviewJson> {
    let version = review.version;
    Versioned(ReviewJson::new(ctx, review), version)
}

/// Write a review
///
/// One of each user and product.
#[utoipa::path(post, path = "/products/{key}/reviews", tag = "reviews",
    request_body = ReviewInput,
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("Idempotency-Key" = Option<String>, Header, description = "Replays the first answer"),
    ),
    responses(
        (status = 201, body = ReviewJson),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`already_reviewed`"),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn create(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(key): Path<String>,
    Json(input): Json<ReviewInput>,
) -> Result<Response, Failure> {
    let review = service::create(&app, &ctx, &ProductKey::parse(&key), input).await?;
    let location = format!("/api/products/{}/reviews/{}", review.product_id, review.id);
    Ok(created(&location, ReviewJson::new(&ctx, review)))
}

/// Change one's own review
#[utoipa::path(patch, path = "/products/{key}/reviews/{id}", tag = "reviews",
    request_body = ReviewChanges,
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The review"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = ReviewJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "Somebody else wrote it"),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "It was changed meanwhile"),
        (status = 422, body = Problem),
        (status = 429, body = Problem),
    ), security(("bearer" = [])))]
async fn update(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(changes): Json<ReviewChanges>,
) -> Result<Versioned<ReviewJson>, Failure> {
    let (key, id) = (ProductKey::parse(&key), review_id(&id)?);
    let input = changes.applied_to(service::own(&app, &ctx, &key).await?);
    let review = service::update(&app, &ctx, &key, id, version, input).await?;
    Ok(versioned(&ctx, review))
}

/// Remove a review
///
/// One's own; staff with `catalog` may remove any.
#[utoipa::path(delete, path = "/products/{key}/reviews/{id}", tag = "reviews",
    params(
        ("key" = String, Path, description = "Id or slug of the product"),
        ("id" = i64, Path, description = "The review"),
    ),
    responses(
        (status = 204),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`review_hidden`: staff hid it"),
    ), security(("bearer" = [])))]
async fn delete(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    service::delete(&app, &ctx, &ProductKey::parse(&key), review_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The reviews of all products, hidden ones, too (staff)
///
/// The newest first.
#[utoipa::path(get, path = "/admin/reviews", tag = "reviews", params(StaffQuery),
    responses(
        (status = 200, body = List<ReviewOfProductJson>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
    ), security(("bearer" = [])))]
async fn list_for_staff(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Query(query): Query<StaffQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<List<ReviewOfProductJson>>, Failure> {
    let page = page_request(query.page.as_deref(), query.per_page.as_deref())?;
    let found = service::list_for_staff(&app, &ctx, &query.filter()?, page).await?;
    let present = |found| ReviewOfProductJson::new(&ctx, found);
    Ok(Json(List::new(found, &uri, present)))
}

/// A review and what it is about (staff)
#[utoipa::path(get, path = "/admin/reviews/{id}", tag = "reviews",
    params(("id" = i64, Path, description = "The review")),
    responses(
        (status = 200, body = ReviewOfProductJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn show_to_staff(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<String>,
) -> Result<Versioned<ReviewOfProductJson>, Failure> {
    let found = service::review_for_staff(&app, &ctx, review_id(&id)?).await?;
    let version = found.review.version;
    Ok(Versioned(ReviewOfProductJson::new(&ctx, found), version))
}

/// Hide, show or answer a review (staff)
///
/// A hidden one vanishes from pages, lists and figures at once; its author still sees it.
#[utoipa::path(patch, path = "/admin/reviews/{id}", tag = "reviews",
    request_body = ModerationInput,
    params(
        ("id" = i64, Path, description = "The review"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was last seen"),
    ),
    responses(
        (status = 200, body = ReviewOfProductJson, headers(("ETag" = String))),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "It was changed meanwhile"),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn moderate(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<ModerationInput>,
) -> Result<Versioned<ReviewOfProductJson>, Failure> {
    let found = service::moderate(&app, &ctx, review_id(&id)?, version, input).await?;
    let version = found.review.version;
    Ok(Versioned(ReviewOfProductJson::new(&ctx, found), version))
}

/// A review's id from the address; what is no number names no review.
fn review_id(text: &str) -> Result<ReviewId, Failure> {
    text.parse().map_err(|_| Failure::from(Error::NotFound))
}

//! API: reviews.

use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Histogram, Review};
use super::service::{self, ReviewInput};
use crate::app::App;
use crate::catalog::ProductKey;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::types::ReviewId;
use crate::web::json::{Json, List, Problem, Query, created, page_request};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(update, delete))
}

/// What somebody wrote about a product.
#[derive(Serialize, ToSchema)]
struct ReviewJson {
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
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl ReviewJson {
    fn new(ctx: &Ctx, review: Review) -> Self {
        Self {
            id: review.id.0,
            product_id: review.product_id.0,
            mine: ctx.is(review.user_id),
            author: review.author,
            rating: review.rating,
            title: review.title,
            body: review.body,
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
    /// The reviews, newest first.
    #[serde(flatten)]
    list: List<ReviewJson>,
    /// How the stars of all of them are spread.
    histogram: HistogramJson,
}

/// Which page of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// From 1.
    page: Option<String>,
    /// 1 to 100; 24 if left out.
    per_page: Option<String>,
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
    responses((status = 200, body = ReviewsJson), (status = 404, body = Problem)),
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
    let (page, histogram) = service::list(&app, &ctx, &key, page).await?;
    Ok(Json(ReviewsJson {
        list: List::new(page, &uri, |review| ReviewJson::new(&ctx, review)),
        histogram: histogram.into(),
    }))
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
    ),
    responses(
        (status = 200, body = ReviewJson),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "Somebody else wrote it"),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ), security(("bearer" = [])))]
async fn update(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
    Json(changes): Json<ReviewChanges>,
) -> Result<Json<ReviewJson>, Failure> {
    let (key, id) = (ProductKey::parse(&key), review_id(&id)?);
    let input = changes.applied_to(service::own(&app, &ctx, &key).await?);
    let review = service::update(&app, &ctx, &key, id, input).await?;
    Ok(Json(ReviewJson::new(&ctx, review)))
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
    ), security(("bearer" = [])))]
async fn delete(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((key, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    service::delete(&app, &ctx, &ProductKey::parse(&key), review_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A review's id from the address; what is no number names no review.
fn review_id(text: &str) -> Result<ReviewId, Failure> {
    text.parse().map_err(|_| Failure::from(Error::NotFound))
}

//! Writing and reading reviews; keeps the product's rating in the same transaction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{Histogram, Review};
use super::store;
use crate::app::App;
use crate::audit;
use crate::catalog::{self, ProductKey, ProductStatus, Rating};
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{Page, PageRequest, ProductId, ReviewId, TextEnum, Timestamp, UserId};

/// The most characters of a headline.
pub const MAX_TITLE: usize = 120;
/// The most characters of the text.
pub const MAX_BODY: usize = 5_000;

/// What a reviewer gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewInput {
    /// Stars, 1 to 5.
    pub rating: i64,
    /// A headline, at most 120 characters.
    pub title: String,
    /// The text, at most 5000 characters.
    pub body: String,
}

/// A page of a product's reviews, newest first, and how the stars are spread.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    page: PageRequest,
) -> Result<(Page<Review>, Histogram)> {
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut conn = app.db.conn().await?;
    let histogram = store::histogram(&mut conn, product).await?;
    let page = Page {
        items: store::list(&mut conn, product, page).await?,
        total: histogram.count(),
        request: page,
    };
    Ok((page, histogram))
}

/// The signed-in user's own review of a product, if they wrote one.
pub async fn own(app: &App, ctx: &Ctx, product: &ProductKey) -> Result<Option<Review>> {
    let Some(user) = ctx.user_id() else {
        return Ok(None);
    };
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut conn = app.db.conn().await?;
    Ok(store::by_user(&mut conn, product, user).await?)
}

/// Writes the signed-in user's review. Errors: `Unauthenticated`; fields; a second one is a
/// conflict, `already_reviewed`. Nobody reviews what is not for sale yet or no more.
pub async fn create(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    input: ReviewInput,
) -> Result<Review> {
    let user = ctx.signed_in()?.id;
    let product = catalog::service::product_id(app, ctx, product).await?;
    let input = check(input)?;
    let mut tx = app.db.begin().await?;
    let status = store::lock_product(&mut tx, product).await?;
    let status = status.as_deref().and_then(ProductStatus::from_word);
    if status != Some(ProductStatus::Active) {
        return Err(Error::NotFound);
    }
    let (title, body) = (&input.title, &input.body);
    let made = store::insert(&mut tx, product, user, input.rating, title, body, ctx.now).await;
    let id = on_unique(made, || {
        let detail = "You wrote about this before; change that review instead.";
        Error::conflict("already_reviewed", detail)
    })?;
    finish(tx, product, id).await
}

/// Writes reviews of many people about one product at once, as an import does; of who reviewed
/// it before, nothing is written. Errors: fields.
pub async fn add_many(
    app: &App,
    ctx: &Ctx,
    product: ProductId,
    reviews: Vec<(UserId, ReviewInput, Timestamp)>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    store::lock_product(&mut tx, product).await?;
    for (user, input, at) in reviews {
        let input = check(input)?;
        if store::by_user(&mut tx, product, user).await?.is_none() {
            let (title, body) = (&input.title, &input.body);
            store::insert(&mut tx, product, user, input.rating, title, body, at).await?;
        }
    }
    keep_rating(&mut tx, product).await?;
    Ok(tx.commit().await?)
}

/// Changes the signed-in user's own review. Errors: `Unauthenticated`; `Forbidden` for somebody
/// else's; fields.
pub async fn update(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    review: ReviewId,
    input: ReviewInput,
) -> Result<Review> {
    ctx.signed_in()?;
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut tx = app.db.begin().await?;
    let before = locked(&mut tx, product, review).await?;
    if !ctx.is(before.user_id) {
        return Err(Error::Forbidden);
    }
    let input = check(input)?;
    let (title, body) = (&input.title, &input.body);
    store::update(&mut tx, review, input.rating, title, body, ctx.now).await?;
    finish(tx, product, review).await
}

/// Removes a review: one's own, or any by staff with `catalog`. Errors: `Unauthenticated`,
/// `Forbidden`.
pub async fn delete(app: &App, ctx: &Ctx, product: &ProductKey, review: ReviewId) -> Result<()> {
    ctx.signed_in()?;
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut tx = app.db.begin().await?;
    let before = locked(&mut tx, product, review).await?;
    if !ctx.is(before.user_id) {
        ctx.require(Permission::Catalog)?;
        let was = json!({
            "author": before.author,
            "rating": before.rating,
            "title": before.title,
            "body": before.body,
        });
        let subject = format!("product {product}");
        audit::record(&mut tx, ctx, "review.deleted", &subject, was, Value::Null).await?;
    }
    store::delete(&mut tx, review).await?;
    keep_rating(&mut tx, product).await?;
    Ok(tx.commit().await?)
}

/// A review, with its product locked.
async fn locked(tx: &mut Tx, product: ProductId, review: ReviewId) -> Result<Review> {
    store::lock_product(tx, product).await?;
    let review = store::by_id(tx, product, review).await?;
    review.ok_or(Error::NotFound)
}

async fn finish(mut tx: Tx, product: ProductId, review: ReviewId) -> Result<Review> {
    keep_rating(&mut tx, product).await?;
    let review = store::by_id(&mut tx, product, review).await?;
    tx.commit().await?;
    review.ok_or(Error::NotFound)
}

/// Counts anew instead of adding up: whatever happened before, the product's row is right now.
async fn keep_rating(tx: &mut Tx, product: ProductId) -> Result<()> {
    let histogram = store::histogram(tx, product).await?;
    let rating = Rating {
        sum: histogram.sum(),
        count: histogram.count(),
    };
    store::set_rating(tx, product, rating.sum, rating.count, rating.score()).await?;
    Ok(())
}

fn check(input: ReviewInput) -> Result<ReviewInput> {
    let mut errors = FieldErrors::default();
    if !(1..=5).contains(&input.rating) {
        errors.add("rating", "range", "Give 1 to 5 stars.");
    }
    let title = input.title.trim().to_owned();
    if title.chars().count() > MAX_TITLE {
        let message = format!("At most {MAX_TITLE} characters.");
        errors.add("title", "length", message);
    }
    if title.contains(char::is_control) {
        errors.add("title", "invalid", "Write it in one line.");
    }
    let body = input.body.trim().to_owned();
    if body.chars().count() > MAX_BODY {
        errors.add("body", "length", format!("At most {MAX_BODY} characters."));
    }
    errors.into_result()?;
    Ok(ReviewInput {
        rating: input.rating,
        title,
        body,
    })
}

//! Writing, reading and moderating reviews; keeps the product's rating in the same transaction.
//! Readers see what staff did not hide; who wrote a hidden one goes on seeing it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{
    self, Histogram, Imbalance, Reply, Review, ReviewFilter, ReviewOfProduct, StaffFilter,
};
use super::store;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::catalog::{self, ProductKey, ProductStatus, Rating};
use crate::ctx::{Access, Ctx, Permission, Rule};
use crate::db::error::on_unique;
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::types::{Page, PageRequest, ProductId, ReviewId, TextEnum, Timestamp, UserId};

/// The most characters of a headline.
pub const MAX_TITLE: usize = 120;
/// The most characters of the text.
pub const MAX_BODY: usize = 5_000;
/// The most characters of the shop's answer.
pub const MAX_REPLY: usize = 2_000;
/// Reviews that one user writes or changes within a quarter of an hour.
const WRITES: i64 = 20;
/// What the counter of them is called.
const WRITING: &str = "review";

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

/// What staff do about a review; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModerationInput {
    /// Whether shoppers do not see it.
    pub hidden: Option<bool>,
    /// The shop's answer, at most 2000 characters; an empty one takes the answer back.
    pub reply: Option<String>,
}

/// A review as it comes from elsewhere, such as another shop's.
#[derive(Clone, Debug)]
pub struct PastReview {
    /// By whom.
    pub user: UserId,
    /// What they wrote.
    pub input: ReviewInput,
    /// When.
    pub at: Timestamp,
    /// Whether they had received the product.
    pub verified: bool,
    /// What the shop answered, and when.
    pub reply: Option<(String, Timestamp)>,
}

/// A page of a product's reviews that readers see, and how the stars of all of them are spread.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    filter: ReviewFilter,
    page: PageRequest,
) -> Result<(Page<Review>, Histogram)> {
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut conn = app.db.conn().await?;
    let histogram = store::histogram(&mut conn, product).await?;
    let page = Page {
        items: store::list(&mut conn, product, filter, page).await?,
        total: filter
            .stars
            .map_or(histogram.count(), |stars| histogram.of(stars)),
        request: page,
    };
    Ok((page, histogram))
}

/// A review of a product. Errors: `NotFound` for what the asker may not see.
pub async fn review(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    review: ReviewId,
) -> Result<Review> {
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut conn = app.db.conn().await?;
    visible(&mut conn, ctx, product, review).await
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
/// conflict, `already_reviewed`; `TooMany`. Nobody reviews what is not for sale yet or no more.
pub async fn create(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    input: ReviewInput,
) -> Result<Review> {
    let user = ctx.signed_in()?.id;
    let product = catalog::service::product_id(app, ctx, product).await?;
    let input = check(input)?;
    accounts::service::count_writing(app, ctx, WRITING, WRITES).await?;
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
    let review = finish(tx, product, id).await?;
    count("written");
    Ok(review)
}

/// Writes reviews of many people about one product at once, as an import does; of who reviewed
/// it before, nothing is written. Errors: fields.
pub async fn add_many(
    app: &App,
    ctx: &Ctx,
    product: ProductId,
    reviews: Vec<PastReview>,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    store::lock_product(&mut tx, product).await?;
    let (subject, count) = (
        format!("product {product}"),
        json!({ "reviews": reviews.len() }),
    );
    audit::record(
        &mut tx,
        ctx,
        "review.imported",
        &subject,
        Value::Null,
        count,
    )
    .await?;
    for review in reviews {
        add_one(&mut tx, ctx, product, review).await?;
    }
    keep_rating(&mut tx, product).await?;
    Ok(tx.commit().await?)
}

async fn add_one(tx: &mut Tx, ctx: &Ctx, product: ProductId, past: PastReview) -> Result<()> {
    let input = check(past.input)?;
    if store::by_user(tx, product, past.user).await?.is_some() {
        return Ok(());
    }
    let (title, body) = (&input.title, &input.body);
    let id = store::insert(tx, product, past.user, input.rating, title, body, past.at).await?;
    if past.verified {
        store::insert_received(tx, past.user, &[product], past.at).await?;
    }
    if let Some((text, at)) = past.reply {
        let reply = reply(ctx, &checked_reply(&text)?, at);
        store::moderate(tx, id, false, reply.as_ref()).await?;
    }
    Ok(())
}

/// Changes the signed-in user's own review, if `version` (where given) is still its newest; a
/// hidden one stays hidden. Errors: `Unauthenticated`; `Forbidden` for somebody else's; `Stale`;
/// fields; `TooMany`.
pub async fn update(
    app: &App,
    ctx: &Ctx,
    product: &ProductKey,
    review: ReviewId,
    version: Option<i64>,
    input: ReviewInput,
) -> Result<Review> {
    ctx.check(Rule::SignedIn)?;
    let product = catalog::service::product_id(app, ctx, product).await?;
    let seen = visible(&mut app.db.conn().await?, ctx, product, review).await?;
    ctx.check(rule(&seen, Access::Write))?;
    let input = check(input)?;
    accounts::service::count_writing(app, ctx, WRITING, WRITES).await?;
    let mut tx = app.db.begin().await?;
    let before = locked(&mut tx, ctx, product, review).await?;
    newest(&before, version)?;
    let (title, body) = (&input.title, &input.body);
    store::update(&mut tx, review, input.rating, title, body, ctx.now).await?;
    let review = finish(tx, product, review).await?;
    count("changed");
    Ok(review)
}

/// Removes a review: one's own, or any by staff with `catalog`. Errors: `Unauthenticated`,
/// `Forbidden`; a conflict, `review_hidden`, for its author when staff hid it: writing it again
/// would bring it back.
pub async fn delete(app: &App, ctx: &Ctx, product: &ProductKey, review: ReviewId) -> Result<()> {
    ctx.check(Rule::SignedIn)?;
    let product = catalog::service::product_id(app, ctx, product).await?;
    let mut tx = app.db.begin().await?;
    let before = locked(&mut tx, ctx, product, review).await?;
    if !ctx.allows(rule(&before, Access::Write)) {
        ctx.require(Permission::Catalog)?;
        let was = audit::Change {
            subject: format!("review {review}"),
            before: json!({
                "product_id": product,
                "author": before.author,
                "rating": before.rating,
                "title": before.title,
                "body": before.body,
            }),
            after: Value::Null,
        };
        // What somebody wrote is theirs.
        audit::record_about(&mut tx, ctx, before.user_id, "review.deleted", was).await?;
    } else if before.hidden && !ctx.may(Permission::Catalog) {
        let detail = "The shop hid this review. Ask the shop to remove it for good.";
        return Err(Error::conflict("review_hidden", detail));
    }
    store::delete(&mut tx, review).await?;
    keep_rating(&mut tx, product).await?;
    tx.commit().await?;
    count("deleted");
    Ok(())
}

/// Staff: the reviews of all products, the newest first.
pub async fn list_for_staff(
    app: &App,
    ctx: &Ctx,
    filter: &StaffFilter,
    page: PageRequest,
) -> Result<Page<ReviewOfProduct>> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    Ok(Page {
        total: store::count_all(&mut conn, filter).await?,
        items: store::list_all(&mut conn, filter, page).await?,
        request: page,
    })
}

/// Staff: a review with what it is about.
pub async fn review_for_staff(app: &App, ctx: &Ctx, review: ReviewId) -> Result<ReviewOfProduct> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    let found = store::by_id(&mut conn, review).await?;
    found.ok_or(Error::NotFound)
}

/// Staff: hides or shows a review and answers it, if `version` (where given) is still its
/// newest. What is hidden counts for nothing from the same moment. Errors: `Stale`; `reply`.
pub async fn moderate(
    app: &App,
    ctx: &Ctx,
    review: ReviewId,
    version: Option<i64>,
    input: ModerationInput,
) -> Result<ReviewOfProduct> {
    ctx.require(Permission::Catalog)?;
    let text = input.reply.as_deref().map(checked_reply).transpose()?;
    let mut tx = app.db.begin().await?;
    let found = store::by_id(&mut tx, review).await?;
    let product = found.ok_or(Error::NotFound)?.review.product_id;
    let before = locked(&mut tx, ctx, product, review).await?;
    newest(&before, version)?;
    let hidden = input.hidden.unwrap_or(before.hidden);
    let said = before.reply.as_ref().map_or("", |reply| &reply.text);
    let answer = match text {
        Some(text) if text != said => reply(ctx, &text, ctx.now),
        _ => before.reply.clone(),
    };
    if (hidden, &answer) != (before.hidden, &before.reply) {
        store::moderate(&mut tx, review, hidden, answer.as_ref()).await?;
        keep_rating(&mut tx, product).await?;
        let subject = format!("review {review}");
        let (was, is) = (
            moderation(before.hidden, before.reply.as_ref()),
            moderation(hidden, answer.as_ref()),
        );
        audit::record(&mut tx, ctx, "review.moderated", &subject, was, is).await?;
    }
    let after = store::by_id(&mut tx, review).await?;
    tx.commit().await?;
    count("moderated");
    after.ok_or(Error::NotFound)
}

/// Keeps that a user received products, in the transaction that delivers them: their reviews of
/// these are verified from then on, written before or after. Refunds take nothing of it back,
/// and an order that was delivered cannot be cancelled.
pub async fn received(
    tx: &mut Tx,
    user: UserId,
    products: &[ProductId],
    at: Timestamp,
) -> Result<()> {
    Ok(store::insert_received(tx, user, products, at).await?)
}

/// Products whose figures are not what their reviews add up to. None in a healthy shop.
pub async fn imbalances(conn: &mut Conn) -> Result<Vec<Imbalance>> {
    let prior = Rating::PRIOR_REVIEWS;
    Ok(store::imbalances(conn, prior * Rating::PRIOR_MILLI, prior).await?)
}

fn count(what: &'static str) {
    metrics::counter!("zoco_reviews_total", "what" => what).increment(1);
}

/// What the audit log keeps of a review's moderation.
fn moderation(hidden: bool, reply: Option<&Reply>) -> Value {
    json!({ "hidden": hidden, "reply": reply.map(|reply| &reply.text) })
}

/// All of the signed-in user's reviews. Errors: `Unauthenticated`.
pub async fn all_own(app: &App, ctx: &Ctx) -> Result<Vec<ReviewOfProduct>> {
    let user = ctx.signed_in()?.id;
    Ok(store::of_user(&mut app.db.conn().await?, user).await?)
}

/// Removes the reviews of a user whose account ends.
pub async fn erase(tx: &mut Tx, user: UserId) -> Result<()> {
    // Products are locked in ascending id, as everywhere.
    for ReviewOfProduct { review, .. } in store::of_user(tx, user).await? {
        store::lock_product(tx, review.product_id).await?;
        store::delete(tx, review.id).await?;
        keep_rating(tx, review.product_id).await?;
    }
    Ok(())
}

/// The shop's answer in the asker's name; none for no text.
fn reply(ctx: &Ctx, text: &str, at: Timestamp) -> Option<Reply> {
    let author = match ctx.user() {
        Some(user) => model::author(&user.name),
        None => ctx.actor_name(),
    };
    (!text.is_empty()).then(|| Reply {
        text: text.to_owned(),
        author,
        at,
    })
}

fn checked_reply(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > MAX_REPLY {
        let message = format!("At most {MAX_REPLY} characters.");
        return Err(Error::invalid("reply", "length", message));
    }
    Ok(text.to_owned())
}

/// Refuses a change of what somebody else changed meanwhile.
fn newest(review: &Review, version: Option<i64>) -> Result<()> {
    match version {
        Some(version) if version != review.version => Err(Error::Stale),
        _ => Ok(()),
    }
}

/// Who may read or change a review, beside staff: what staff hid, its author only.
fn rule(review: &Review, access: Access) -> Rule<'static> {
    if review.hidden {
        Rule::IsOwner(review.user_id)
    } else {
        Rule::IsOwnerOrReadOnly(review.user_id, access)
    }
}

/// A review of this product that the asker may see.
async fn visible(
    conn: &mut Conn,
    ctx: &Ctx,
    product: ProductId,
    review: ReviewId,
) -> Result<Review> {
    let found = store::by_id(conn, review).await?.map(|found| found.review);
    found
        .filter(|found| found.product_id == product)
        .filter(|found| ctx.allows(rule(found, Access::Read)) || ctx.may(Permission::Catalog))
        .ok_or(Error::NotFound)
}

/// The same, with its product locked.
async fn locked(tx: &mut Tx, ctx: &Ctx, product: ProductId, review: ReviewId) -> Result<Review> {
    store::lock_product(tx, product).await?;
    visible(tx, ctx, product, review).await
}

/// Counts ratings anew that are not those of their reviews, for `zoco doctor --repair`. Gives a
/// sentence for each.
pub async fn repair(tx: &mut Tx) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for one in imbalances(tx).await? {
        store::lock_product(tx, one.product_id).await?;
        keep_rating(tx, one.product_id).await?;
        done.push(format!(
            "ratings: those of product {} were counted anew",
            one.product_id
        ));
    }
    Ok(done)
}

async fn finish(mut tx: Tx, product: ProductId, review: ReviewId) -> Result<Review> {
    keep_rating(&mut tx, product).await?;
    let found = store::by_id(&mut tx, review).await?;
    tx.commit().await?;
    Ok(found.ok_or(Error::NotFound)?.review)
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

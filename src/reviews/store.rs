//! SQL of reviews. It also keeps what the reviews of a product come to in the product's row.

use super::model::{self, Histogram, Review};
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{PageRequest, ProductId, ReviewId, Timestamp, UserId};

#[derive(FromRow)]
struct ReviewRow {
    id: ReviewId,
    product_id: ProductId,
    user_id: UserId,
    user_name: String,
    rating: i64,
    title: String,
    body: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<ReviewRow> for Review {
    fn from(row: ReviewRow) -> Self {
        Self {
            id: row.id,
            product_id: row.product_id,
            user_id: row.user_id,
            author: model::author(&row.user_name),
            rating: row.rating,
            title: row.title,
            body: row.body,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of a product's reviews, newest first.
pub async fn list(
    conn: &mut Conn,
    product: ProductId,
    page: PageRequest,
) -> db::Result<Vec<Review>> {
    let rows = fetch_all!(
        conn,
        ReviewRow,
        "select r.id, r.product_id, r.user_id, u.name as user_name, r.rating, r.title, r.body,
            r.created_at, r.updated_at
        from reviews r
        join users u on u.id = r.user_id
        where r.product_id = $1
        order by r.created_at desc, r.id desc
        limit $2 offset $3",
        product,
        page.limit(),
        page.offset(),
    )?;
    Ok(rows.into_iter().map(Review::from).collect())
}

/// How the stars of a product are spread.
pub async fn histogram(conn: &mut Conn, product: ProductId) -> db::Result<Histogram> {
    let rows = fetch_all!(
        conn,
        (i64, i64),
        "select rating, count(*)
        from reviews
        where product_id = $1
        group by rating",
        product,
    )?;
    let mut histogram = Histogram::default();
    for (rating, count) in rows {
        let place = usize::try_from(rating - 1).ok();
        if let Some(bar) = place.and_then(|place| histogram.0.get_mut(place)) {
            *bar = count;
        }
    }
    Ok(histogram)
}

/// A review of a product.
pub async fn by_id(
    conn: &mut Conn,
    product: ProductId,
    id: ReviewId,
) -> db::Result<Option<Review>> {
    let row = fetch_optional!(
        conn,
        ReviewRow,
        "select r.id, r.product_id, r.user_id, u.name as user_name, r.rating, r.title, r.body,
            r.created_at, r.updated_at
        from reviews r
        join users u on u.id = r.user_id
        where r.product_id = $1 and r.id = $2",
        product,
        id,
    )?;
    Ok(row.map(Review::from))
}

/// A user's review of a product.
pub async fn by_user(
    conn: &mut Conn,
    product: ProductId,
    user: UserId,
) -> db::Result<Option<Review>> {
    let row = fetch_optional!(
        conn,
        ReviewRow,
        "select r.id, r.product_id, r.user_id, u.name as user_name, r.rating, r.title, r.body,
            r.created_at, r.updated_at
        from reviews r
        join users u on u.id = r.user_id
        where r.product_id = $1 and r.user_id = $2",
        product,
        user,
    )?;
    Ok(row.map(Review::from))
}

/// Locks a product: who writes its reviews waits for its turn, so that none is missing in what
/// they come to. Gives its status; none when it is gone.
pub async fn lock_product(tx: &mut Tx, product: ProductId) -> db::Result<Option<String>> {
    let row = fetch_optional!(
        tx,
        (String,),
        "update products
        set rating_count = rating_count
        where id = $1
        returning status",
        product,
    )?;
    Ok(row.map(|(status,)| status))
}

/// Writes a review. Breaks the unique rule when the user has one of this product.
pub async fn insert(
    tx: &mut Tx,
    product: ProductId,
    user: UserId,
    rating: i64,
    title: &str,
    body: &str,
    now: Timestamp,
) -> db::Result<ReviewId> {
    let (id,) = fetch_one!(
        tx,
        (ReviewId,),
        "insert into reviews (product_id, user_id, rating, title, body, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        returning id",
        product,
        user,
        rating,
        title,
        body,
        now,
    )?;
    Ok(id)
}

/// Changes a review.
pub async fn update(
    tx: &mut Tx,
    id: ReviewId,
    rating: i64,
    title: &str,
    body: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update reviews
        set rating = $1, title = $2, body = $3, updated_at = $4
        where id = $5",
        rating,
        title,
        body,
        now,
        id,
    )?;
    Ok(())
}

/// Removes a review.
pub async fn delete(tx: &mut Tx, id: ReviewId) -> db::Result<()> {
    execute!(tx, "delete from reviews where id = $1", id)?;
    Ok(())
}

/// Writes what a product's reviews come to; `score` in thousandths of a star. The product's
/// version stays: nothing changed that staff edit.
pub async fn set_rating(
    tx: &mut Tx,
    product: ProductId,
    sum: i64,
    count: i64,
    score: i64,
) -> db::Result<()> {
    execute!(
        tx,
        "update products
        set rating_sum = $1, rating_count = $2, rating_score = $3
        where id = $4",
        sum,
        count,
        score,
        product,
    )?;
    Ok(())
}

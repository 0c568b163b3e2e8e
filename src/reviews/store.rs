//! SQL of reviews. It also keeps what the reviews of a product come to in the product's row.

use super::model::{
    self, Histogram, Imbalance, Reply, Review, ReviewFilter, ReviewOfProduct, ReviewSort,
    ReviewState, StaffFilter,
};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::text::fold;
use crate::types::{PageRequest, ProductId, ReviewId, Slug, Timestamp, UserId};

/// More words than this do not make a search any finer.
const MAX_WORDS: usize = 16;

#[derive(FromRow)]
struct ReviewRow {
    id: ReviewId,
    product_id: ProductId,
    #[sqlx(try_from = "String")]
    product_slug: Slug,
    product_name: String,
    user_id: UserId,
    user_name: String,
    rating: i64,
    title: String,
    body: String,
    verified: bool,
    hidden: bool,
    reply: String,
    reply_author: String,
    replied_at: Option<Timestamp>,
    version: i64,
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
            verified: row.verified,
            hidden: row.hidden,
            reply: row.replied_at.map(|at| Reply {
                text: row.reply,
                author: row.reply_author,
                at,
            }),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<ReviewRow> for ReviewOfProduct {
    fn from(row: ReviewRow) -> Self {
        Self {
            product_slug: row.product_slug.clone(),
            product_name: row.product_name.clone(),
            review: row.into(),
        }
    }
}

/// Reviews with all that belongs to them; a condition follows.
fn reviews() -> Query {
    Query::new(
        "select r.id, r.product_id, p.slug as product_slug, p.name as product_name, r.user_id,
            u.name as user_name, r.rating, r.title, r.body, x.user_id is not null as verified,
            r.hidden, r.reply, r.reply_author, r.replied_at, r.version, r.created_at, r.updated_at
        from reviews as r
        join users as u on u.id = r.user_id
        join products as p on p.id = r.product_id
        left join received_products as x on x.user_id = r.user_id and x.product_id = r.product_id",
    )
}

async fn page_of(
    conn: &mut Conn,
    mut query: Query,
    page: PageRequest,
) -> db::Result<Vec<ReviewRow>> {
    query.push(" limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    query.fetch_all(conn).await
}

async fn first(conn: &mut Conn, query: &Query) -> db::Result<Option<ReviewRow>> {
    Ok(query.fetch_all(conn).await?.into_iter().next())
}

/// A page of a product's reviews that shoppers see.
pub async fn list(
    conn: &mut Conn,
    product: ProductId,
    filter: ReviewFilter,
    page: PageRequest,
) -> db::Result<Vec<Review>> {
    let mut query = reviews();
    query.push(" where not r.hidden and r.product_id = ");
    query.bind(product);
    if let Some(stars) = filter.stars {
        query.push(" and r.rating = ").bind(stars);
    }
    query.push(match filter.sort {
        ReviewSort::Newest => " order by r.created_at desc, r.id desc",
        ReviewSort::Highest => " order by r.rating desc, r.created_at desc, r.id desc",
        ReviewSort::Lowest => " order by r.rating, r.created_at desc, r.id desc",
        ReviewSort::Verified => " order by verified desc, r.created_at desc, r.id desc",
    });
    let rows = page_of(conn, query, page).await?;
    Ok(rows.into_iter().map(Review::from).collect())
}

/// Adds ` where …` for what staff look for, over `reviews as r` and `products as p`.
fn push_staff(query: &mut Query, filter: &StaffFilter) {
    query.push(" where true");
    query.push(match filter.state {
        None => "",
        Some(ReviewState::Shown) => " and not r.hidden",
        Some(ReviewState::Hidden) => " and r.hidden",
        Some(ReviewState::Unanswered) => " and not r.hidden and r.replied_at is null",
    });
    if let Some(stars) = filter.stars {
        query.push(" and r.rating = ").bind(stars);
    }
    // A folded word holds letters and digits only: nothing in it is special to `like`.
    for word in fold(&filter.search).split_whitespace().take(MAX_WORDS) {
        let pattern = format!("%{word}%");
        query.push(" and (r.search_text like ").bind(&pattern);
        query.push(" or lower(p.name) like ").bind(&pattern);
        query.push(")");
    }
}

/// A page of the reviews of all products, hidden ones, too; the newest first.
pub async fn list_all(
    conn: &mut Conn,
    filter: &StaffFilter,
    page: PageRequest,
) -> db::Result<Vec<ReviewOfProduct>> {
    let mut query = reviews();
    push_staff(&mut query, filter);
    query.push(" order by r.created_at desc, r.id desc");
    let rows = page_of(conn, query, page).await?;
    Ok(rows.into_iter().map(ReviewOfProduct::from).collect())
}

/// How many reviews [`list_all`] has on all pages.
pub async fn count_all(conn: &mut Conn, filter: &StaffFilter) -> db::Result<i64> {
    let mut query = Query::new(
        "select count(*)
        from reviews as r
        join products as p on p.id = r.product_id",
    );
    push_staff(&mut query, filter);
    let (count,): (i64,) = query.fetch_one(conn).await?;
    Ok(count)
}

/// How the stars of a product are spread, over the reviews that shoppers see.
pub async fn histogram(conn: &mut Conn, product: ProductId) -> db::Result<Histogram> {
    let rows = fetch_all!(
        conn,
        (i64, i64),
        "select rating, count(*)
        from reviews
        where product_id = $1 and not hidden
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

/// A review, hidden or not, with what it is about.
pub async fn by_id(conn: &mut Conn, id: ReviewId) -> db::Result<Option<ReviewOfProduct>> {
    let mut query = reviews();
    query.push(" where r.id = ").bind(id);
    Ok(first(conn, &query).await?.map(ReviewOfProduct::from))
}

/// A user's review of a product, hidden or not.
pub async fn by_user(
    conn: &mut Conn,
    product: ProductId,
    user: UserId,
) -> db::Result<Option<Review>> {
    let mut query = reviews();
    query.push(" where r.product_id = ").bind(product);
    query.push(" and r.user_id = ").bind(user);
    Ok(first(conn, &query).await?.map(Review::from))
}

/// All of a user's reviews, hidden or not, by product.
pub async fn of_user(conn: &mut Conn, user: UserId) -> db::Result<Vec<ReviewOfProduct>> {
    let mut query = reviews();
    query.push(" where r.user_id = ").bind(user);
    query.push(" order by r.product_id");
    let rows: Vec<ReviewRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(ReviewOfProduct::from).collect())
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

/// Headline and text, folded.
fn search_text(title: &str, body: &str) -> String {
    fold(&format!("{title} {body}"))
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
        "insert into reviews
            (product_id, user_id, rating, title, body, search_text, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        returning id",
        product,
        user,
        rating,
        title,
        body,
        search_text(title, body),
        now,
    )?;
    Ok(id)
}

/// Changes a review and counts its version up.
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
        set rating = $1, title = $2, body = $3, search_text = $4, updated_at = $5,
            version = version + 1
        where id = $6",
        rating,
        title,
        body,
        search_text(title, body),
        now,
        id,
    )?;
    Ok(())
}

/// Hides or shows a review, writes or removes the shop's answer, and counts its version up.
pub async fn moderate(
    tx: &mut Tx,
    id: ReviewId,
    hidden: bool,
    reply: Option<&Reply>,
) -> db::Result<()> {
    execute!(
        tx,
        "update reviews
        set hidden = $1, reply = $2, reply_author = $3, replied_at = $4, version = version + 1
        where id = $5",
        hidden,
        reply.map_or("", |reply| &reply.text),
        reply.map_or("", |reply| &reply.author),
        reply.map(|reply| reply.at),
        id,
    )?;
    Ok(())
}

/// Removes a review.
pub async fn delete(tx: &mut Tx, id: ReviewId) -> db::Result<()> {
    execute!(tx, "delete from reviews where id = $1", id)?;
    Ok(())
}

/// Keeps that a user received products. What they had before they keep since then.
pub async fn insert_received(
    tx: &mut Tx,
    user: UserId,
    products: &[ProductId],
    at: Timestamp,
) -> db::Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let mut query =
        Query::new("insert into received_products (user_id, product_id, received_at) select ");
    query.bind(user).push(", id, ").bind(at);
    query.push(" from products where id in ");
    query.bind_list(products.iter().copied());
    query.push(" on conflict (user_id, product_id) do nothing");
    query.execute(tx).await?;
    Ok(())
}

/// Writes what a product's reviews come to; `score` in thousandths of a star. The product's
/// version and time of change stay: nothing changed that staff edit.
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

/// Products whose row says something else than their reviews, in ascending id. The score of a
/// product is `(prior_sum + Σ stars · 1000) / (prior_count + reviews)`.
pub async fn imbalances(
    conn: &mut Conn,
    prior_sum: i64,
    prior_count: i64,
) -> db::Result<Vec<Imbalance>> {
    let rows = fetch_all!(
        conn,
        (ProductId, i64, i64, i64, i64, i64),
        "select id, rating_sum, rating_count, stars, reviews, rating_score
        from (
            select p.id, p.rating_sum, p.rating_count, p.rating_score,
                cast(coalesce(sum(r.rating), 0) as bigint) as stars,
                count(r.id) as reviews
            from products as p
            left join reviews as r on r.product_id = p.id and not r.hidden
            group by p.id
        ) as counted
        where rating_sum <> stars or rating_count <> reviews
            or rating_score <> ($1 + stars * 1000) / ($2 + reviews)
        order by id",
        prior_sum,
        prior_count,
    )?;
    let imbalance = |(product_id, sum, count, stars, reviews, score)| Imbalance {
        product_id,
        kept: (sum, count),
        counted: (stars, reviews),
        score,
    };
    Ok(rows.into_iter().map(imbalance).collect())
}

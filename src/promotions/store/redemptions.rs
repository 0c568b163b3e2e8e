//! SQL of uses. A use is counted by one conditional statement, which also locks the promotion
//! until the transaction ends: whoever counts a customer's uses after it sees all of them.

use super::super::model::{Customer, Redemption, UseImbalance};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::types::{Currency, Email, Money, Page, PageRequest, PromotionId, Timestamp, UserId};

/// Counts a use of a promotion if it may be used once more; tells whether it did.
pub async fn use_promotion(tx: &mut Tx, promotion: PromotionId) -> db::Result<bool> {
    let used = execute!(
        tx,
        "update promotions
        set uses = uses + 1
        where id = $1 and active and (max_uses is null or uses < max_uses)",
        promotion,
    )?;
    Ok(used == 1)
}

/// Counts a use of a code if it may be used once more; tells whether it did.
pub async fn use_code(tx: &mut Tx, promotion: PromotionId, code: &str) -> db::Result<bool> {
    let used = execute!(
        tx,
        "update promotion_codes
        set uses = uses + 1
        where promotion_id = $1 and code = $2 and (max_uses is null or uses < max_uses)",
        promotion,
        code,
    )?;
    Ok(used == 1)
}

/// How often a customer has used each of these promotions, by account or by e-mail.
pub async fn count_of_customer(
    conn: &mut Conn,
    promotions: &[PromotionId],
    customer: &Customer,
) -> db::Result<Vec<(PromotionId, i64)>> {
    if promotions.is_empty() || !customer.is_known() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(
        "select promotion_id, count(*)
        from promotion_redemptions
        where released_at is null and (user_id = ",
    );
    query.bind(customer.user_id).push(" or email = ");
    query.bind(customer.email.as_ref().map_or("", Email::as_str));
    query
        .push(") and promotion_id in ")
        .bind_list(promotions.iter().copied());
    query.push(" group by promotion_id");
    query.fetch_all(conn).await
}

/// Waits until nobody else counts a promotion for first orders: two of them, used at once, would
/// not see each other's order.
pub async fn lock_first_orders(tx: &mut Tx) -> db::Result<()> {
    let mut query = Query::new("select id from promotions where first_order order by id");
    query.lock();
    query.fetch_all::<(PromotionId,)>(tx).await?;
    Ok(())
}

/// Whether a customer has an order that was not cancelled, by account or by e-mail.
pub async fn has_ordered(conn: &mut Conn, customer: &Customer) -> db::Result<bool> {
    let (found,) = fetch_one!(
        conn,
        (bool,),
        "select exists (
            select 1
            from orders
            where (user_id = $1 or email = $2) and status <> 'cancelled'
        )",
        customer.user_id,
        customer.email.as_ref().map_or("", Email::as_str),
    )?;
    Ok(found)
}

/// Writes a use down. Gives false when the order has this promotion already.
pub async fn insert_redemption(
    tx: &mut Tx,
    redemption: &Redemption,
    customer: &Customer,
) -> db::Result<bool> {
    let inserted = execute!(
        tx,
        "insert into promotion_redemptions
            (promotion_id, code_id, reference, user_id, email, amount_minor, created_at)
        values ($1, (select c.id from promotion_codes c where c.code = $2), $3, $4, $5, $6, $7)
        on conflict (promotion_id, reference) do nothing",
        redemption.promotion_id,
        redemption.code.as_deref(),
        &redemption.reference,
        customer.user_id,
        &redemption.email,
        redemption.amount.minor(),
        redemption.created_at,
    )?;
    Ok(inserted == 1)
}

#[derive(FromRow)]
struct Released {
    promotion_id: PromotionId,
    code_id: Option<i64>,
}

/// Gives back what an order used. Gives how many promotions; a second call gives none.
pub async fn release(tx: &mut Tx, reference: &str, now: Timestamp) -> db::Result<usize> {
    let mut released = fetch_all!(
        tx,
        Released,
        "update promotion_redemptions
        set released_at = $2
        where reference = $1 and released_at is null
        returning promotion_id, code_id",
        reference,
        now,
    )?;
    released.sort_by_key(|one| one.promotion_id);
    for one in &released {
        execute!(
            tx,
            "update promotions
            set uses = uses - 1
            where id = $1",
            one.promotion_id,
        )?;
        execute!(
            tx,
            "update promotion_codes
            set uses = uses - 1
            where id = $1",
            one.code_id,
        )?;
    }
    Ok(released.len())
}

/// Takes a person out of the uses of promotions, which go on being counted.
pub async fn erase(tx: &mut Tx, user: UserId) -> db::Result<()> {
    execute!(
        tx,
        "update promotion_redemptions
        set user_id = null, email = ''
        where user_id = $1",
        user,
    )?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    promotion_id: PromotionId,
    reference: String,
    code: Option<String>,
    email: String,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    created_at: Timestamp,
    released_at: Option<Timestamp>,
}

/// The uses of a promotion, the newest first.
pub async fn redemptions(
    conn: &mut Conn,
    promotion: PromotionId,
    request: PageRequest,
) -> db::Result<Page<Redemption>> {
    let rows = fetch_all!(
        conn,
        Row,
        "select r.promotion_id, r.reference, c.code, r.email, r.amount_minor, p.currency,
            r.created_at, r.released_at
        from promotion_redemptions r
        join promotions p on p.id = r.promotion_id
        left join promotion_codes c on c.id = r.code_id
        where r.promotion_id = $1
        order by r.id desc
        limit $2 offset $3",
        promotion,
        request.limit(),
        request.offset(),
    )?;
    let (total,) = fetch_one!(
        conn,
        (i64,),
        "select count(*) from promotion_redemptions where promotion_id = $1",
        promotion,
    )?;
    let items = rows.into_iter().map(|row| Redemption {
        promotion_id: row.promotion_id,
        reference: row.reference,
        code: row.code,
        email: row.email,
        amount: Money::new(row.amount_minor, row.currency),
        created_at: row.created_at,
        released_at: row.released_at,
    });
    Ok(Page {
        items: items.collect(),
        total,
        request,
    })
}

/// Sets counts of uses to those of the redemptions. Gives what was wrong, with its count now.
pub async fn recount(tx: &mut Tx) -> db::Result<Vec<(String, i64)>> {
    // Locked in a statement of its own, as orders do, promotions first: one that waited for a row
    // would still count the uses from before it waited.
    for rows in [
        "select id from promotions order by id",
        "select id from promotion_codes order by id",
    ] {
        let _: Vec<(i64,)> = Query::new(rows).lock().fetch_all(tx).await?;
    }
    let mut counted = fetch_all!(
        tx,
        (String, i64),
        "update promotions
        set uses = counted.redemptions
        from (
            select p.id as promotion, count(r.id) as redemptions
            from promotions p
            left join promotion_redemptions r on r.promotion_id = p.id and r.released_at is null
            group by p.id
        ) as counted
        where counted.promotion = promotions.id and promotions.uses <> counted.redemptions
        returning 'promotion ' || id, uses"
    )?;
    counted.extend(fetch_all!(
        tx,
        (String, i64),
        "update promotion_codes
        set uses = counted.redemptions
        from (
            select c.id as code_id, count(r.id) as redemptions
            from promotion_codes c
            left join promotion_redemptions r on r.code_id = c.id and r.released_at is null
            group by c.id
        ) as counted
        where counted.code_id = promotion_codes.id and promotion_codes.uses <> counted.redemptions
        returning 'code ' || code, uses"
    )?);
    Ok(counted)
}

/// Promotions and codes whose count is not that of their uses; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> db::Result<Vec<UseImbalance>> {
    let rows = fetch_all!(
        conn,
        (String, i64, i64),
        "select 'promotion ' || p.id as what, p.uses, count(r.id) as redemptions
        from promotions p
        left join promotion_redemptions r on r.promotion_id = p.id and r.released_at is null
        group by p.id, p.uses
        having p.uses <> count(r.id)
        union all
        select 'code ' || c.code, c.uses, count(r.id)
        from promotion_codes c
        left join promotion_redemptions r on r.code_id = c.id and r.released_at is null
        group by c.id, c.code, c.uses
        having c.uses <> count(r.id)"
    )?;
    let imbalance = |(what, uses, redemptions)| UseImbalance {
        what,
        uses,
        redemptions,
    };
    Ok(rows.into_iter().map(imbalance).collect())
}

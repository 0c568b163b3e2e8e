//! SQL of people who wait for stock.

use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_optional};
use crate::inventory::model::Waiter;
use crate::types::{Email, Locale, Timestamp, UserId, VariantId};

#[derive(FromRow)]
struct WaiterRow {
    id: i64,
    variant_id: VariantId,
    #[sqlx(try_from = "String")]
    email: Email,
    #[sqlx(try_from = "String")]
    locale: Locale,
    created_at: Timestamp,
}

impl From<WaiterRow> for Waiter {
    fn from(row: WaiterRow) -> Self {
        Self {
            id: row.id,
            variant_id: row.variant_id,
            email: row.email,
            locale: row.locale,
            since: row.created_at,
        }
    }
}

/// Notes that somebody waits for a variant; who waits already goes on waiting.
pub async fn insert_waiter(
    tx: &mut Tx,
    variant: VariantId,
    email: &Email,
    user: Option<UserId>,
    locale: Locale,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into stock_waiters (variant_id, email, user_id, locale, created_at)
        values ($1, $2, $3, $4, $5)
        on conflict (variant_id, email) do nothing",
        variant,
        email,
        user,
        locale.as_str(),
        now,
    )?;
    Ok(())
}

/// Notes that all who wait for a variant are written to; gives them.
pub async fn call_waiters(tx: &mut Tx, variant: VariantId, now: Timestamp) -> db::Result<Vec<i64>> {
    let rows = fetch_all!(
        tx,
        (i64,),
        "update stock_waiters
        set notified_at = $2
        where variant_id = $1 and notified_at is null
        returning id",
        variant,
        now,
    )?;
    let mut ids: Vec<i64> = rows.into_iter().map(|(id,)| id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Somebody who waits, or is written to.
pub async fn waiter(conn: &mut Conn, id: i64) -> db::Result<Option<Waiter>> {
    let row = fetch_optional!(
        conn,
        WaiterRow,
        "select id, variant_id, email, locale, created_at
        from stock_waiters
        where id = $1",
        id,
    )?;
    Ok(row.map(Waiter::from))
}

/// All that a user waits for.
pub async fn waits_of_user(
    conn: &mut Conn,
    user: UserId,
    email: &Email,
) -> db::Result<Vec<Waiter>> {
    let rows = fetch_all!(
        conn,
        WaiterRow,
        "select id, variant_id, email, locale, created_at
        from stock_waiters
        where user_id = $1 or email = $2
        order by id",
        user,
        email,
    )?;
    Ok(rows.into_iter().map(Waiter::from).collect())
}

/// Forgets somebody who waited.
pub async fn delete_waiter(tx: &mut Tx, id: i64) -> db::Result<()> {
    execute!(tx, "delete from stock_waiters where id = $1", id)?;
    Ok(())
}

/// Forgets all that a user waits for.
pub async fn delete_waits_of_user(tx: &mut Tx, user: UserId, email: &Email) -> db::Result<()> {
    execute!(
        tx,
        "delete from stock_waiters
        where user_id = $1 or email = $2",
        user,
        email,
    )?;
    Ok(())
}

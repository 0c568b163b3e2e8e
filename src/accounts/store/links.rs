//! SQL of the links in letters.

use crate::accounts::model::Purpose;
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_one, fetch_optional};
use crate::types::{Email, Timestamp, UserId};

/// A link as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LinkRow {
    /// Its id.
    pub id: i64,
    /// Whose account it is about.
    pub user_id: UserId,
    /// The address that is to be the account's.
    #[sqlx(try_from = "String")]
    pub email: Email,
}

/// Keeps a new link.
pub async fn insert_link(
    tx: &mut Tx,
    user: UserId,
    purpose: Purpose,
    email: &Email,
    hash: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into email_links (user_id, purpose, email, token_hash, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6)",
        user,
        purpose,
        email,
        hash,
        now,
        now.plus_seconds(purpose.lifetime()),
    )?;
    Ok(())
}

/// The link with this hash, as long as it is good.
pub async fn link(
    conn: &mut Conn,
    purpose: Purpose,
    hash: &str,
    now: Timestamp,
) -> db::Result<Option<LinkRow>> {
    fetch_optional!(
        conn,
        LinkRow,
        "select id, user_id, email
        from email_links
        where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3",
        hash,
        purpose,
        now,
    )
}

/// Uses a link up. Gives false when it was used before, or is too old.
pub async fn use_link(tx: &mut Tx, id: i64, now: Timestamp) -> db::Result<bool> {
    let used = execute!(
        tx,
        "update email_links
        set used_at = $1
        where id = $2 and used_at is null and expires_at > $1",
        now,
        id,
    )?;
    Ok(used == 1)
}

/// Whether a user followed a link of this purpose about this address, and it still counts.
pub async fn is_confirmed(
    conn: &mut Conn,
    user: UserId,
    purpose: Purpose,
    email: &Email,
    now: Timestamp,
) -> db::Result<bool> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select count(*)
        from email_links
        where user_id = $1 and purpose = $2 and email = $3 and used_at is not null
            and expires_at > $4",
        user,
        purpose,
        email,
        now,
    )?;
    Ok(count > 0)
}

/// Forgets a user's links of this purpose, used or not: they are good for nothing any more.
pub async fn void_links(tx: &mut Tx, user: UserId, purpose: Purpose) -> db::Result<()> {
    execute!(
        tx,
        "delete from email_links
        where user_id = $1 and purpose = $2",
        user,
        purpose,
    )?;
    Ok(())
}

/// Forgets links that are too old. Gives how many.
pub async fn delete_expired_links(tx: &mut Tx, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "delete from email_links
        where expires_at <= $1",
        now,
    )
}

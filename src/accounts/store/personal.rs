//! SQL of personal tokens.

use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{Timestamp, UserId};

/// A personal token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PersonalTokenRow {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// What its owner calls it.
    pub name: String,
    /// Names of scopes, parted by commas.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
    /// When it was last used, within minutes.
    pub last_used_at: Option<Timestamp>,
}

/// A personal token to keep.
pub struct NewPersonalToken<'a> {
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: &'a str,
    /// The hash of the token.
    pub hash: &'a str,
    /// Names of scopes, parted by commas.
    pub scopes: &'a str,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
}

/// Keeps a new personal token.
pub async fn insert_personal_token(
    tx: &mut Tx,
    token: &NewPersonalToken<'_>,
    now: Timestamp,
) -> db::Result<i64> {
    let (id,) = fetch_one!(
        tx,
        (i64,),
        "insert into personal_tokens (user_id, name, token_hash, scopes, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        returning id",
        token.user,
        token.name,
        token.hash,
        token.scopes,
        now,
        token.expires_at,
    )?;
    Ok(id)
}

/// The personal token with this hash, as long as it is good.
pub async fn personal_token(
    conn: &mut Conn,
    hash: &str,
    now: Timestamp,
) -> db::Result<Option<PersonalTokenRow>> {
    fetch_optional!(
        conn,
        PersonalTokenRow,
        "select id, user_id, name, scopes, created_at, expires_at, last_used_at
        from personal_tokens
        where token_hash = $1 and expires_at > $2",
        hash,
        now,
    )
}

/// A user's personal tokens, the newest first.
pub async fn personal_tokens(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
) -> db::Result<Vec<PersonalTokenRow>> {
    fetch_all!(
        conn,
        PersonalTokenRow,
        "select id, user_id, name, scopes, created_at, expires_at, last_used_at
        from personal_tokens
        where user_id = $1 and expires_at > $2
        order by id desc",
        user,
        now,
    )
}

/// How many personal tokens a user has.
pub async fn count_personal_tokens(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
) -> db::Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select count(*)
        from personal_tokens
        where user_id = $1 and expires_at > $2",
        user,
        now,
    )?;
    Ok(count)
}

/// Writes down that a personal token was used.
pub async fn touch_personal_token(tx: &mut Tx, id: i64, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update personal_tokens
        set last_used_at = $1
        where id = $2 and (last_used_at is null or last_used_at < $1)",
        now,
        id,
    )?;
    Ok(())
}

/// Removes a user's personal token; gives its name, or none when it is not theirs.
pub async fn delete_personal_token(
    tx: &mut Tx,
    user: UserId,
    id: i64,
) -> db::Result<Option<String>> {
    let row = fetch_optional!(
        tx,
        (String,),
        "delete from personal_tokens
        where user_id = $1 and id = $2
        returning name",
        user,
        id,
    )?;
    Ok(row.map(|(name,)| name))
}

/// Forgets personal tokens that have expired. Gives how many.
pub async fn delete_expired_personal_tokens(tx: &mut Tx, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "delete from personal_tokens
        where expires_at <= $1",
        now,
    )
}

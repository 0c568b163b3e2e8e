//! SQL of what keeps somebody signed in: refresh tokens, and their visits in browsers.

use crate::db::{self, Conn, FromRow, Tx, execute, fetch_optional};
use crate::types::{Timestamp, UserId};

/// A refresh token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RefreshTokenRow {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// The sign-in that it comes from.
    pub family: String,
    /// When it was traded for another.
    pub used_at: Option<Timestamp>,
    /// When its family ended.
    pub revoked_at: Option<Timestamp>,
}

/// Ends all of a user's visits in browsers.
pub async fn end_sessions(tx: &mut Tx, user: UserId) -> db::Result<()> {
    execute!(
        tx,
        "delete from sessions
        where user_id = $1",
        user,
    )?;
    Ok(())
}

/// The refresh token with this hash.
pub async fn refresh_token(conn: &mut Conn, hash: &str) -> db::Result<Option<RefreshTokenRow>> {
    fetch_optional!(
        conn,
        RefreshTokenRow,
        "select id, user_id, family, used_at, revoked_at
        from refresh_tokens
        where token_hash = $1",
        hash,
    )
}

/// Keeps a new refresh token.
pub async fn insert_refresh_token(
    tx: &mut Tx,
    user: UserId,
    family: &str,
    hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into refresh_tokens (user_id, family, token_hash, created_at, expires_at)
        values ($1, $2, $3, $4, $5)",
        user,
        family,
        hash,
        now,
        expires_at,
    )?;
    Ok(())
}

/// Uses a refresh token up. Gives false when it was used or revoked before, or has expired.
pub async fn use_refresh_token(tx: &mut Tx, id: i64, now: Timestamp) -> db::Result<bool> {
    let used = execute!(
        tx,
        "update refresh_tokens
        set used_at = $1
        where id = $2 and used_at is null and revoked_at is null and expires_at > $1",
        now,
        id,
    )?;
    Ok(used == 1)
}

/// Ends a family of refresh tokens. Gives false when it had ended before.
pub async fn revoke_family(tx: &mut Tx, family: &str, now: Timestamp) -> db::Result<bool> {
    let revoked = execute!(
        tx,
        "update refresh_tokens
        set revoked_at = $1
        where family = $2 and revoked_at is null",
        now,
        family,
    )?;
    Ok(revoked > 0)
}

/// Ends all of a user's families of refresh tokens.
pub async fn revoke_all(tx: &mut Tx, user: UserId, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update refresh_tokens
        set revoked_at = $1
        where user_id = $2 and revoked_at is null",
        now,
        user,
    )?;
    Ok(())
}

/// Forgets refresh tokens that have expired. Gives how many.
pub async fn delete_expired_tokens(tx: &mut Tx, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "delete from refresh_tokens
        where expires_at <= $1",
        now,
    )
}

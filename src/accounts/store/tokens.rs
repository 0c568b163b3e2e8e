//! SQL of refresh tokens.

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
    /// When that sign-in began.
    pub started_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was traded for another.
    pub used_at: Option<Timestamp>,
    /// When its family ended.
    pub revoked_at: Option<Timestamp>,
}

/// The refresh token with this hash.
pub async fn refresh_token(conn: &mut Conn, hash: &str) -> db::Result<Option<RefreshTokenRow>> {
    fetch_optional!(
        conn,
        RefreshTokenRow,
        "select id, user_id, family, started_at, created_at, used_at, revoked_at
        from refresh_tokens
        where token_hash = $1",
        hash,
    )
}

/// A refresh token to keep.
pub struct NewRefreshToken<'a> {
    /// Whose it is.
    pub user: UserId,
    /// The sign-in that it comes from.
    pub family: &'a str,
    /// The hash of the token.
    pub hash: &'a str,
    /// When that sign-in began.
    pub started_at: Timestamp,
    /// With what it was asked for.
    pub user_agent: &'a str,
    /// Where it was asked for; may be empty.
    pub address: &'a str,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
}

/// Keeps a new refresh token.
pub async fn insert_refresh_token(
    tx: &mut Tx,
    token: &NewRefreshToken<'_>,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into refresh_tokens
            (user_id, family, token_hash, started_at, user_agent, address, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
        token.user,
        token.family,
        token.hash,
        token.started_at,
        token.user_agent,
        token.address,
        now,
        token.expires_at,
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

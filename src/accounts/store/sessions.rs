//! SQL of where somebody is signed in: visits in browsers, and sign-ins through the API.
//!
//! Of the tokens of a sign-in through the API, one is good: the one that was not traded yet.

use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all};
use crate::types::{Timestamp, UserId};

/// Where somebody is signed in, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SignInRow {
    /// What is kept of a session's id, or the name of a sign-in through the API.
    pub id: String,
    /// With what.
    pub user_agent: String,
    /// Where; may be empty.
    pub address: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, within minutes.
    pub last_used_at: Timestamp,
}

/// A user's visits in browsers, the last used first, a hundred at most. Some may be over by the
/// limits of the settings.
pub async fn sessions(conn: &mut Conn, user: UserId) -> db::Result<Vec<SignInRow>> {
    fetch_all!(
        conn,
        SignInRow,
        "select id, user_agent, address, created_at, last_used_at
        from sessions
        where user_id = $1
        order by last_used_at desc, id
        limit 100",
        user,
    )
}

/// A user's sign-ins through the API, the last used first, a hundred at most.
pub async fn families(conn: &mut Conn, user: UserId, now: Timestamp) -> db::Result<Vec<SignInRow>> {
    fetch_all!(
        conn,
        SignInRow,
        "select family as id, user_agent, address, started_at as created_at,
            created_at as last_used_at
        from refresh_tokens
        where user_id = $1 and used_at is null and revoked_at is null and expires_at > $2
        order by refresh_tokens.created_at desc, family
        limit 100",
        user,
        now,
    )
}

/// Ends all of a user's visits in browsers.
pub async fn end_sessions(tx: &mut Tx, user: UserId) -> db::Result<()> {
    end_other_sessions(tx, user, "").await?;
    Ok(())
}

/// Ends all of a user's visits in browsers but one. Gives how many.
pub async fn end_other_sessions(tx: &mut Tx, user: UserId, id: &str) -> db::Result<u64> {
    execute!(
        tx,
        "delete from sessions
        where user_id = $1 and id <> $2",
        user,
        id,
    )
}

/// Ends a user's visit in a browser. Gives false when it is not theirs.
pub async fn end_session(tx: &mut Tx, user: UserId, id: &str) -> db::Result<bool> {
    let ended = execute!(
        tx,
        "delete from sessions
        where user_id = $1 and id = $2",
        user,
        id,
    )?;
    Ok(ended == 1)
}

/// Ends a user's sign-in through the API. Gives false when it is not theirs, or had ended before.
pub async fn end_family(
    tx: &mut Tx,
    user: UserId,
    family: &str,
    now: Timestamp,
) -> db::Result<bool> {
    let ended = execute!(
        tx,
        "update refresh_tokens
        set revoked_at = $1
        where user_id = $2 and family = $3 and revoked_at is null and expires_at > $1",
        now,
        user,
        family,
    )?;
    Ok(ended > 0)
}

/// Ends all of a user's sign-ins through the API but one. Gives how many.
pub async fn end_other_families(
    tx: &mut Tx,
    user: UserId,
    family: &str,
    now: Timestamp,
) -> db::Result<u64> {
    let alive = families(tx, user, now).await?;
    execute!(
        tx,
        "update refresh_tokens
        set revoked_at = $1
        where user_id = $2 and family <> $3 and revoked_at is null",
        now,
        user,
        family,
    )?;
    Ok(alive.iter().filter(|other| other.id != family).count() as u64)
}

//! SQL of the second factor.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one, fetch_optional};
use crate::types::{Timestamp, UserId};

/// A second factor as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TwoFactorRow {
    /// In base 32.
    pub secret: String,
    /// The step whose code was used last.
    pub last_step: i64,
}

/// A user's second factor.
pub async fn two_factor(conn: &mut Conn, user: UserId) -> db::Result<Option<TwoFactorRow>> {
    fetch_optional!(
        conn,
        TwoFactorRow,
        "select secret, last_step
        from two_factors
        where user_id = $1",
        user,
    )
}

/// Gives a user a second factor. Breaks the unique rule when they have one.
pub async fn insert_two_factor(
    tx: &mut Tx,
    user: UserId,
    secret: &str,
    step: i64,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into two_factors (user_id, secret, last_step, created_at)
        values ($1, $2, $3, $4)",
        user,
        secret,
        step,
        now,
    )?;
    Ok(())
}

/// Uses the code of a step up. Gives false when it, or a later one, was used before.
pub async fn use_step(tx: &mut Tx, user: UserId, step: i64) -> db::Result<bool> {
    let used = execute!(
        tx,
        "update two_factors
        set last_step = $1
        where user_id = $2 and last_step < $1",
        step,
        user,
    )?;
    Ok(used == 1)
}

/// Takes a user's second factor and recovery codes away. Gives false when they had none.
pub async fn delete_two_factor(tx: &mut Tx, user: UserId) -> db::Result<bool> {
    execute!(
        tx,
        "delete from recovery_codes
        where user_id = $1",
        user,
    )?;
    let deleted = execute!(
        tx,
        "delete from two_factors
        where user_id = $1",
        user,
    )?;
    Ok(deleted == 1)
}

/// Gives a user these recovery codes, hashed, in place of those they had.
pub async fn set_recovery_codes(tx: &mut Tx, user: UserId, hashes: &[String]) -> db::Result<()> {
    execute!(
        tx,
        "delete from recovery_codes
        where user_id = $1",
        user,
    )?;
    let mut query = Query::new("insert into recovery_codes (user_id, code_hash) values ");
    for (index, hash) in hashes.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.bind(user).push(", ").bind(hash).push(")");
    }
    query.execute(tx).await?;
    Ok(())
}

/// Uses a recovery code up. Gives false when it is none, or was used before.
pub async fn use_recovery_code(
    tx: &mut Tx,
    user: UserId,
    hash: &str,
    now: Timestamp,
) -> db::Result<bool> {
    let used = execute!(
        tx,
        "update recovery_codes
        set used_at = $1
        where user_id = $2 and code_hash = $3 and used_at is null",
        now,
        user,
        hash,
    )?;
    Ok(used == 1)
}

/// How many recovery codes a user has left.
pub async fn count_recovery_codes(conn: &mut Conn, user: UserId) -> db::Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select count(*)
        from recovery_codes
        where user_id = $1 and used_at is null",
        user,
    )?;
    Ok(count)
}

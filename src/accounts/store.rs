//! SQL of accounts.

use super::model::{Permission, Role, User};
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_one, fetch_optional};
use crate::types::{Email, TextEnum, Timestamp, UserId};

#[derive(FromRow)]
struct UserRow {
    id: UserId,
    #[sqlx(try_from = "String")]
    email: Email,
    name: String,
    phone: String,
    #[sqlx(try_from = "String")]
    role: Role,
    permissions: String,
    created_at: Timestamp,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let permissions = row.permissions.split(',').filter_map(Permission::from_word);
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            phone: row.phone,
            role: row.role,
            permissions: permissions.collect(),
            created_at: row.created_at,
        }
    }
}

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

/// What a counter of attempts says after one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Attempts {
    /// How many there were in this window, this one included.
    pub attempts: i64,
    /// When counting starts anew.
    pub window_ends_at: Timestamp,
}

/// The user with this id.
pub async fn by_id(conn: &mut Conn, id: UserId) -> db::Result<Option<User>> {
    let row = fetch_optional!(
        conn,
        UserRow,
        "select id, email, name, phone, role, permissions, created_at
        from users
        where id = $1",
        id,
    )?;
    Ok(row.map(User::from))
}

/// The user with this address.
pub async fn by_email(conn: &mut Conn, email: &Email) -> db::Result<Option<User>> {
    let row = fetch_optional!(
        conn,
        UserRow,
        "select id, email, name, phone, role, permissions, created_at
        from users
        where email = $1",
        email,
    )?;
    Ok(row.map(User::from))
}

/// The hash of a user's password.
pub async fn password_hash(conn: &mut Conn, id: UserId) -> db::Result<Option<String>> {
    let row = fetch_optional!(
        conn,
        (String,),
        "select password_hash
        from users
        where id = $1",
        id,
    )?;
    Ok(row.map(|(hash,)| hash))
}

/// Whether the shop has an admin.
pub async fn has_admin(conn: &mut Conn) -> db::Result<bool> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select count(*)
        from users
        where role = 'admin'",
    )?;
    Ok(count > 0)
}

/// Makes a user without permissions. Breaks the unique rule when the address is taken.
pub async fn insert(
    tx: &mut Tx,
    email: &Email,
    name: &str,
    password_hash: &str,
    role: Role,
    now: Timestamp,
) -> db::Result<UserId> {
    let (id,) = fetch_one!(
        tx,
        (UserId,),
        "insert into users (email, name, password_hash, role, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        returning id",
        email,
        name,
        password_hash,
        role,
        now,
    )?;
    Ok(id)
}

/// Changes how a user is called and reached.
pub async fn set_profile(
    tx: &mut Tx,
    id: UserId,
    name: &str,
    phone: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update users
        set name = $1, phone = $2, updated_at = $3
        where id = $4",
        name,
        phone,
        now,
        id,
    )?;
    Ok(())
}

/// Makes an admin of a user, with a new password.
pub async fn make_admin(
    tx: &mut Tx,
    id: UserId,
    password_hash: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update users
        set role = 'admin', password_hash = $1, updated_at = $2
        where id = $3",
        password_hash,
        now,
        id,
    )?;
    Ok(())
}

/// Locks a user: who writes their tokens waits for its turn. Gives false when they are gone.
pub async fn lock(tx: &mut Tx, id: UserId) -> db::Result<bool> {
    let locked = execute!(
        tx,
        "update users
        set updated_at = updated_at
        where id = $1",
        id,
    )?;
    Ok(locked == 1)
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

/// Counts one more attempt under this name; a window that is over starts anew.
pub async fn count_attempt(
    tx: &mut Tx,
    name: &str,
    now: Timestamp,
    window_ends_at: Timestamp,
) -> db::Result<Attempts> {
    fetch_one!(
        tx,
        Attempts,
        "insert into throttles (name, attempts, window_ends_at)
        values ($1, 1, $2)
        on conflict (name) do update
        set attempts = case
                when throttles.window_ends_at <= $3 then 1
                else throttles.attempts + 1
            end,
            window_ends_at = case
                when throttles.window_ends_at <= $3 then excluded.window_ends_at
                else throttles.window_ends_at
            end
        returning attempts, window_ends_at",
        name,
        window_ends_at,
        now,
    )
}

/// Takes one attempt back.
pub async fn forgive_attempt(tx: &mut Tx, name: &str) -> db::Result<()> {
    execute!(
        tx,
        "update throttles
        set attempts = attempts - 1
        where name = $1 and attempts > 0",
        name,
    )?;
    Ok(())
}

/// Takes all attempts back.
pub async fn forgive_all(tx: &mut Tx, name: &str) -> db::Result<()> {
    execute!(tx, "delete from throttles where name = $1", name)?;
    Ok(())
}

/// Forgets counters whose window is over. Gives how many.
pub async fn delete_old_attempts(tx: &mut Tx, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "delete from throttles
        where window_ends_at <= $1",
        now,
    )
}

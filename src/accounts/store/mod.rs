//! SQL of accounts: users here, the rest in files of their own.

mod staff;
mod throttles;
mod tokens;

pub use staff::{lock_admins, set_role, staff, staff_member};
pub use throttles::{Attempts, count_attempt, delete_old_attempts, forgive_all, forgive_attempt};
pub use tokens::{
    RefreshTokenRow, delete_expired_tokens, end_sessions, insert_refresh_token, refresh_token,
    revoke_all, revoke_family, use_refresh_token,
};

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
        set role = 'admin', role_version = role_version + 1, password_hash = $1, updated_at = $2
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

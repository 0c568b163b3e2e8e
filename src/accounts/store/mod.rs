//! SQL of accounts: users here, the rest in files of their own.

mod links;
mod personal;
mod sessions;
mod staff;
mod throttles;
mod tokens;
mod two_factor;

pub use links::{
    LinkRow, delete_expired_links, insert_link, is_confirmed, link, use_link, void_links,
};
pub use personal::{
    NewPersonalToken, PersonalTokenRow, count_personal_tokens, delete_expired_personal_tokens,
    delete_personal_token, insert_personal_token, personal_token, personal_tokens,
    touch_personal_token,
};
pub use sessions::{
    SignInRow, end_family, end_other_families, end_other_sessions, end_session, end_sessions,
    families, sessions,
};
pub use staff::{lock_admins, set_role, staff, staff_member};
pub use throttles::{Attempts, count_attempt, delete_old_attempts, forgive_all, forgive_attempt};
pub use tokens::{
    NewRefreshToken, RefreshTokenRow, delete_expired_tokens, insert_refresh_token, refresh_token,
    revoke_all, revoke_family, use_refresh_token,
};
pub use two_factor::{
    TwoFactorRow, count_recovery_codes, delete_two_factor, insert_two_factor, set_recovery_codes,
    two_factor, use_recovery_code, use_step,
};

use super::model::{Permission, Role, User};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one, fetch_optional};
use crate::types::{Email, Locale, TextEnum, Timestamp, UserId};

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
    email_verified_at: Option<Timestamp>,
    #[sqlx(try_from = "String")]
    locale: Locale,
    marketing_consent_at: Option<Timestamp>,
    two_factor: bool,
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
            email_verified_at: row.email_verified_at,
            locale: row.locale,
            marketing_consent_at: row.marketing_consent_at,
            two_factor: row.two_factor,
        }
    }
}

/// The users that a condition, which comes next, names.
fn users_where() -> Query {
    Query::new(
        "select id, email, name, phone, role, permissions, created_at, email_verified_at, locale,
            marketing_consent_at,
            exists (select 1 from two_factors where two_factors.user_id = users.id) as two_factor
        from users
        where ",
    )
}

/// The user with this id.
pub async fn by_id(conn: &mut Conn, id: UserId) -> db::Result<Option<User>> {
    let mut query = users_where();
    query.push("id = ").bind(id);
    let row: Option<UserRow> = query.fetch_optional(conn).await?;
    Ok(row.map(User::from))
}

/// The user with this id, as long as a sign-in of theirs through the API has not ended.
pub async fn by_family(
    conn: &mut Conn,
    id: UserId,
    family: &str,
    now: Timestamp,
) -> db::Result<Option<User>> {
    let mut query = users_where();
    query.push("id = ").bind(id);
    query.push(" and exists (select 1 from refresh_tokens where user_id = users.id and family = ");
    query.bind(family);
    query
        .push(" and revoked_at is null and expires_at > ")
        .bind(now)
        .push(")");
    let row: Option<UserRow> = query.fetch_optional(conn).await?;
    Ok(row.map(User::from))
}

/// The user with this address.
pub async fn by_email(conn: &mut Conn, email: &Email) -> db::Result<Option<User>> {
    let mut query = users_where();
    query.push("email = ").bind(email);
    let row: Option<UserRow> = query.fetch_optional(conn).await?;
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
    locale: Locale,
    now: Timestamp,
) -> db::Result<UserId> {
    let (id,) = fetch_one!(
        tx,
        (UserId,),
        "insert into users (email, name, password_hash, role, locale, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        returning id",
        email,
        name,
        password_hash,
        role,
        locale,
        now,
    )?;
    Ok(id)
}

/// Writes how a user is called and reached, and whether they want offers.
pub async fn set_profile(tx: &mut Tx, user: &User, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update users
        set name = $1, phone = $2, locale = $3, marketing_consent_at = $4, updated_at = $5
        where id = $6",
        &user.name,
        &user.phone,
        user.locale,
        user.marketing_consent_at,
        now,
        user.id,
    )?;
    Ok(())
}

/// Writes the hash of a new password.
pub async fn set_password(
    tx: &mut Tx,
    id: UserId,
    password_hash: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update users
        set password_hash = $1, updated_at = $2
        where id = $3",
        password_hash,
        now,
        id,
    )?;
    Ok(())
}

/// Writes the hash of the same password under today's parameters. Gives false when the password
/// was changed meanwhile.
pub async fn rehash(tx: &mut Tx, id: UserId, old_hash: &str, new_hash: &str) -> db::Result<bool> {
    let written = execute!(
        tx,
        "update users
        set password_hash = $1
        where id = $2 and password_hash = $3",
        new_hash,
        id,
        old_hash,
    )?;
    Ok(written == 1)
}

/// Writes an address that its owner has shown to be theirs. Breaks the unique rule when it is
/// another user's.
pub async fn set_email(
    tx: &mut Tx,
    id: UserId,
    email: &Email,
    verified_at: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update users
        set email = $1, email_verified_at = $2, updated_at = $2
        where id = $3",
        email,
        verified_at,
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

/// Removes a user, with their sign-ins, their links and what else is theirs alone.
pub async fn delete(tx: &mut Tx, id: UserId) -> db::Result<()> {
    execute!(
        tx,
        "delete from users
        where id = $1",
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

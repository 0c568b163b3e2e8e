//! SQL of those who work here.

use super::UserRow;
use crate::accounts::model::{Permission, Role, StaffMember, User};
use crate::db::{self, Conn, FromRow, Query, Tx, execute};
use crate::types::{Timestamp, UserId};

#[derive(FromRow)]
struct StaffRow {
    #[sqlx(flatten)]
    user: UserRow,
    role_version: i64,
    visit_at: Option<Timestamp>,
    token_at: Option<Timestamp>,
}

impl From<StaffRow> for StaffMember {
    fn from(row: StaffRow) -> Self {
        Self {
            user: User::from(row.user),
            version: row.role_version,
            signed_in_at: row.visit_at.max(row.token_at),
        }
    }
}

/// Somebody's account, whether they work here or not.
pub async fn staff_member(conn: &mut Conn, id: UserId) -> db::Result<Option<StaffMember>> {
    let mut query = members();
    query.push(" where id = ").bind(id);
    let rows: Vec<StaffRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().next().map(StaffMember::from))
}

/// All who work here: admins first, then by name.
pub async fn staff(conn: &mut Conn) -> db::Result<Vec<StaffMember>> {
    let mut query = members();
    query.push(" where role <> 'customer' order by role, lower(name), id");
    let rows: Vec<StaffRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(StaffMember::from).collect())
}

fn members() -> Query {
    Query::new(
        "select id, email, name, phone, role, permissions, created_at, email_verified_at,
            locale, marketing_consent_at, role_version,
            exists (select 1 from two_factors where two_factors.user_id = users.id) as two_factor,
            (
                select max(created_at)
                from sessions
                where sessions.user_id = users.id
            ) as visit_at,
            (
                select max(created_at)
                from refresh_tokens
                where refresh_tokens.user_id = users.id
            ) as token_at
        from users",
    )
}

/// Locks all admins, so that who they are stays as it is until the transaction ends. Gives them
/// in the order of their ids.
pub async fn lock_admins(tx: &mut Tx) -> db::Result<Vec<UserId>> {
    let mut query = Query::new("select id from users where role = 'admin' order by id");
    let rows: Vec<(UserId,)> = query.lock().fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Sets what somebody is and may work on, if `version` is still the newest. Gives false when it
/// is not.
pub async fn set_role(
    tx: &mut Tx,
    id: UserId,
    version: i64,
    role: Role,
    permissions: &[Permission],
    now: Timestamp,
) -> db::Result<bool> {
    let words: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
    let set = execute!(
        tx,
        "update users
        set role = $1, permissions = $2, role_version = role_version + 1, updated_at = $3
        where id = $4 and role_version = $5",
        role,
        words.join(","),
        now,
        id,
        version,
    )?;
    Ok(set == 1)
}

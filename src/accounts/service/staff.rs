//! Who works here: admins say it, staff with `settings` may look.
//!
//! Roles and permissions are read from the row with each request, so a change holds from the next
//! one on and needs to end no sign-in. Whoever writes them locks all admins first: two admins who
//! demote each other at once are one after the other, and one of them stays.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::accounts::model::{Permission, Role, StaffMember};
use crate::accounts::store;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Rule};
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{TextEnum, UserId};

/// Somebody who is to work here.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewStaff {
    /// The address of their account.
    pub email: String,
    /// `staff` or `admin`; left out: `staff`.
    pub role: Option<String>,
    /// What staff may work on: `catalog`, `inventory`, `orders`, `customers`, `promotions`,
    /// `settings`, `reports`. Admins may do everything; theirs are not kept.
    pub permissions: Option<Vec<String>>,
}

/// What changes about somebody who works here; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StaffInput {
    /// `staff`, `admin`, or `customer` for who works here no more.
    pub role: Option<String>,
    /// What staff may work on, all of it.
    pub permissions: Option<Vec<String>>,
}

/// What somebody is, and may work on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    role: Role,
    permissions: Vec<Permission>,
}

impl Position {
    fn of(member: &StaffMember) -> Self {
        Self {
            role: member.user.role,
            permissions: member.user.permissions.clone(),
        }
    }

    /// What `input` makes of it. Errors: `role`, `permissions`.
    fn changed(self, input: &StaffInput) -> Result<Self> {
        let mut errors = FieldErrors::default();
        let role = match input.role.as_deref() {
            None => self.role,
            Some(word) => errors
                .keep("role", "unknown", word.parse())
                .unwrap_or(self.role),
        };
        let permissions = match &input.permissions {
            None => self.permissions,
            Some(words) => chosen(&mut errors, words),
        };
        errors.into_result()?;
        Ok(Self {
            role,
            // Customers may work on nothing, admins on everything.
            permissions: if role == Role::Staff {
                permissions
            } else {
                Vec::new()
            },
        })
    }

    fn facts(&self) -> Value {
        let permissions = self.permissions.iter();
        let permissions: Vec<&str> = permissions.map(|one| one.as_str()).collect();
        json!({ "role": self.role.as_str(), "permissions": permissions })
    }
}

/// The permissions that words name, each once, in their usual order.
fn chosen(errors: &mut FieldErrors, words: &[String]) -> Vec<Permission> {
    for word in words {
        errors.keep("permissions", "unknown", word.parse::<Permission>());
    }
    let all = Permission::ALL.iter().copied();
    all.filter(|one| words.iter().any(|word| word == one.as_str()))
        .collect()
}

/// Admins, and staff with `settings`: all who work here, admins first.
pub async fn list_staff(app: &App, ctx: &Ctx) -> Result<Vec<StaffMember>> {
    ctx.require(Permission::Settings)?;
    Ok(store::staff(&mut app.db.conn().await?).await?)
}

/// Admins, and staff with `settings`: somebody who works here. Errors: `NotFound` for everybody
/// else.
pub async fn staff_member(app: &App, ctx: &Ctx, id: UserId) -> Result<StaffMember> {
    ctx.require(Permission::Settings)?;
    let found = store::staff_member(&mut app.db.conn().await?, id).await?;
    found.filter(works_here).ok_or(Error::NotFound)
}

/// Admins: makes a customer staff, or an admin. Errors: `email` when nobody has an account with
/// it (`unknown`) or they work here already (`works_here`); `role`, `permissions`.
pub async fn add_staff(app: &App, ctx: &Ctx, given: NewStaff) -> Result<StaffMember> {
    ctx.check(Rule::Admin)?;
    let mut errors = FieldErrors::default();
    let email = input::email(&mut errors, &given.email);
    let input = StaffInput {
        role: Some(given.role.unwrap_or_else(|| Role::Staff.to_string())),
        permissions: given.permissions,
    };
    if input.role.as_deref() == Some(Role::Customer.as_str()) {
        errors.add("role", "invalid", "Choose staff or admin.");
    }
    errors.into_result()?;
    let email = email.ok_or(Error::NotFound)?;
    let mut tx = app.db.begin().await?;
    lock_admins(&mut tx, ctx).await?;
    let Some(user) = store::by_email(&mut tx, &email).await? else {
        // Who has no account yet could be invited by mail, with a link to choose a password.
        let message = "Nobody has an account with this e-mail. Ask them to create one first.";
        return Err(Error::invalid("email", "unknown", message));
    };
    let member = store::staff_member(&mut tx, user.id).await?;
    let member = member.ok_or(Error::NotFound)?;
    if works_here(&member) {
        let message = format!("{} works here already.", user.name);
        return Err(Error::invalid("email", "works_here", message));
    }
    let position = Position::of(&member).changed(&input)?;
    set(tx, ctx, &member, position, "staff.added").await
}

/// Admins: changes what somebody who works here is and may work on, if `version` (where given) is
/// still their newest. A `customer` works here no more. Errors: `Stale`; `role`, `permissions`;
/// conflicts `own_role` for an admin who would be none by their own hand, `last_admin`.
pub async fn update_staff(
    app: &App,
    ctx: &Ctx,
    id: UserId,
    version: Option<i64>,
    input: StaffInput,
) -> Result<StaffMember> {
    ctx.check(Rule::Admin)?;
    let mut tx = app.db.begin().await?;
    let admins = lock_admins(&mut tx, ctx).await?;
    let member = store::staff_member(&mut tx, id).await?;
    let member = member.filter(works_here).ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != member.version) {
        return Err(Error::Stale);
    }
    let before = Position::of(&member);
    let position = before.clone().changed(&input)?;
    if position == before {
        return Ok(member);
    }
    if before.role == Role::Admin {
        may_demote(ctx, id, &admins)?;
    }
    let action = match position.role {
        Role::Customer => "staff.removed",
        Role::Staff | Role::Admin => "staff.changed",
    };
    set(tx, ctx, &member, position, action).await
}

fn works_here(member: &StaffMember) -> bool {
    member.user.role != Role::Customer
}

/// Locks all admins and gives them. Errors: `Forbidden` when the asker is none of them any more:
/// another admin was faster.
async fn lock_admins(tx: &mut Tx, ctx: &Ctx) -> Result<Vec<UserId>> {
    let admins = store::lock_admins(tx).await?;
    match ctx.user_id() {
        Some(asker) if !admins.contains(&asker) => Err(Error::Forbidden),
        _ => Ok(admins),
    }
}

fn may_demote(ctx: &Ctx, id: UserId, admins: &[UserId]) -> Result<()> {
    if admins == [id] {
        let detail = "The shop needs an admin. Make somebody else an admin first.";
        Err(Error::conflict("last_admin", detail))
    } else if ctx.is(id) {
        let detail = "You cannot stop being an admin by yourself. Another admin can change it.";
        Err(Error::conflict("own_role", detail))
    } else {
        Ok(())
    }
}

async fn set(
    mut tx: Tx,
    ctx: &Ctx,
    member: &StaffMember,
    position: Position,
    action: &str,
) -> Result<StaffMember> {
    let id = member.user.id;
    let (role, permissions) = (position.role, &position.permissions);
    if !store::set_role(&mut tx, id, member.version, role, permissions, ctx.now).await? {
        return Err(Error::Stale);
    }
    let subject = format!("user {id}");
    let (before, after) = (Position::of(member).facts(), position.facts());
    audit::record(&mut tx, ctx, action, &subject, before, after).await?;
    let after = store::staff_member(&mut tx, id).await?;
    tx.commit().await?;
    after.ok_or(Error::NotFound)
}

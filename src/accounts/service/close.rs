//! The end of an account.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::password::confirm;
use crate::accounts::model::User;
use crate::accounts::store;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Role};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::jobs;

/// What the end of an account needs.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CloseAccount {
    /// The password.
    pub password: String,
    /// Whether store credit that is left may be lost.
    pub forfeit_credit: bool,
}

/// Whether the signed-in user may end their account, which their password shows. Errors:
/// `Unauthenticated`; `Invalid` at `password`; `TooMany`; `Conflict` `works_here` for staff, whose
/// work has to be taken from them first.
pub async fn may_close(app: &App, ctx: &Ctx, input: &CloseAccount) -> Result<User> {
    let user = super::me(app, ctx).await?;
    confirm(app, ctx, &user, "password", &input.password).await?;
    if user.role != Role::Customer {
        let message = "You work here. Ask an admin to make you a customer first.";
        return Err(Error::conflict("works_here", message));
    }
    Ok(user)
}

/// Removes a user whose things elsewhere are gone already, in the transaction that removed them.
/// Errors: `Conflict` `works_here` when they were given work meanwhile.
pub async fn remove(tx: &mut Tx, ctx: &Ctx, user: &User) -> Result<()> {
    let now = store::by_id(tx, user.id).await?.ok_or(Error::NotFound)?;
    if now.role != Role::Customer {
        return Err(Error::conflict("works_here", "You work here by now."));
    }
    store::delete(tx, user.id).await?;
    let subject = format!("user {}", user.id);
    audit::record(tx, ctx, "user.deleted", &subject, Value::Null, Value::Null).await?;
    let closed = json!({
        "email": now.email.as_str(),
        "name": now.name,
        "locale": now.locale.as_str(),
    });
    jobs::emit(tx, ctx, "account.closed", &closed).await
}

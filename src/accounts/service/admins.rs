//! Making admins: the first one by itself, others from the command line.

use anyhow::anyhow;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::input;
use super::strength::{self, Owner};
use super::tokens::end_sign_ins;
use crate::accounts::model::User;
use crate::accounts::store;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Role};
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::types::Email;

/// Makes the first admin when there is none, from the settings or with a random password.
/// Gives e-mail and password when a random one was made, to be printed once.
pub async fn ensure_admin(app: &App) -> Result<Option<(String, String)>> {
    if store::has_admin(&mut app.db.conn().await?).await? {
        return Ok(None);
    }
    let setting = &app.config.admin_email;
    let email = Email::parse(setting)
        .ok_or_else(|| anyhow!("the setting admin_email is no e-mail address: {setting}"))?;
    let given = app.config.admin_password.as_ref();
    let password = given.map_or_else(
        || app.rng.readable(16),
        |given| given.expose_secret().to_owned(),
    );
    let hash = app.passwords.hash(&password, app.rng.bytes()).await?;
    let mut tx = app.db.begin().await?;
    let before = locked(&mut tx, &email).await?;
    // Another instance that starts on the same database may have been first: it has committed
    // by now, or the two meet at the unique address below.
    if store::has_admin(&mut tx).await? {
        return Ok(None);
    }
    match promote(&mut tx, &app.system(), &email, before, &hash).await {
        Err(Error::Conflict { .. }) => return Ok(None),
        made => made?,
    };
    tx.commit().await?;
    Ok(given.is_none().then(|| (email.to_string(), password)))
}

/// Makes an admin, or makes an admin of an existing user, with this password; their sign-ins
/// end. Errors: fields.
pub async fn create_admin(app: &App, email: &str, password: &str) -> Result<User> {
    let mut errors = FieldErrors::default();
    let owner = Owner {
        email,
        name: "",
        role: Role::Admin,
    };
    let ctx = app.system();
    strength::check(app, &ctx, &mut errors, "password", password, &owner).await?;
    let email = input::email(&mut errors, email);
    errors.into_result()?;
    let email = email.ok_or(Error::NotFound)?;
    let hash = app.passwords.hash(password, app.rng.bytes()).await?;
    let mut tx = app.db.begin().await?;
    let before = locked(&mut tx, &email).await?;
    let user = promote(&mut tx, &ctx, &email, before, &hash).await?;
    tx.commit().await?;
    Ok(user)
}

/// The user of an address, locked; none when there is no such user yet.
async fn locked(tx: &mut Tx, email: &Email) -> Result<Option<User>> {
    let user = store::by_email(tx, email).await?;
    if let Some(user) = &user {
        store::lock(tx, user.id).await?;
    }
    Ok(user)
}

async fn promote(
    tx: &mut Tx,
    ctx: &Ctx,
    email: &Email,
    before: Option<User>,
    hash: &str,
) -> Result<User> {
    let id = match &before {
        None => {
            let name = input::name_from(email);
            let made =
                store::insert(tx, email, &name, hash, Role::Admin, ctx.locale, ctx.now).await;
            on_unique(made, || {
                Error::conflict("account_exists", "This account was made just now.")
            })?
        }
        Some(user) => {
            store::make_admin(tx, user.id, hash, ctx.now).await?;
            // Whoever was signed in knew the old password, not the new one.
            end_sign_ins(tx, user.id, ctx.now).await?;
            user.id
        }
    };
    let was = before.map_or(
        Value::Null,
        |user| json!({ "email": email.as_str(), "role": user.role.as_str() }),
    );
    let is = json!({ "email": email.as_str(), "role": Role::Admin.as_str(), "password": "set" });
    let subject = format!("user {id}");
    audit::record(tx, ctx, "user.made_admin", &subject, was, is).await?;
    let user = store::by_id(tx, id).await?;
    user.ok_or(Error::NotFound)
}

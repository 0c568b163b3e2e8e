//! Making an account, and proving that one is yours.

use metrics::counter;
use serde_json::json;

use super::input::{self, Register, SignIn};
use super::strength::{self, Owner};
use super::throttle;
use crate::accounts::model::User;
use crate::accounts::store;
use crate::app::App;
use crate::ctx::{Ctx, Role};
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::jobs;
use crate::types::Email;

/// The code of the error that a wrong password and an unknown e-mail share.
pub const WRONG_CREDENTIALS: &str = "wrong_credentials";

/// Makes a customer's account. Errors: fields; `TooMany`, by address.
///
/// An e-mail that is taken is told at the field: who registers must know it, and a client of the
/// API could not go on without. So that nobody learns who has an account by trying one e-mail
/// after the other, attempts are counted by address, whether they succeed or not.
pub async fn register(app: &App, ctx: &Ctx, input: Register) -> Result<User> {
    let mut errors = FieldErrors::default();
    let email = input::email(&mut errors, &input.email);
    let name = match input.name.as_deref().map(str::trim) {
        None | Some("") => email.as_ref().map(input::name_from).unwrap_or_default(),
        Some(given) => input::name(&mut errors, given),
    };
    if !email
        .as_ref()
        .is_some_and(|email| is_of_the_demo(app, email))
    {
        let owner = Owner {
            email: &input.email,
            name: &name,
            role: Role::Customer,
        };
        let password = &input.password;
        strength::check(app, ctx, &mut errors, "password", password, &owner).await?;
    } else if input.password.is_empty() {
        errors.add("password", "required", "Choose a password.");
    }
    errors.into_result()?;
    let email = email.ok_or(Error::NotFound)?;
    throttle::registration(ctx).count(app, ctx).await?;
    let hash = app.passwords.hash(&input.password, app.rng.bytes()).await?;
    let mut tx = app.db.begin().await?;
    let made = store::insert(
        &mut tx,
        &email,
        &name,
        &hash,
        Role::Customer,
        ctx.locale,
        ctx.now,
    )
    .await;
    let id = on_unique(made, taken)?;
    let user = store::by_id(&mut tx, id).await?.ok_or(Error::NotFound)?;
    jobs::emit(&mut tx, ctx, "account.registered", &json!({ "user": id })).await?;
    tx.commit().await?;
    counter!("zoco_registrations_total").increment(1);
    Ok(user)
}

/// Whether this is the customer of the original demo. The first request in its documentation
/// registers `demo@example.com` with a password that is no good, and has to work in a shop that
/// shows the demo goods. Nobody gets mail at that address: RFC 2606 keeps it for documentation.
fn is_of_the_demo(app: &App, email: &Email) -> bool {
    app.config.demo && email.as_str() == "demo@example.com"
}

fn taken() -> Error {
    let message = "There is an account with this e-mail already.";
    Error::invalid("email", "taken", message)
}

/// Checks e-mail and password: the first step. The caller lets nobody in before the second,
/// [`second_step`](super::second_step). Unknown e-mail and wrong password are one error, in one time.
/// Errors: `Invalid` at `password` with [`WRONG_CREDENTIALS`]; `TooMany`, by account and by
/// address.
pub async fn sign_in(app: &App, ctx: &Ctx, input: SignIn) -> Result<User> {
    let mut errors = FieldErrors::default();
    if input.email.trim().is_empty() {
        errors.add("email", "required", "Write your e-mail.");
    }
    if input.password.is_empty() {
        errors.add("password", "required", "Write your password.");
    }
    errors.into_result()?;
    let attempt = throttle::sign_in(ctx, &input.email.trim().to_lowercase());
    attempt.count(app, ctx).await?;
    let found = find(app, &input.email).await?;
    let hash = found.as_ref().map(|(_, hash)| hash.as_str());
    if !app.passwords.fits(&input.password, hash).await? {
        counter!("zoco_sign_ins_total", "result" => "failure").increment(1);
        let message = "E-mail or password is wrong.";
        return Err(Error::invalid("password", WRONG_CREDENTIALS, message));
    }
    attempt.succeeded(app).await?;
    counter!("zoco_sign_ins_total", "result" => "success").increment(1);
    let (user, hash) = found.ok_or(Error::NotFound)?;
    if app.passwords.is_outdated(&hash) {
        rehash(app, &user, &hash, &input.password).await?;
    }
    Ok(user)
}

/// Hashes a password anew, because today's parameters are better than those it was hashed with.
async fn rehash(app: &App, user: &User, old: &str, password: &str) -> Result<()> {
    let new = app.passwords.hash(password, app.rng.bytes()).await?;
    let mut tx = app.db.begin().await?;
    store::rehash(&mut tx, user.id, old, &new).await?;
    Ok(tx.commit().await?)
}

/// The user of an e-mail as typed, with the hash of their password.
async fn find(app: &App, email: &str) -> Result<Option<(User, String)>> {
    let Some(email) = Email::parse(email) else {
        return Ok(None);
    };
    let mut conn = app.db.conn().await?;
    let Some(user) = store::by_email(&mut conn, &email).await? else {
        return Ok(None);
    };
    let hash = store::password_hash(&mut conn, user.id).await?;
    Ok(hash.map(|hash| (user, hash)))
}

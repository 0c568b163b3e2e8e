//! Changing a password, and setting a new one by a link in a letter.

use metrics::counter;
use serde_json::{Value, json};

use super::strength::{self, Owner};
use super::throttle;
use super::tokens::end_sign_ins;
use crate::accounts::model::{Purpose, User};
use crate::accounts::{store, tokens};
use crate::app::App;
use crate::audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::jobs;
use crate::types::{Email, UserId};

use super::input::{ChangePassword, ForgotPassword, ResetPassword};

/// The code of the error at a link that was used, is too old, or never was one.
pub const BAD_LINK: &str = "bad_link";

/// Changes the signed-in user's password. All of their sign-ins end: the caller signs this visit
/// in anew. Errors: `Unauthenticated`; fields; `TooMany`.
pub async fn change_password(app: &App, ctx: &Ctx, input: ChangePassword) -> Result<User> {
    let user = super::me(app, ctx).await?;
    let mut errors = FieldErrors::default();
    check_new(
        app,
        ctx,
        &mut errors,
        "new_password",
        &input.new_password,
        &user,
    )
    .await?;
    if input.current_password.is_empty() {
        errors.add("current_password", "required", "Write your password.");
    }
    if input.new_password == input.current_password && !input.new_password.is_empty() {
        let message = "This is the password that you have.";
        errors.add("new_password", "same", message);
    }
    errors.into_result()?;
    confirm(app, ctx, &user, "current_password", &input.current_password).await?;
    let hash = app
        .passwords
        .hash(&input.new_password, app.rng.bytes())
        .await?;
    let mut tx = app.db.begin().await?;
    write(&mut tx, ctx, user.id, &hash, "user.password_changed").await?;
    tx.commit().await?;
    counter!("zoco_passwords_set_total", "how" => "changed").increment(1);
    Ok(user)
}

/// Sends a link to set a new password to whoever has this address. The answer is the same, and
/// takes as long, when nobody has. Errors: a field, for what is no address; `TooMany`.
pub async fn forgot_password(app: &App, ctx: &Ctx, input: ForgotPassword) -> Result<()> {
    let mut errors = FieldErrors::default();
    let email = super::input::email(&mut errors, &input.email);
    errors.into_result()?;
    let email = email.ok_or(Error::NotFound)?;
    throttle::letter(ctx, "reset", &email)
        .count(app, ctx)
        .await?;
    let mut tx = app.db.begin().await?;
    let wanted = json!({ "email": email.as_str() });
    jobs::emit(&mut tx, ctx, "account.reset_wanted", &wanted).await?;
    Ok(tx.commit().await?)
}

/// Whether a link to set a new password is still good. Errors: `Invalid` at `token` with
/// [`BAD_LINK`].
pub async fn check_reset(app: &App, ctx: &Ctx, token: &str) -> Result<()> {
    owner_of(app, ctx, token).await.map(drop)
}

/// Sets a new password by the link of a letter. All of the user's sign-ins end, and their
/// address counts as verified: the letter reached them. Errors: `Invalid` at `token` with
/// [`BAD_LINK`], or at `password`.
pub async fn reset_password(app: &App, ctx: &Ctx, input: ResetPassword) -> Result<User> {
    let (link, user) = owner_of(app, ctx, &input.token).await?;
    let mut errors = FieldErrors::default();
    check_new(app, ctx, &mut errors, "password", &input.password, &user).await?;
    errors.into_result()?;
    let hash = app.passwords.hash(&input.password, app.rng.bytes()).await?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user.id).await?;
    if !store::use_link(&mut tx, link, ctx.now).await? {
        return Err(bad_link());
    }
    store::set_email(&mut tx, user.id, &user.email, ctx.now).await?;
    write(&mut tx, ctx, user.id, &hash, "user.password_reset").await?;
    tx.commit().await?;
    counter!("zoco_passwords_set_total", "how" => "reset").increment(1);
    // Whoever was locked out by somebody else's guesses gets in now.
    throttle::sign_in(ctx, user.email.as_str())
        .succeeded(app)
        .await?;
    Ok(user)
}

/// The link of a token that is still good, with its user. A link to an address that the account
/// has left is good for nothing.
async fn owner_of(app: &App, ctx: &Ctx, token: &str) -> Result<(i64, User)> {
    let mut conn = app.db.conn().await?;
    let hash = tokens::fingerprint(token);
    let link = store::link(&mut conn, Purpose::Reset, &hash, ctx.now).await?;
    let link = link.ok_or_else(bad_link)?;
    let user = store::by_id(&mut conn, link.user_id).await?;
    let user = user.filter(|user| user.email == link.email);
    user.map(|user| (link.id, user)).ok_or_else(bad_link)
}

/// What a link that is good no more is told with.
pub(super) fn bad_link() -> Error {
    let message = "This link was used before or is too old. Ask for a new one.";
    Error::invalid("token", BAD_LINK, message)
}

/// Writes a new password's hash, with all that follows from it.
async fn write(tx: &mut Tx, ctx: &Ctx, id: UserId, hash: &str, action: &str) -> Result<()> {
    store::set_password(tx, id, hash, ctx.now).await?;
    end_sign_ins(tx, id, ctx.now).await?;
    store::void_links(tx, id, Purpose::Reset).await?;
    let subject = format!("user {id}");
    audit::record(tx, ctx, action, &subject, Value::Null, Value::Null).await?;
    let changed = json!({ "user": id });
    jobs::emit(tx, ctx, "account.password_changed", &changed).await
}

/// Proves that the signed-in user is who sits there, by their password. Wrong ones are counted
/// like those of a sign-in. Errors: `Invalid` at `field`; `TooMany`.
pub(super) async fn confirm(
    app: &App,
    ctx: &Ctx,
    user: &User,
    field: &str,
    password: &str,
) -> Result<()> {
    if password.is_empty() {
        return Err(Error::invalid(field, "required", "Write your password."));
    }
    let attempt = throttle::sign_in(ctx, user.email.as_str());
    attempt.count(app, ctx).await?;
    let hash = store::password_hash(&mut app.db.conn().await?, user.id).await?;
    if !app.passwords.fits(password, hash.as_deref()).await? {
        return Err(Error::invalid(
            field,
            "wrong_password",
            "This is not your password.",
        ));
    }
    attempt.succeeded(app).await
}

/// Adds a message at `field` when a user's new password is not good enough.
pub(super) async fn check_new(
    app: &App,
    ctx: &Ctx,
    errors: &mut FieldErrors,
    field: &str,
    password: &str,
    user: &User,
) -> Result<()> {
    let owner = Owner {
        email: user.email.as_str(),
        name: &user.name,
        role: user.role,
    };
    strength::check(app, ctx, errors, field, password, &owner).await
}

/// Makes a link to set a new password for whoever has this address; none when nobody has. Gives
/// what the link carries.
pub(in crate::accounts) async fn issue_reset(
    app: &App,
    ctx: &Ctx,
    email: &Email,
) -> Result<Option<(User, String)>> {
    let mut tx = app.db.begin().await?;
    let Some(user) = store::by_email(&mut tx, email).await? else {
        return Ok(None);
    };
    let token = super::email::issue(&mut tx, app, ctx, &user, Purpose::Reset, email).await?;
    tx.commit().await?;
    Ok(Some((user, token)))
}

//! Showing that an e-mail address is one's own, and moving to another one.
//!
//! A change of address is confirmed twice: from the old address, so that who finds an open
//! browser cannot take the account over, and from the new one, so that nobody takes an address
//! that is not theirs.

use serde_json::json;

use super::input::{ChangeEmail, LinkToken};
use super::password::{bad_link, confirm};
use super::throttle;
use crate::accounts::model::{EmailChange, Purpose, User};
use crate::accounts::{store, tokens};
use crate::app::App;
use crate::audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::jobs;
use crate::types::{Email, UserId};

/// Sends the letter that verifies the signed-in user's address once more. Errors:
/// `Unauthenticated`; `Conflict` `already_verified`; `TooMany`.
pub async fn send_verification(app: &App, ctx: &Ctx) -> Result<()> {
    let user = super::me(app, ctx).await?;
    if user.email_verified_at.is_some() {
        let message = "Your e-mail is verified already.";
        return Err(Error::conflict("already_verified", message));
    }
    throttle::letter(ctx, "verify", &user.email)
        .count(app, ctx)
        .await?;
    let mut tx = app.db.begin().await?;
    let wanted = json!({ "user": user.id });
    jobs::emit(&mut tx, ctx, "account.verification_wanted", &wanted).await?;
    Ok(tx.commit().await?)
}

/// Verifies an address by the link of a letter; who follows it need not be signed in. Errors:
/// `Invalid` at `token` for a link that is good no more.
pub async fn verify_email(app: &App, ctx: &Ctx, input: LinkToken) -> Result<User> {
    let mut tx = app.db.begin().await?;
    let (id, user, email) = follow(&mut tx, ctx, Purpose::Verify, &input.token).await?;
    if user.email != email || !store::use_link(&mut tx, id, ctx.now).await? {
        return Err(bad_link());
    }
    store::set_email(&mut tx, user.id, &email, ctx.now).await?;
    store::void_links(&mut tx, user.id, Purpose::Verify).await?;
    tx.commit().await?;
    Ok(user)
}

/// Asks to move the signed-in user's account to another address: both addresses get a letter
/// with a link, and nothing changes before both were followed. The answer does not tell whether
/// the other address has an account already; its letter does. Errors: `Unauthenticated`; fields;
/// `TooMany`.
pub async fn request_email_change(app: &App, ctx: &Ctx, input: ChangeEmail) -> Result<()> {
    let user = super::me(app, ctx).await?;
    let mut errors = FieldErrors::default();
    let email = super::input::email(&mut errors, &input.email);
    if email.as_ref() == Some(&user.email) {
        errors.add("email", "same", "This is the address that you have.");
    }
    if input.password.is_empty() {
        errors.add("password", "required", "Write your password.");
    }
    errors.into_result()?;
    let email = email.ok_or(Error::NotFound)?;
    confirm(app, ctx, &user, "password", &input.password).await?;
    throttle::letter(ctx, "change", &user.email)
        .count(app, ctx)
        .await?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user.id).await?;
    // One change at a time: the links of an earlier one are good no more.
    store::void_links(&mut tx, user.id, Purpose::ChangeOld).await?;
    store::void_links(&mut tx, user.id, Purpose::ChangeNew).await?;
    let wanted = json!({ "user": user.id, "email": email.as_str() });
    jobs::emit(&mut tx, ctx, "account.email_change_wanted", &wanted).await?;
    Ok(tx.commit().await?)
}

/// Confirms a change of address from one of the two; the second one makes the change. Errors:
/// `Invalid` at `token` for a link that is good no more; `Conflict` `email_taken` when the
/// address became somebody else's meanwhile.
pub async fn confirm_email_change(app: &App, ctx: &Ctx, input: LinkToken) -> Result<EmailChange> {
    let mut tx = app.db.begin().await?;
    let (purpose, (id, user, email)) =
        match follow(&mut tx, ctx, Purpose::ChangeOld, &input.token).await {
            Err(Error::Invalid(_)) => {
                let found = follow(&mut tx, ctx, Purpose::ChangeNew, &input.token).await?;
                (Purpose::ChangeNew, found)
            }
            found => (Purpose::ChangeOld, found?),
        };
    if !store::use_link(&mut tx, id, ctx.now).await? {
        return Err(bad_link());
    }
    let other = purpose.counterpart().ok_or_else(bad_link)?;
    let done = store::is_confirmed(&mut tx, user.id, other, &email, ctx.now).await?;
    if done {
        let moved = store::set_email(&mut tx, user.id, &email, ctx.now).await;
        on_unique(moved, || {
            let message = "This address has another account by now.";
            Error::conflict("email_taken", message)
        })?;
        for purpose in [
            Purpose::ChangeOld,
            Purpose::ChangeNew,
            Purpose::Verify,
            Purpose::Reset,
        ] {
            store::void_links(&mut tx, user.id, purpose).await?;
        }
        let subject = format!("user {}", user.id);
        let address = |email: &Email| json!({ "email": email.as_str() });
        let (before, after) = (address(&user.email), address(&email));
        audit::record(&mut tx, ctx, "user.email_changed", &subject, before, after).await?;
        let changed = json!({ "user": user.id, "old": user.email.as_str() });
        jobs::emit(&mut tx, ctx, "account.email_changed", &changed).await?;
    }
    tx.commit().await?;
    Ok(EmailChange {
        email,
        done,
        waits_for_new: !done && purpose == Purpose::ChangeOld,
    })
}

/// The good link of a token: its id, its user, locked, and the address it is about.
async fn follow(
    tx: &mut Tx,
    ctx: &Ctx,
    purpose: Purpose,
    token: &str,
) -> Result<(i64, User, Email)> {
    let hash = tokens::fingerprint(token);
    let link = store::link(tx, purpose, &hash, ctx.now).await?;
    let link = link.ok_or_else(bad_link)?;
    store::lock(tx, link.user_id).await?;
    let user = store::by_id(tx, link.user_id).await?;
    let user = user.ok_or_else(bad_link)?;
    Ok((link.id, user, link.email))
}

/// Keeps a new link about `email`, and gives what it carries.
pub(super) async fn issue(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    user: &User,
    purpose: Purpose,
    email: &Email,
) -> Result<String> {
    let token = app.rng.token();
    let hash = tokens::fingerprint(&token);
    store::insert_link(tx, user.id, purpose, email, &hash, ctx.now).await?;
    Ok(token)
}

/// The user of a job, and a link that verifies their address; no link when it is verified. None
/// when the user is gone.
pub(in crate::accounts) async fn issue_verification(
    app: &App,
    ctx: &Ctx,
    id: UserId,
) -> Result<Option<(User, Option<String>)>> {
    let mut tx = app.db.begin().await?;
    let Some(user) = store::by_id(&mut tx, id).await? else {
        return Ok(None);
    };
    if user.email_verified_at.is_some() {
        return Ok(Some((user, None)));
    }
    let token = issue(&mut tx, app, ctx, &user, Purpose::Verify, &user.email).await?;
    tx.commit().await?;
    Ok(Some((user, Some(token))))
}

/// What the letters of a change of address need.
pub(in crate::accounts) struct ChangeLinks {
    /// Whose account it is.
    pub user: User,
    /// For the link to the old address.
    pub old: String,
    /// For the link to the new address; none when that has an account already.
    pub new: Option<String>,
}

/// Makes the links of a change of address; none when the user is gone.
pub(in crate::accounts) async fn issue_change(
    app: &App,
    ctx: &Ctx,
    id: UserId,
    email: &Email,
) -> Result<Option<ChangeLinks>> {
    let mut tx = app.db.begin().await?;
    let Some(user) = store::by_id(&mut tx, id).await? else {
        return Ok(None);
    };
    let taken = store::by_email(&mut tx, email).await?.is_some();
    let old = issue(&mut tx, app, ctx, &user, Purpose::ChangeOld, email).await?;
    let new = if taken {
        None
    } else {
        Some(issue(&mut tx, app, ctx, &user, Purpose::ChangeNew, email).await?)
    };
    tx.commit().await?;
    Ok(Some(ChangeLinks { user, old, new }))
}

//! The second factor of a sign-in: an app's codes, and recovery codes for the day it is lost.

use metrics::counter;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::password::confirm;
use super::throttle;
use crate::accounts::model::{TwoFactor, TwoFactorSetup, User};
use crate::accounts::{codes, store, tokens};
use crate::app::App;
use crate::audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{Email, UserId};

/// The code of the error of a sign-in that lacks its second step.
pub const TWO_FACTOR_REQUIRED: &str = "two_factor_required";
/// The code of the error of a wrong code, or of one that was used before.
pub const WRONG_CODE: &str = "wrong_code";

/// What turns the second factor on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TurnOn {
    /// The secret that the app was given.
    pub secret: String,
    /// The code that the app shows.
    #[schema(example = "492039")]
    pub code: String,
    /// The password, again.
    pub password: String,
}

/// What shows once more who somebody is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BothFactors {
    /// The password.
    pub password: String,
    /// The code that the app shows, or a recovery code.
    #[schema(example = "492039")]
    pub code: String,
}

/// How the signed-in user's second factor stands. Errors: `Unauthenticated`.
pub async fn two_factor(app: &App, ctx: &Ctx) -> Result<TwoFactor> {
    let user = ctx.signed_in()?.id;
    let mut conn = app.db.conn().await?;
    Ok(TwoFactor {
        on: store::two_factor(&mut conn, user).await?.is_some(),
        recovery_codes_left: store::count_recovery_codes(&mut conn, user).await?,
    })
}

/// A new secret for the signed-in user's app. Nothing is kept of it: it comes back with the code
/// that the app makes of it. Errors: `Unauthenticated`.
pub fn new_two_factor(app: &App, ctx: &Ctx) -> Result<TwoFactorSetup> {
    two_factor_with(app, ctx, codes::new_secret(&app.rng))
}

/// The same for a secret that was shown before. Errors: `Unauthenticated`; `secret`.
pub fn two_factor_with(app: &App, ctx: &Ctx, secret: String) -> Result<TwoFactorSetup> {
    let email = ctx.signed_in()?.email.as_str();
    let url = codes::url(&secret, &app.config.shop_name, email).map_err(no_secret)?;
    Ok(TwoFactorSetup {
        qr: codes::qr(&url)?,
        url,
        secret,
    })
}

fn no_secret<E>(_: E) -> Error {
    Error::invalid("secret", "invalid", "Begin again: this is no secret.")
}

/// Turns the signed-in user's second factor on. Gives their recovery codes, which nothing shows
/// again. Errors: `Unauthenticated`; fields; `TooMany`; `Conflict` with `two_factor_on`.
pub async fn turn_on_two_factor(app: &App, ctx: &Ctx, input: TurnOn) -> Result<Vec<String>> {
    let owner = super::me(app, ctx).await?;
    check(&input.password, &input.code)?;
    let step = codes::step_of(&input.secret, &input.code, ctx.now).map_err(no_secret)?;
    confirm(app, ctx, &owner, "password", &input.password).await?;
    let user = owner.id;
    let step = step.ok_or_else(wrong_code)?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    let secret = input.secret.to_ascii_uppercase();
    let made = store::insert_two_factor(&mut tx, user, &secret, step, ctx.now).await;
    on_unique(made, || {
        Error::conflict("two_factor_on", "Two-step sign-in is on already.")
    })?;
    let codes = new_recovery(&mut tx, app, user).await?;
    note(&mut tx, ctx, "two_factor.on", user, Value::Null).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Turns the signed-in user's second factor off. Errors: `Unauthenticated`; fields; `TooMany`.
pub async fn turn_off_two_factor(app: &App, ctx: &Ctx, input: BothFactors) -> Result<()> {
    let user = ctx.signed_in()?.id;
    confirm_both(app, ctx, &input).await?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    if store::delete_two_factor(&mut tx, user).await? {
        note(&mut tx, ctx, "two_factor.off", user, Value::Null).await?;
    }
    Ok(tx.commit().await?)
}

/// New recovery codes for the signed-in user; those from before are good no more. Errors:
/// `Unauthenticated`; fields; `TooMany`.
pub async fn new_recovery_codes(app: &App, ctx: &Ctx, input: BothFactors) -> Result<Vec<String>> {
    let user = ctx.signed_in()?.id;
    confirm_both(app, ctx, &input).await?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    let codes = new_recovery(&mut tx, app, user).await?;
    note(&mut tx, ctx, "two_factor.new_codes", user, Value::Null).await?;
    tx.commit().await?;
    Ok(codes)
}

/// The second step of a sign-in, after the password was right: the code of an app, or a recovery
/// code. Nothing is asked of who has no second factor. Errors: `Invalid` at `code`, with
/// [`TWO_FACTOR_REQUIRED`] when there is none, or [`WRONG_CODE`]; `TooMany`, by account.
pub async fn second_step(app: &App, ctx: &Ctx, user: &User, code: Option<&str>) -> Result<()> {
    if !user.two_factor {
        return Ok(());
    }
    let code = code.unwrap_or_default();
    if code.trim().is_empty() {
        let message = "Write the code that your app shows.";
        return Err(Error::invalid("code", TWO_FACTOR_REQUIRED, message));
    }
    use_code(app, ctx, user.id, code).await
}

/// Takes somebody's second factor away, who lost it. Gives false when they had none. Errors:
/// `NotFound`.
pub async fn reset_two_factor(app: &App, email: &str) -> Result<bool> {
    let email = Email::parse(email).ok_or(Error::NotFound)?;
    let ctx = app.system();
    let mut tx = app.db.begin().await?;
    let user = store::by_email(&mut tx, &email).await?;
    let user = user.ok_or(Error::NotFound)?.id;
    store::lock(&mut tx, user).await?;
    let had = store::delete_two_factor(&mut tx, user).await?;
    if had {
        note(&mut tx, &ctx, "two_factor.reset", user, Value::Null).await?;
    }
    tx.commit().await?;
    Ok(had)
}

fn check(password: &str, code: &str) -> Result<()> {
    let mut errors = FieldErrors::default();
    if password.is_empty() {
        errors.add("password", "required", "Write your password.");
    }
    if code.trim().is_empty() {
        errors.add("code", "required", "Write the code that your app shows.");
    }
    errors.into_result()
}

/// Takes the signed-in user's password and a code.
async fn confirm_both(app: &App, ctx: &Ctx, input: &BothFactors) -> Result<()> {
    let user = super::me(app, ctx).await?;
    check(&input.password, &input.code)?;
    confirm(app, ctx, &user, "password", &input.password).await?;
    use_code(app, ctx, user.id, &input.code).await
}

/// Uses a code of a user up. Attempts are counted before it is looked at; a right one takes them
/// back. Errors: `Invalid` at `code`; `TooMany`.
async fn use_code(app: &App, ctx: &Ctx, user: UserId, code: &str) -> Result<()> {
    let attempt = throttle::code(user);
    attempt.count(app, ctx).await?;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    let kept = store::two_factor(&mut tx, user).await?;
    let kept = kept.ok_or_else(wrong_code)?;
    let used = match (
        codes::step_of(&kept.secret, code, ctx.now)?,
        codes::recovery(code),
    ) {
        (Some(step), _) => store::use_step(&mut tx, user, step).await?,
        (None, Some(code)) => {
            let hash = tokens::fingerprint(&code);
            let used = store::use_recovery_code(&mut tx, user, &hash, ctx.now).await?;
            if used {
                let left = store::count_recovery_codes(&mut tx, user).await?;
                let after = json!({ "codes_left": left });
                note(&mut tx, ctx, "two_factor.recovery_used", user, after).await?;
            }
            used
        }
        (None, None) => false,
    };
    if !used {
        counter!("zoco_two_factor_total", "what" => "wrong_code").increment(1);
        return Err(wrong_code());
    }
    tx.commit().await?;
    attempt.succeeded(app).await
}

fn wrong_code() -> Error {
    let message = "This code is wrong, too old or was used before.";
    Error::invalid("code", WRONG_CODE, message)
}

async fn new_recovery(tx: &mut Tx, app: &App, user: UserId) -> Result<Vec<String>> {
    let codes = codes::new_recovery(&app.rng);
    let plain = codes.iter().filter_map(|code| codes::recovery(code));
    let hashes: Vec<String> = plain.map(|code| tokens::fingerprint(&code)).collect();
    store::set_recovery_codes(tx, user, &hashes).await?;
    Ok(codes)
}

async fn note(tx: &mut Tx, ctx: &Ctx, action: &str, user: UserId, after: Value) -> Result<()> {
    counter!("zoco_two_factor_total", "what" => action.to_owned()).increment(1);
    let subject = format!("user {user}");
    audit::record(tx, ctx, action, &subject, Value::Null, after).await
}

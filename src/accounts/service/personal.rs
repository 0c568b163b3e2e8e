//! Personal tokens: what people make for their scripts, good for what they say.

use metrics::counter;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::password::confirm;
use super::profile::asker;
use crate::accounts::model::{PersonalToken, Scope};
use crate::accounts::store::{self, NewPersonalToken, PersonalTokenRow};
use crate::accounts::tokens;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, CurrentUser};
use crate::error::{Error, FieldErrors, Result};

/// The longest that a personal token is good for, in days.
pub const MAX_TOKEN_DAYS: i64 = 366;
/// The most personal tokens that somebody has.
const MAX_TOKENS: i64 = 50;
const MAX_NAME: usize = 100;
/// The last use is written down so often at most.
const TOUCH_SECONDS: i64 = 5 * 60;

/// A personal token to make.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, 1 to 100 characters.
    #[schema(example = "Stock from the warehouse")]
    pub name: String,
    /// What it opens, as far as its owner may go there.
    #[schema(example = json!(["catalog:read", "inventory:write"]))]
    pub scopes: Vec<String>,
    /// How long it is good for: 1 to 366 days.
    pub expires_in_days: i64,
    /// The password of who makes it, again.
    pub password: String,
}

/// Makes a personal token of the signed-in user; the text is shown this once. Errors:
/// `Unauthenticated`; fields; `TooMany`; `Conflict` with `too_many_tokens`.
pub async fn make_personal_token(
    app: &App,
    ctx: &Ctx,
    input: NewToken,
) -> Result<(PersonalToken, String)> {
    let owner = super::me(app, ctx).await?;
    let (name, scopes) = check(&input)?;
    confirm(app, ctx, &owner, "password", &input.password).await?;
    let user = owner.id;
    let token = tokens::new_personal(&app.rng);
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let new = NewPersonalToken {
        user,
        name: &name,
        hash: &tokens::fingerprint(&token),
        scopes: &words.join(","),
        expires_at: ctx.now.plus_seconds(input.expires_in_days * 24 * 3600),
    };
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    if store::count_personal_tokens(&mut tx, user, ctx.now).await? >= MAX_TOKENS {
        let detail = format!("There are {MAX_TOKENS} tokens already. Revoke one of them first.");
        return Err(Error::conflict("too_many_tokens", detail));
    }
    let id = store::insert_personal_token(&mut tx, &new, ctx.now).await?;
    let subject = format!("user {user}");
    let after = json!({ "token": id, "name": name, "scopes": words, "expires_at": new.expires_at.rfc3339() });
    audit::record(
        &mut tx,
        ctx,
        "personal_token.made",
        &subject,
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    counter!("zoco_personal_tokens_total", "what" => "made").increment(1);
    let made = PersonalToken {
        id,
        expires_at: new.expires_at,
        name,
        scopes,
        created_at: ctx.now,
        last_used_at: None,
    };
    Ok((made, token))
}

fn check(input: &NewToken) -> Result<(String, Vec<Scope>)> {
    let mut errors = FieldErrors::default();
    let name = input.name.trim();
    if name.is_empty() {
        errors.add("name", "required", "Write what the token is for.");
    } else if name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        errors.add(
            "name",
            "length",
            format!("One line, at most {MAX_NAME} characters."),
        );
    }
    let mut scopes = Vec::new();
    for word in &input.scopes {
        match word.parse::<Scope>() {
            Ok(scope) if !scopes.contains(&scope) => scopes.push(scope),
            Ok(_) => {}
            Err(message) => errors.add("scopes", "unknown", message),
        }
    }
    if input.scopes.is_empty() {
        errors.add("scopes", "required", "Say what the token may do.");
    }
    if !(1..=MAX_TOKEN_DAYS).contains(&input.expires_in_days) {
        let message = format!("1 to {MAX_TOKEN_DAYS} days.");
        errors.add("expires_in_days", "range", message);
    }
    if input.password.is_empty() {
        errors.add("password", "required", "Write your password.");
    }
    errors.into_result()?;
    Ok((name.to_owned(), scopes))
}

/// The signed-in user's personal tokens, the newest first. Errors: `Unauthenticated`.
pub async fn personal_tokens(app: &App, ctx: &Ctx) -> Result<Vec<PersonalToken>> {
    let user = ctx.signed_in()?.id;
    let rows = store::personal_tokens(&mut app.db.conn().await?, user, ctx.now).await?;
    Ok(rows.into_iter().map(present).collect())
}

/// Revokes one of the signed-in user's personal tokens. Errors: `Unauthenticated`; `NotFound`.
pub async fn revoke_personal_token(app: &App, ctx: &Ctx, id: i64) -> Result<()> {
    let user = ctx.signed_in()?.id;
    let mut tx = app.db.begin().await?;
    let name = store::delete_personal_token(&mut tx, user, id).await?;
    let name = name.ok_or(Error::NotFound)?;
    let subject = format!("user {user}");
    let before = json!({ "token": id, "name": name });
    audit::record(
        &mut tx,
        ctx,
        "personal_token.revoked",
        &subject,
        before,
        Value::Null,
    )
    .await?;
    tx.commit().await?;
    counter!("zoco_personal_tokens_total", "what" => "revoked").increment(1);
    Ok(())
}

/// The owner of a personal token, and what it opens. Errors: `Unauthenticated`.
pub(super) async fn owner(app: &App, token: &str) -> Result<(CurrentUser, Vec<Scope>)> {
    let now = app.clock.now();
    let mut conn = app.db.conn().await?;
    let row = store::personal_token(&mut conn, &tokens::fingerprint(token), now).await?;
    let row = row.ok_or(Error::Unauthenticated)?;
    let user = store::by_id(&mut conn, row.user_id).await?;
    let user = user.ok_or(Error::Unauthenticated)?;
    drop(conn);
    let used_at = row.last_used_at;
    if used_at.is_none_or(|used_at| used_at.plus_seconds(TOUCH_SECONDS) <= now) {
        let mut tx = app.db.begin().await?;
        store::touch_personal_token(&mut tx, row.id, now).await?;
        tx.commit().await?;
    }
    Ok((asker(app, &user), present(row).scopes))
}

fn present(row: PersonalTokenRow) -> PersonalToken {
    let scopes = row.scopes.split(',').filter_map(|word| word.parse().ok());
    PersonalToken {
        id: row.id,
        scopes: scopes.collect(),
        name: row.name,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
    }
}

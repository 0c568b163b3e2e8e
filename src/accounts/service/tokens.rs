//! Tokens of API clients: short access tokens, and refresh tokens that are good for one use.
//!
//! Whoever writes a user's refresh tokens locks the user first. Without that, a family could be
//! ended while one of its tokens is being traded, and the new token would outlive its family.

use serde_json::{Value, json};

use super::personal;
use super::profile::asker;
use crate::accounts::model::{Scope, Tokens, User};
use crate::accounts::store::NewRefreshToken;
use crate::accounts::tokens::Bearer;
use crate::accounts::{store, tokens};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, CurrentUser, Proof};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::types::{Timestamp, UserId};

/// Who uses the API, and by what right.
#[derive(Clone, Debug)]
pub struct Client {
    /// Who they are.
    pub user: CurrentUser,
    /// By what they showed it.
    pub proof: Proof,
    /// All that they may do; none for no bounds but their own.
    pub scopes: Option<Vec<Scope>>,
}

/// Whose bearer's token it is: an access token of a sign-in that has not ended, or a personal
/// token. Errors: `Unauthenticated`.
pub async fn authenticate(app: &App, token: &str) -> Result<Client> {
    if tokens::is_personal(token) {
        let (user, scopes) = personal::owner(app, token).await?;
        return Ok(Client {
            user,
            proof: Proof::Personal,
            scopes: Some(scopes),
        });
    }
    let now = app.clock.now();
    let mut conn = app.db.conn().await?;
    let bearer = app.tokens.check(&mut conn, token, now).await?;
    let Bearer { user, family } = bearer.ok_or(Error::Unauthenticated)?;
    let user = store::by_family(&mut conn, user, &family, now).await?;
    Ok(Client {
        user: asker(app, &user.ok_or(Error::Unauthenticated)?),
        proof: Proof::SignIn(family),
        scopes: None,
    })
}

/// Makes a new key for access tokens; those that are out stay good. Errors: the key is a setting.
pub async fn rotate_keys(app: &App) -> anyhow::Result<()> {
    let ctx = app.system();
    let mut tx = app.db.begin().await?;
    app.tokens.rotate(&mut tx, &app.rng, ctx.now).await?;
    let subject = "access tokens";
    audit::record(
        &mut tx,
        &ctx,
        "key.rotated",
        subject,
        Value::Null,
        Value::Null,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// New tokens for somebody who just signed in: a new family. Errors: `Unauthenticated` when the
/// user is gone.
pub async fn issue_tokens(app: &App, ctx: &Ctx, user: UserId) -> Result<Tokens> {
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    let user = store::by_id(&mut tx, user).await?;
    let user = user.ok_or(Error::Unauthenticated)?;
    let family = hex::encode(app.rng.bytes::<16>());
    let tokens = issue(&mut tx, app, ctx, &user, &family, ctx.now).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// Trades a refresh token for new tokens. A second use revokes the whole family: one of the two
/// who used it stole it, and nobody knows which. Errors: `Unauthenticated`.
pub async fn refresh(app: &App, ctx: &Ctx, refresh_token: &str) -> Result<(User, Tokens)> {
    let hash = tokens::fingerprint(refresh_token);
    let mut tx = app.db.begin().await?;
    let token = store::refresh_token(&mut tx, &hash).await?;
    let token = token.ok_or(Error::Unauthenticated)?;
    store::lock(&mut tx, token.user_id).await?;
    let user = store::by_id(&mut tx, token.user_id).await?;
    let user = user.ok_or(Error::Unauthenticated)?;
    // The limits may be narrower than when it was made: its user works here now.
    let limits = app.config.sign_ins_of(user.role);
    if token.created_at.plus_seconds(limits.idle) <= ctx.now
        || token.started_at.plus_seconds(limits.lifetime) <= ctx.now
    {
        return Err(Error::Unauthenticated);
    }
    if store::use_refresh_token(&mut tx, token.id, ctx.now).await? {
        let (family, since) = (&token.family, token.started_at);
        let tokens = issue(&mut tx, app, ctx, &user, family, since).await?;
        tx.commit().await?;
        return Ok((user, tokens));
    }
    // Read again: before the lock, somebody else may have been about to use it.
    let token = store::refresh_token(&mut tx, &hash).await?;
    if let Some(token) = token.filter(|token| token.used_at.is_some())
        && store::revoke_family(&mut tx, &token.family, ctx.now).await?
    {
        let subject = format!("user {}", user.id);
        let after = json!({ "sign_in": "revoked" });
        audit::record(&mut tx, ctx, "token.reused", &subject, Value::Null, after).await?;
        // Lasts, although the answer is an error.
        tx.commit().await?;
    }
    Err(Error::Unauthenticated)
}

/// Ends the family of a refresh token; an unknown one is no error.
pub async fn revoke(app: &App, ctx: &Ctx, refresh_token: &str) -> Result<()> {
    let hash = tokens::fingerprint(refresh_token);
    let mut tx = app.db.begin().await?;
    if let Some(token) = store::refresh_token(&mut tx, &hash).await? {
        store::lock(&mut tx, token.user_id).await?;
        store::revoke_family(&mut tx, &token.family, ctx.now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Ends all of a user's sign-ins, in browsers and of API clients. The user is locked.
pub(super) async fn end_sign_ins(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<()> {
    store::end_sessions(tx, user).await?;
    store::revoke_all(tx, user, now).await?;
    Ok(())
}

async fn issue(
    tx: &mut Tx,
    app: &App,
    ctx: &Ctx,
    user: &User,
    family: &str,
    started_at: Timestamp,
) -> Result<Tokens> {
    let refresh_token = app.rng.token();
    let limits = app.config.sign_ins_of(user.role);
    let idle = ctx.now.plus_seconds(limits.idle);
    let address = ctx.address.map(|address| address.to_string());
    let new = NewRefreshToken {
        user: user.id,
        family,
        hash: &tokens::fingerprint(&refresh_token),
        started_at,
        user_agent: &ctx.user_agent,
        address: &address.unwrap_or_default(),
        expires_at: idle.min(started_at.plus_seconds(limits.lifetime)),
    };
    store::insert_refresh_token(tx, &new, ctx.now).await?;
    let bearer = Bearer {
        user: user.id,
        family: family.to_owned(),
    };
    Ok(Tokens {
        access_token: app.tokens.sign(tx, &bearer, ctx.now).await?,
        refresh_token,
    })
}

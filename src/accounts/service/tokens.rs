//! Tokens of API clients: short access tokens, and refresh tokens that are good for one use.
//!
//! Whoever writes a user's refresh tokens locks the user first. Without that, a family could be
//! ended while one of its tokens is being traded, and the new token would outlive its family.

use serde_json::{Value, json};

use crate::accounts::model::{Tokens, User};
use crate::accounts::{store, tokens};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, CurrentUser};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::types::{Timestamp, UserId};

/// The user of an API access token. Errors: `Unauthenticated`.
pub async fn authenticate(app: &App, access_token: &str) -> Result<CurrentUser> {
    let id = app.tokens.check(access_token, app.clock.now());
    let id = id.ok_or(Error::Unauthenticated)?;
    let user = store::by_id(&mut app.db.conn().await?, id).await?;
    user.map(|user| user.current())
        .ok_or(Error::Unauthenticated)
}

/// New tokens for somebody who just signed in: a new family. Errors: `Unauthenticated` when the
/// user is gone.
pub async fn issue_tokens(app: &App, ctx: &Ctx, user: UserId) -> Result<Tokens> {
    let mut tx = app.db.begin().await?;
    if !store::lock(&mut tx, user).await? {
        return Err(Error::Unauthenticated);
    }
    let tokens = issue(&mut tx, app, ctx, user, &app.rng.token()).await?;
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
    if store::use_refresh_token(&mut tx, token.id, ctx.now).await? {
        let tokens = issue(&mut tx, app, ctx, user.id, &token.family).await?;
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

async fn issue(tx: &mut Tx, app: &App, ctx: &Ctx, user: UserId, family: &str) -> Result<Tokens> {
    let refresh_token = app.rng.token();
    store::insert_refresh_token(
        tx,
        user,
        family,
        &tokens::fingerprint(&refresh_token),
        ctx.now,
        ctx.now.plus_seconds(Tokens::REFRESH_SECONDS),
    )
    .await?;
    Ok(Tokens {
        access_token: app.tokens.sign(user, ctx.now)?,
        refresh_token,
    })
}

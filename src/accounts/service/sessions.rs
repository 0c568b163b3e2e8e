//! Where somebody is signed in, and ending it there.

use metrics::counter;
use serde_json::{Value, json};

use crate::accounts::devices::describe;
use crate::accounts::model::{SignedIn, SignedInBy};
use crate::accounts::store::{self, SignInRow};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Proof};
use crate::error::{Error, Result};

/// Where the signed-in user is signed in: browsers, then sign-ins through the API, each the last
/// used first. Errors: `Unauthenticated`.
pub async fn sign_ins(app: &App, ctx: &Ctx) -> Result<Vec<SignedIn>> {
    let user = ctx.signed_in()?;
    let limits = app.config.sign_ins_of(user.role);
    let mut conn = app.db.conn().await?;
    let mut sessions = store::sessions(&mut conn, user.id).await?;
    sessions.retain(|session| {
        session.last_used_at.plus_seconds(limits.idle) > ctx.now
            && session.created_at.plus_seconds(limits.lifetime) > ctx.now
    });
    let families = store::families(&mut conn, user.id, ctx.now).await?;
    let sessions = sessions
        .into_iter()
        .map(|row| present(row, SignedInBy::Browser, ctx));
    let families = families
        .into_iter()
        .map(|row| present(row, SignedInBy::Api, ctx));
    Ok(sessions.chain(families).collect())
}

fn present(row: SignInRow, by: SignedInBy, ctx: &Ctx) -> SignedIn {
    let own = match (&ctx.proof, by) {
        (Proof::Session(id), SignedInBy::Browser) | (Proof::SignIn(id), SignedInBy::Api) => {
            *id == row.id
        }
        _ => false,
    };
    SignedIn {
        by,
        device: describe(&row.user_agent),
        address: row.address,
        since: row.created_at,
        last_used_at: row.last_used_at,
        current: own,
        id: row.id,
    }
}

/// Ends one of the signed-in user's sign-ins; what it opened is closed at its next request.
/// Errors: `Unauthenticated`; `NotFound` for one that has ended or is somebody else's.
pub async fn end_sign_in(app: &App, ctx: &Ctx, id: &str) -> Result<()> {
    let user = ctx.signed_in()?.id;
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    let by = if store::end_session(&mut tx, user, id).await? {
        SignedInBy::Browser
    } else if store::end_family(&mut tx, user, id, ctx.now).await? {
        SignedInBy::Api
    } else {
        return Err(Error::NotFound);
    };
    let subject = format!("user {user}");
    let after = json!({ "ended": 1, "by": by.as_str() });
    audit::record(&mut tx, ctx, "sign_in.ended", &subject, Value::Null, after).await?;
    tx.commit().await?;
    counter!("zoco_sign_ins_ended_total").increment(1);
    Ok(())
}

/// Ends all of the signed-in user's sign-ins but the one that asks. Gives how many. Errors:
/// `Unauthenticated`.
pub async fn end_other_sign_ins(app: &App, ctx: &Ctx) -> Result<u64> {
    let user = ctx.signed_in()?.id;
    let (session, family) = match &ctx.proof {
        Proof::Session(id) => (id.as_str(), ""),
        Proof::SignIn(family) => ("", family.as_str()),
        Proof::None | Proof::Personal => ("", ""),
    };
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, user).await?;
    let sessions = store::end_other_sessions(&mut tx, user, session).await?;
    let ended = sessions + store::end_other_families(&mut tx, user, family, ctx.now).await?;
    if ended > 0 {
        let subject = format!("user {user}");
        let after = json!({ "ended": ended });
        audit::record(&mut tx, ctx, "sign_in.ended", &subject, Value::Null, after).await?;
    }
    tx.commit().await?;
    counter!("zoco_sign_ins_ended_total").increment(ended);
    Ok(ended)
}

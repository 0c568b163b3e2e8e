//! Counting attempts, so that nobody can try passwords for ever. The counters are rows, so that
//! all instances count together.
//!
//! An attempt is counted before the password is looked at and taken back when it succeeds:
//! counting only afterwards would let a thousand parallel guesses through.

use sha2::{Digest, Sha256};

use crate::accounts::store;
use crate::app::App;
use crate::config::Switch;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::types::address::neighbourhood;
use crate::types::{Email, UserId};

/// How long attempts count.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Failed sign-ins to one account within a window.
const SIGN_INS_PER_ACCOUNT: i64 = 10;
/// Failed sign-ins from one address within a window.
const SIGN_INS_PER_ADDRESS: i64 = 50;
/// Wrong codes of one account's second factor within a window.
const CODES_PER_ACCOUNT: i64 = 10;
/// Letters of one kind to one address within a window.
const LETTERS_PER_ACCOUNT: i64 = 5;
/// Letters that one sender makes the shop write within a window.
const LETTERS_PER_ADDRESS: i64 = 30;
/// Wrong guesses of one account at secrets of a kind that are nobody's, within a window.
const GUESSES_PER_ACCOUNT: i64 = 20;
/// The same from one address.
const GUESSES_PER_ADDRESS: i64 = 50;
/// Accounts made from one address within a window.
const REGISTRATIONS_PER_ADDRESS: i64 = 50;

/// The counters of one attempt, each with its limit: the account's, then the address's. All lock
/// their rows in this order.
pub struct Attempt(Vec<(String, i64)>);

/// An attempt to sign in to the account of this address, whether there is one or not.
pub fn sign_in(ctx: &Ctx, email: &str) -> Attempt {
    attempt(
        ctx,
        "sign_in",
        email,
        SIGN_INS_PER_ACCOUNT,
        SIGN_INS_PER_ADDRESS,
    )
}

/// A letter of a kind, such as `reset`, to this address, which need not have an account: nobody
/// can fill somebody's mailbox through the shop.
pub fn letter(ctx: &Ctx, kind: &str, email: &Email) -> Attempt {
    let (account, address) = (LETTERS_PER_ACCOUNT, LETTERS_PER_ADDRESS);
    attempt(
        ctx,
        &format!("letter {kind}"),
        email.as_str(),
        account,
        address,
    )
}

fn attempt(ctx: &Ctx, what: &str, email: &str, per_account: i64, per_address: i64) -> Attempt {
    // Hashed, because it can be any text of any length, and a list of who was attacked is
    // nobody's business.
    let account = hex::encode(Sha256::digest(email.as_bytes()));
    let mut counters = vec![(format!("{what} account {account}"), per_account)];
    if let Some(address) = ctx.address {
        let name = format!("{what} address {}", neighbourhood(address));
        counters.push((name, per_address));
    }
    Attempt(counters)
}

/// A code of somebody's second factor, after their password was right.
pub fn code(user: UserId) -> Attempt {
    Attempt(vec![(format!("code account {user}"), CODES_PER_ACCOUNT)])
}

/// An attempt to make an account.
pub fn registration(ctx: &Ctx) -> Attempt {
    let counter = |address| {
        let name = format!("register address {}", neighbourhood(address));
        (name, REGISTRATIONS_PER_ADDRESS)
    };
    Attempt(ctx.address.map(counter).into_iter().collect())
}

/// Counts something that the signed-in user writes, such as `review`, of which they may write
/// `limit` within a quarter of an hour. Errors: `Unauthenticated`; `TooMany`.
pub async fn count_writing(app: &App, ctx: &Ctx, what: &str, limit: i64) -> Result<()> {
    let name = format!("write {what} {}", ctx.signed_in()?.id);
    Attempt(vec![(name, limit)]).count(app, ctx).await
}

/// Counts a letter of a kind to an address that need not have an account, for features that write
/// letters on demand. Errors: `TooMany`.
pub async fn count_letter(app: &App, ctx: &Ctx, kind: &str, email: &Email) -> Result<()> {
    letter(ctx, kind, email).count(app, ctx).await
}

/// Counts a guess of a kind, such as `gift_card`, at a secret that belongs to no account. Errors:
/// `TooMany`.
pub async fn count_guess(app: &App, ctx: &Ctx, what: &str) -> Result<Attempt> {
    let account = ctx.user_id().map(|user| format!("{what} account {user}"));
    let address = ctx.address.map(neighbourhood);
    let address = address.map(|address| format!("{what} address {address}"));
    let counters = account.map(|name| (name, GUESSES_PER_ACCOUNT)).into_iter();
    let attempt = Attempt(
        counters
            .chain(address.map(|name| (name, GUESSES_PER_ADDRESS)))
            .collect(),
    );
    attempt.count(app, ctx).await?;
    Ok(attempt)
}

impl Attempt {
    /// Counts it. Errors: `TooMany` when there were enough; then it is not counted, so that who
    /// is refused for their address does not use up the attempts of somebody's account.
    pub async fn count(&self, app: &App, ctx: &Ctx) -> Result<()> {
        if self.0.is_empty() || app.config.rate_limits == Switch::Off {
            return Ok(());
        }
        let window_ends_at = ctx.now.plus_seconds(WINDOW_SECONDS);
        let mut tx = app.db.begin().await?;
        for (name, limit) in &self.0 {
            let counted = store::count_attempt(&mut tx, name, ctx.now, window_ends_at).await?;
            if counted.attempts > *limit {
                let wait = counted.window_ends_at.unix_seconds() - ctx.now.unix_seconds();
                metrics::counter!("zoco_rate_limited_total", "what" => kind_of(name)).increment(1);
                return Err(Error::TooMany {
                    limit: limit.unsigned_abs(),
                    retry_after: u64::try_from(wait).unwrap_or(0).max(1),
                });
            }
        }
        Ok(tx.commit().await?)
    }

    /// It was right: it counts no more, but those before it do, so that whoever knows one secret
    /// does not guess at others for ever.
    pub async fn was_right(&self, app: &App) -> Result<()> {
        if self.0.is_empty() || app.config.rate_limits == Switch::Off {
            return Ok(());
        }
        let mut tx = app.db.begin().await?;
        for (name, _) in &self.0 {
            store::forgive_attempt(&mut tx, name).await?;
        }
        Ok(tx.commit().await?)
    }

    /// It succeeded: its account's count starts anew, its address gets one attempt back.
    pub async fn succeeded(&self, app: &App) -> Result<()> {
        if self.0.is_empty() || app.config.rate_limits == Switch::Off {
            return Ok(());
        }
        let mut tx = app.db.begin().await?;
        for (index, (name, _)) in self.0.iter().enumerate() {
            if index == 0 {
                store::forgive_all(&mut tx, name).await?;
            } else {
                store::forgive_attempt(&mut tx, name).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

/// What a counter counts: its name up to whom it is about.
fn kind_of(name: &str) -> String {
    name.split(' ').next().unwrap_or_default().to_owned()
}

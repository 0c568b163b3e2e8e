//! Keeping gift cards and store credit, and moving their money. Each movement is one conditional
//! statement with its entry, so that a balance is always the sum of its ledger.

mod change;
mod expire;
mod guess;
mod issue;
mod mine;
mod spend;

use serde_json::{Value, json};

use super::model::{
    CreditAccount, CreditEntry, CreditFilter, CreditImbalance, CreditKind, CreditReason,
};
use super::store::{self, NewEntry};
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::{CreditAccountId, Email, Locale, Money, Page, PageRequest};
use crate::{accounts, audit};

pub use change::{Adjustment, CardChange, adjust, change_card};
pub use expire::EXPIRE;
pub use guess::{balance, card_of_code};
pub use issue::{
    CARD_WANTED, GRANTED, Grant, NewCards, grant, grant_for, issue, issue_known, make_code,
    renew_code,
};
pub use mine::{all_own, erase, forfeit, mine};
pub use spend::{cards, give_back, lock_cards, of_user, spend};

/// The permission that accounts of a kind need.
fn permission(kind: CreditKind) -> Permission {
    match kind {
        CreditKind::GiftCard => Permission::Promotions,
        CreditKind::StoreCredit => Permission::Customers,
    }
}

/// Staff: accounts of a kind, the newest first.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    kind: CreditKind,
    filter: &CreditFilter,
    page: PageRequest,
) -> Result<Page<CreditAccount>> {
    ctx.require(permission(kind))?;
    let mut conn = app.db.conn().await?;
    Ok(store::list(&mut conn, kind, filter, ctx.now, page).await?)
}

/// Staff: what the shop owes on accounts of a kind.
pub async fn outstanding(app: &App, ctx: &Ctx, kind: CreditKind) -> Result<Money> {
    ctx.require(permission(kind))?;
    let mut conn = app.db.conn().await?;
    let sum = store::outstanding(&mut conn, kind, app.currency()).await?;
    Ok(Money::new(sum, app.currency()))
}

/// Staff: an account. Errors: `NotFound`.
pub async fn account(
    app: &App,
    ctx: &Ctx,
    kind: CreditKind,
    id: CreditAccountId,
) -> Result<CreditAccount> {
    ctx.require(permission(kind))?;
    known(&mut app.db.conn().await?, kind, id).await
}

/// Staff: the ledger of an account, the newest entry first.
pub async fn entries(
    app: &App,
    ctx: &Ctx,
    kind: CreditKind,
    id: CreditAccountId,
    page: PageRequest,
) -> Result<Page<CreditEntry>> {
    ctx.require(permission(kind))?;
    let mut conn = app.db.conn().await?;
    known(&mut conn, kind, id).await?;
    Ok(store::entries(&mut conn, id, page).await?)
}

/// Accounts whose balance is not the sum of their entries; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> Result<Vec<CreditImbalance>> {
    Ok(store::imbalances(conn).await?)
}

async fn known(conn: &mut Conn, kind: CreditKind, id: CreditAccountId) -> Result<CreditAccount> {
    let found = store::by_id(conn, id).await?;
    found.filter(|one| one.kind == kind).ok_or(Error::NotFound)
}

/// The account as it is, locked until the transaction ends. Errors: `NotFound`; `Stale` for
/// another version than the one that is asked for.
async fn current(
    tx: &mut Tx,
    kind: CreditKind,
    id: CreditAccountId,
    version: Option<i64>,
) -> Result<CreditAccount> {
    store::lock(tx, &[id]).await?;
    let found = known(tx, kind, id).await?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

/// A movement: why, of which order, what was written, and what may happen once only.
#[derive(Clone, Copy, Debug)]
struct Movement<'a> {
    reason: CreditReason,
    reference: &'a str,
    note: &'a str,
    once: Option<&'a str>,
}

/// Moves `minor` units to an account, or from it where negative. Gives false where it has not so
/// much, or where it was done before.
async fn post(
    tx: &mut Tx,
    ctx: &Ctx,
    id: CreditAccountId,
    minor: i64,
    movement: Movement<'_>,
) -> Result<bool> {
    let actor = ctx.actor_name();
    let entry = NewEntry {
        amount: minor,
        reason: movement.reason,
        reference: movement.reference,
        note: movement.note,
        once: movement.once,
        actor: (ctx.user_id(), &actor),
    };
    let posted = store::post(tx, id, &entry, ctx.now).await?;
    if posted {
        let reason = movement.reason.as_str();
        metrics::counter!("zoco_credit_entries_total", "reason" => reason).increment(1);
    }
    Ok(posted)
}

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    account: &CreditAccount,
    before: Value,
    after: Value,
) -> Result<()> {
    let subject = format!("{} {}", account.kind.as_str().replace('_', " "), account.id);
    audit::record(tx, ctx, action, &subject, before, after).await
}

/// For the audit log, which never has a code.
fn facts(account: &CreditAccount) -> Value {
    json!({
        "last_four": account.last_four,
        "balance": account.balance.amount(),
        "expires_at": account.expires_at.map(|at| at.rfc3339()),
        "active": account.active,
        "note": account.note,
    })
}

/// The language in which somebody gets letters: their account's, where they have one.
pub async fn locale_of(app: &App, email: &Email) -> Result<Locale> {
    let mut conn = app.db.conn().await?;
    let user = store::user_of(&mut conn, email.as_str()).await?;
    drop(conn);
    let user = match user {
        Some(user) => accounts::service::user(app, user).await?,
        None => None,
    };
    Ok(user.map_or_else(Locale::default, |user| user.locale))
}

//! Paying with cards and store credit, and giving money back to them, in the transaction of the
//! order. Accounts are locked in ascending id, and before any stock.

use super::super::model::{CreditAccount, CreditPart, CreditReason};
use super::super::store;
use super::{Movement, post};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::{CreditAccountId, Currency, Money, UserId};

/// Money that came back can be spent for so many days at least, whenever its card ends.
const GRACE_DAYS: i64 = 90;

/// Accounts by their ids, in ascending order, for whoever may know of them: a cart knows its cards.
pub async fn cards(conn: &mut Conn, ids: &[CreditAccountId]) -> Result<Vec<CreditAccount>> {
    Ok(store::by_ids(conn, ids).await?)
}

/// The same, and nobody else moves their money until the transaction ends.
pub async fn lock_cards(tx: &mut Tx, ids: &[CreditAccountId]) -> Result<Vec<CreditAccount>> {
    store::lock(tx, ids).await?;
    Ok(store::by_ids(tx, ids).await?)
}

/// Somebody's store credit.
pub async fn of_user(
    conn: &mut Conn,
    user: UserId,
    currency: Currency,
) -> Result<Option<CreditAccount>> {
    Ok(store::of_user(conn, user, currency).await?)
}

/// Takes what an order is paid with, all or nothing: gives false where an account has not so much
/// any more; then the caller must roll back. `number`: the order's; it pays from each account once.
pub async fn spend(tx: &mut Tx, ctx: &Ctx, parts: &[CreditPart], number: &str) -> Result<bool> {
    let mut parts: Vec<&CreditPart> = parts.iter().collect();
    parts.sort_by_key(|part| part.account_id);
    let once = format!("spent {number}");
    for part in parts {
        let movement = Movement {
            reason: CreditReason::Spent,
            reference: number,
            note: "",
            once: Some(&once),
        };
        let minor = -part.amount.minor();
        if !post(tx, ctx, part.account_id, minor, movement).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives money of an order back to the account that paid it. A second call with the same `once`
/// does nothing; the caller holds the order's row. A card that is over, or soon will be, pays for
/// another 90 days.
pub async fn give_back(
    tx: &mut Tx,
    ctx: &Ctx,
    account: CreditAccountId,
    amount: Money,
    number: &str,
    once: &str,
) -> Result<()> {
    store::lock(tx, &[account]).await?;
    let there = store::by_id(tx, account).await?.ok_or(Error::NotFound)?;
    if there.balance.currency() != amount.currency() {
        let words = "money goes back in the currency that it came in";
        return Err(Error::Internal(anyhow::anyhow!(words)));
    }
    let movement = Movement {
        reason: CreditReason::Refunded,
        reference: number,
        note: "",
        once: Some(once),
    };
    if post(tx, ctx, account, amount.minor(), movement).await? {
        let until = ctx.now.plus_seconds(GRACE_DAYS * 24 * 3600);
        store::good_until(tx, account, until).await?;
    }
    Ok(())
}

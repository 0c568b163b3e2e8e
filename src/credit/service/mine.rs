//! One's own store credit, and what becomes of it when the account ends.

use super::super::model::{CreditAccount, CreditReason, MyCredit};
use super::super::store;
use super::{Movement, post};
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::types::{Money, Page, PageRequest, UserId};

/// The signed-in user's store credit with a page of its ledger. Errors: `Unauthenticated`.
pub async fn mine(app: &App, ctx: &Ctx, page: PageRequest) -> Result<MyCredit> {
    let user = ctx.signed_in()?.id;
    let mut conn = app.db.conn().await?;
    let account = store::of_user(&mut conn, user, app.currency()).await?;
    Ok(match account {
        Some(account) => MyCredit {
            balance: account.balance,
            entries: store::entries(&mut conn, account.id, page).await?,
        },
        None => MyCredit {
            balance: Money::zero(app.currency()),
            entries: Page {
                items: Vec::new(),
                total: 0,
                request: page,
            },
        },
    })
}

/// The signed-in user's store credit with its whole ledger, the newest entry first. Errors:
/// `Unauthenticated`.
pub async fn all_own(app: &App, ctx: &Ctx) -> Result<MyCredit> {
    let mut number = 1;
    let mut whole = mine(app, ctx, PageRequest::new(1, PageRequest::MAX_PER_PAGE)).await?;
    while let Some(next) = whole.entries.next().filter(|next| *next > number) {
        number = next;
        let page = PageRequest::new(number, PageRequest::MAX_PER_PAGE);
        let more = mine(app, ctx, page).await?;
        whole.entries.items.extend(more.entries.items);
        whole.entries.request = page;
    }
    Ok(whole)
}

/// Before an account ends: lets its store credit go where its owner said so. Errors: conflict
/// `credit_left` (`data.balance`) where they did not.
pub async fn forfeit(tx: &mut Tx, ctx: &Ctx, user: UserId, agreed: bool) -> Result<()> {
    let accounts = store::all_of_user(tx, user).await?;
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    store::lock(tx, &ids).await?;
    for account in store::all_of_user(tx, user).await? {
        let CreditAccount { id, balance, .. } = account;
        if balance.is_zero() {
            continue;
        }
        if !agreed {
            return Err(Error::Conflict {
                code: "credit_left",
                detail: format!(
                    "You have {balance} of store credit. It is lost with your account: spend it \
                    first, or say that you let it go."
                ),
                data: serde_json::json!({ "balance": balance.amount() }),
            });
        }
        let movement = Movement {
            reason: CreditReason::Adjusted,
            reference: "",
            note: "Account closed",
            once: None,
        };
        post(tx, ctx, id, -balance.minor(), movement).await?;
    }
    Ok(())
}

/// Takes a person whose account ends out of accounts and ledgers, which stay in the books.
pub async fn erase(tx: &mut Tx, user: UserId, email: &str) -> Result<()> {
    Ok(store::erase(tx, user, email).await?)
}

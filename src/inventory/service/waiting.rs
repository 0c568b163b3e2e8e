//! People who want a letter when something can be bought again.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::shelves::Shelves;
use super::watch;
use crate::accounts;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::inventory::model::{StockRow, Waiter};
use crate::inventory::store;
use crate::jobs;
use crate::types::{Email, UserId, VariantId};

/// Somebody is to be told that what they wait for can be bought.
pub const CALLED: &str = "stock.waiter_called";

/// What somebody waits for.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WaitInput {
    /// For which variant.
    #[schema(value_type = i64)]
    pub variant_id: Option<VariantId>,
    /// Where the letter goes; left out: the account's address.
    pub email: Option<String>,
}

/// Notes that somebody wants one letter when a variant can be bought again. Answers the same
/// whether they asked before, and whether the address has an account. Errors: `Invalid` at `email`,
/// `variant_id`; conflict `in_stock` when there is no need to wait; `TooMany`.
pub async fn wait_for(app: &App, ctx: &Ctx, input: WaitInput) -> Result<()> {
    let variant = input.variant_id.unwrap_or(VariantId(0));
    let given = input.email.as_deref().map(str::trim);
    let email = match given.filter(|text| !text.is_empty()) {
        Some(text) => Email::parse(text),
        None => ctx.user().map(|user| user.email.clone()),
    };
    let email = email.ok_or_else(|| {
        let message = "Write an e-mail address like name@example.com.";
        Error::invalid("email", "email", message)
    })?;
    let mut conn = app.db.conn().await?;
    let rows = store::stock_rows(&mut conn, &[variant]).await?;
    let row = rows.into_iter().next().filter(|row| row.for_sale);
    let row = row.ok_or_else(|| {
        let message = "There is no such variant for sale.";
        Error::invalid("variant_id", "unknown", message)
    })?;
    drop(conn);
    if row.backorder || row.level().available() > 0 {
        return Err(Error::conflict("in_stock", "This can be bought now."));
    }
    accounts::service::count_letter(app, ctx, "back_in_stock", &email).await?;
    // Of others' addresses nothing is kept with the asker's account.
    let user = ctx.user().filter(|user| user.email == email);
    let user = user.map(|user| user.id);
    let mut tx = app.db.begin().await?;
    // What came in since the look found nobody who waits: they are told now.
    let shelves = Shelves::lock_or_make(&mut tx, &[variant]).await?;
    store::insert_waiter(&mut tx, variant, &email, user, ctx.locale, ctx.now).await?;
    if shelves.level(variant).available() > 0 {
        watch::available(&mut tx, ctx, variant).await?;
    }
    tx.commit().await?;
    metrics::counter!("zoco_stock_waits_total").increment(1);
    Ok(())
}

/// What can be bought again is told to all who wait for it, each by an event of their own.
pub async fn call_waiters(app: &App, variant: VariantId) -> Result<()> {
    let ctx = app.system();
    let mut tx = app.db.begin().await?;
    let rows = store::stock_rows(&mut tx, &[variant]).await?;
    // It may be gone again: then they go on waiting.
    let there = rows.first().is_some_and(|row| row.level().available() > 0);
    if there {
        for id in store::call_waiters(&mut tx, variant, ctx.now).await? {
            jobs::emit(&mut tx, &ctx, CALLED, &json!({ "waiter": id })).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// For the letter: who is called, and to what; none when they were written to, or are gone.
pub async fn called(app: &App, id: i64) -> Result<Option<(Waiter, StockRow)>> {
    let mut conn = app.db.conn().await?;
    let Some(waiter) = store::waiter(&mut conn, id).await? else {
        return Ok(None);
    };
    let rows = store::stock_rows(&mut conn, &[waiter.variant_id]).await?;
    Ok(rows.into_iter().next().map(|row| (waiter, row)))
}

/// They were written to: nothing is kept of them.
pub async fn forget_waiter(app: &App, id: i64) -> Result<()> {
    let mut tx = app.db.begin().await?;
    store::delete_waiter(&mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// What the signed-in user waits for. Errors: `Unauthenticated`.
pub async fn own_waits(app: &App, ctx: &Ctx) -> Result<Vec<Waiter>> {
    let user = ctx.signed_in()?;
    let mut conn = app.db.conn().await?;
    Ok(store::waits_of_user(&mut conn, user.id, &user.email).await?)
}

/// Forgets what a user whose account ends waits for.
pub async fn erase(tx: &mut Tx, user: UserId, email: &Email) -> Result<()> {
    Ok(store::delete_waits_of_user(tx, user, email).await?)
}

//! Keeping promotions, offering them to carts, and counting their uses within the transaction of
//! the order that uses them.

mod codes;
mod input;
mod offers;
mod redeem;

use serde_json::{Value, json};

use super::model::{Promotion, PromotionFilter, Redemption, Scope, UseImbalance};
use super::store;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::{Page, PageRequest, PromotionId, UserId};

pub use codes::{NewCodes, add_codes, codes, codes_csv, remove_code};
pub use input::PromotionInput;
pub use offers::offers;
pub use redeem::{Refusal, redeem, release};

/// Staff: promotions in the order of their importance.
pub async fn list(
    app: &App,
    ctx: &Ctx,
    filter: &PromotionFilter,
    page: PageRequest,
) -> Result<Page<Promotion>> {
    ctx.require(Permission::Promotions)?;
    let mut conn = app.db.conn().await?;
    Ok(store::list(&mut conn, filter, ctx.now, page).await?)
}

/// Staff: a promotion.
pub async fn promotion(app: &App, ctx: &Ctx, id: PromotionId) -> Result<Promotion> {
    ctx.require(Permission::Promotions)?;
    known(&mut app.db.conn().await?, id).await
}

async fn known(conn: &mut Conn, id: PromotionId) -> Result<Promotion> {
    store::by_id(conn, id).await?.ok_or(Error::NotFound)
}

/// Staff: makes a promotion. Errors: `Invalid` by field.
pub async fn create(app: &App, ctx: &Ctx, input: PromotionInput) -> Result<Promotion> {
    ctx.require(Permission::Promotions)?;
    let code = input.first_code();
    let mut tx = app.db.begin().await?;
    let mut promotion = input.read(app, ctx, None)?;
    input::check_target(&mut tx, &promotion.target).await?;
    promotion.id = store::insert(&mut tx, &promotion, app.currency()).await?;
    if let Some(code) = code {
        codes::insert_one(&mut tx, ctx, promotion.id, &code).await?;
    }
    record(&mut tx, ctx, "promotion.created", None, Some(&promotion)).await?;
    tx.commit().await?;
    Ok(promotion)
}

/// Staff: puts a promotion in place of what it was. `version`: from `If-Match`; another one is
/// `Stale`. A `code` that it has not yet is added. Errors: `Invalid` by field.
pub async fn update(
    app: &App,
    ctx: &Ctx,
    id: PromotionId,
    version: Option<i64>,
    input: PromotionInput,
) -> Result<Promotion> {
    ctx.require(Permission::Promotions)?;
    let code = input.first_code();
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, id, version).await?;
    let promotion = input.read(app, ctx, Some(&before))?;
    input::check_target(&mut tx, &promotion.target).await?;
    if !store::update(&mut tx, &promotion, before.version).await? {
        return Err(Error::Stale);
    }
    if let Some(code) = code {
        codes::insert_one(&mut tx, ctx, id, &code).await?;
    }
    let (action, before) = ("promotion.updated", Some(&before));
    record(&mut tx, ctx, action, before, Some(&promotion)).await?;
    tx.commit().await?;
    Ok(promotion)
}

/// Staff: deletes a promotion that no order has used. Errors: conflict `promotion_used`.
pub async fn delete(app: &App, ctx: &Ctx, id: PromotionId, version: Option<i64>) -> Result<()> {
    ctx.require(Permission::Promotions)?;
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, id, version).await?;
    if !store::delete(&mut tx, id, before.version).await? {
        let detail = "Orders have used this promotion, so it stays in the books. Switch it off.";
        return Err(Error::conflict("promotion_used", detail));
    }
    record(&mut tx, ctx, "promotion.deleted", Some(&before), None).await?;
    Ok(tx.commit().await?)
}

/// Staff: the uses of a promotion, the newest first.
pub async fn redemptions(
    app: &App,
    ctx: &Ctx,
    id: PromotionId,
    page: PageRequest,
) -> Result<Page<Redemption>> {
    ctx.require(Permission::Promotions)?;
    let mut conn = app.db.conn().await?;
    known(&mut conn, id).await?;
    Ok(store::redemptions(&mut conn, id, page).await?)
}

/// Takes a person whose account ends out of the uses of promotions.
pub async fn erase(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::erase(tx, user).await?)
}

/// Counts of uses that are not those of the redemptions; none when the books are right.
pub async fn imbalances(conn: &mut Conn) -> Result<Vec<UseImbalance>> {
    Ok(store::imbalances(conn).await?)
}

/// Counts uses anew, for `zoco doctor --repair`. Gives a sentence for each count that was wrong.
pub async fn repair(tx: &mut Tx) -> Result<Vec<String>> {
    let counted = store::recount(tx).await?.into_iter();
    let sentence = |(what, uses)| format!("promotions: {what} counts {uses} uses now");
    Ok(counted.map(sentence).collect())
}

async fn current(conn: &mut Conn, id: PromotionId, version: Option<i64>) -> Result<Promotion> {
    let found = known(conn, id).await?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&Promotion>,
    after: Option<&Promotion>,
) -> Result<()> {
    let id = before.or(after).map_or(PromotionId(0), |one| one.id);
    let id = after.map_or(id, |one| one.id);
    let subject = format!("promotion {id}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await
}

fn facts(promotion: Option<&Promotion>) -> Value {
    promotion.map_or(Value::Null, |one| {
        json!({
            "name": one.name,
            "trigger": one.trigger.as_str(),
            "benefit": one.benefit.in_words(),
            "target": Scope::of(&one.target).as_str(),
            "minimum": one.minimum.map(|minimum| minimum.amount()),
            "first_order": one.first_order,
            "starts_at": one.starts_at.map(|at| at.rfc3339()),
            "ends_at": one.ends_at.map(|at| at.rfc3339()),
            "exclusive": one.exclusive,
            "max_uses": one.max_uses,
            "max_uses_per_customer": one.max_uses_per_customer,
            "position": one.position,
            "active": one.active,
        })
    })
}

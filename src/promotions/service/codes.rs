//! Codes of promotions: one that staff think of, or many that nobody guesses.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::model::{Code, Trigger, code_of};
use super::super::store;
use super::input::{MAX_CODE, check_code};
use super::known;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{Page, PageRequest, PromotionId};

/// The most codes that are made at once.
const MAX_AT_ONCE: i64 = 10_000;
/// Random letters and digits of a made code: 50 bits.
const RANDOM: usize = 10;

/// Codes to add to a promotion: one, or many of which each is used once.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewCodes {
    /// This code.
    pub code: Option<String>,
    /// Or so many that nobody guesses; at most 10000 at once.
    pub count: Option<i64>,
    /// What those begin with.
    #[schema(example = "SUMMER-")]
    pub prefix: String,
    /// How many orders may use each; left out: a made one once, the other one without end.
    pub max_uses: Option<i64>,
}

/// Staff: the codes of a promotion, the newest first.
pub async fn codes(
    app: &App,
    ctx: &Ctx,
    promotion: PromotionId,
    page: PageRequest,
) -> Result<Page<Code>> {
    ctx.require(Permission::Promotions)?;
    let mut conn = app.db.conn().await?;
    known(&mut conn, promotion).await?;
    Ok(store::codes(&mut conn, promotion, page).await?)
}

/// Staff: all codes of a promotion as CSV: code, how often it may be and was used.
pub async fn codes_csv(app: &App, ctx: &Ctx, promotion: PromotionId) -> Result<String> {
    ctx.require(Permission::Promotions)?;
    let mut conn = app.db.conn().await?;
    known(&mut conn, promotion).await?;
    let mut csv = String::from("code,max_uses,uses\r\n");
    let mut number = 1;
    loop {
        let page = PageRequest::new(number, PageRequest::MAX_PER_PAGE);
        let found = store::codes(&mut conn, promotion, page).await?;
        for code in &found.items {
            // Codes have no sign that CSV or a spreadsheet minds but these two at the front.
            let most = code.max_uses.map_or(String::new(), |most| most.to_string());
            let cell = crate::types::text::protected(&code.code);
            csv.push_str(&format!("{cell},{most},{}\r\n", code.uses));
        }
        match found.next() {
            Some(next) => number = next,
            None => return Ok(csv),
        }
    }
}

/// Staff: adds codes; gives how many were added. Errors: `Invalid` at `code`, `count`, `prefix`,
/// `max_uses`; conflict `not_by_code` for a promotion that comes by itself.
pub async fn add_codes(
    app: &App,
    ctx: &Ctx,
    promotion: PromotionId,
    input: NewCodes,
) -> Result<u64> {
    ctx.require(Permission::Promotions)?;
    let mut errors = FieldErrors::default();
    if input.max_uses.is_some_and(|most| most < 1) {
        errors.add("max_uses", "range", "Write a number from 1.");
    }
    let code = input
        .code
        .as_deref()
        .map(code_of)
        .filter(|code| !code.is_empty());
    let (codes, max_uses) = match (code, input.count) {
        (Some(code), None) => {
            check_code(&mut errors, "code", &code);
            (vec![code], input.max_uses)
        }
        (None, Some(count)) => {
            let prefix = code_of(&input.prefix);
            if !(1..=MAX_AT_ONCE).contains(&count) {
                errors.add("count", "range", format!("Write 1 to {MAX_AT_ONCE}."));
            }
            let made = || format!("{prefix}{}", app.rng.readable(RANDOM));
            let sample = made();
            if sample.chars().count() > MAX_CODE {
                errors.add(
                    "prefix",
                    "length",
                    format!("At most {} characters.", MAX_CODE - RANDOM),
                );
            } else {
                check_code(&mut errors, "prefix", &sample);
            }
            let count = count.clamp(0, MAX_AT_ONCE);
            (
                (0..count).map(|_| made()).collect(),
                input.max_uses.or(Some(1)),
            )
        }
        (Some(_), Some(_)) => {
            errors.add(
                "count",
                "one_of",
                "Write a code, or how many to make, not both.",
            );
            (Vec::new(), None)
        }
        (None, None) => {
            errors.add("code", "required", "Write a code, or how many to make.");
            (Vec::new(), None)
        }
    };
    errors.into_result()?;
    let mut tx = app.db.begin().await?;
    let found = known(&mut tx, promotion).await?;
    if found.trigger != Trigger::Code {
        let detail = "This promotion comes by itself. Change it to \"by code\" first.";
        return Err(Error::conflict("not_by_code", detail));
    }
    let added = store::insert_codes(&mut tx, promotion, &codes, max_uses, ctx.now).await?;
    if input.code.is_some() && added == 0 {
        return Err(Error::invalid(
            "code",
            "taken",
            "There is this code already.",
        ));
    }
    let after = json!({ "added": added, "code": input.code, "max_uses": max_uses });
    let subject = format!("promotion {promotion}");
    audit::record(
        &mut tx,
        ctx,
        "promotion.codes_added",
        &subject,
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    Ok(added)
}

/// The code that a promotion's form names, unless the promotion has it already. Errors:
/// `Invalid` at `code` where another one has it.
pub(super) async fn insert_one(
    tx: &mut Tx,
    ctx: &Ctx,
    promotion: PromotionId,
    code: &str,
) -> Result<()> {
    let codes = [code.to_owned()];
    let known = store::with_codes(tx, &codes).await?;
    if known.iter().any(|known| known.promotion_id == promotion) {
        return Ok(());
    }
    if store::insert_codes(tx, promotion, &codes, None, ctx.now).await? == 0 {
        let message = "Another promotion has this code.";
        return Err(Error::invalid("code", "taken", message));
    }
    Ok(())
}

/// Staff: removes a code that no order has used. Errors: conflict `code_used`.
pub async fn remove_code(app: &App, ctx: &Ctx, promotion: PromotionId, code: &str) -> Result<()> {
    ctx.require(Permission::Promotions)?;
    let code = code_of(code);
    if code.is_empty() {
        return Err(Error::invalid("code", "required", "Say which code."));
    }
    let mut tx = app.db.begin().await?;
    known(&mut tx, promotion).await?;
    let there = store::with_codes(&mut tx, std::slice::from_ref(&code)).await?;
    if !there.iter().any(|one| one.promotion_id == promotion) {
        return Err(Error::NotFound);
    }
    if !store::delete_code(&mut tx, promotion, &code).await? {
        let detail = "Orders have used this code, so it stays in the books.";
        return Err(Error::conflict("code_used", detail));
    }
    let subject = format!("promotion {promotion}");
    let before = json!({ "code": code });
    audit::record(
        &mut tx,
        ctx,
        "promotion.code_removed",
        &subject,
        before,
        Value::Null,
    )
    .await?;
    Ok(tx.commit().await?)
}

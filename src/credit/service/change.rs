//! Staff change what is there: a card's dates and switch, and, with a reason, its balance.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::super::model::{CreditAccount, CreditKind, CreditReason};
use super::super::store;
use super::issue::{amount, future, recipient, text};
use super::{Movement, current, facts, known, permission, post, record};
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, FieldErrors, Result};
use crate::types::{CreditAccountId, MoneyInput};

/// What to change about a gift card; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CardChange {
    /// Whether it pays.
    pub active: Option<bool>,
    /// Until when it pays, RFC 3339; empty: for ever.
    pub expires_at: Option<String>,
    /// Who gets it, and its next code, by letter; empty: nobody.
    pub recipient_email: Option<String>,
    /// For staff.
    pub note: Option<String>,
}

/// Money that staff put onto an account, or take off.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adjustment {
    /// How much.
    #[schema(value_type = Option<String>, example = "5.00")]
    pub amount: Option<MoneyInput>,
    /// `add` (left out) or `take`.
    pub direction: Option<String>,
    /// Why.
    pub reason: String,
}

/// Staff: changes a gift card. `version`: from `If-Match`; another one is `Stale`. Errors:
/// `Invalid` by field.
pub async fn change_card(
    app: &App,
    ctx: &Ctx,
    id: CreditAccountId,
    version: Option<i64>,
    input: CardChange,
) -> Result<CreditAccount> {
    ctx.require(Permission::Promotions)?;
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, CreditKind::GiftCard, id, version).await?;
    let mut errors = FieldErrors::default();
    let mut after = before.clone();
    after.updated_at = ctx.now;
    if let Some(active) = input.active {
        after.active = active;
    }
    if let Some(typed) = input.expires_at.as_deref() {
        let same = before.expires_at.map(|at| at.field());
        // A form that shows a date of the past may be saved for something else.
        if same.as_deref() != Some(typed.trim()) {
            after.expires_at = future(ctx, &mut errors, Some(typed));
        }
    }
    if let Some(typed) = input.recipient_email.as_deref() {
        let read = recipient(&mut errors, Some(typed));
        after.recipient_email = read.map(|email| email.to_string()).unwrap_or_default();
    }
    if let Some(typed) = input.note.as_deref() {
        after.note = text(&mut errors, "note", typed);
    }
    errors.into_result()?;
    if !store::update(&mut tx, &after, before.version).await? {
        return Err(Error::Stale);
    }
    let (old, new) = (facts(&before), facts(&after));
    record(&mut tx, ctx, "gift_card.updated", &before, old, new).await?;
    let saved = known(&mut tx, CreditKind::GiftCard, id).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Staff: puts money onto an account, or takes some off, with a reason. `version`: the one that
/// was looked at; another one is `Stale`. Errors: `Invalid` at `amount`, `direction`, `reason`;
/// conflict `balance_too_low`.
pub async fn adjust(
    app: &App,
    ctx: &Ctx,
    kind: CreditKind,
    id: CreditAccountId,
    version: Option<i64>,
    input: Adjustment,
) -> Result<CreditAccount> {
    ctx.require(permission(kind))?;
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, kind, id, version).await?;
    let mut errors = FieldErrors::default();
    let money = amount(app, &mut errors, input.amount.as_ref());
    let sign = match input.direction.as_deref().unwrap_or("add") {
        "add" | "" => 1,
        "take" => -1,
        _ => {
            errors.add("direction", "unknown", "Choose add or take.");
            1
        }
    };
    let reason = text(&mut errors, "reason", &input.reason);
    if reason.is_empty() {
        errors.add("reason", "required", "Say why, for the books.");
    }
    errors.clone().into_result()?;
    let Some(money) = money else {
        return Err(Error::Invalid(errors));
    };
    if money.currency() != before.balance.currency() {
        let detail = format!("This account is in {}.", before.balance.currency());
        return Err(Error::conflict("other_currency", detail));
    }
    let movement = Movement {
        reason: CreditReason::Adjusted,
        reference: "",
        note: &reason,
        once: None,
    };
    if !post(&mut tx, ctx, id, sign * money.minor(), movement).await? {
        return Err(Error::Conflict {
            code: "balance_too_low",
            detail: format!("There is only {} left.", before.balance),
            data: json!({ "balance": before.balance.amount() }),
        });
    }
    let after = known(&mut tx, kind, id).await?;
    let action = match kind {
        CreditKind::GiftCard => "gift_card.adjusted",
        CreditKind::StoreCredit => "store_credit.adjusted",
    };
    let (old, mut new) = (facts(&before), facts(&after));
    new["reason"] = json!(reason);
    record(&mut tx, ctx, action, &after, old, new).await?;
    tx.commit().await?;
    Ok(after)
}

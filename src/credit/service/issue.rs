//! Issuing gift cards and granting store credit.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::model::{
    CODE_LENGTH, CreditAccount, CreditKind, CreditReason, IssuedCard, code_of, hash_of, in_groups,
    last_four_of,
};
use super::super::store;
use super::{Movement, current, facts, known, post, record};
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::jobs;
use crate::types::{CreditAccountId, Email, Money, MoneyInput, Timestamp, UserId};

/// The topic of a card whose code a letter is to bring.
pub const CARD_WANTED: &str = "credit.card_wanted";
/// The topic of store credit that was granted.
pub const GRANTED: &str = "credit.granted";

/// The most cards that are issued at once.
const MAX_AT_ONCE: i64 = 1_000;
/// The longest note, reason and message, in characters.
pub(super) const MAX_TEXT: usize = 500;

/// Gift cards to issue.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewCards {
    /// What is on each.
    #[schema(value_type = Option<String>, example = "50.00")]
    pub amount: Option<MoneyInput>,
    /// How many; left out: one. At most 1000 at once.
    pub count: Option<i64>,
    /// Until when they pay, RFC 3339; left out: for ever.
    pub expires_at: Option<String>,
    /// Who gets the one card by letter, with its code. Nobody else sees that code.
    #[schema(example = "ada@example.com")]
    pub recipient_email: Option<String>,
    /// What the letter says to them.
    pub message: String,
    /// For staff.
    pub note: String,
    /// The form that this is, so that it issues once however often it comes.
    #[serde(skip)]
    #[schema(ignore)]
    pub form_key: Option<String>,
}

/// Store credit for a customer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The customer's e-mail address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// How much.
    #[schema(value_type = Option<String>, example = "10.00")]
    pub amount: Option<MoneyInput>,
    /// Why; the customer reads it.
    pub reason: String,
    /// The form that this is, so that it grants once however often it comes.
    #[serde(skip)]
    #[schema(ignore)]
    pub form_key: Option<String>,
}

/// An amount above zero.
pub(super) fn amount(
    app: &App,
    errors: &mut FieldErrors,
    typed: Option<&MoneyInput>,
) -> Option<Money> {
    let Some(typed) = typed else {
        errors.add("amount", "required", "Write an amount.");
        return None;
    };
    let read = errors.keep("amount", "money", typed.read(app.currency()))?;
    if read.is_zero() {
        errors.add("amount", "range", "Write an amount above zero.");
    }
    Some(read)
}

/// A text of at most [`MAX_TEXT`] characters.
pub(super) fn text(errors: &mut FieldErrors, field: &str, typed: &str) -> String {
    let typed = typed.trim().to_owned();
    if typed.chars().count() > MAX_TEXT {
        errors.add(field, "length", format!("At most {MAX_TEXT} characters."));
    }
    typed
}

/// A moment that is still to come; none for nothing.
pub(super) fn future(
    ctx: &Ctx,
    errors: &mut FieldErrors,
    typed: Option<&str>,
) -> Option<Timestamp> {
    let typed = typed.map(str::trim).filter(|typed| !typed.is_empty())?;
    let read = Timestamp::typed(typed);
    match read {
        None => {
            let message = "Write a date and time like 2026-12-24T09:00.";
            errors.add("expires_at", "invalid", message);
        }
        Some(at) if at <= ctx.now => {
            errors.add("expires_at", "range", "That moment is over.");
        }
        Some(_) => {}
    }
    read
}

/// Who gets a letter; none for nobody.
pub(super) fn recipient(errors: &mut FieldErrors, typed: Option<&str>) -> Option<Email> {
    let typed = typed.map(str::trim).filter(|typed| !typed.is_empty())?;
    let read = Email::parse(typed);
    if read.is_none() {
        let message = "Write an e-mail address like name@example.com.";
        errors.add("recipient_email", "email", message);
    }
    read
}

fn new_code(app: &App) -> String {
    app.rng.readable(CODE_LENGTH)
}

/// A card that is not written yet.
fn card(ctx: &Ctx, amount: Money) -> CreditAccount {
    CreditAccount {
        id: CreditAccountId(0),
        kind: CreditKind::GiftCard,
        last_four: String::new(),
        user_id: None,
        user_email: None,
        balance: amount,
        initial: amount,
        expires_at: None,
        active: true,
        note: String::new(),
        recipient_email: String::new(),
        message: String::new(),
        version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    }
}

/// Staff: issues gift cards. Their codes are told here and never again; that of a card with a
/// recipient stands in the letter only. Errors: `Invalid` at `amount`, `count`, `expires_at`,
/// `recipient_email`, `message`, `note`; conflict `issued_already` for a form that came before.
pub async fn issue(app: &App, ctx: &Ctx, input: NewCards) -> Result<Vec<IssuedCard>> {
    ctx.require(Permission::Promotions)?;
    let mut errors = FieldErrors::default();
    let money = amount(app, &mut errors, input.amount.as_ref());
    let count = input.count.unwrap_or(1);
    let expires_at = future(ctx, &mut errors, input.expires_at.as_deref());
    let recipient = recipient(&mut errors, input.recipient_email.as_deref());
    let message = text(&mut errors, "message", &input.message);
    let note = text(&mut errors, "note", &input.note);
    if !(1..=MAX_AT_ONCE).contains(&count) {
        errors.add("count", "range", format!("Write 1 to {MAX_AT_ONCE}."));
    } else if count > 1 && recipient.is_some() {
        let message = "A letter brings one card. Leave the e-mail address empty for many.";
        errors.add("count", "one_of", message);
    }
    errors.clone().into_result()?;
    let Some(money) = money else {
        return Err(Error::Invalid(errors));
    };
    let mut account = CreditAccount {
        expires_at,
        note,
        recipient_email: recipient.as_ref().map(Email::to_string).unwrap_or_default(),
        message,
        ..card(ctx, money)
    };
    let key = input.form_key.as_deref().filter(|key| !key.is_empty());
    let again = || Error::conflict("issued_already", "This form has issued its cards already.");
    let mut tx = app.db.begin().await?;
    if let Some(key) = key
        && store::has_batch(&mut tx, key).await?
    {
        return Err(again());
    }
    let mut issued = Vec::new();
    for position in 0..count {
        let batch = key.map(|key| (key, position));
        let code = match recipient {
            None => Some(new_code(app)),
            Some(_) => None,
        };
        let written = write(&mut tx, ctx, &account, code.as_deref(), batch).await;
        account.id = written.map_err(|error| match key {
            // Two forms at once: the index tells.
            Some(_) if matches!(error, Error::Unavailable) => again(),
            _ => error,
        })?;
        if recipient.is_some() {
            let payload = json!({ "account_id": account.id });
            jobs::emit(&mut tx, ctx, CARD_WANTED, &payload).await?;
        }
        issued.push(IssuedCard {
            account: known(&mut tx, CreditKind::GiftCard, account.id).await?,
            code: code.as_deref().map(in_groups),
        });
    }
    if let Some(first) = issued.first() {
        let after = json!({
            "count": count,
            "amount": money.amount(),
            "expires_at": expires_at.map(|at| at.rfc3339()),
            "by_letter": recipient.is_some(),
        });
        record(
            &mut tx,
            ctx,
            "gift_card.issued",
            &first.account,
            Value::Null,
            after,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(issued)
}

/// Writes a card with its first entry. Errors: `Unavailable` where its code or its place in the
/// batch is taken.
async fn write(
    tx: &mut Tx,
    ctx: &Ctx,
    account: &CreditAccount,
    code: Option<&str>,
    batch: Option<(&str, i64)>,
) -> Result<CreditAccountId> {
    let kept = code.map(|code| (hash_of(code), last_four_of(code)));
    let kept = kept.as_ref();
    let kept = kept.map(|(hash, last_four)| (hash.as_str(), last_four.as_str()));
    let inserted = store::insert(tx, account, kept, batch).await;
    let id = on_unique(inserted, || Error::Unavailable)?;
    let movement = Movement {
        reason: CreditReason::Issued,
        reference: "",
        note: "",
        once: Some("issued"),
    };
    post(tx, ctx, id, account.initial.minor(), movement).await?;
    Ok(id)
}

/// The shop itself: a card with a code that is known beforehand, unless it is there.
pub async fn issue_known(app: &App, ctx: &Ctx, code: &str, money: Money) -> Result<()> {
    ctx.require(Permission::Promotions)?;
    let code = code_of(code);
    let mut tx = app.db.begin().await?;
    if store::by_code(&mut tx, &hash_of(&code)).await?.is_some() {
        return Ok(());
    }
    match write(&mut tx, ctx, &card(ctx, money), Some(&code), None).await {
        // Another instance was faster.
        Err(Error::Unavailable) => Ok(()),
        written => {
            written?;
            Ok(tx.commit().await?)
        }
    }
}

/// Staff: gives a card another code, which is told here and never again, or, for a card with a
/// recipient, is sent to them. The code before is good for nothing any more. Errors: `Stale`.
pub async fn renew_code(
    app: &App,
    ctx: &Ctx,
    id: CreditAccountId,
    version: Option<i64>,
) -> Result<IssuedCard> {
    ctx.require(Permission::Promotions)?;
    let code = new_code(app);
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, CreditKind::GiftCard, id, version).await?;
    // Whoever has the old one must not use it until the letter is written.
    store::set_code(&mut tx, id, &hash_of(&code), &last_four_of(&code), ctx.now).await?;
    let by_letter = !before.recipient_email.is_empty();
    if by_letter {
        jobs::emit(&mut tx, ctx, CARD_WANTED, &json!({ "account_id": id })).await?;
    }
    let account = known(&mut tx, CreditKind::GiftCard, id).await?;
    let (old, new) = (facts(&before), facts(&account));
    record(&mut tx, ctx, "gift_card.code_renewed", &account, old, new).await?;
    tx.commit().await?;
    Ok(IssuedCard {
        account,
        code: (!by_letter).then(|| in_groups(&code)),
    })
}

/// For the letter that brings a card: makes its code. Gives none for a card that is not there, or
/// goes to nobody.
pub async fn make_code(app: &App, id: CreditAccountId) -> Result<Option<(CreditAccount, String)>> {
    let code = new_code(app);
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let Some(account) = store::by_id(&mut tx, id).await? else {
        return Ok(None);
    };
    if account.kind != CreditKind::GiftCard || account.recipient_email.is_empty() {
        return Ok(None);
    }
    store::set_code(&mut tx, id, &hash_of(&code), &last_four_of(&code), now).await?;
    tx.commit().await?;
    Ok(Some((account, in_groups(&code))))
}

/// Staff: grants store credit to a customer, who gets a letter. Errors: `Invalid` at `email`,
/// `amount`, `reason`; conflict `granted_already` for a form that came before.
pub async fn grant(app: &App, ctx: &Ctx, input: Grant) -> Result<CreditAccount> {
    ctx.require(Permission::Customers)?;
    let mut errors = FieldErrors::default();
    let money = amount(app, &mut errors, input.amount.as_ref());
    let reason = text(&mut errors, "reason", &input.reason);
    if reason.is_empty() {
        errors.add("reason", "required", "Say why; the customer reads it.");
    }
    let email = Email::parse(&input.email);
    let mut tx = app.db.begin().await?;
    let user = match &email {
        Some(email) => store::user_of(&mut tx, email.as_str()).await?,
        None => None,
    };
    if user.is_none() {
        errors.add("email", "unknown", "No customer has this e-mail address.");
    }
    errors.clone().into_result()?;
    let (Some(user), Some(money)) = (user, money) else {
        return Err(Error::Invalid(errors));
    };
    let key = input.form_key.as_deref().filter(|key| !key.is_empty());
    let once = key.map(|key| format!("granted {key}"));
    let movement = Movement {
        reason: CreditReason::Issued,
        reference: "",
        note: &reason,
        once: once.as_deref(),
    };
    let (account, posted) = put(&mut tx, ctx, user, money, movement).await?;
    if !posted {
        let detail = "This form has granted its store credit already.";
        return Err(Error::conflict("granted_already", detail));
    }
    let granted = json!({
        "account_id": account.id,
        "amount_minor": money.minor(),
        "reason": reason,
        "at": ctx.now.rfc3339(),
    });
    jobs::emit(&mut tx, ctx, GRANTED, &granted).await?;
    let after = json!({ "amount": money.amount(), "reason": reason });
    record(
        &mut tx,
        ctx,
        "store_credit.granted",
        &account,
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    Ok(account)
}

/// Money of an order that goes to its customer's store credit instead of back. A second call with
/// the same `once` does nothing.
pub async fn grant_for(
    tx: &mut Tx,
    ctx: &Ctx,
    user: UserId,
    money: Money,
    number: &str,
    once: &str,
) -> Result<CreditAccount> {
    let movement = Movement {
        reason: CreditReason::Refunded,
        reference: number,
        note: "",
        once: Some(once),
    };
    Ok(put(tx, ctx, user, money, movement).await?.0)
}

/// Puts money onto somebody's store credit. Gives the account, and whether that was not done
/// before.
async fn put(
    tx: &mut Tx,
    ctx: &Ctx,
    user: UserId,
    money: Money,
    movement: Movement<'_>,
) -> Result<(CreditAccount, bool)> {
    store::open_for_user(tx, user, money.currency(), ctx.now).await?;
    let account = store::of_user(tx, user, money.currency()).await?;
    let id = account.ok_or(Error::NotFound)?.id;
    store::lock(tx, &[id]).await?;
    let posted = post(tx, ctx, id, money.minor(), movement).await?;
    Ok((known(tx, CreditKind::StoreCredit, id).await?, posted))
}

//! Finding a card by its code. Whoever guesses is slowed down, and is not told whether a code is
//! unknown, switched off, over or empty.

use super::super::model::{CODE_LENGTH, CreditAccount, CreditKind, code_of, hash_of};
use super::super::store;
use crate::accounts::service::count_guess;
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, Result};

/// The longest code that is looked at, in characters as typed.
const MAX_TYPED: usize = 60;

async fn found(app: &App, ctx: &Ctx, typed: &str) -> Result<Option<CreditAccount>> {
    let code = code_of(typed);
    if code.is_empty() {
        return Err(Error::invalid("code", "required", "Write the card's code."));
    }
    let guess = count_guess(app, ctx, "gift_card").await?;
    // What cannot be a code need not be looked for, but counts as a guess.
    if typed.chars().count() > MAX_TYPED || code.chars().count() != CODE_LENGTH {
        return Ok(None);
    }
    let mut conn = app.db.conn().await?;
    let card = store::by_code(&mut conn, &hash_of(&code)).await?;
    drop(conn);
    let card = card.filter(|card| card.kind == CreditKind::GiftCard);
    if card.is_some() {
        guess.was_right(app).await?;
    }
    Ok(card)
}

/// The card of a code, if it pays now. Errors: `Invalid` at `code`, the same for every code that
/// does not; `TooMany`.
pub async fn card_of_code(app: &App, ctx: &Ctx, typed: &str) -> Result<CreditAccount> {
    let card = found(app, ctx, typed).await?;
    let pays = |card: &CreditAccount| {
        let there = card.spendable(ctx.now);
        !there.is_zero() && there.currency() == app.currency()
    };
    card.filter(pays).ok_or_else(|| {
        let message = "No gift card with this code has money on it.";
        Error::invalid("code", "unknown", message)
    })
}

/// What is left on a card, for whoever has its code. Errors: `Invalid` at `code` for one that there
/// is not, or that is switched off; `TooMany`.
pub async fn balance(app: &App, ctx: &Ctx, typed: &str) -> Result<CreditAccount> {
    let card = found(app, ctx, typed).await?;
    card.filter(|card| card.active).ok_or_else(|| {
        let message = "We know no gift card with this code.";
        Error::invalid("code", "unknown", message)
    })
}

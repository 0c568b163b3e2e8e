//! The codes of promotions and the gift cards of a cart.

use super::super::model::Cart;
use super::super::store;
use super::change::{begin_change, finish_change};
use super::price::load;
use crate::app::App;
use crate::credit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::pricing::Refusal;
use crate::promotions;
use crate::types::{CartId, CreditAccountId, UserId};

/// The most codes in a cart.
pub(super) const MAX_CODES: usize = 5;

/// The most gift cards in a cart.
pub const MAX_CARDS: usize = 10;

/// Adds a promotion's code to the asker's cart. It may wait there for what it still needs: the
/// quote tells. Errors: `Invalid` at `code` for one that nothing has, or too many; `NotFound`
/// without a cart.
pub async fn add_code(app: &App, ctx: &Ctx, typed: &str) -> Result<Cart> {
    let code = promotions::code_of(typed);
    if code.is_empty() {
        return Err(Error::invalid("code", "required", "Write the code."));
    }
    let (mut tx, row) = begin_change(app, ctx).await?;
    let mut codes = store::codes(&mut tx, row.id).await?;
    if !codes.contains(&code) {
        if codes.len() >= MAX_CODES {
            let message = format!("A cart takes {MAX_CODES} codes.");
            return Err(Error::invalid("code", "too_many", message));
        }
        store::add_code(&mut tx, row.id, &code, ctx.now).await?;
        codes.push(code.clone());
    }
    let cart = load(&mut tx, app, ctx, &row).await?;
    let mut refused = cart.quote.refused.iter();
    let unknown = refused
        .find(|one| one.reason == Refusal::Unknown && one.code.as_deref() == Some(code.as_str()));
    if let Some(unknown) = unknown {
        let message = unknown.reason.in_words();
        return Err(Error::invalid("code", "unknown", message));
    }
    tx.commit().await?;
    Ok(cart)
}

/// Takes a code out of the asker's cart. Errors: `NotFound`.
pub async fn remove_code(app: &App, ctx: &Ctx, typed: &str) -> Result<Cart> {
    let (mut tx, row) = begin_change(app, ctx).await?;
    if !store::remove_code(&mut tx, row.id, &promotions::code_of(typed)).await? {
        return Err(Error::NotFound);
    }
    finish_change(app, ctx, tx, &row).await
}

/// Adds a gift card to what the asker's cart is to be paid with. Errors: `Invalid` at `code`, the
/// same for every code that pays nothing now; `TooMany`; `NotFound` without a cart.
pub async fn add_gift_card(app: &App, ctx: &Ctx, typed: &str) -> Result<Cart> {
    let card = credit::service::card_of_code(app, ctx, typed).await?;
    let (mut tx, row) = begin_change(app, ctx).await?;
    let there = store::gift_cards(&mut tx, row.id).await?;
    if !there.contains(&card.id) && there.len() >= MAX_CARDS {
        let message = format!("A cart takes {MAX_CARDS} gift cards.");
        return Err(Error::invalid("code", "too_many", message));
    }
    store::add_gift_card(&mut tx, row.id, card.id, ctx.now).await?;
    finish_change(app, ctx, tx, &row).await
}

/// Takes a gift card out of the asker's cart, by its last four or its id. Errors: `NotFound`.
pub async fn remove_gift_card(app: &App, ctx: &Ctx, which: &str) -> Result<Cart> {
    let (mut tx, row) = begin_change(app, ctx).await?;
    let ids = store::gift_cards(&mut tx, row.id).await?;
    let cards = credit::service::cards(&mut tx, &ids).await?;
    let last_four = credit::code_of(which);
    let by_code = cards.iter().find(|card| card.last_four == last_four);
    let by_id = || cards.iter().find(|card| card.id.to_string() == which);
    let card = by_code.or_else(by_id).ok_or(Error::NotFound)?;
    store::remove_gift_card(&mut tx, row.id, card.id).await?;
    finish_change(app, ctx, tx, &row).await
}

/// For checkout: nobody else spends from the gift cards of a cart, nor its owner's store credit,
/// until the transaction ends.
pub async fn lock_money(tx: &mut Tx, app: &App, owner: Option<UserId>, cart: CartId) -> Result<()> {
    let mut ids: Vec<CreditAccountId> = store::gift_cards(tx, cart).await?;
    if let Some(user) = owner {
        let own = credit::service::of_user(tx, user, app.currency()).await?;
        ids.extend(own.map(|account| account.id));
    }
    credit::service::lock_cards(tx, &ids).await?;
    Ok(())
}

//! At sign-in: a guest's cart goes into the user's own.

use super::super::store::{self, CartRow, CartStatus};
use super::MAX_LINES;
use super::change::open;
use super::price::is_for_sale;
use crate::app::App;
use crate::ctx::{Ctx, Rule};
use crate::error::Result;

/// At sign-in: the guest's cart that `guest_token` names goes into the cart of the user in
/// `ctx`; quantities add up, capped by stock. Gives how many lines came over. A cart that
/// belongs to somebody is never taken.
pub async fn merge_guest_cart(app: &App, ctx: &Ctx, guest_token: &str) -> Result<i64> {
    ctx.check(Rule::SignedIn)?;
    // Asked before a write transaction is begun: most sign-ins bring no cart.
    let is_guests = |row: &CartRow| row.user_id.is_none() && row.status == CartStatus::Active;
    let guest = store::by_token(&mut app.db.conn().await?, guest_token).await?;
    let Some(guest) = guest.filter(is_guests) else {
        return Ok(0);
    };
    let token = app.rng.token();
    let mut tx = app.db.begin().await?;
    if !store::end(&mut tx, guest.id, CartStatus::Merged, ctx.now).await? {
        return Ok(0);
    }
    let mine = open(&mut tx, ctx, &token).await?;
    let mut incoming = store::lines(&mut tx, guest.id).await?;
    incoming.sort_by_key(|line| line.variant_id);
    let existing = store::lines(&mut tx, mine.id).await?;
    let mut came_over = 0;
    let mut new_lines = 0;
    for line in incoming.iter().filter(|line| is_for_sale(app, line)) {
        let before = existing
            .iter()
            .find(|old| old.variant_id == line.variant_id);
        let had = before.map_or(0, |old| old.quantity);
        let room = if line.backorder {
            app.config.max_quantity - had
        } else {
            line.available.min(app.config.max_quantity) - had
        };
        let more = line.quantity.min(room);
        let full = before.is_none() && existing.len() + new_lines >= MAX_LINES;
        if more <= 0 || full {
            continue;
        }
        // The price that was seen first stays, so that a change since then is still told.
        let seen = before.map_or(line.seen_price_minor, |old| old.seen_price_minor);
        store::add(&mut tx, mine.id, line.variant_id, more, seen, ctx.now).await?;
        came_over += 1;
        new_lines += usize::from(before.is_none());
    }
    for code in store::codes(&mut tx, guest.id).await? {
        store::add_code(&mut tx, mine.id, &code, ctx.now).await?;
    }
    for card in store::gift_cards(&mut tx, guest.id).await? {
        store::add_gift_card(&mut tx, mine.id, card, ctx.now).await?;
    }
    tx.commit().await?;
    Ok(came_over)
}

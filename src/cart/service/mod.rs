//! Filling a cart. Whose cart it is follows from the [`Ctx`]: the signed-in user's, or the one
//! that `ctx.cart_token` names. Each answer is checked against today's prices and stock.
//!
//! A token that names somebody's account's cart, or one that is active no more, names nothing:
//! its bearer gets an empty cart, and a new token with the first thing put into it.

mod change;
mod codes;
mod draft;
mod merge;
mod price;
mod quote;
mod simulate;

use super::model::{Cart, CartState};
use super::store::{self, CartRow, CartStatus};
use crate::app::App;
use crate::ctx::{Ctx, Rule};
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::types::{CartId, UserId};
use price::{empty, load};

pub use change::{AddItem, add_item, clear, product_of, remove_item, set_quantity};
pub use codes::{MAX_CARDS, add_code, add_gift_card, lock_money, remove_code, remove_gift_card};
pub use draft::{Draft, SimulatedLine, check_size, draft, keep_draft, kept, price_draft};
pub use merge::merge_guest_cart;
pub use price::{Terms, priced};
pub use quote::{choose_method, offers, quote, with_shipping};
pub use simulate::{Simulation, simulate};

/// The most different articles in a cart.
pub const MAX_LINES: usize = 200;

/// The asker's cart; an empty one where there is none yet.
pub async fn current(app: &App, ctx: &Ctx) -> Result<Cart> {
    let mut conn = app.db.conn().await?;
    match find(&mut conn, ctx).await? {
        Some(row) => load(&mut conn, app, ctx, &row).await,
        None => empty(app, ctx),
    }
}

/// Pieces in the asker's cart, for the header. A guest without a token costs no query.
pub async fn count(app: &App, ctx: &Ctx) -> Result<i64> {
    if let Some(user) = ctx.user_id() {
        Ok(store::count_of_user(&mut app.db.conn().await?, user).await?)
    } else if let Some(token) = &ctx.cart_token {
        Ok(store::count_of_guest(&mut app.db.conn().await?, token).await?)
    } else {
        Ok(0)
    }
}

/// For checkout: the cart that `cart_token` names, if the asker may know it, or their active one.
/// An account's cart is known to its user only, a guest's cart to whoever has its token. A cart
/// that was merged names its user's active cart.
pub async fn named(conn: &mut Conn, ctx: &Ctx, cart_token: Option<&str>) -> Result<CartState> {
    if let Some(token) = cart_token
        && let Some(row) = store::by_token(conn, token).await?
    {
        let may_know = (row.user_id).is_none_or(|owner| ctx.allows(Rule::IsOwner(owner)));
        match row.status {
            CartStatus::Ordered if may_know => return Ok(CartState::Ordered(row.id)),
            CartStatus::Active if row.user_id == ctx.user_id() => {
                return Ok(CartState::Active(row.id));
            }
            CartStatus::Ordered | CartStatus::Active | CartStatus::Merged => {}
        }
    }
    let active = find(conn, ctx).await?;
    Ok(active.map_or(CartState::None, |row| CartState::Active(row.id)))
}

/// For checkout: ends an active cart in the transaction that makes it an order, and locks it.
/// Gives false when somebody else was first.
pub async fn claim(tx: &mut Tx, ctx: &Ctx, cart: CartId) -> Result<bool> {
    Ok(store::end(tx, cart, CartStatus::Ordered, ctx.now).await?)
}

/// Removes the carts of a user whose account ends.
pub async fn erase(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::erase(tx, user).await?)
}

/// The asker's active cart.
async fn find(conn: &mut Conn, ctx: &Ctx) -> Result<Option<CartRow>> {
    if let Some(user) = ctx.user_id() {
        return Ok(store::active_of_user(conn, user).await?);
    }
    let Some(token) = &ctx.cart_token else {
        return Ok(None);
    };
    let row = store::by_token(conn, token).await?;
    Ok(row.filter(|row| row.user_id.is_none() && row.status == CartStatus::Active))
}

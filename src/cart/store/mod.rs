//! SQL of cart: carts here, what is in them in files of their own. Lines read the catalog's and the
//! inventory's tables, but never write them.

mod goods;
mod lines;
mod money;

use crate::db::{self, Conn, FromRow, Tx, execute, fetch_one, fetch_optional};
use crate::types::{CartId, Timestamp, UserId, text_enum};

pub use goods::{OfferRow, offer, slug_of, variants_of};
pub use lines::{LineRow, add, clear, lines, lines_of_skus, remove, set_quantity};
pub use money::{add_code, add_gift_card, codes, gift_cards, remove_code, remove_gift_card};

/// What became of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartStatus {
    /// Being filled.
    Active,
    /// It is an order now.
    Ordered,
    /// It went into the cart of a user who signed in.
    Merged,
}
text_enum!(CartStatus { Active => "active", Ordered => "ordered", Merged => "merged" });

/// A cart without its lines.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CartRow {
    /// Its id.
    pub id: CartId,
    /// What names it.
    pub token: String,
    /// Whose it is; none for a guest's.
    pub user_id: Option<UserId>,
    /// What became of it.
    #[sqlx(try_from = "String")]
    pub status: CartStatus,
}

/// The user's active cart.
pub async fn active_of_user(conn: &mut Conn, user: UserId) -> db::Result<Option<CartRow>> {
    fetch_optional!(
        conn,
        CartRow,
        "select id, token, user_id, status
        from carts
        where user_id = $1 and status = 'active'",
        user,
    )
}

/// The cart of a token, whoever's it is and whatever became of it.
pub async fn by_token(conn: &mut Conn, token: &str) -> db::Result<Option<CartRow>> {
    fetch_optional!(
        conn,
        CartRow,
        "select id, token, user_id, status
        from carts
        where token = $1",
        token,
    )
}

/// Makes an active cart; does nothing when the user has one already.
pub async fn insert(
    tx: &mut Tx,
    token: &str,
    user: Option<UserId>,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into carts (token, user_id, status, created_at, updated_at)
        values ($1, $2, 'active', $3, $3)
        on conflict do nothing",
        token,
        user,
        now,
    )?;
    Ok(())
}

/// Makes a cart that is ordered already. Gives none when its token is taken.
pub async fn insert_ordered(
    tx: &mut Tx,
    token: &str,
    user: Option<UserId>,
    now: Timestamp,
) -> db::Result<Option<CartId>> {
    let row = fetch_optional!(
        tx,
        (CartId,),
        "insert into carts (token, user_id, status, created_at, updated_at)
        values ($1, $2, 'ordered', $3, $3)
        on conflict (token) do nothing
        returning id",
        token,
        user,
        now,
    )?;
    Ok(row.map(|(id,)| id))
}

/// Locks an active cart for a change of its lines. Gives false when it is active no more.
pub async fn touch(tx: &mut Tx, cart: CartId, now: Timestamp) -> db::Result<bool> {
    let touched = execute!(
        tx,
        "update carts
        set updated_at = $1
        where id = $2 and status = 'active'",
        now,
        cart,
    )?;
    Ok(touched == 1)
}

/// Ends an active cart. Gives false when it was active no more: somebody else was first.
pub async fn end(
    tx: &mut Tx,
    cart: CartId,
    status: CartStatus,
    now: Timestamp,
) -> db::Result<bool> {
    let ended = execute!(
        tx,
        "update carts
        set status = $1, updated_at = $2
        where id = $3 and status = 'active'",
        status,
        now,
        cart,
    )?;
    Ok(ended == 1)
}

/// How many pieces are in the user's active cart.
pub async fn count_of_user(conn: &mut Conn, user: UserId) -> db::Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select cast(coalesce(sum(i.quantity), 0) as bigint)
        from carts c
        join cart_items i on i.cart_id = c.id
        where c.user_id = $1 and c.status = 'active'",
        user,
    )?;
    Ok(count)
}

/// How many pieces are in a guest's active cart.
pub async fn count_of_guest(conn: &mut Conn, token: &str) -> db::Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select cast(coalesce(sum(i.quantity), 0) as bigint)
        from carts c
        join cart_items i on i.cart_id = c.id
        where c.token = $1 and c.user_id is null and c.status = 'active'",
        token,
    )?;
    Ok(count)
}

/// Removes a user's carts. Those that became orders stay, nobody's, and nobody finds them by their
/// token any more.
pub async fn erase(tx: &mut Tx, user: UserId) -> db::Result<()> {
    execute!(
        tx,
        "delete from carts
        where user_id = $1 and status <> 'ordered'",
        user,
    )?;
    execute!(
        tx,
        "update carts
        set user_id = null, token = 'erased ' || id
        where user_id = $1",
        user,
    )?;
    Ok(())
}

//! What makes a cart cheaper or pays of it: codes of promotions, and gift cards.

use crate::db::{self, Conn, Tx, execute, fetch_all};
use crate::types::{CartId, CreditAccountId, Timestamp};

/// The codes of a cart, in the order they were typed.
pub async fn codes(conn: &mut Conn, cart: CartId) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "select code
        from cart_codes
        where cart_id = $1
        order by created_at, code",
        cart,
    )?;
    Ok(rows.into_iter().map(|(code,)| code).collect())
}

/// Adds a code to a cart; does nothing when it is there.
pub async fn add_code(tx: &mut Tx, cart: CartId, code: &str, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "insert into cart_codes (cart_id, code, created_at)
        values ($1, $2, $3)
        on conflict (cart_id, code) do nothing",
        cart,
        code,
        now,
    )?;
    Ok(())
}

/// Takes a code out of a cart. Gives false when it has no such code.
pub async fn remove_code(tx: &mut Tx, cart: CartId, code: &str) -> db::Result<bool> {
    let removed = execute!(
        tx,
        "delete from cart_codes
        where cart_id = $1 and code = $2",
        cart,
        code,
    )?;
    Ok(removed == 1)
}

/// The gift cards of a cart, by id.
pub async fn gift_cards(conn: &mut Conn, cart: CartId) -> db::Result<Vec<CreditAccountId>> {
    let rows = fetch_all!(
        conn,
        (CreditAccountId,),
        "select account_id
        from cart_gift_cards
        where cart_id = $1
        order by account_id",
        cart,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Adds a gift card to a cart; does nothing when it is there.
pub async fn add_gift_card(
    tx: &mut Tx,
    cart: CartId,
    card: CreditAccountId,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into cart_gift_cards (cart_id, account_id, created_at)
        values ($1, $2, $3)
        on conflict (cart_id, account_id) do nothing",
        cart,
        card,
        now,
    )?;
    Ok(())
}

/// Takes a gift card out of a cart. Gives false when it is not in there.
pub async fn remove_gift_card(
    tx: &mut Tx,
    cart: CartId,
    card: CreditAccountId,
) -> db::Result<bool> {
    let removed = execute!(
        tx,
        "delete from cart_gift_cards
        where cart_id = $1 and account_id = $2",
        cart,
        card,
    )?;
    Ok(removed == 1)
}

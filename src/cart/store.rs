//! SQL of cart. Lines read the catalog's and the inventory's tables, but never write them.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{
    CartId, CartItemId, CategoryId, CreditAccountId, Currency, ProductId, Slug, Timestamp, UserId,
    VariantId, text_enum,
};

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

/// A line with what the shop says of its variant today.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LineRow {
    /// Its id.
    pub id: CartItemId,
    /// What.
    pub variant_id: VariantId,
    /// The variant's product.
    pub product_id: ProductId,
    /// The product's name in URLs.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// The variant's SKU.
    pub sku: String,
    /// The product's name.
    pub name: String,
    /// JSON: the chosen options.
    pub options: String,
    /// The best picture's storage key, or empty.
    pub image_key: String,
    /// How many.
    pub quantity: i64,
    /// The price when the line was last changed.
    pub seen_price_minor: i64,
    /// Today's price.
    pub price_minor: i64,
    /// Its currency.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// Whether product and variant are for sale.
    pub for_sale: bool,
    /// Whether there is nothing to send by post.
    pub digital: bool,
    /// The code of the product's tax class.
    pub tax_class: String,
    /// The product's category.
    pub category_id: Option<CategoryId>,
    /// What one weighs, in grams.
    pub weight_grams: i64,
    /// Pieces that can be sold now; negative where too many were sold.
    pub available: i64,
    /// Whether it is sold beyond that.
    pub backorder: bool,
}

/// What can be put into a cart: a variant that is for sale.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct OfferRow {
    /// The variant.
    pub variant_id: VariantId,
    /// The product's name.
    pub name: String,
    /// Today's price.
    pub price_minor: i64,
    /// Pieces that can be sold now.
    pub available: i64,
    /// Whether it is sold beyond that.
    pub backorder: bool,
}

#[derive(FromRow)]
struct SlugRow {
    #[sqlx(try_from = "String")]
    slug: Slug,
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

/// What the shop says of variants `v` of products `p`, after the columns `id`, `variant_id`,
/// `quantity` and `seen_price_minor` of a line. A line's picture is the first one of its product
/// that shows one of its options, or else the first one. The options are a JSON list of texts:
/// looking for the quoted value finds it without the JSON functions, which the two databases spell
/// differently.
const TODAY: &str = "v.product_id, p.slug, v.sku, p.name, v.options,
            coalesce((
                select m.storage_key
                from product_images m
                where m.product_id = v.product_id
                    and m.option_value <> ''
                    and replace(v.options, '\"' || m.option_value || '\"', '') <> v.options
                order by m.position, m.id
                limit 1
            ), (
                select m.storage_key
                from product_images m
                where m.product_id = v.product_id
                order by m.position, m.id
                limit 1
            ), '') as image_key,
            v.price_minor, v.currency,
            v.active and p.status = 'active' as for_sale, p.digital,
            coalesce(p.tax_class, 'standard') as tax_class,
            p.category_id, v.weight_grams,
            coalesce((
                select cast(sum(s.on_hand - s.reserved) as bigint)
                from stock_levels s
                where s.variant_id = v.id
                    and s.location_id in (select id from locations where active)
            ), 0) as available, v.backorder ";

/// The lines of a cart in the order they were added.
pub async fn lines(conn: &mut Conn, cart: CartId) -> db::Result<Vec<LineRow>> {
    let mut query = Query::new("select i.id, i.variant_id, i.quantity, i.seen_price_minor, ");
    query.push(TODAY).push(
        "from cart_items i
        join variants v on v.id = i.variant_id
        join products p on p.id = v.product_id
        where i.cart_id = ",
    );
    query.bind(cart).push(" order by i.id");
    query.fetch_all(conn).await
}

/// Lines of one piece each of the variants with these SKUs, as if they were in a cart.
pub async fn lines_of_skus(conn: &mut Conn, skus: &[String]) -> db::Result<Vec<LineRow>> {
    if skus.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(
        "select v.id, v.id as variant_id, cast(1 as bigint) as quantity,
            v.price_minor as seen_price_minor, ",
    );
    query.push(TODAY).push(
        "from variants v
        join products p on p.id = v.product_id
        where v.sku in ",
    );
    query.bind_list(skus.iter().map(String::as_str));
    query.fetch_all(conn).await
}

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

/// A variant that is for sale.
pub async fn offer(
    conn: &mut Conn,
    variant: VariantId,
    currency: Currency,
) -> db::Result<Option<OfferRow>> {
    fetch_optional!(
        conn,
        OfferRow,
        "select v.id as variant_id, p.name, v.price_minor,
            coalesce((
                select cast(sum(s.on_hand - s.reserved) as bigint)
                from stock_levels s
                where s.variant_id = v.id
                    and s.location_id in (select id from locations where active)
            ), 0) as available,
            v.backorder
        from variants v
        join products p on p.id = v.product_id
        where v.id = $1 and v.active and v.currency = $2 and p.status = 'active'",
        variant,
        currency.code(),
    )
}

/// The first two variants of a product that are for sale: enough to know whether there is one.
pub async fn variants_of(
    conn: &mut Conn,
    product: ProductId,
    currency: Currency,
) -> db::Result<Vec<VariantId>> {
    let rows = fetch_all!(
        conn,
        (VariantId,),
        "select v.id
        from variants v
        join products p on p.id = v.product_id
        where p.id = $1 and v.active and v.currency = $2 and p.status = 'active'
        order by v.position, v.id
        limit 2",
        product,
        currency.code(),
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The slug of a variant's product, or of a product, for sale or not.
pub async fn slug_of(
    conn: &mut Conn,
    variant: Option<VariantId>,
    product: Option<ProductId>,
) -> db::Result<Option<Slug>> {
    let row = fetch_optional!(
        conn,
        SlugRow,
        "select p.slug
        from products p
        where p.id = $1 or p.id = (select v.product_id from variants v where v.id = $2)
        limit 1",
        product,
        variant,
    )?;
    Ok(row.map(|row| row.slug))
}

/// Adds pieces to a line, made when needed. Gives how many there are then.
pub async fn add(
    tx: &mut Tx,
    cart: CartId,
    variant: VariantId,
    quantity: i64,
    seen_price_minor: i64,
    now: Timestamp,
) -> db::Result<i64> {
    let (quantity,) = fetch_one!(
        tx,
        (i64,),
        "insert into cart_items (cart_id, variant_id, quantity, seen_price_minor, created_at)
        values ($1, $2, $3, $4, $5)
        on conflict (cart_id, variant_id) do update
        set quantity = cart_items.quantity + excluded.quantity,
            seen_price_minor = excluded.seen_price_minor
        returning quantity",
        cart,
        variant,
        quantity,
        seen_price_minor,
        now,
    )?;
    Ok(quantity)
}

/// Sets how many a line has, and the price that the shopper saw. Gives false when the cart has
/// no such line.
pub async fn set_quantity(
    tx: &mut Tx,
    cart: CartId,
    item: CartItemId,
    quantity: i64,
    seen_price_minor: i64,
) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update cart_items
        set quantity = $1, seen_price_minor = $2
        where id = $3 and cart_id = $4",
        quantity,
        seen_price_minor,
        item,
        cart,
    )?;
    Ok(changed == 1)
}

/// Removes a line. Gives false when the cart has no such line.
pub async fn remove(tx: &mut Tx, cart: CartId, item: CartItemId) -> db::Result<bool> {
    let removed = execute!(
        tx,
        "delete from cart_items
        where id = $1 and cart_id = $2",
        item,
        cart,
    )?;
    Ok(removed == 1)
}

/// Removes all lines.
pub async fn clear(tx: &mut Tx, cart: CartId) -> db::Result<()> {
    execute!(tx, "delete from cart_items where cart_id = $1", cart)?;
    Ok(())
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

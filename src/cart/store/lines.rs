//! The lines of carts, with what the shop says of each variant today.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one};
use crate::types::{
    CartId, CartItemId, CategoryId, Currency, ProductId, Slug, Timestamp, VariantId,
};

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

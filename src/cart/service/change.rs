//! Putting things into a cart, changing how many, and taking them out.

use serde::{Deserialize, Serialize};

use super::super::model::Cart;
use super::super::store::{self, CartRow, OfferRow};
use super::price::{empty, is_for_sale, load};
use super::{MAX_LINES, find};
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::types::{CartItemId, ProductId, Slug, VariantId};

/// What to put into the cart: a variant, or a product that has only one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddItem {
    /// Which variant.
    #[schema(value_type = Option<i64>)]
    pub variant_id: Option<VariantId>,
    /// Or which product.
    #[schema(value_type = Option<i64>)]
    pub product_id: Option<ProductId>,
    /// How many; left out: 1.
    pub quantity: Option<i64>,
}

/// Puts something into the cart; makes the cart when needed (its token is in the answer).
/// Errors: `Invalid` at `quantity`, `variant_id` or `product_id`; conflicts `out_of_stock` with
/// `{"available": n}`, and `cart_full`.
pub async fn add_item(app: &App, ctx: &Ctx, input: AddItem) -> Result<Cart> {
    let quantity = input.quantity.unwrap_or(1);
    check_quantity(app, quantity)?;
    let token = app.rng.token();
    let mut tx = app.db.begin().await?;
    let variant = resolve(&mut tx, app, &input).await?;
    let offer = store::offer(&mut tx, variant, app.currency()).await?;
    let offer = offer.ok_or_else(|| {
        let message = "This is not for sale.";
        Error::invalid(field_of(&input), "not_for_sale", message)
    })?;
    let row = open(&mut tx, ctx, &token).await?;
    let wanted = store::add(
        &mut tx,
        row.id,
        variant,
        quantity,
        offer.price_minor,
        ctx.now,
    )
    .await?;
    check_quantity(app, wanted)?;
    check_stock(&offer, wanted, wanted - quantity)?;
    let cart = load(&mut tx, app, ctx, &row).await?;
    if cart.items.len() > MAX_LINES {
        let detail = format!("A cart holds {MAX_LINES} different articles at most.");
        return Err(Error::conflict("cart_full", detail));
    }
    tx.commit().await?;
    Ok(cart)
}

/// The product that is meant, for the way back to its page when nothing could be added.
pub async fn product_of(app: &App, input: &AddItem) -> Result<Option<Slug>> {
    let mut conn = app.db.conn().await?;
    Ok(store::slug_of(&mut conn, input.variant_id, input.product_id).await?)
}

/// Changes how many of a line; 0 removes it.
pub async fn set_quantity(app: &App, ctx: &Ctx, item: CartItemId, quantity: i64) -> Result<Cart> {
    if quantity == 0 {
        return remove_item(app, ctx, item).await;
    }
    check_quantity(app, quantity)?;
    let (mut tx, row) = begin_change(app, ctx).await?;
    let lines = store::lines(&mut tx, row.id).await?;
    let line = lines.iter().find(|line| line.id == item);
    let line = line.ok_or(Error::NotFound)?;
    let offer = OfferRow {
        variant_id: line.variant_id,
        name: line.name.clone(),
        price_minor: line.price_minor,
        available: if is_for_sale(app, line) {
            line.available
        } else {
            0
        },
        backorder: line.backorder && is_for_sale(app, line),
    };
    // To lower a line is always fine, even where it still asks for too many.
    if quantity > line.quantity {
        check_stock(&offer, quantity, 0)?;
    }
    store::set_quantity(&mut tx, row.id, item, quantity, offer.price_minor).await?;
    finish_change(app, ctx, tx, &row).await
}

/// Removes a line.
pub async fn remove_item(app: &App, ctx: &Ctx, item: CartItemId) -> Result<Cart> {
    let (mut tx, row) = begin_change(app, ctx).await?;
    if !store::remove(&mut tx, row.id, item).await? {
        return Err(Error::NotFound);
    }
    finish_change(app, ctx, tx, &row).await
}

/// Removes all lines.
pub async fn clear(app: &App, ctx: &Ctx) -> Result<Cart> {
    let (mut tx, row) = match begin_change(app, ctx).await {
        Err(Error::NotFound) => return empty(app, ctx),
        begun => begun?,
    };
    store::clear(&mut tx, row.id).await?;
    finish_change(app, ctx, tx, &row).await
}

/// The asker's active cart, made when needed with `token`, and locked. Errors: `Unavailable` when
/// parallel requests of the same asker order each cart that we find.
pub(super) async fn open(tx: &mut Tx, ctx: &Ctx, token: &str) -> Result<CartRow> {
    for _ in 0..3 {
        let row = match find(tx, ctx).await? {
            Some(row) => Some(row),
            None => make(tx, ctx, token).await?,
        };
        if let Some(row) = row
            && store::touch(tx, row.id, ctx.now).await?
        {
            return Ok(row);
        }
    }
    Err(Error::Unavailable)
}

/// A new cart of the asker's, or the one that a parallel request made; none when that one is an
/// order already.
async fn make(tx: &mut Tx, ctx: &Ctx, token: &str) -> Result<Option<CartRow>> {
    store::insert(tx, token, ctx.user_id(), ctx.now).await?;
    Ok(match ctx.user_id() {
        Some(user) => store::active_of_user(tx, user).await?,
        None => store::by_token(tx, token).await?,
    })
}

/// Begins to change the lines of the asker's cart. Errors: `NotFound` when there is none.
pub(super) async fn begin_change(app: &App, ctx: &Ctx) -> Result<(Tx, CartRow)> {
    let mut tx = app.db.begin().await?;
    let row = find(&mut tx, ctx).await?.ok_or(Error::NotFound)?;
    if store::touch(&mut tx, row.id, ctx.now).await? {
        Ok((tx, row))
    } else {
        Err(Error::NotFound)
    }
}

pub(super) async fn finish_change(app: &App, ctx: &Ctx, mut tx: Tx, row: &CartRow) -> Result<Cart> {
    let cart = load(&mut tx, app, ctx, row).await?;
    tx.commit().await?;
    Ok(cart)
}

fn field_of(input: &AddItem) -> &'static str {
    if input.variant_id.is_some() {
        "variant_id"
    } else {
        "product_id"
    }
}

/// The variant that is meant.
async fn resolve(conn: &mut Conn, app: &App, input: &AddItem) -> Result<VariantId> {
    match (input.variant_id, input.product_id) {
        (Some(_), Some(_)) => {
            let message = "Give a variant or a product, not both.";
            Err(Error::invalid("product_id", "one_of", message))
        }
        (Some(variant), None) => Ok(variant),
        (None, Some(product)) => {
            let variants = store::variants_of(conn, product, app.currency()).await?;
            match variants.as_slice() {
                [] => {
                    let message = "There is no such product for sale.";
                    Err(Error::invalid("product_id", "not_for_sale", message))
                }
                [variant] => Ok(*variant),
                _ => {
                    let message = "This comes in several variants: choose one.";
                    Err(Error::invalid("product_id", "choose_variant", message))
                }
            }
        }
        (None, None) => {
            let message = "Say which variant or product.";
            Err(Error::invalid("variant_id", "required", message))
        }
    }
}

fn check_quantity(app: &App, quantity: i64) -> Result<()> {
    let max = app.config.max_quantity;
    if (1..=max).contains(&quantity) {
        Ok(())
    } else {
        let message = format!("Choose 1 to {max} of one article.");
        Err(Error::invalid("quantity", "range", message))
    }
}

fn check_stock(offer: &OfferRow, wanted: i64, in_cart: i64) -> Result<()> {
    let available = offer.available.max(0);
    if offer.backorder || wanted <= available {
        return Ok(());
    }
    let name = &offer.name;
    let detail = match (available, in_cart) {
        (0, _) => format!("{name} is sold out."),
        (_, 0) => format!("Only {available} of {name} left."),
        _ => format!("Only {available} of {name} left, and {in_cart} in your cart already."),
    };
    Err(Error::Conflict {
        code: "out_of_stock",
        detail,
        data: serde_json::json!({ "available": available }),
    })
}

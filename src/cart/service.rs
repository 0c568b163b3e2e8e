//! Filling a cart. Whose cart it is follows from the [`Ctx`]: the signed-in user's, or the one
//! that `ctx.cart_token` names. Each answer is checked against today's prices and stock.

use serde::{Deserialize, Serialize};

use super::model::Cart;
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::types::{CartItemId, ProductId, VariantId};

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

/// The asker's cart; an empty one where there is none yet.
pub async fn current(_app: &App, _ctx: &Ctx) -> Result<Cart> {
    todo!()
}

/// Pieces in the asker's cart, for the header.
pub async fn count(_app: &App, _ctx: &Ctx) -> Result<i64> {
    todo!()
}

/// Puts something into the cart; makes the cart when needed (its token is in the answer).
/// Errors: `Invalid` at `quantity`, `variant_id` or `product_id`; conflict `out_of_stock`.
pub async fn add_item(_app: &App, _ctx: &Ctx, _input: AddItem) -> Result<Cart> {
    todo!()
}

/// Changes how many of a line; 0 removes it.
pub async fn set_quantity(
    _app: &App,
    _ctx: &Ctx,
    _item: CartItemId,
    _quantity: i64,
) -> Result<Cart> {
    todo!()
}

/// Removes a line.
pub async fn remove_item(_app: &App, _ctx: &Ctx, _item: CartItemId) -> Result<Cart> {
    todo!()
}

/// Removes all lines.
pub async fn clear(_app: &App, _ctx: &Ctx) -> Result<Cart> {
    todo!()
}

/// At sign-in: the guest's cart that `guest_token` names goes into the cart of the user in
/// `ctx`; quantities add up, capped by stock. Gives how many lines came over. A cart that
/// belongs to somebody is never taken.
pub async fn merge_guest_cart(_app: &App, _ctx: &Ctx, _guest_token: &str) -> Result<i64> {
    todo!()
}

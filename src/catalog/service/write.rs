//! Making, changing and deleting products.

use super::{ProductInput, ProductKey};
use crate::app::App;
use crate::catalog::model::Product;
use crate::ctx::Ctx;
use crate::error::Result;

/// Makes a product with its variants and their stock.
pub async fn create_product(_app: &App, _ctx: &Ctx, _input: ProductInput) -> Result<Product> {
    todo!()
}

/// Changes what `input` gives. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_product(
    _app: &App,
    _ctx: &Ctx,
    _key: &ProductKey,
    _version: Option<i64>,
    _input: ProductInput,
) -> Result<Product> {
    todo!()
}

/// Deletes a product that was never ordered; archives any other.
pub async fn delete_product(
    _app: &App,
    _ctx: &Ctx,
    _key: &ProductKey,
    _version: Option<i64>,
) -> Result<()> {
    todo!()
}

//! Pictures of products.

use super::ProductKey;
use crate::app::App;
use crate::catalog::model::Image;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::types::ImageId;

/// Decodes an uploaded picture, encodes it anew in several sizes and adds it at the end.
/// Errors: `Invalid` at `image` for what is no picture, too large or too many pixels.
pub async fn add_image(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _bytes: Vec<u8>,
    _alt: &str,
) -> Result<Image> {
    todo!()
}

/// Changes a picture's alt text or place.
pub async fn update_image(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _image: ImageId,
    _alt: Option<String>,
    _position: Option<i64>,
) -> Result<Image> {
    todo!()
}

/// Removes a picture.
pub async fn delete_image(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _image: ImageId,
) -> Result<()> {
    todo!()
}

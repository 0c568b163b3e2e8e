//! The demonstration shop: "olmo", stoneware, lamps and oak.

use crate::app::App;
use crate::error::Result;

/// Fills an empty shop with the demo catalog; does nothing to one that has products. Gives
/// whether it did.
pub async fn fill(_app: &App) -> Result<bool> {
    Ok(false)
}

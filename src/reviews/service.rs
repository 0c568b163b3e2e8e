//! Writing and reading reviews; keeps the product's rating in the same transaction.

use serde::{Deserialize, Serialize};

use super::model::{Histogram, Review};
use crate::app::App;
use crate::catalog::ProductKey;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::types::{Page, PageRequest, ReviewId};

/// What a reviewer gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewInput {
    /// Stars, 1 to 5.
    pub rating: i64,
    /// A headline, at most 120 characters.
    pub title: String,
    /// The text, at most 5000 characters.
    pub body: String,
}

/// A page of a product's reviews, newest first, and how the stars are spread.
pub async fn list(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _page: PageRequest,
) -> Result<(Page<Review>, Histogram)> {
    todo!()
}

/// The signed-in user's own review of a product, if they wrote one.
pub async fn own(_app: &App, _ctx: &Ctx, _product: &ProductKey) -> Result<Option<Review>> {
    todo!()
}

/// Writes the signed-in user's review. Errors: `Unauthenticated`; a second one is a conflict,
/// `already_reviewed`.
pub async fn create(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _input: ReviewInput,
) -> Result<Review> {
    todo!()
}

/// Changes the signed-in user's own review.
pub async fn update(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _review: ReviewId,
    _input: ReviewInput,
) -> Result<Review> {
    todo!()
}

/// Removes a review: one's own, or any by staff with `catalog`.
pub async fn delete(
    _app: &App,
    _ctx: &Ctx,
    _product: &ProductKey,
    _review: ReviewId,
) -> Result<()> {
    todo!()
}

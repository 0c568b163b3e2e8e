//! Reviews: one of each user and product.

use crate::types::{ProductId, ReviewId, Timestamp, UserId};

/// What a user wrote about a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// About what.
    pub product_id: ProductId,
    /// By whom.
    pub user_id: UserId,
    /// The name that readers see: first name and initial.
    pub author: String,
    /// Stars, 1 to 5.
    pub rating: i64,
    /// A headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How many reviews gave 1, 2, 3, 4 and 5 stars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram(pub [i64; 5]);

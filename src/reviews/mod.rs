//! What shoppers say about products.

pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{Histogram, Review};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::{ReviewId, Slug};

    /// The reviews of a product: a part of its page.
    pub fn of_product(slug: &Slug) -> String {
        format!("/products/{slug}#reviews")
    }

    /// The form to write a review.
    pub fn new(slug: &Slug) -> String {
        format!("/products/{slug}/reviews/new")
    }

    /// Writes a review (POST).
    pub fn create(slug: &Slug) -> String {
        format!("/products/{slug}/reviews")
    }

    /// The form to change one's review (GET), changes it (POST).
    pub fn edit(slug: &Slug, id: ReviewId) -> String {
        format!("/products/{slug}/reviews/{id}/edit")
    }

    /// Removes a review (POST).
    pub fn delete(slug: &Slug, id: ReviewId) -> String {
        format!("/products/{slug}/reviews/{id}/delete")
    }
}

//! What shoppers say about products.

pub mod admin;
pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{
    Histogram, Imbalance, Reply, Review, ReviewFilter, ReviewOfProduct, ReviewSort, ReviewState,
    StaffFilter,
};

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

    /// All reviews of a product on a page of their own.
    pub fn all(slug: &Slug) -> String {
        format!("/products/{slug}/reviews")
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

    /// Staff: all reviews.
    pub const ADMIN_REVIEWS: &str = "/admin/reviews";

    /// Staff: a review (GET), hides or answers it (POST).
    pub fn admin_review(id: ReviewId) -> String {
        format!("{ADMIN_REVIEWS}/{id}")
    }
}

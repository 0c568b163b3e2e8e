//! What is sold: categories, products, variants, pictures.

pub mod admin;
pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{
    Category, CategoryTree, Facets, Image, OptionValue, Product, ProductCard, ProductFilter,
    ProductOption, ProductSort, ProductStatus, Rating, Variant, image_url,
};
pub use service::ProductKey;

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::Slug;

    /// The front page.
    pub const HOME: &str = "/";
    /// All products, and search.
    pub const PRODUCTS: &str = "/products";

    /// A product's page.
    pub fn product(slug: &Slug) -> String {
        format!("/products/{slug}")
    }

    /// A category's page.
    pub fn category(slug: &Slug) -> String {
        format!("/categories/{slug}")
    }
}

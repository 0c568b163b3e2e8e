//! What is sold: categories, products, variants, pictures.

pub mod admin;
pub mod api;
pub mod jobs;
mod markdown;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use markdown::{plain as plain_text, render as render_markdown};
pub use model::{
    Category, CategoryTree, Facets, Image, Listing, LowStock, OptionValue, PriceRange, Product,
    ProductCard, ProductFilter, ProductOption, ProductSort, ProductStatus, Rating, Related, Seo,
    StaffCard, StaffFilter, StaffSort, StaffWords, StockChoice, Suggestions, Variant, image_url,
};
pub use service::ProductKey;

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::{CategoryId, ImageId, ProductId, Slug};

    /// The front page.
    pub const HOME: &str = "/";
    /// All products, and search.
    pub const PRODUCTS: &str = "/products";

    /// The index of the sitemap.
    pub const SITEMAP: &str = "/sitemap.xml";
    /// All products for merchants' centres.
    pub const FEED: &str = "/feeds/products.xml";

    /// All products with a tag.
    pub fn tag(tag: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("tag", tag);
        format!("{PRODUCTS}?{}", query.finish())
    }

    /// A product's page.
    pub fn product(slug: &Slug) -> String {
        format!("/products/{slug}")
    }

    /// Asks for a letter when a variant of a product can be bought again (POST).
    pub fn product_wait(slug: &Slug) -> String {
        format!("/products/{slug}/back-in-stock")
    }

    /// A category's page.
    pub fn category(slug: &Slug) -> String {
        format!("/categories/{slug}")
    }

    /// Staff: all products.
    pub const ADMIN_PRODUCTS: &str = "/admin/products";
    /// Staff: asks whether to change many products (GET), changes them (POST).
    pub const ADMIN_BULK: &str = "/admin/products/bulk";
    /// Staff: saves stock that was typed in the list (POST).
    pub const ADMIN_STOCK: &str = "/admin/products/stock";
    /// Staff: the form of a new product.
    pub const ADMIN_PRODUCT_NEW: &str = "/admin/products/new";
    /// Staff: all categories.
    pub const ADMIN_CATEGORIES: &str = "/admin/categories";
    /// Staff: the form of a new category.
    pub const ADMIN_CATEGORY_NEW: &str = "/admin/categories/new";

    /// Staff: the form of a product.
    pub fn admin_product(id: ProductId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}")
    }

    /// Staff: the variants of a product, a page at a time.
    pub fn admin_variants(id: ProductId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}/variants")
    }

    /// Staff: the stock of all variants of a product (GET), saves it (POST).
    pub fn admin_product_stock(id: ProductId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}/stock")
    }

    /// Staff: makes a draft like a product and opens it (POST).
    pub fn admin_product_duplicate(id: ProductId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}/duplicate")
    }

    /// Staff: asks whether to delete a product (GET), deletes it (POST).
    pub fn admin_product_delete(id: ProductId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}/delete")
    }

    /// Staff: adds a picture to a product (POST).
    pub fn admin_images(id: ProductId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}/images")
    }

    /// Staff: changes, moves or removes a picture (POST).
    pub fn admin_image(id: ProductId, image: ImageId) -> String {
        format!("{ADMIN_PRODUCTS}/{id}/images/{image}")
    }

    /// Staff: the form of a category.
    pub fn admin_category(id: CategoryId) -> String {
        format!("{ADMIN_CATEGORIES}/{id}")
    }

    /// Staff: asks whether to delete a category (GET), deletes it (POST).
    pub fn admin_category_delete(id: CategoryId) -> String {
        format!("{ADMIN_CATEGORIES}/{id}/delete")
    }
}

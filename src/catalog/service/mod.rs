//! Reading and changing categories, products, variants and pictures. What is visible to whom
//! is decided here: shoppers see active products, staff with `catalog` see all.

pub mod bulk;
mod categories;
mod draft;
mod duplicate;
mod facets;
pub mod images;
mod indexing;
mod input;
pub mod many;
mod read;
mod staff;
mod stock;
mod write;

pub use categories::{
    CATEGORY_CHANGED, categories, categories_for_staff, category, category_for_staff,
    category_redirect, create_category, delete_category, find_category, update_category,
};
pub use draft::{MAX_OPTIONS, MAX_VARIANTS, combinations};
pub use duplicate::duplicate_product;
pub use images::{ImageInput, ReadyImage, add_image, add_ready_images, delete_image, update_image};
pub use indexing::{IndexDifference, catch_up, compare_index, follow_index, remake_index};
pub use input::{
    AttributeInput, CategoryInput, OptionInput, OptionValueInput, ProductInput, VariantInput,
    VariantsInput,
};
pub use read::{
    facets, featured_products, find_product, list_products, low_stock, product, product_for_staff,
    product_id, products_after, redirect_of, related_products, search_products, sitemap_parts,
    sitemap_products, suggest,
};
pub use staff::{list_for_staff, staff_words};
pub use stock::{StockEdit, StockInput, edit_stock, stock_of};
pub use write::{
    CHANGED, PUBLISH, create_product, create_product_in, delete_product, publish_due,
    update_product, update_product_in, update_variants,
};

use crate::types::ProductId;

/// How to name one product: its id or its slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductKey {
    /// By id.
    Id(ProductId),
    /// By slug.
    Slug(String),
}

impl ProductKey {
    /// Digits are an id, anything else a slug.
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(id) => Self::Id(ProductId(id)),
            Err(_) => Self::Slug(text.to_owned()),
        }
    }
}

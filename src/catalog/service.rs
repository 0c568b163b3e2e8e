//! Reading and changing categories, products, variants and pictures. What is visible to whom
//! is decided here: shoppers see active products, staff with `catalog` see all.

use serde::{Deserialize, Serialize};

use super::model::{Category, CategoryTree, Facets, Image, Product, ProductCard, ProductFilter};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::types::{CategoryId, ImageId, MoneyInput, Page, PageRequest, ProductId, VariantId};

/// A product as it is written by a form or an API client. With neither `options` nor
/// `variants`, `price`, `stock` and `sku` describe the one variant of a simple product.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProductInput {
    /// Its name.
    pub name: Option<String>,
    /// Its name in URLs; left out: made from the name.
    pub slug: Option<String>,
    /// Who made it.
    pub maker: Option<String>,
    /// One sentence.
    pub summary: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// Where it stands in the tree.
    #[schema(value_type = Option<i64>)]
    pub category_id: Option<CategoryId>,
    /// `draft`, `active` or `archived`; a new product is active.
    pub status: Option<String>,
    /// Free words.
    pub tags: Option<Vec<String>>,
    /// Facts as name and value.
    pub attributes: Option<Vec<AttributeInput>>,
    /// What a shopper chooses.
    pub options: Option<Vec<OptionInput>>,
    /// All variants; one with an id is changed, one without is made, one left out goes.
    pub variants: Option<Vec<VariantInput>>,
    /// Simple products: the price, `"19.99"`.
    #[schema(value_type = Option<String>)]
    pub price: Option<MoneyInput>,
    /// Simple products: pieces on the shelf.
    pub stock: Option<i64>,
    /// Simple products: the SKU; left out: made from the slug.
    pub sku: Option<String>,
}

/// An attribute.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttributeInput {
    /// `Material`
    pub name: String,
    /// `Stoneware`
    pub value: String,
}

/// An option with its values.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptionInput {
    /// `Colour`
    pub name: String,
    /// What can be chosen.
    pub values: Vec<OptionValueInput>,
}

/// A choice of an option.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptionValueInput {
    /// `Oat`
    pub value: String,
    /// `#e4dac8`, or left out.
    pub swatch: Option<String>,
}

/// A variant.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VariantInput {
    /// Which one to change; left out: a new one.
    #[schema(value_type = Option<i64>)]
    pub id: Option<VariantId>,
    /// The merchant's own number; left out: made from the slug and the options.
    pub sku: Option<String>,
    /// One value for each option of the product.
    pub options: Vec<String>,
    /// The price of one.
    #[schema(value_type = Option<String>)]
    pub price: Option<MoneyInput>,
    /// The price it had before.
    #[schema(value_type = Option<String>)]
    pub compare_at_price: Option<MoneyInput>,
    /// Pieces on the shelf; left out: unchanged, for a new one 0.
    pub stock: Option<i64>,
    /// Grams.
    pub weight_grams: Option<i64>,
    /// GTIN.
    pub barcode: Option<String>,
    /// Whether it can be bought.
    pub active: Option<bool>,
}

/// A category as it is written.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CategoryInput {
    /// Its name.
    pub name: Option<String>,
    /// Its name in URLs; left out: made from the name.
    pub slug: Option<String>,
    /// The node above; 0 or left out: a root.
    #[schema(value_type = Option<i64>)]
    pub parent_id: Option<CategoryId>,
    /// A sentence or two.
    pub description: Option<String>,
    /// Its place among its siblings.
    pub position: Option<i64>,
}

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

/// The whole category tree.
pub async fn categories(_app: &App) -> Result<CategoryTree> {
    todo!()
}

/// Makes a category.
pub async fn create_category(_app: &App, _ctx: &Ctx, _input: CategoryInput) -> Result<Category> {
    todo!()
}

/// Changes what `input` gives. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_category(
    _app: &App,
    _ctx: &Ctx,
    _id: CategoryId,
    _version: Option<i64>,
    _input: CategoryInput,
) -> Result<Category> {
    todo!()
}

/// Deletes a category; its children and products move up to its parent.
pub async fn delete_category(
    _app: &App,
    _ctx: &Ctx,
    _id: CategoryId,
    _version: Option<i64>,
) -> Result<()> {
    todo!()
}

/// A page of products that the asker may see.
pub async fn list_products(
    _app: &App,
    _ctx: &Ctx,
    _filter: &ProductFilter,
    _page: PageRequest,
) -> Result<Page<ProductCard>> {
    todo!()
}

/// What the products of a list have, for the filters beside it.
pub async fn facets(_app: &App, _ctx: &Ctx, _filter: &ProductFilter) -> Result<Facets> {
    todo!()
}

/// The best-rated products that can be bought.
pub async fn featured_products(_app: &App, _ctx: &Ctx, _limit: i64) -> Result<Vec<ProductCard>> {
    todo!()
}

/// A product. Errors: `NotFound` for what the asker may not see.
pub async fn product(_app: &App, _ctx: &Ctx, _key: &ProductKey) -> Result<Product> {
    todo!()
}

/// Where a slug that no product has any more leads: the product's new slug.
pub async fn redirect_of(_app: &App, _slug: &str) -> Result<Option<String>> {
    todo!()
}

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

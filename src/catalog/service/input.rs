//! Products and categories as a form or an API client writes them.

use serde::{Deserialize, Serialize};

use crate::catalog::model::{OptionValue, Product, ProductOption, Variant};
use crate::types::{CategoryId, Money, MoneyInput, Timestamp, VariantId};

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
    /// Where it stands in the tree; left out: unchanged, 0: nowhere.
    #[schema(value_type = Option<i64>)]
    pub category_id: Option<CategoryId>,
    /// `draft`, `active` or `archived`; a new product is active.
    pub status: Option<String>,
    /// When a draft goes on sale by itself, RFC 3339 or `2026-12-24T09:00` in UTC; empty: never.
    pub publish_at: Option<String>,
    /// Whether there is nothing to send by post.
    pub digital: Option<bool>,
    /// The code of its tax class; a new product is `standard`.
    pub tax_class: Option<String>,
    /// What search engines show instead of the name.
    pub seo_title: Option<String>,
    /// What search engines show instead of the summary.
    pub seo_description: Option<String>,
    /// Ids or slugs of products that go well with it, in order.
    pub related: Option<Vec<String>>,
    /// Free words.
    pub tags: Option<Vec<String>>,
    /// Facts as name and value.
    pub attributes: Option<Vec<AttributeInput>>,
    /// What a shopper chooses.
    pub options: Option<Vec<OptionInput>>,
    /// All variants; one with an id is changed, one without is made, one left out goes.
    pub variants: Option<Vec<VariantInput>>,
    /// `true`: also makes a variant of each combination of the options that has none, at the
    /// price of the first.
    pub combine: Option<bool>,
    /// Simple products: the price, `"19.99"`.
    #[schema(value_type = Option<String>)]
    pub price: Option<MoneyInput>,
    /// Simple products: pieces on the shelf.
    pub stock: Option<i64>,
    /// Simple products: the SKU; left out: made from the slug.
    pub sku: Option<String>,
}

impl ProductInput {
    /// What makes any product the same as this one, which may be read back from it; whoever wants
    /// another product of its kind leaves ids, slug and SKUs away. Variants that do not fit the
    /// options any more are left out: they can only be switched off, and are.
    pub fn of(product: &Product) -> Self {
        let fits = |variant: &&Variant| {
            let mut pairs = product.options.iter().zip(&variant.options);
            variant.options.len() == product.options.len()
                && pairs
                    .all(|(option, chosen)| option.values.iter().any(|one| one.value == *chosen))
        };
        let attribute = |(name, value): &(String, String)| AttributeInput {
            name: name.clone(),
            value: value.clone(),
        };
        let publish_at = product.publish_at.map(Timestamp::rfc3339);
        Self {
            name: Some(product.name.clone()),
            slug: Some(product.slug.to_string()),
            maker: Some(product.maker.clone()),
            summary: Some(product.summary.clone()),
            description: Some(product.description.clone()),
            category_id: Some(product.category_id.unwrap_or(CategoryId(0))),
            status: Some(product.status.to_string()),
            publish_at: Some(publish_at.unwrap_or_default()),
            digital: Some(product.digital),
            tax_class: Some(product.tax_class.clone()),
            seo_title: Some(product.seo.title.clone()),
            seo_description: Some(product.seo.description.clone()),
            related: Some(
                product
                    .related
                    .iter()
                    .map(|one| one.id.to_string())
                    .collect(),
            ),
            tags: Some(product.tags.clone()),
            attributes: Some(product.attributes.iter().map(attribute).collect()),
            options: Some(product.options.iter().map(OptionInput::of).collect()),
            variants: Some(
                product
                    .variants
                    .iter()
                    .filter(fits)
                    .map(VariantInput::of)
                    .collect(),
            ),
            ..Self::default()
        }
    }
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

impl OptionInput {
    fn of(option: &ProductOption) -> Self {
        let value = |one: &OptionValue| OptionValueInput {
            value: one.value.clone(),
            swatch: one.swatch.clone(),
            ..OptionValueInput::default()
        };
        Self {
            name: option.name.clone(),
            values: option.values.iter().map(value).collect(),
        }
    }
}

/// A choice of an option.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptionValueInput {
    /// `Oat`
    pub value: String,
    /// `#e4dac8`, or left out.
    pub swatch: Option<String>,
    /// What the value was called: where `variants` are left out, they follow it to its new name.
    pub was: Option<String>,
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
    /// The price it had before; left out: unchanged, `"0"`: none.
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

impl VariantInput {
    fn of(variant: &Variant) -> Self {
        let former = variant
            .compare_at
            .map_or_else(|| "0".to_owned(), Money::amount);
        Self {
            id: Some(variant.id),
            sku: Some(variant.sku.clone()),
            options: variant.options.clone(),
            price: Some(MoneyInput::new(variant.price.amount())),
            compare_at_price: Some(MoneyInput::new(former)),
            stock: Some(variant.stock.on_hand),
            weight_grams: Some(variant.weight_grams),
            barcode: Some(variant.barcode.clone()),
            active: Some(variant.active),
        }
    }
}

/// Some variants of a product; those that are not named stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VariantsInput {
    /// One with an id is changed, one without is made.
    pub variants: Vec<VariantInput>,
    /// Ids of variants that go; one that was ever ordered is switched off instead.
    #[schema(value_type = Vec<i64>)]
    pub remove: Vec<VariantId>,
}

/// A category as it is written.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CategoryInput {
    /// Its name.
    pub name: Option<String>,
    /// Its name in URLs; left out: made from the name.
    pub slug: Option<String>,
    /// The node above; left out: unchanged, 0: none, a root.
    #[schema(value_type = Option<i64>)]
    pub parent_id: Option<CategoryId>,
    /// A sentence or two.
    pub description: Option<String>,
    /// What search engines show instead of the name.
    pub seo_title: Option<String>,
    /// What search engines show instead of the description.
    pub seo_description: Option<String>,
    /// Its place among its siblings.
    pub position: Option<i64>,
}

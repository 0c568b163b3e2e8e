//! What the API tells of products, pictures and categories.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::catalog::model::{
    Category, CategoryTree, Image, OptionValue, Product, ProductCard, ProductOption, Rating,
    Related, Variant,
};
use crate::catalog::{image_url, render_markdown};
use crate::ctx::{Ctx, Permission};
use crate::types::{CategoryId, Timestamp};
use crate::web::json::MoneyJson;

/// A product with everything.
#[derive(Serialize, ToSchema)]
pub struct ProductJson {
    /// Its id.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// One sentence.
    pub summary: String,
    /// Markdown, as typed.
    pub description: String,
    /// The same as HTML that is safe to show.
    pub description_html: String,
    /// Where it stands in the tree, or null.
    pub category: Option<CategoryRefJson>,
    /// `draft`, `active` or `archived`.
    pub status: &'static str,
    /// The lowest price; null when nothing of it is for sale.
    pub price: Option<MoneyJson>,
    /// What the cheapest variant cost before, or null.
    pub compare_at_price: Option<MoneyJson>,
    /// Pieces that can be bought now, over all variants.
    pub stock: i64,
    /// Whether one can be bought now.
    pub in_stock: bool,
    /// Staff: when a draft goes on sale by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<String>,
    /// Whether there is nothing to send by post.
    pub digital: bool,
    /// The code of its tax class.
    pub tax_class: String,
    /// What search engines show instead of the name, or empty.
    pub seo_title: String,
    /// What search engines show instead of the summary, or empty.
    pub seo_description: String,
    /// What goes well with it, in the merchant's order.
    pub related: Vec<RelatedJson>,
    /// What a shopper chooses.
    pub options: Vec<OptionJson>,
    /// Its variants in order; switched-off ones for staff only.
    pub variants: Vec<VariantJson>,
    /// Facts as name and value.
    pub attributes: Vec<AttributeJson>,
    /// Free words.
    pub tags: Vec<String>,
    /// Its pictures in order; the first is the cover.
    pub images: Vec<ImageJson>,
    /// What shoppers think of it.
    pub rating: RatingJson,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// A product, named by another one.
#[derive(Serialize, ToSchema)]
pub struct RelatedJson {
    /// Its id.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A product as a list shows it.
#[derive(Serialize, ToSchema)]
pub struct ProductCardJson {
    /// Its id.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Where it stands in the tree, or null.
    pub category: Option<CategoryRefJson>,
    /// `draft`, `active` or `archived`.
    pub status: &'static str,
    /// The lowest price; null when nothing of it is for sale.
    pub price: Option<MoneyJson>,
    /// Whether variants differ in price.
    pub price_varies: bool,
    /// What the cheapest variant cost before, or null.
    pub compare_at_price: Option<MoneyJson>,
    /// Pieces that can be bought now, over all variants.
    pub stock: i64,
    /// Whether one can be bought now.
    pub in_stock: bool,
    /// How many variants can be bought.
    pub variant_count: i64,
    /// The variant, where there is only one.
    pub variant_id: Option<i64>,
    /// The cover, or null.
    pub image: Option<ImageJson>,
    /// What shoppers think of it.
    pub rating: RatingJson,
    /// Staff: pieces on the shelf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<i64>,
    /// Staff: pieces on the shelf that somebody is about to buy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
    /// Whether there is nothing to send by post.
    pub digital: bool,
    /// Staff: when a draft goes on sale by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<String>,
    /// Counts its changes.
    pub version: i64,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

/// Something that a shopper chooses.
#[derive(Serialize, ToSchema)]
pub struct OptionJson {
    /// `Colour`
    pub name: String,
    /// What can be chosen.
    pub values: Vec<OptionValueJson>,
}

/// A choice.
#[derive(Serialize, ToSchema)]
pub struct OptionValueJson {
    /// `Oat`
    pub value: String,
    /// A colour to show, `#e4dac8`, or null.
    pub swatch: Option<String>,
}

/// A variant.
#[derive(Serialize, ToSchema)]
pub struct VariantJson {
    /// Its id: what is put into a cart.
    pub id: i64,
    /// The merchant's own number.
    pub sku: String,
    /// One value for each option of the product, in its order.
    pub options: Vec<String>,
    /// The price of one.
    pub price: MoneyJson,
    /// The price it had before, or null.
    pub compare_at_price: Option<MoneyJson>,
    /// Pieces that can be bought now.
    pub stock: i64,
    /// Whether more than that can be bought, and is sent when it comes in.
    pub backorder: bool,
    /// Grams.
    pub weight_grams: i64,
    /// GTIN, or empty.
    pub barcode: String,
    /// Whether it can be bought at all.
    pub active: bool,
    /// Staff: pieces on the shelf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<i64>,
    /// Staff: pieces on the shelf that somebody is about to buy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
}

/// A fact.
#[derive(Serialize, ToSchema)]
pub struct AttributeJson {
    /// `Material`
    pub name: String,
    /// `Stoneware`
    pub value: String,
}

/// A picture.
#[derive(Serialize, ToSchema)]
pub struct ImageJson {
    /// Its id.
    pub id: i64,
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// Width of the original in pixels.
    pub width: i64,
    /// Height of the original in pixels.
    pub height: i64,
    /// Its addresses by width in pixels: `{"400": "/media/…"}`.
    #[schema(value_type = BTreeMap<String, String>)]
    pub urls: BTreeMap<u32, String>,
}

/// What shoppers think of a product.
#[derive(Serialize, ToSchema)]
pub struct RatingJson {
    /// The mean with one decimal, `"4.8"`; null without reviews.
    pub average: Option<String>,
    /// How many reviews.
    pub count: i64,
}

/// A category, named.
#[derive(Serialize, ToSchema)]
pub struct CategoryRefJson {
    /// Its id.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A category.
#[derive(Serialize, ToSchema)]
pub struct CategoryJson {
    /// Its id.
    pub id: i64,
    /// The one above, or null for a root.
    pub parent_id: Option<i64>,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// A sentence or two.
    pub description: String,
    /// What search engines show instead of the name, or empty.
    pub seo_title: String,
    /// What search engines show instead of the description, or empty.
    pub seo_description: String,
    /// Its place among its siblings.
    pub position: i64,
    /// Counts its changes; the `ETag` is made of it.
    pub version: i64,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl ProductJson {
    /// The product as the asker may see it.
    pub fn new(ctx: &Ctx, product: &Product, tree: &CategoryTree) -> Self {
        let cheapest = product
            .for_sale()
            .min_by_key(|variant| variant.price.minor());
        let stock = product
            .for_sale()
            .map(|variant| variant.stock.available())
            .sum();
        Self {
            id: product.id.0,
            slug: product.slug.to_string(),
            name: product.name.clone(),
            maker: product.maker.clone(),
            summary: product.summary.clone(),
            description: product.description.clone(),
            description_html: render_markdown(&product.description),
            category: category_ref(tree, product.category_id),
            status: product.status.as_str(),
            price: cheapest.map(|variant| variant.price.into()),
            compare_at_price: cheapest
                .and_then(|variant| variant.compare_at)
                .map(MoneyJson::from),
            stock,
            in_stock: product.for_sale().any(Variant::in_stock),
            publish_at: product.publish_at.map(Timestamp::rfc3339),
            digital: product.digital,
            tax_class: product.tax_class.clone(),
            seo_title: product.seo.title.clone(),
            seo_description: product.seo.description.clone(),
            related: product.related.iter().map(RelatedJson::from).collect(),
            options: product.options.iter().map(OptionJson::from).collect(),
            variants: variants_json(ctx, product),
            attributes: product
                .attributes
                .iter()
                .map(|(name, value)| AttributeJson {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            tags: product.tags.clone(),
            images: product.images.iter().map(ImageJson::from).collect(),
            rating: product.rating.into(),
            version: product.version,
            created_at: product.created_at.rfc3339(),
            updated_at: product.updated_at.rfc3339(),
        }
    }
}

/// The variants of a product as the asker may see them.
pub fn variants_json(ctx: &Ctx, product: &Product) -> Vec<VariantJson> {
    let staff = ctx.may(Permission::Catalog);
    product
        .variants
        .iter()
        .map(|variant| VariantJson::new(variant, staff))
        .collect()
}

impl VariantJson {
    fn new(variant: &Variant, staff: bool) -> Self {
        Self {
            id: variant.id.0,
            sku: variant.sku.clone(),
            options: variant.options.clone(),
            price: variant.price.into(),
            compare_at_price: variant.compare_at.map(MoneyJson::from),
            stock: variant.stock.available(),
            backorder: variant.backorder,
            weight_grams: variant.weight_grams,
            barcode: variant.barcode.clone(),
            active: variant.active,
            on_hand: staff.then_some(variant.stock.on_hand),
            reserved: staff.then_some(variant.stock.reserved),
        }
    }
}

impl ProductCardJson {
    /// The card for shoppers.
    pub fn new(card: ProductCard, tree: &CategoryTree) -> Self {
        let in_stock = card.in_stock();
        Self {
            id: card.id.0,
            slug: card.slug.to_string(),
            name: card.name,
            summary: card.summary,
            category: category_ref(tree, card.category_id),
            status: card.status.as_str(),
            price: card.price.map(MoneyJson::from),
            price_varies: card.price_varies,
            compare_at_price: card.compare_at.map(MoneyJson::from),
            stock: card.available,
            in_stock,
            variant_count: card.variant_count,
            variant_id: card.only_variant.map(|id| id.0),
            image: card.cover.as_ref().map(ImageJson::from),
            rating: card.rating.into(),
            on_hand: None,
            reserved: None,
            digital: card.digital,
            publish_at: None,
            version: card.version,
            created_at: card.created_at.rfc3339(),
            updated_at: card.updated_at.rfc3339(),
        }
    }

    /// The card for staff, with what is on the shelf.
    pub fn for_staff(card: ProductCard, tree: &CategoryTree) -> Self {
        let stock = card.stock;
        let publish_at = card.publish_at.map(Timestamp::rfc3339);
        Self {
            publish_at,
            on_hand: Some(stock.on_hand),
            reserved: Some(stock.reserved),
            ..Self::new(card, tree)
        }
    }
}

impl From<&Related> for RelatedJson {
    fn from(related: &Related) -> Self {
        Self {
            id: related.id.0,
            slug: related.slug.to_string(),
            name: related.name.clone(),
        }
    }
}

impl From<&ProductOption> for OptionJson {
    fn from(option: &ProductOption) -> Self {
        Self {
            name: option.name.clone(),
            values: option.values.iter().map(OptionValueJson::from).collect(),
        }
    }
}

impl From<&OptionValue> for OptionValueJson {
    fn from(value: &OptionValue) -> Self {
        Self {
            value: value.value.clone(),
            swatch: value.swatch.clone(),
        }
    }
}

impl From<&Image> for ImageJson {
    fn from(image: &Image) -> Self {
        let url = |width: u32| (width, image_url(&image.storage_key, width));
        Self {
            id: image.id.0,
            alt: image.alt.clone(),
            width: image.width,
            height: image.height,
            urls: image.widths().into_iter().map(url).collect(),
        }
    }
}

impl From<Rating> for RatingJson {
    fn from(rating: Rating) -> Self {
        Self {
            average: Some(rating.average()).filter(|average| !average.is_empty()),
            count: rating.count,
        }
    }
}

impl From<&Category> for CategoryJson {
    fn from(category: &Category) -> Self {
        Self {
            id: category.id.0,
            parent_id: category.parent_id.map(|id| id.0),
            slug: category.slug.to_string(),
            name: category.name.clone(),
            description: category.description.clone(),
            seo_title: category.seo.title.clone(),
            seo_description: category.seo.description.clone(),
            position: category.position,
            version: category.version,
            created_at: category.created_at.rfc3339(),
            updated_at: category.updated_at.rfc3339(),
        }
    }
}

pub(super) fn category_ref(tree: &CategoryTree, id: Option<CategoryId>) -> Option<CategoryRefJson> {
    tree.get(id?).map(|category| CategoryRefJson {
        id: category.id.0,
        slug: category.slug.to_string(),
        name: category.name.clone(),
    })
}

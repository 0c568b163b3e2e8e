//! The demo shop's goods, as the files under `demo/` tell them.

use std::collections::BTreeMap;

use anyhow::Context;
use figment::Figment;
use figment::providers::{Format, Toml};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::types::Slug;

/// Everything under `demo/`, inside the binary.
#[derive(RustEmbed)]
#[folder = "demo/"]
struct Files;

/// The whole demo shop.
#[derive(Debug)]
pub struct Goods {
    /// The category tree and the colours.
    pub shop: Shop,
    /// What is sold.
    pub products: Vec<Product>,
    /// What is said about it.
    pub reviews: Reviews,
}

/// `demo/shop.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Colours by the option value that has them: `Oat`, `#e4dac8`.
    pub swatches: BTreeMap<String, String>,
    /// Each after the one above it.
    pub categories: Vec<Category>,
}

/// A node of the category tree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    pub slug: String,
    /// The slug of the one above it.
    pub parent: Option<String>,
    pub name: String,
    pub description: String,
}

/// A product.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    pub name: String,
    /// The slug of its category.
    pub category: String,
    pub maker: String,
    pub summary: String,
    /// Markdown.
    pub description: String,
    pub tags: Vec<String>,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// In whole units of the shop's currency, so that any currency will do.
    pub price: String,
    pub compare_at: Option<String>,
    /// Grams.
    pub weight: i64,
    /// Left out: the one that every shop has.
    pub tax_class: Option<String>,
    /// Of a product without variants.
    pub stock: Option<i64>,
    /// How many days ago it was made.
    pub days: i64,
    /// Which texts of [`Reviews::topics`] suit it.
    pub topic: String,
    /// How many reviews it has.
    pub reviews: usize,
    /// The mean of their stars, more or less.
    pub loved: f64,
    /// The name of each option, followed by its values.
    #[serde(default)]
    pub options: Vec<Vec<String>>,
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// The cover comes first.
    pub pictures: Vec<Picture>,
}

impl Product {
    /// Its name in URLs.
    pub fn slug(&self) -> Slug {
        Slug::from_text(&self.name, "product")
    }
}

/// A variant; what it leaves out is as the product says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// A value of each option.
    pub of: Vec<String>,
    pub price: Option<String>,
    pub compare_at: Option<String>,
    pub weight: Option<i64>,
    pub stock: i64,
}

/// A picture of a product.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Its files are `demo/pictures/{file}-400.webp` and `-800.webp`.
    pub file: String,
    /// The option value that it shows.
    #[serde(default)]
    pub shows: String,
    pub alt: String,
}

/// `demo/reviews.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// Names of the reviewers.
    pub people: Vec<String>,
    /// Headlines and sentences that suit any good review.
    pub extras: Vec<(String, String)>,
    /// What the shop answers to who is disappointed, and to who is glad.
    pub answers: Answers,
    /// Texts by topic.
    pub topics: BTreeMap<String, Topic>,
}

/// What the shop answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// To three stars or fewer.
    pub low: Vec<String>,
    /// To more.
    pub glad: Vec<String>,
}

/// What people say about goods of one kind: headlines and texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// With five stars.
    pub five: Vec<(String, String)>,
    /// With four.
    pub four: Vec<(String, String)>,
    /// With as many as stand in front.
    pub low: Vec<(i64, String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductFile {
    products: Vec<Product>,
}

impl Goods {
    /// Reads the files of the binary.
    pub fn load() -> anyhow::Result<Self> {
        let mut products = Vec::new();
        let mut names: Vec<_> = Files::iter().collect();
        names.sort();
        for name in names.iter().filter(|name| name.starts_with("products/")) {
            products.extend(read::<ProductFile>(name)?.products);
        }
        Ok(Self {
            shop: read("shop.toml")?,
            products,
            reviews: read("reviews.toml")?,
        })
    }
}

/// The files of a picture, by their width.
pub fn picture_files(file: &str) -> anyhow::Result<Vec<(u32, Vec<u8>)>> {
    [400, 800]
        .into_iter()
        .map(|width| Ok((width, bytes(&format!("pictures/{file}-{width}.webp"))?)))
        .collect()
}

fn bytes(name: &str) -> anyhow::Result<Vec<u8>> {
    let file = Files::get(name).with_context(|| format!("demo/{name} is missing"))?;
    Ok(file.data.into_owned())
}

fn read<T: DeserializeOwned>(name: &str) -> anyhow::Result<T> {
    let text = String::from_utf8(bytes(name)?)?;
    let values = Figment::from(Toml::string(&text)).extract();
    values.with_context(|| format!("demo/{name} is wrong"))
}

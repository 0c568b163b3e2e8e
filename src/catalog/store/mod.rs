//! SQL of catalog: categories, lists of products, one product, writing, pictures.

mod bulk;
mod categories;
mod documents;
mod facets;
mod images;
mod list;
mod product;
mod sitemap;
mod staff;
mod write;

pub use bulk::*;
pub use categories::*;
pub use documents::*;
pub use facets::*;
pub use images::*;
pub use list::*;
pub use product::*;
pub use sitemap::*;
pub use staff::*;
pub use write::*;

use crate::catalog::model::{OptionValue, ProductOption};

/// Rows of one statement: few enough that no database runs out of placeholders.
pub const CHUNK: usize = 1_000;

/// Options as a column keeps them.
#[derive(serde::Serialize, serde::Deserialize)]
struct OptionColumn {
    name: String,
    values: Vec<ValueColumn>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct ValueColumn {
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swatch: Option<String>,
}

/// What cannot be read counts as no options; only this file writes the column.
fn read_options(column: &str) -> Vec<ProductOption> {
    let options: Vec<OptionColumn> = serde_json::from_str(column).unwrap_or_default();
    let value = |value: ValueColumn| OptionValue {
        value: value.value,
        swatch: value.swatch,
    };
    options
        .into_iter()
        .map(|option| ProductOption {
            name: option.name,
            values: option.values.into_iter().map(value).collect(),
        })
        .collect()
}

fn write_options(options: &[ProductOption]) -> String {
    let value = |value: &OptionValue| ValueColumn {
        value: value.value.clone(),
        swatch: value.swatch.clone(),
    };
    let columns: Vec<OptionColumn> = options
        .iter()
        .map(|option| OptionColumn {
            name: option.name.clone(),
            values: option.values.iter().map(value).collect(),
        })
        .collect();
    serde_json::to_string(&columns).unwrap_or_else(|_| "[]".to_owned())
}

fn read_texts(column: &str) -> Vec<String> {
    serde_json::from_str(column).unwrap_or_default()
}

fn write_texts(texts: &[String]) -> String {
    serde_json::to_string(texts).unwrap_or_else(|_| "[]".to_owned())
}

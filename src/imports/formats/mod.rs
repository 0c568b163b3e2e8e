//! The formats: which one a file has, which rows make one product, and what they say of it.

mod shopify;
#[cfg(test)]
mod tests;
mod woocommerce;
mod zoco;

use serde::{Deserialize, Serialize};

use super::csv::{Columns, Row};
use super::html;
use super::model::{Format, Problem};
use crate::catalog::service::images::MAX_IMAGES;
use crate::catalog::service::{OptionInput, OptionValueInput, ProductInput, VariantInput};
use crate::catalog::{CategoryTree, Product};
use crate::types::text::protected;
use crate::types::{MoneyInput, Slug};

/// The most rows of one product: its variants, and a picture on each row.
pub const MAX_ROWS: i64 = 1_500;
/// The longest address of a picture, in bytes.
const MAX_URL: usize = 2_000;

/// A product as a file describes it; what the file says nothing of is left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Described {
    /// What is written as it is.
    pub input: ProductInput,
    /// The names of its category from the root down; empty for no category.
    pub category: Option<Vec<String>>,
    /// Its pictures in order.
    pub pictures: Vec<GivenPicture>,
    /// Whether variants that the file does not name stay as they are; else they go.
    pub partial: bool,
}

/// A picture as a file names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenPicture {
    /// Where it is.
    pub url: String,
    /// What it shows; none where the file has no such column.
    pub alt: Option<String>,
    /// The option value that it shows; none where the file does not tell.
    pub option_value: Option<String>,
}

/// A product as its rows were understood.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// What the file calls it; empty where it does not.
    pub name: String,
    /// Its slug, where the file gives one: the product is found by it and by nothing else. Without
    /// one it is found by its SKUs, or by the slug that its name makes.
    pub slug: Option<String>,
    /// What the rows say.
    pub described: Described,
    /// The line of each variant of the input.
    pub variant_lines: Vec<i64>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// The format of a file with this header row, and the columns that nobody reads. None when it is
/// none of ours.
pub fn recognise(names: &[String]) -> Option<(Format, Vec<String>)> {
    let columns = Columns::new(names);
    let has = |name: &str| columns.has(name);
    let format = if has("handle") && (has("title") || has("variant sku") || has("option1 value")) {
        Format::Shopify
    } else if has("type") && has("name") && (has("regular price") || has("sku") || has("published"))
    {
        Format::WooCommerce
    } else if zoco::COLUMNS.iter().filter(|name| has(name)).count() >= 2
        && (has("slug") || has("sku") || has("name"))
    {
        Format::Zoco
    } else {
        return None;
    };
    Some((format, ignored(format, names)))
}

/// The columns that nobody reads when the file is of this format.
pub fn ignored(format: Format, names: &[String]) -> Vec<String> {
    let known = |name: &str| match format {
        Format::Zoco => zoco::COLUMNS.contains(&name),
        Format::Shopify => shopify::knows(name),
        Format::WooCommerce => woocommerce::knows(name),
    };
    let unknown = names.iter().filter(|name| !name.is_empty());
    unknown
        .filter(|name| !known(&name.to_lowercase()))
        .cloned()
        .collect()
}

/// What the rows of one product have in common, whichever of them this is. Errors: the row belongs
/// to no product.
pub fn handle_of(format: Format, columns: &Columns, row: &Row) -> Result<String, Problem> {
    match format {
        Format::Zoco => zoco::handle_of(columns, row),
        Format::Shopify => shopify::handle_of(columns, row),
        Format::WooCommerce => woocommerce::handle_of(columns, row),
    }
}

/// What the rows of one product say. `rows` has at least one.
pub fn parse(format: Format, columns: &Columns, rows: &[Row]) -> Parsed {
    let mut parsed = match format {
        Format::Zoco => zoco::parse(columns, rows),
        Format::Shopify => shopify::parse(columns, rows),
        Format::WooCommerce => woocommerce::parse(columns, rows),
    };
    let line = rows.first().map_or(1, |row| row.line);
    check_pictures(line, &mut parsed);
    check_skus(&mut parsed);
    parsed
}

/// The header row of an export.
pub fn header(format: Format) -> Vec<&'static str> {
    match format {
        Format::Zoco => zoco::COLUMNS.to_vec(),
        Format::Shopify => shopify::HEADER.to_vec(),
        Format::WooCommerce => woocommerce::HEADER.to_vec(),
    }
}

/// The rows of a product in an export, each as long as the header, formulas made harmless.
/// `base_url`: what the addresses of pictures begin with.
pub fn rows(
    format: Format,
    product: &Product,
    tree: &CategoryTree,
    base_url: &str,
) -> Vec<Vec<String>> {
    let mut rows = match format {
        Format::Zoco => zoco::rows(product, tree, base_url),
        Format::Shopify => shopify::rows(product, tree, base_url),
        Format::WooCommerce => woocommerce::rows(product, tree, base_url),
    };
    for cell in rows.iter_mut().flatten() {
        *cell = protected(cell);
    }
    rows
}

/// A picture given twice counts once; addresses that are none are told.
fn check_pictures(line: i64, parsed: &mut Parsed) {
    let mut kept: Vec<GivenPicture> = Vec::new();
    for picture in std::mem::take(&mut parsed.described.pictures) {
        if picture.url.len() > MAX_URL || picture.url.contains(char::is_control) {
            let message = format!("The address of a picture has at most {MAX_URL} characters.");
            parsed.problems.push(Problem::new(line, "image", message));
        } else if !kept.iter().any(|other| other.url == picture.url) {
            kept.push(picture);
        }
    }
    if kept.len() > MAX_IMAGES {
        let message = format!("A product has at most {MAX_IMAGES} pictures.");
        parsed.problems.push(Problem::new(line, "image", message));
    }
    parsed.described.pictures = kept;
}

/// No SKU stands twice within the product.
fn check_skus(parsed: &mut Parsed) {
    let mut seen = std::collections::HashMap::new();
    let variants = parsed.described.input.variants.iter().flatten();
    for (variant, &line) in variants.zip(&parsed.variant_lines) {
        let Some(sku) = variant.sku.as_deref().filter(|sku| !sku.is_empty()) else {
            continue;
        };
        if let Some(before) = seen.insert(sku.to_owned(), line) {
            let message = format!("The SKU {sku} stands on line {before} already.");
            parsed.problems.push(Problem::new(line, "sku", message));
        }
    }
}

/// Reads cells and keeps what is wrong with them.
struct Cells<'a> {
    columns: &'a Columns,
    problems: Vec<Problem>,
}

impl<'a> Cells<'a> {
    fn new(columns: &'a Columns) -> Self {
        Self {
            columns,
            problems: Vec::new(),
        }
    }

    /// The trimmed cell; none where the file has no such column.
    fn optional(&self, row: &Row, name: &str) -> Option<String> {
        self.columns.get(row, name).map(str::to_owned)
    }

    /// The trimmed cell; none where it is empty, too.
    fn filled(&self, row: &Row, name: &str) -> Option<String> {
        self.optional(row, name).filter(|cell| !cell.is_empty())
    }

    fn tell(&mut self, row: &Row, name: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(row.line, name, message));
    }

    /// A whole number; none for an empty cell. Decimals that are zeros are left away.
    fn whole(&mut self, row: &Row, name: &str) -> Option<i64> {
        let cell = self.filled(row, name)?;
        let digits = match cell.split_once('.') {
            Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
            _ => &cell,
        };
        let number = digits.parse().ok();
        if number.is_none() {
            self.tell(
                row,
                name,
                format!("\u{201c}{}\u{201d} is no whole number.", short(&cell)),
            );
        }
        number
    }

    /// Yes or no; none for an empty cell.
    fn truth(&mut self, row: &Row, name: &str) -> Option<bool> {
        let cell = self.filled(row, name)?;
        match cell.to_lowercase().as_str() {
            "true" | "yes" | "1" | "y" => Some(true),
            "false" | "no" | "0" | "n" => Some(false),
            _ => {
                self.tell(
                    row,
                    name,
                    format!(
                        "\u{201c}{}\u{201d} is neither true nor false.",
                        short(&cell)
                    ),
                );
                None
            }
        }
    }

    /// An amount of money; none for an empty cell. What is wrong with it is told by the catalog.
    fn money(&self, row: &Row, name: &str) -> Option<MoneyInput> {
        self.filled(row, name)
            .map(|cell| MoneyInput::new(amount(&cell)))
    }

    /// An amount of money that an empty cell takes away; none where the file has no such column.
    fn former(&self, row: &Row, name: &str) -> Option<MoneyInput> {
        let cell = self.optional(row, name)?;
        Some(MoneyInput::new(if cell.is_empty() {
            "0".to_owned()
        } else {
            amount(&cell)
        }))
    }

    /// Markdown of a cell of HTML.
    fn markdown(&mut self, row: &Row, name: &str) -> Option<String> {
        let cell = self.optional(row, name)?;
        let markdown = html::to_markdown(&cell);
        if markdown.is_none() {
            self.tell(row, name, "This HTML is too long or too deeply nested.");
        }
        markdown
    }

    /// The grams of a weight in another unit, so many of it; none for an empty cell.
    fn grams(&mut self, row: &Row, name: &str, unit: f64) -> Option<i64> {
        let cell = self.filled(row, name)?;
        match amount(&cell).parse::<f64>() {
            Ok(weight) if weight.is_finite() && (0.0..1e9).contains(&weight) => {
                Some((weight * unit).round() as i64)
            }
            _ => {
                self.tell(
                    row,
                    name,
                    format!("\u{201c}{}\u{201d} is no weight.", short(&cell)),
                );
                None
            }
        }
    }
}

/// An amount as the shop writes it: a decimal comma becomes a point, where it can be nothing else.
fn amount(cell: &str) -> String {
    match cell.split_once(',') {
        Some((whole, decimals))
            if decimals.len() <= 2
                && !whole.contains('.')
                && decimals.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            format!("{whole}.{decimals}")
        }
        _ => cell.to_owned(),
    }
}

/// The beginning of a text, for a message.
pub fn short(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A slug as another shop writes it, as ours.
fn slug_of(handle: &str) -> String {
    match Slug::parse(handle) {
        Some(slug) => slug.to_string(),
        None => Slug::from_text(handle, "product").to_string(),
    }
}

/// Options with these names and, in order of appearance, the values that the variants choose.
fn options_of(names: &[String], variants: &[VariantInput]) -> Vec<OptionInput> {
    let option = |(index, name): (usize, &String)| {
        let mut values: Vec<OptionValueInput> = Vec::new();
        for value in variants
            .iter()
            .filter_map(|variant| variant.options.get(index))
        {
            if !values.iter().any(|known| known.value == *value) {
                values.push(OptionValueInput {
                    value: value.clone(),
                    ..OptionValueInput::default()
                });
            }
        }
        OptionInput {
            name: name.clone(),
            values,
        }
    };
    names.iter().enumerate().map(option).collect()
}

/// Gives each picture that belongs to variants the option value that all of them have and no
/// other variant has. `of`: the address of each variant's picture.
fn tell_what_pictures_show(
    pictures: &mut [GivenPicture],
    variants: &[VariantInput],
    of: &[String],
) {
    for picture in pictures {
        let shown = |url: &String| *url == picture.url;
        let mine: Vec<&VariantInput> = of
            .iter()
            .zip(variants)
            .filter(|(url, _)| shown(url))
            .map(|(_, one)| one)
            .collect();
        let Some(first) = mine.first() else { continue };
        for (index, value) in first.options.iter().enumerate() {
            let has = |variant: &VariantInput| variant.options.get(index) == Some(value);
            let others = of
                .iter()
                .zip(variants)
                .any(|(url, one)| !shown(url) && has(one));
            if mine.iter().all(|variant| has(variant)) && !others {
                picture.option_value = Some(value.clone());
                break;
            }
        }
    }
}

/// The names of a product's category from the root down.
fn category_path(product: &Product, tree: &CategoryTree) -> Vec<String> {
    let path = product
        .category_id
        .map(|id| tree.path(id))
        .unwrap_or_default();
    path.into_iter()
        .map(|category| category.name.clone())
        .collect()
}

/// The full address of a picture of ours.
fn picture_url(image: &crate::catalog::Image, base_url: &str) -> String {
    format!("{base_url}{}", image.url(1_600))
}

/// A row of an export with empty cells where `cells` says nothing.
fn row_of(header: &[&str], cells: Vec<(&str, String)>) -> Vec<String> {
    let mut row = vec![String::new(); header.len()];
    for (name, cell) in cells {
        if let Some(index) = header.iter().position(|column| *column == name) {
            row[index] = cell;
        }
    }
    row
}

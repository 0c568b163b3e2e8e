//! The formats: which one a file has, which rows make one product, and what they say of it.

mod shopify;
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::catalog::{
        Image, OptionValue, ProductOption, ProductStatus, Rating, Related, Seo, Variant,
    };
    use crate::imports::csv::{Normaliser, read_header, read_records};
    use crate::inventory::StockLevel;
    use crate::types::text::unprotected;
    use crate::types::{Currency, ImageId, Money, ProductId, Timestamp, VariantId};

    /// The products of a file by their handles, and what is wrong with rows of none.
    fn products(text: &str) -> (Format, Vec<(String, Parsed)>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut normaliser = Normaliser::default();
        file.write_all(&normaliser.take(text.as_bytes())).unwrap();
        file.write_all(normaliser.end()).unwrap();
        let (layout, place) = read_header(file.path()).unwrap().unwrap();
        let (format, _) = recognise(&layout.columns).unwrap();
        let columns = Columns::new(&layout.columns);
        let piece = read_records(file.path(), &layout, place, 1_000)
            .unwrap()
            .unwrap();
        let mut groups: Vec<(String, Vec<Row>)> = Vec::new();
        for record in piece.records {
            let line = i64::try_from(record.line).unwrap();
            let row = Row {
                line,
                cells: record.cells.unwrap(),
            };
            let handle = handle_of(format, &columns, &row).unwrap();
            match groups.iter_mut().find(|(known, _)| *known == handle) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((handle, vec![row])),
            }
        }
        let parsed = |(handle, rows): (String, Vec<Row>)| (handle, parse(format, &columns, &rows));
        (format, groups.into_iter().map(parsed).collect())
    }

    fn amounts(parsed: &Parsed) -> Vec<(Option<String>, Option<String>, Option<i64>)> {
        let euro = Currency::eur();
        let read = |money: &Option<MoneyInput>| {
            money
                .as_ref()
                .map(|money| money.read(euro).unwrap().amount())
        };
        let variants = parsed.described.input.variants.iter().flatten();
        variants
            .map(|one| (read(&one.price), read(&one.compare_at_price), one.stock))
            .collect()
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_shopify_file_is_understood() {
        let (format, found) = products(
            "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,\
             Variant Grams,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,\
             Image Position,Image Alt Text,Gift Card,SEO Title,Variant Image,Status,Odd column\n\
             mug,Mug,\"<p>By <b>hand</b></p>\",Olmo,Table > Cups,\"clay, tea\",TRUE,Colour,Oat,MUG-O,350,5,24.00,30.00,\
             https://example.com/2.jpg,2,Night mug,FALSE,A mug,https://example.com/1.jpg,active,x\n\
             card,Card,,,,,FALSE,Title,Default Title,CARD,0.0,-3,10,,,,,TRUE,,,active,\n\
             mug,,,,,,,,Night,MUG-N,350,2,24.00,,https://example.com/1.jpg,1,Oat mug,,,https://example.com/2.jpg,,\n",
        );
        assert_eq!(format, Format::Shopify);
        let [(_, mug), (_, card)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(mug.problems, []);
        let input = &mug.described.input;
        assert_eq!(
            (input.name.as_deref(), input.slug.as_deref()),
            (Some("Mug"), Some("mug"))
        );
        assert_eq!(input.description, text("By **hand**"));
        assert_eq!(
            (
                input.status.as_deref(),
                input.digital,
                input.seo_title.clone()
            ),
            (Some("active"), None, text("A mug"))
        );
        assert_eq!(
            mug.described.category,
            Some(vec!["Table".to_owned(), "Cups".to_owned()])
        );
        assert_eq!(input.tags, Some(vec!["clay".to_owned(), "tea".to_owned()]));
        assert_eq!(mug.variant_lines, [2, 4]);
        assert_eq!(
            amounts(mug),
            [
                (text("24.00"), text("30.00"), Some(5)),
                (text("24.00"), text("0.00"), Some(2))
            ]
        );
        let shown: Vec<_> = mug
            .described
            .pictures
            .iter()
            .map(|one| (one.url.as_str(), one.option_value.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("https://example.com/1.jpg", Some("Oat")),
                ("https://example.com/2.jpg", Some("Night"))
            ]
        );
        let input = &card.described.input;
        assert_eq!(
            (input.status.as_deref(), input.digital),
            (Some("draft"), Some(true))
        );
        assert!(input.options.as_ref().unwrap().is_empty());
        assert_eq!(amounts(card), [(text("10.00"), text("0.00"), Some(0))]);
    }

    #[test]
    fn a_woocommerce_file_is_understood() {
        let (format, found) = products(
            "ID;Type;SKU;Name;Published;Visibility in catalog;Short description;Description;In stock?;Stock;\
             Weight (kg);Sale price;Regular price;Categories;Tags;Images;Parent;Attribute 1 name;Attribute 1 value(s)\n\
             7;variable;vneck;V-neck;1;visible;\"<p>Soft</p>\";\"A\\n\\nB\";1;;;;;\"Clothes > Shirts, New\";;\
             https://example.com/a.jpg;;Size;\"S, M\"\n\
             9;grouped;set;Set;1;visible;;;1;;;;;;;;;;\n\
             10;simple, virtual;song;Song;0;visible;;;0;;;\"1,50\";2.00;;;;;Length;3 min\n\
             11;variation;vneck-s;;1;visible;;;1;4;0.25;;20;;;https://example.com/s.jpg;vneck;Size;S\n\
             12;variation;vneck-m;;1;visible;;;1;1;0.3;;21;;;;vneck;Size;M\n\
             13;variation;lost;;1;visible;;;1;1;;;21;;;;gone;Size;M\n",
        );
        assert_eq!(format, Format::WooCommerce);
        let [(_, shirt), (_, set), (_, song), (_, lost)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(shirt.problems, []);
        assert_eq!(shirt.variant_lines, [5, 6]);
        let input = &shirt.described.input;
        assert_eq!(
            (input.summary.as_deref(), input.description.as_deref()),
            (Some("Soft"), Some("A B"))
        );
        assert_eq!(
            shirt.described.category,
            Some(vec!["Clothes".to_owned(), "Shirts".to_owned()])
        );
        assert_eq!(input.options.as_ref().unwrap()[0].values.len(), 2);
        assert_eq!(input.variants.as_ref().unwrap()[0].weight_grams, Some(250));
        assert_eq!(shirt.described.pictures[1].option_value, text("S"));
        assert!(set.problems[0].message.contains("grouped"), "{set:?}");
        assert_eq!(amounts(song), [(text("1.50"), text("2.00"), Some(0))]);
        assert_eq!(
            (
                song.described.input.status.as_deref(),
                song.described.input.digital
            ),
            (Some("draft"), Some(true))
        );
        assert_eq!(
            song.described.input.attributes.as_ref().unwrap()[0].value,
            "3 min"
        );
        assert_eq!(
            (lost.problems[0].line, lost.problems[0].field.as_str()),
            (7, "Parent")
        );
    }

    fn product() -> Product {
        let euro = Currency::eur();
        let variant = |id, sku: &str, options: &[&str], before: Option<i64>| Variant {
            id: VariantId(id),
            product_id: ProductId(1),
            sku: sku.to_owned(),
            options: options.iter().map(|&value| value.to_owned()).collect(),
            price: Money::new(2_400, euro),
            compare_at: before.map(|minor| Money::new(minor, euro)),
            weight_grams: 350,
            barcode: "=1".to_owned(),
            position: id,
            active: id == 1,
            stock: StockLevel {
                on_hand: 5,
                reserved: 1,
            },
            backorder: false,
        };
        let value = |value: &str, swatch: Option<&str>| OptionValue {
            value: value.to_owned(),
            swatch: swatch.map(str::to_owned),
        };
        Product {
            id: ProductId(1),
            slug: Slug::parse("mug").unwrap(),
            name: "-Mug".to_owned(),
            maker: "@olmo".to_owned(),
            summary: "'=One".to_owned(),
            description: "  code\n\n*Two*, \"three\"\n".to_owned(),
            category_id: None,
            status: ProductStatus::Draft,
            publish_at: Timestamp::parse("2026-12-24T09:00:00Z"),
            digital: true,
            tax_class: "reduced".to_owned(),
            seo: Seo {
                title: "T".to_owned(),
                description: String::new(),
            },
            options: vec![ProductOption {
                name: "Colour".to_owned(),
                values: vec![
                    value("Unused", None),
                    value("A, b", Some("#e4dac8")),
                    value("C\\d", None),
                ],
            }],
            tags: vec!["clay".to_owned(), "tea".to_owned()],
            attributes: vec![("Made: in".to_owned(), "Spain: Ubeda".to_owned())],
            related: vec![Related {
                id: ProductId(2),
                slug: Slug::parse("bowl").unwrap(),
                name: "Bowl".to_owned(),
            }],
            variants: vec![
                variant(1, "M-1", &["A, b"], Some(3_000)),
                variant(2, "M-2", &["C\\d"], None),
            ],
            images: vec![Image {
                id: ImageId(1),
                storage_key: "ab/cd".to_owned(),
                alt: "A mug".to_owned(),
                width: 1_600,
                height: 10,
                option_value: "A, b".to_owned(),
                position: 0,
            }],
            rating: Rating::default(),
            version: 1,
            created_by: None,
            created_at: Timestamp(1),
            updated_at: Timestamp(1),
        }
    }

    /// A product's rows as they come back from a file of this format.
    fn there_and_back(format: Format) -> Parsed {
        let rows = rows(
            format,
            &product(),
            &CategoryTree::default(),
            "https://shop.example",
        );
        let names: Vec<String> = header(format).into_iter().map(str::to_owned).collect();
        assert_eq!(recognise(&names).unwrap().0, format);
        let cells = |row: Vec<String>| {
            row.iter()
                .map(|cell| unprotected(cell).to_owned())
                .collect()
        };
        let rows: Vec<Row> = (2..)
            .zip(rows)
            .map(|(line, row)| Row {
                line,
                cells: cells(row),
            })
            .collect();
        let columns = Columns::new(&names);
        let handles: Vec<String> = rows
            .iter()
            .map(|row| handle_of(format, &columns, row).unwrap())
            .collect();
        assert!(
            handles.iter().all(|handle| *handle == handles[0]),
            "{handles:?}"
        );
        parse(format, &columns, &rows)
    }

    #[test]
    fn our_own_format_loses_nothing() {
        let (parsed, product) = (there_and_back(Format::Zoco), product());
        assert_eq!(parsed.problems, []);
        let input = parsed.described.input;
        assert_eq!(input.name, Some(product.name));
        assert_eq!(
            (input.maker, input.summary),
            (Some(product.maker), Some(product.summary))
        );
        assert_eq!(input.description, Some(product.description));
        assert_eq!((input.status, input.digital), (text("draft"), Some(true)));
        assert_eq!(input.publish_at, product.publish_at.map(Timestamp::rfc3339));
        assert_eq!(
            (input.seo_title, input.seo_description),
            (text("T"), text(""))
        );
        assert_eq!(
            (input.tags, input.related),
            (Some(product.tags), Some(vec!["bowl".to_owned()]))
        );
        let attributes: Vec<_> = input
            .attributes
            .unwrap()
            .into_iter()
            .map(|one| (one.name, one.value))
            .collect();
        assert_eq!(attributes, product.attributes);
        let option = input.options.unwrap().remove(0);
        let values: Vec<_> = option
            .values
            .into_iter()
            .map(|one| OptionValue {
                value: one.value,
                swatch: one.swatch,
            })
            .collect();
        assert_eq!(values, product.options[0].values);
        for (given, variant) in input.variants.unwrap().iter().zip(&product.variants) {
            assert_eq!(
                (given.sku.as_ref(), &given.options),
                (Some(&variant.sku), &variant.options)
            );
            assert_eq!(
                given.price.as_ref().unwrap().read(Currency::eur()),
                Ok(variant.price)
            );
            let before = given
                .compare_at_price
                .as_ref()
                .unwrap()
                .read(Currency::eur())
                .unwrap();
            assert_eq!(before.minor(), variant.compare_at.map_or(0, Money::minor));
            assert_eq!(
                (given.stock, given.weight_grams, given.active),
                (Some(5), Some(350), Some(variant.active))
            );
            assert_eq!(given.barcode.as_ref(), Some(&variant.barcode));
        }
        let picture = &parsed.described.pictures[0];
        assert_eq!(picture.url, "https://shop.example/media/ab/cd-1600.webp");
        assert_eq!(
            (picture.alt.as_deref(), picture.option_value.as_deref()),
            (Some("A mug"), Some("A, b"))
        );
    }

    #[test]
    fn other_shops_formats_keep_what_they_can_hold() {
        for format in [Format::Shopify, Format::WooCommerce] {
            let parsed = there_and_back(format);
            assert_eq!(parsed.problems, [], "{format}");
            assert_eq!(parsed.name, "-Mug", "{format}");
            let skus: Vec<_> = parsed
                .described
                .input
                .variants
                .iter()
                .flatten()
                .map(|one| one.sku.clone())
                .collect();
            assert_eq!(skus, [text("M-1"), text("M-2")], "{format}");
            assert_eq!(
                amounts(&parsed)[0],
                (text("24.00"), text("30.00"), Some(5)),
                "{format}"
            );
            assert_eq!(parsed.described.pictures.len(), 1, "{format}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column() {
        let (_, found) = products(
            "slug,name,sku,stock,active,attributes\nmug,Mug,A,many,maybe,no colon\nmug,,A,1,yes,\n",
        );
        let told: Vec<_> = found[0]
            .1
            .problems
            .iter()
            .map(|one| (one.line, one.field.as_str()))
            .collect();
        assert_eq!(
            told,
            [(2, "attributes"), (2, "stock"), (2, "active"), (3, "sku")]
        );
        assert!(recognise(&["a".to_owned(), "b".to_owned()]).is_none());
        let names = ["Handle", "Title", "Cost per item"].map(str::to_owned);
        assert_eq!(
            recognise(&names),
            Some((Format::Shopify, vec!["Cost per item".to_owned()]))
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000), format in 0..3_usize) {
            let format = [Format::Zoco, Format::Shopify, Format::WooCommerce][format];
            let mut text = header(format).join(",").into_bytes();
            text.push(b'\n');
            text.extend(bytes);
            let mut file = tempfile::NamedTempFile::new().unwrap();
            let mut normaliser = Normaliser::default();
            file.write_all(&normaliser.take(&text)).unwrap();
            file.write_all(normaliser.end()).unwrap();
            if let Ok((layout, place)) = read_header(file.path()).unwrap()
                && let Ok(piece) = read_records(file.path(), &layout, place, 10_000).unwrap()
            {
                let columns = Columns::new(&layout.columns);
                for record in piece.records {
                    if let Ok(cells) = record.cells {
                        let row = Row { line: 2, cells };
                        let _ = handle_of(format, &columns, &row);
                        parse(format, &columns, &[row]);
                    }
                }
            }
        }
    }
}

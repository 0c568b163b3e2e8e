//! WooCommerce's product CSV: a row for each product, and one for each variation, wherever it
//! stands in the file.

use super::{
    Cells, Described, GivenPicture, Parsed, category_path, options_of, picture_url, row_of, short,
    tell_what_pictures_show,
};
use crate::catalog::service::{AttributeInput, ProductInput, VariantInput};
use crate::catalog::{CategoryTree, Product, ProductStatus, Variant, render_markdown};
use crate::imports::csv::{Columns, Row, join_list, split_list};
use crate::imports::html;
use crate::imports::model::Problem;
use crate::types::Slug;

/// The columns of an export.
pub const HEADER: &[&str] = &[
    "ID",
    "Type",
    "SKU",
    "GTIN, UPC, EAN, or ISBN",
    "Name",
    "Published",
    "Is featured?",
    "Visibility in catalog",
    "Short description",
    "Description",
    "In stock?",
    "Stock",
    "Weight (kg)",
    "Sale price",
    "Regular price",
    "Categories",
    "Tags",
    "Images",
    "Parent",
    "Position",
    "Brands",
    "Attribute 1 name",
    "Attribute 1 value(s)",
    "Attribute 1 visible",
    "Attribute 1 global",
    "Attribute 2 name",
    "Attribute 2 value(s)",
    "Attribute 2 visible",
    "Attribute 2 global",
    "Attribute 3 name",
    "Attribute 3 value(s)",
    "Attribute 3 visible",
    "Attribute 3 global",
];

/// The most attributes that are looked for.
const MAX_ATTRIBUTES: usize = 30;
/// The longest summary of a product, in characters.
const MAX_SUMMARY: usize = 300;
/// The columns of weights, with the grams of their unit.
const WEIGHTS: [(&str, f64); 4] = [
    ("weight (kg)", 1_000.0),
    ("weight (g)", 1.0),
    ("weight (lbs)", 453.592_37),
    ("weight (oz)", 28.349_523_125),
];
const BARCODE: &str = "gtin, upc, ean, or isbn";

pub fn knows(name: &str) -> bool {
    let plain = [
        "id",
        "type",
        "sku",
        BARCODE,
        "name",
        "published",
        "visibility in catalog",
        "short description",
        "description",
        "in stock?",
        "stock",
        "sale price",
        "regular price",
        "categories",
        "tags",
        "images",
        "parent",
        "brands",
    ];
    plain.contains(&name)
        || WEIGHTS.iter().any(|(weight, _)| *weight == name)
        || (1..=MAX_ATTRIBUTES).any(|number| {
            name == attribute_column(number, "name") || name == attribute_column(number, "value(s)")
        })
}

fn attribute_column(number: usize, what: &str) -> String {
    format!("attribute {number} {what}")
}

fn is_variation(columns: &Columns, row: &Row) -> bool {
    kinds(columns, row).any(|kind| kind == "variation")
}

/// `simple, downloadable, virtual` and the like.
fn kinds<'r>(columns: &Columns, row: &'r Row) -> impl Iterator<Item = String> + 'r {
    columns
        .text(row, "type")
        .split(',')
        .map(|kind| kind.trim().to_lowercase())
}

/// A variation names its parent by its SKU, or by `id:` and its id where it has no SKU.
pub fn handle_of(columns: &Columns, row: &Row) -> Result<String, Problem> {
    if is_variation(columns, row) {
        return match columns.text(row, "parent") {
            "" => Err(Problem::new(
                row.line,
                "Parent",
                "This variation names no parent.",
            )),
            parent => Ok(parent.to_owned()),
        };
    }
    let name = Slug::from_text(columns.text(row, "name"), "").to_string();
    for (kind, value) in [
        ("", columns.text(row, "sku")),
        ("id:", columns.text(row, "id")),
        ("name:", name.as_str()),
    ] {
        if !value.is_empty() {
            return Ok(format!("{kind}{value}"));
        }
    }
    Err(Problem::new(
        row.line,
        "Name",
        "This row has no SKU, id or name: it belongs to no product.",
    ))
}

pub fn parse(columns: &Columns, rows: &[Row]) -> Parsed {
    let mut cells = Cells::new(columns);
    let mut parents = rows.iter().filter(|row| !is_variation(columns, row));
    let Some(first) = parents.next() else {
        let mut parsed = Parsed::default();
        for row in rows {
            let parent = short(columns.text(row, "parent"));
            let message =
                format!("No product of this file is the parent \u{201c}{parent}\u{201d}.");
            parsed
                .problems
                .push(Problem::new(row.line, "Parent", message));
        }
        return parsed;
    };
    for row in parents {
        let message = format!(
            "The product of line {} has the same SKU, id or name.",
            first.line
        );
        cells.tell(row, "SKU", message);
    }
    let known = |kind: &String| {
        matches!(
            kind.as_str(),
            "simple" | "variable" | "virtual" | "downloadable" | ""
        )
    };
    if let Some(kind) = kinds(columns, first).find(|kind| !known(kind)) {
        let message = format!(
            "The shop has no products of the type \u{201c}{}\u{201d}.",
            short(&kind)
        );
        cells.tell(first, "Type", message);
    }
    let variable = kinds(columns, first).any(|kind| kind == "variable");
    let variations: Vec<&Row> = rows
        .iter()
        .filter(|row| is_variation(columns, row))
        .collect();
    let (summary, description) = texts(&mut cells, first);
    let mut input = ProductInput {
        name: cells.filled(first, "name"),
        maker: columns.get(first, "brands").map(|brands| {
            split_list(brands, ',')
                .into_iter()
                .next()
                .unwrap_or_default()
        }),
        summary,
        description,
        tags: columns.get(first, "tags").map(|tags| split_list(tags, ',')),
        status: status(&mut cells, first),
        digital: columns
            .has("type")
            .then(|| kinds(columns, first).any(|kind| kind == "virtual" || kind == "downloadable")),
        ..ProductInput::default()
    };
    let names = if variable {
        options(columns, &variations)
    } else {
        Vec::new()
    };
    if columns.has("attribute 1 name") {
        let attributes = attributes(columns, first);
        let facts = attributes
            .into_iter()
            .filter(|(name, _)| !names.contains(name));
        let fact = |(name, value): (String, String)| AttributeInput {
            name,
            value: split_list(&value, ',').join(", "),
        };
        input.attributes = Some(facts.map(fact).collect());
        input.options = Some(Vec::new());
    }
    let sold: Vec<&Row> = if variable { variations } else { vec![first] };
    let mut pictures = pictures(columns, first);
    let (mut variants, mut variant_lines, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for row in sold {
        variants.push(variant(&mut cells, row, &names));
        variant_lines.push(row.line);
        let own = (row.line != first.line)
            .then(|| self::pictures(columns, row).into_iter().next())
            .flatten();
        shown.push(
            own.as_ref()
                .map_or(String::new(), |picture| picture.url.clone()),
        );
        pictures.extend(own.filter(|own| !pictures.iter().any(|known| known.url == own.url)));
    }
    tell_what_pictures_show(&mut pictures, &variants, &shown);
    if variants.is_empty() {
        cells.tell(
            first,
            "Type",
            "This file has no variation of this variable product.",
        );
    }
    if !names.is_empty() {
        input.options = Some(options_of(&names, &variants));
    }
    input.variants = Some(variants);
    Parsed {
        name: input.name.clone().unwrap_or_default(),
        described: Described {
            category: columns.get(first, "categories").map(category),
            input,
            pictures,
            partial: false,
        },
        slug: None,
        variant_lines,
        problems: cells.problems,
    }
}

/// Summary and description. A short description that is too long for one sentence stands before
/// the description.
fn texts(cells: &mut Cells<'_>, row: &Row) -> (Option<String>, Option<String>) {
    let unescape = |cell: &str| cell.replace("\\n", "\n");
    let description = cells.columns.get(row, "description").map(unescape);
    let short = cells.columns.get(row, "short description").map(unescape);
    let line = short.as_deref().map(html::to_line);
    let too_long = line
        .as_ref()
        .is_some_and(|line| line.chars().count() > MAX_SUMMARY);
    let html = match (&short, description) {
        (Some(short), Some(description)) if too_long => Some(format!("{short}\n{description}")),
        (Some(short), None) if too_long => Some(short.clone()),
        (_, description) => description,
    };
    let markdown = html.map(|html| html::to_markdown(&html));
    if markdown == Some(None) {
        cells.tell(
            row,
            "Description",
            "This HTML is too long or too deeply nested.",
        );
    }
    let summary = if too_long { Some(String::new()) } else { line };
    (summary, markdown.flatten())
}

/// 1: published, 0: private, -1: a draft. What is hidden from the catalog is a draft, too.
fn status(cells: &mut Cells<'_>, row: &Row) -> Option<String> {
    let published = cells.filled(row, "published")?;
    let hidden = cells
        .columns
        .text(row, "visibility in catalog")
        .eq_ignore_ascii_case("hidden");
    let status = match published.as_str() {
        "1" if !hidden => "active",
        "1" | "0" | "-1" => "draft",
        _ => {
            let message = format!(
                "\u{201c}{}\u{201d} is none of 1, 0 and -1.",
                short(&published)
            );
            cells.tell(row, "Published", message);
            return None;
        }
    };
    Some(status.to_owned())
}

/// The first of the categories, `A > B, C`: here a product stands in one place.
fn category(cell: &str) -> Vec<String> {
    let first = split_list(cell, ',').into_iter().next().unwrap_or_default();
    split_list(&first, '>')
}

/// The names and values of a row's attributes.
fn attributes(columns: &Columns, row: &Row) -> Vec<(String, String)> {
    let attribute = |number| {
        let name = columns.text(row, &attribute_column(number, "name"));
        let value = columns.text(row, &attribute_column(number, "value(s)"));
        (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    (1..=MAX_ATTRIBUTES).filter_map(attribute).collect()
}

/// The attributes that variations choose from, in the order of the file.
fn options(columns: &Columns, variations: &[&Row]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in variations.iter().flat_map(|row| attributes(columns, row)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn variant(cells: &mut Cells<'_>, row: &Row, options: &[String]) -> VariantInput {
    let mut chosen = Vec::with_capacity(options.len());
    let attributes = attributes(cells.columns, row);
    for name in options {
        match attributes.iter().find(|(known, _)| known == name) {
            Some((_, value)) => chosen.push(value.clone()),
            None => {
                let message = format!(
                    "This variation leaves \u{201c}{}\u{201d} open: give it a value.",
                    short(name)
                );
                cells.tell(row, name, message);
                chosen.push(String::new());
            }
        }
    }
    let regular = cells.money(row, "regular price");
    let sale = cells.money(row, "sale price");
    let has_both = regular.is_some() && sale.is_some();
    let before = if has_both {
        regular.clone()
    } else {
        cells
            .former(row, "sale price")
            .map(|_| crate::types::MoneyInput::new("0"))
    };
    let stock = cells.whole(row, "stock").map(|stock| stock.max(0));
    let sold_out = cells.truth(row, "in stock?") == Some(false);
    let weight = WEIGHTS
        .into_iter()
        .find(|(name, _)| cells.columns.has(name));
    VariantInput {
        id: None,
        sku: cells.filled(row, "sku"),
        options: chosen,
        price: sale.or(regular),
        compare_at_price: before,
        stock: stock.or(sold_out.then_some(0)),
        weight_grams: weight.and_then(|(name, unit)| cells.grams(row, name, unit)),
        barcode: cells.optional(row, BARCODE),
        active: None,
    }
}

fn pictures(columns: &Columns, row: &Row) -> Vec<GivenPicture> {
    let urls = columns.text(row, "images").split(',').map(str::trim);
    let picture = |url: &str| GivenPicture {
        url: url.to_owned(),
        ..GivenPicture::default()
    };
    urls.filter(|url| !url.is_empty()).map(picture).collect()
}

pub fn rows(product: &Product, tree: &CategoryTree, base_url: &str) -> Vec<Vec<String>> {
    let category = join_list(category_path(product, tree), '>');
    let description = render_markdown(&product.description)
        .trim()
        .replace('\n', "\\n");
    let urls: Vec<String> = product
        .images
        .iter()
        .map(|image| picture_url(image, base_url))
        .collect();
    let published = match product.status {
        ProductStatus::Active => "1",
        ProductStatus::Draft | ProductStatus::Archived => "-1",
    };
    let mut cells = vec![
        ("Name", product.name.clone()),
        ("Published", published.to_owned()),
        ("Is featured?", "0".to_owned()),
        ("Visibility in catalog", "visible".to_owned()),
        ("Short description", product.summary.clone()),
        ("Description", description),
        ("Categories", join_list([category], ',')),
        ("Tags", product.tags.join(", ")),
        ("Images", urls.join(", ")),
        ("Brands", join_list([&product.maker], ',')),
    ];
    let numbered = product.options.iter().map(|option| {
        let values = option.values.iter().map(|value| &value.value);
        (option.name.clone(), join_list(values, ','))
    });
    let facts = product
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), join_list([value], ',')));
    cells.extend(attribute_cells(numbered.chain(facts)));
    let simple = product.options.is_empty() && product.variants.len() == 1;
    if let (true, Some(variant)) = (simple, product.variants.first()) {
        let kind = if product.digital {
            "simple, virtual"
        } else {
            "simple"
        };
        cells.push(("Type", kind.to_owned()));
        cells.extend(variant_cells(variant));
        return vec![row_of(HEADER, cells)];
    }
    cells.extend([
        ("Type", "variable".to_owned()),
        ("SKU", product.slug.to_string()),
    ]);
    let mut rows = vec![row_of(HEADER, cells)];
    for (position, variant) in (1..).zip(&product.variants) {
        let names = product.options.iter().map(|option| option.name.clone());
        let published = if variant.active { "1" } else { "0" };
        let mut cells = vec![
            ("Type", "variation".to_owned()),
            ("Name", format!("{} - {}", product.name, variant.name())),
            ("Published", published.to_owned()),
            ("Parent", product.slug.to_string()),
            ("Position", position.to_string()),
        ];
        cells.extend(variant_cells(variant));
        cells.extend(attribute_cells(names.zip(variant.options.iter().cloned())));
        rows.push(row_of(HEADER, cells));
    }
    rows
}

/// The first three attributes: what the columns of an export have room for.
fn attribute_cells(
    attributes: impl Iterator<Item = (String, String)>,
) -> Vec<(&'static str, String)> {
    let columns = [
        [
            "Attribute 1 name",
            "Attribute 1 value(s)",
            "Attribute 1 visible",
            "Attribute 1 global",
        ],
        [
            "Attribute 2 name",
            "Attribute 2 value(s)",
            "Attribute 2 visible",
            "Attribute 2 global",
        ],
        [
            "Attribute 3 name",
            "Attribute 3 value(s)",
            "Attribute 3 visible",
            "Attribute 3 global",
        ],
    ];
    let mut cells = Vec::new();
    for ([name, values, visible, global], (attribute, value)) in columns.into_iter().zip(attributes)
    {
        cells.extend([
            (name, attribute),
            (values, value),
            (visible, "1".to_owned()),
            (global, "0".to_owned()),
        ]);
    }
    cells
}

fn variant_cells(variant: &Variant) -> Vec<(&'static str, String)> {
    let price = variant.price.amount();
    let (sale, regular) = match variant.compare_at {
        Some(before) if before.minor() > variant.price.minor() => (price, before.amount()),
        _ => (String::new(), price),
    };
    let weight = variant.weight_grams;
    vec![
        ("SKU", variant.sku.clone()),
        ("GTIN, UPC, EAN, or ISBN", variant.barcode.clone()),
        (
            "In stock?",
            if variant.in_stock() { "1" } else { "0" }.to_owned(),
        ),
        ("Stock", variant.stock.on_hand.to_string()),
        (
            "Weight (kg)",
            format!("{}.{:03}", weight / 1_000, weight % 1_000),
        ),
        ("Sale price", sale),
        ("Regular price", regular),
    ]
}

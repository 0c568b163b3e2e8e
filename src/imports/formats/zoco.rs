//! Our own format: a row for each variant, the product's own fields on its first row.

use super::{Cells, Described, GivenPicture, Parsed, category_path, picture_url, row_of};
use crate::catalog::service::{
    AttributeInput, OptionInput, OptionValueInput, ProductInput, VariantInput,
};
use crate::catalog::{CategoryTree, OptionValue, Product};
use crate::imports::csv::{Columns, Row, join_list, split_list};
use crate::imports::model::Problem;
use crate::types::{Slug, Timestamp};

/// All columns, in the order of an export.
pub const COLUMNS: &[&str] = &[
    "slug",
    "name",
    "maker",
    "summary",
    "description",
    "category",
    "status",
    "publish_at",
    "digital",
    "tax_class",
    "seo_title",
    "seo_description",
    "related",
    "tags",
    "attributes",
    "option1_name",
    "option1_values",
    "option2_name",
    "option2_values",
    "option3_name",
    "option3_values",
    "option1",
    "option2",
    "option3",
    "sku",
    "price",
    "compare_at_price",
    "stock",
    "weight_grams",
    "barcode",
    "active",
    "image_url",
    "image_alt",
    "image_shows",
];

/// A row with something in one of these describes a variant.
const OF_VARIANTS: [&str; 10] = [
    "option1",
    "option2",
    "option3",
    "sku",
    "price",
    "compare_at_price",
    "stock",
    "weight_grams",
    "barcode",
    "active",
];

pub fn handle_of(columns: &Columns, row: &Row) -> Result<String, Problem> {
    let name = Slug::from_text(columns.text(row, "name"), "").to_string();
    for (kind, value) in [
        ("", columns.text(row, "slug")),
        ("sku:", columns.text(row, "sku")),
        ("name:", name.as_str()),
    ] {
        if !value.is_empty() {
            return Ok(format!("{kind}{value}"));
        }
    }
    Err(Problem::new(
        row.line,
        "slug",
        "This row has no slug, SKU or name: it belongs to no product.",
    ))
}

pub fn parse(columns: &Columns, rows: &[Row]) -> Parsed {
    let mut cells = Cells::new(columns);
    let Some(first) = rows.first() else {
        return Parsed::default();
    };
    let slug = cells.filled(first, "slug");
    let mut input = ProductInput {
        name: cells.filled(first, "name"),
        slug: slug.clone(),
        maker: cells.optional(first, "maker"),
        summary: cells.optional(first, "summary"),
        description: columns.raw(first, "description").map(str::to_owned),
        status: cells.filled(first, "status"),
        publish_at: cells.optional(first, "publish_at"),
        digital: cells.truth(first, "digital"),
        tax_class: cells.filled(first, "tax_class"),
        seo_title: cells.optional(first, "seo_title"),
        seo_description: cells.optional(first, "seo_description"),
        related: columns
            .get(first, "related")
            .map(|slugs| split_list(slugs, ',')),
        tags: columns.get(first, "tags").map(|tags| split_list(tags, ',')),
        attributes: attributes(&mut cells, first),
        ..ProductInput::default()
    };
    let options: Vec<(String, Vec<OptionValueInput>)> = (1..=3)
        .filter_map(|number| option(&cells, first, number))
        .collect();
    let (mut variants, mut variant_lines) = (Vec::new(), Vec::new());
    let mut pictures = Vec::new();
    for row in rows {
        if OF_VARIANTS
            .iter()
            .any(|name| !columns.text(row, name).is_empty())
        {
            variants.push(variant(&mut cells, row, options.len()));
            variant_lines.push(row.line);
        }
        if let Some(url) = cells.filled(row, "image_url") {
            pictures.push(GivenPicture {
                url,
                alt: cells.optional(row, "image_alt"),
                option_value: cells.optional(row, "image_shows"),
            });
        }
    }
    if columns.has("option1_name") {
        input.options = Some(with_values(options, &variants));
    }
    if !variants.is_empty() {
        input.variants = Some(variants);
    }
    Parsed {
        name: input.name.clone().unwrap_or_default(),
        described: Described {
            category: columns
                .get(first, "category")
                .map(|path| split_list(path, '>')),
            input,
            pictures,
            partial: slug.is_none(),
        },
        slug,
        variant_lines,
        problems: cells.problems,
    }
}

/// One fact a line, `Material: Stoneware`; a backslash stands before a colon in a name.
fn attributes(cells: &mut Cells<'_>, row: &Row) -> Option<Vec<AttributeInput>> {
    let text = cells.optional(row, "attributes")?;
    let mut attributes = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match split_fact(line) {
            Some((name, value)) => attributes.push(AttributeInput { name, value }),
            None => {
                let message = "An attribute is written \u{201c}Name: value\u{201d}, one a line.";
                cells.tell(row, "attributes", message);
            }
        }
    }
    Some(attributes)
}

fn split_fact(line: &str) -> Option<(String, String)> {
    let mut name = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => name.extend(characters.next()),
            ':' => {
                return Some((
                    name.trim().to_owned(),
                    characters.as_str().trim().to_owned(),
                ));
            }
            other => name.push(other),
        }
    }
    None
}

/// An option with the values that are listed for it.
fn option(cells: &Cells<'_>, row: &Row, number: usize) -> Option<(String, Vec<OptionValueInput>)> {
    let name = cells.filled(row, &format!("option{number}_name"))?;
    let listed = cells.filled(row, &format!("option{number}_values"));
    let values = split_list(listed.as_deref().unwrap_or_default(), ',');
    Some((
        name,
        values.iter().map(|value| listed_value(value)).collect(),
    ))
}

/// `Oat` or, with its colour, `Oat=#e4dac8`.
fn listed_value(text: &str) -> OptionValueInput {
    let colour = text
        .rsplit_once('=')
        .filter(|(_, colour)| colour.starts_with('#'));
    match colour {
        Some((value, colour)) => OptionValueInput {
            value: value.trim().to_owned(),
            swatch: Some(colour.to_owned()),
            ..OptionValueInput::default()
        },
        None => OptionValueInput {
            value: text.to_owned(),
            ..OptionValueInput::default()
        },
    }
}

/// Options with what is listed, and behind it what only the variants name.
fn with_values(
    options: Vec<(String, Vec<OptionValueInput>)>,
    variants: &[VariantInput],
) -> Vec<OptionInput> {
    let option = |(index, (name, mut values)): (usize, (String, Vec<OptionValueInput>))| {
        for value in variants
            .iter()
            .filter_map(|variant| variant.options.get(index))
        {
            if !value.is_empty() && !values.iter().any(|known| known.value == *value) {
                values.push(OptionValueInput {
                    value: value.clone(),
                    ..OptionValueInput::default()
                });
            }
        }
        OptionInput { name, values }
    };
    options.into_iter().enumerate().map(option).collect()
}

fn variant(cells: &mut Cells<'_>, row: &Row, options: usize) -> VariantInput {
    let columns = cells.columns;
    let mut chosen: Vec<String> = (1..=3)
        .map(|number| columns.text(row, &format!("option{number}")).to_owned())
        .collect();
    while chosen.len() > options && chosen.last().is_some_and(String::is_empty) {
        chosen.pop();
    }
    VariantInput {
        id: None,
        sku: cells.filled(row, "sku"),
        options: chosen,
        price: cells.money(row, "price"),
        compare_at_price: cells.former(row, "compare_at_price"),
        stock: cells.whole(row, "stock"),
        weight_grams: cells.whole(row, "weight_grams"),
        barcode: cells.optional(row, "barcode"),
        active: cells.truth(row, "active"),
    }
}

pub fn rows(product: &Product, tree: &CategoryTree, base_url: &str) -> Vec<Vec<String>> {
    let count = product.variants.len().max(product.images.len()).max(1);
    let mut rows = Vec::with_capacity(count);
    for index in 0..count {
        let mut cells = vec![("slug", product.slug.to_string())];
        if index == 0 {
            cells.extend(product_cells(product, tree));
        }
        if let Some(variant) = product.variants.get(index) {
            let names = ["option1", "option2", "option3"];
            cells.extend(names.into_iter().zip(variant.options.iter().cloned()));
            cells.extend([
                ("sku", variant.sku.clone()),
                ("price", variant.price.amount()),
                (
                    "compare_at_price",
                    variant
                        .compare_at
                        .map_or(String::new(), |price| price.amount()),
                ),
                ("stock", variant.stock.on_hand.to_string()),
                ("weight_grams", variant.weight_grams.to_string()),
                ("barcode", variant.barcode.clone()),
                ("active", variant.active.to_string()),
            ]);
        }
        if let Some(image) = product.images.get(index) {
            cells.extend([
                ("image_url", picture_url(image, base_url)),
                ("image_alt", image.alt.clone()),
                ("image_shows", image.option_value.clone()),
            ]);
        }
        rows.push(row_of(COLUMNS, cells));
    }
    rows
}

fn product_cells(product: &Product, tree: &CategoryTree) -> Vec<(&'static str, String)> {
    let escaped = |name: &str| name.replace('\\', "\\\\").replace(':', "\\:");
    let fact = |(name, value): &(String, String)| format!("{}: {value}", escaped(name));
    let facts: Vec<String> = product.attributes.iter().map(fact).collect();
    let mut cells = vec![
        ("name", product.name.clone()),
        ("maker", product.maker.clone()),
        ("summary", product.summary.clone()),
        ("description", product.description.clone()),
        ("category", join_list(category_path(product, tree), '>')),
        ("status", product.status.to_string()),
        (
            "publish_at",
            product.publish_at.map_or(String::new(), Timestamp::rfc3339),
        ),
        ("digital", product.digital.to_string()),
        ("tax_class", product.tax_class.clone()),
        ("seo_title", product.seo.title.clone()),
        ("seo_description", product.seo.description.clone()),
        (
            "related",
            join_list(product.related.iter().map(|one| one.slug.as_str()), ','),
        ),
        ("tags", join_list(&product.tags, ',')),
        ("attributes", facts.join("\n")),
    ];
    let names = [
        ("option1_name", "option1_values"),
        ("option2_name", "option2_values"),
        ("option3_name", "option3_values"),
    ];
    for ((name, values), option) in names.into_iter().zip(&product.options) {
        cells.push((name, option.name.clone()));
        cells.push((values, join_list(option.values.iter().map(value_cell), ',')));
    }
    cells
}

fn value_cell(value: &OptionValue) -> String {
    match &value.swatch {
        Some(colour) => format!("{}={colour}", value.value),
        None => value.value.clone(),
    }
}

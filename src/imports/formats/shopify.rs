//! Shopify's product CSV: several rows a handle, the product's own fields on the first of them.

use super::{
    Cells, Described, GivenPicture, Parsed, category_path, options_of, picture_url, row_of,
    slug_of, tell_what_pictures_show,
};
use crate::catalog::service::{ProductInput, VariantInput};
use crate::catalog::{CategoryTree, Image, Product, ProductStatus, Variant, render_markdown};
use crate::imports::csv::{Columns, Row, split_list};
use crate::imports::model::Problem;

/// The columns of an export.
pub const HEADER: &[&str] = &[
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Product Category",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Option3 Name",
    "Option3 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Fulfillment Service",
    "Variant Price",
    "Variant Compare At Price",
    "Variant Requires Shipping",
    "Variant Taxable",
    "Variant Barcode",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "Gift Card",
    "SEO Title",
    "SEO Description",
    "Variant Image",
    "Status",
];

/// Columns of an export that say nothing to us, but are no surprise either.
const EMPTY_WORDS: [&str; 4] = [
    "variant inventory tracker",
    "variant inventory policy",
    "variant fulfillment service",
    "variant taxable",
];

pub fn knows(name: &str) -> bool {
    HEADER.iter().any(|known| known.to_lowercase() == name) && !EMPTY_WORDS.contains(&name)
}

/// What a product without options has instead of a choice.
const NO_OPTION: &str = "Title";
const NO_VALUE: &str = "Default Title";

pub fn handle_of(columns: &Columns, row: &Row) -> Result<String, Problem> {
    match columns.text(row, "handle") {
        "" => Err(Problem::new(
            row.line,
            "Handle",
            "This row has no handle: it belongs to no product.",
        )),
        handle => Ok(handle.to_lowercase()),
    }
}

pub fn parse(columns: &Columns, rows: &[Row]) -> Parsed {
    let mut cells = Cells::new(columns);
    let named = rows
        .iter()
        .find(|row| !columns.text(row, "title").is_empty());
    let Some(first) = named.or(rows.first()) else {
        return Parsed::default();
    };
    let slug = slug_of(columns.text(first, "handle"));
    let mut input = ProductInput {
        name: cells.filled(first, "title"),
        slug: Some(slug.clone()),
        maker: cells.optional(first, "vendor"),
        description: cells.markdown(first, "body (html)"),
        tags: columns.get(first, "tags").map(|tags| split_list(tags, ',')),
        status: status(&mut cells, first),
        digital: digital(&mut cells, rows),
        seo_title: cells.optional(first, "seo title"),
        seo_description: cells.optional(first, "seo description"),
        ..ProductInput::default()
    };
    let mut names: Vec<String> = (1..=3)
        .filter_map(|number| cells.filled(first, &format!("option{number} name")))
        .collect();
    if names == [NO_OPTION] && columns.text(first, "option1 value") == NO_VALUE {
        names.clear();
    }
    let (mut variants, mut variant_lines, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| is_variant(columns, row)) {
        variants.push(variant(&mut cells, row, names.len()));
        variant_lines.push(row.line);
        shown.push(columns.text(row, "variant image").to_owned());
    }
    let mut pictures = pictures(columns, rows);
    for url in shown.iter().filter(|url| !url.is_empty()) {
        if !pictures.iter().any(|picture| picture.url == *url) {
            pictures.push(GivenPicture {
                url: url.clone(),
                ..GivenPicture::default()
            });
        }
    }
    tell_what_pictures_show(&mut pictures, &variants, &shown);
    if !variants.is_empty() {
        if columns.has("option1 name") {
            input.options = Some(options_of(&names, &variants));
        }
        input.variants = Some(variants);
    }
    Parsed {
        name: input.name.clone().unwrap_or_default(),
        described: Described {
            category: category(columns, first),
            input,
            pictures,
            partial: false,
        },
        slug: Some(slug),
        variant_lines,
        problems: cells.problems,
    }
}

fn is_variant(columns: &Columns, row: &Row) -> bool {
    ["option1 value", "variant sku", "variant price"]
        .into_iter()
        .any(|name| !columns.text(row, name).is_empty())
}

/// The merchant's own type before the standard taxonomy, which is long and the same for everyone.
fn category(columns: &Columns, row: &Row) -> Option<Vec<String>> {
    let kind = columns.get(row, "type");
    let category = columns.get(row, "product category");
    let path = kind.filter(|kind| !kind.is_empty()).or(category).or(kind)?;
    Some(split_list(path, '>'))
}

/// `Status` says more than `Published`: an active product that is not published is a draft here.
fn status(cells: &mut Cells<'_>, row: &Row) -> Option<String> {
    let published = cells.truth(row, "published");
    let status = cells
        .filled(row, "status")
        .map(|status| status.to_lowercase());
    match (status.as_deref(), published) {
        (None | Some("active"), Some(false)) => Some("draft".to_owned()),
        (None, Some(true)) => Some("active".to_owned()),
        _ => status,
    }
}

/// A product of which nothing is sent by post; a gift card is one.
fn digital(cells: &mut Cells<'_>, rows: &[Row]) -> Option<bool> {
    let card = rows
        .iter()
        .any(|row| cells.truth(row, "gift card") == Some(true));
    let sent: Vec<bool> = rows
        .iter()
        .filter_map(|row| cells.truth(row, "variant requires shipping"))
        .collect();
    let known = card || !sent.is_empty();
    known.then(|| card || !sent.contains(&true))
}

fn variant(cells: &mut Cells<'_>, row: &Row, options: usize) -> VariantInput {
    let columns = cells.columns;
    let chosen = (1..=options).map(|number| {
        columns
            .text(row, &format!("option{number} value"))
            .to_owned()
    });
    let barcode = cells.optional(row, "variant barcode");
    VariantInput {
        id: None,
        sku: cells
            .filled(row, "variant sku")
            .map(|sku| sku.trim_start_matches('\'').to_owned()),
        options: chosen.collect(),
        price: cells.money(row, "variant price"),
        compare_at_price: cells.former(row, "variant compare at price"),
        // There they sell what they do not have; a shelf holds nothing less than nothing.
        stock: cells
            .whole(row, "variant inventory qty")
            .map(|stock| stock.max(0)),
        weight_grams: cells.grams(row, "variant grams", 1.0),
        barcode: barcode.map(|barcode| barcode.trim_start_matches('\'').to_owned()),
        active: None,
    }
}

/// The pictures by their position; those without one come in the order of the file.
fn pictures(columns: &Columns, rows: &[Row]) -> Vec<GivenPicture> {
    let mut placed: Vec<(i64, GivenPicture)> = Vec::new();
    for row in rows {
        let url = columns.text(row, "image src");
        if url.is_empty() {
            continue;
        }
        let place = columns
            .text(row, "image position")
            .parse()
            .unwrap_or(i64::MAX);
        let picture = GivenPicture {
            url: url.to_owned(),
            alt: columns.get(row, "image alt text").map(str::to_owned),
            option_value: None,
        };
        placed.push((place, picture));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, picture)| picture).collect()
}

pub fn rows(product: &Product, tree: &CategoryTree, base_url: &str) -> Vec<Vec<String>> {
    let count = product.variants.len().max(product.images.len()).max(1);
    let mut rows = Vec::with_capacity(count);
    for index in 0..count {
        let mut cells = vec![("Handle", product.slug.to_string())];
        if index == 0 {
            cells.extend(product_cells(product, tree));
        }
        if let Some(variant) = product.variants.get(index) {
            cells.extend(variant_cells(product, variant, base_url));
        }
        if let Some(image) = product.images.get(index) {
            cells.extend([
                ("Image Src", picture_url(image, base_url)),
                ("Image Position", (index + 1).to_string()),
                ("Image Alt Text", image.alt.clone()),
            ]);
        }
        rows.push(row_of(HEADER, cells));
    }
    rows
}

fn product_cells(product: &Product, tree: &CategoryTree) -> Vec<(&'static str, String)> {
    let published = product.status == ProductStatus::Active;
    let mut cells = vec![
        ("Title", product.name.clone()),
        (
            "Body (HTML)",
            render_markdown(&product.description).trim().to_owned(),
        ),
        ("Vendor", product.maker.clone()),
        ("Type", category_path(product, tree).join(" > ")),
        ("Tags", product.tags.join(", ")),
        ("Published", truth(published)),
        ("Gift Card", truth(false)),
        ("SEO Title", product.seo.title.clone()),
        ("SEO Description", product.seo.description.clone()),
        ("Status", product.status.to_string()),
    ];
    let names = ["Option1 Name", "Option2 Name", "Option3 Name"];
    if product.options.is_empty() {
        cells.push(("Option1 Name", NO_OPTION.to_owned()));
    }
    let options = product.options.iter().map(|option| option.name.clone());
    cells.extend(names.into_iter().zip(options));
    cells
}

fn variant_cells(
    product: &Product,
    variant: &Variant,
    base_url: &str,
) -> Vec<(&'static str, String)> {
    let shows = |image: &&Image| {
        !image.option_value.is_empty() && variant.options.contains(&image.option_value)
    };
    let image = product.images.iter().find(shows);
    let mut cells = vec![
        ("Variant SKU", variant.sku.clone()),
        ("Variant Grams", variant.weight_grams.to_string()),
        ("Variant Inventory Tracker", "shopify".to_owned()),
        ("Variant Inventory Qty", variant.stock.on_hand.to_string()),
        ("Variant Inventory Policy", "deny".to_owned()),
        ("Variant Fulfillment Service", "manual".to_owned()),
        ("Variant Price", variant.price.amount()),
        (
            "Variant Compare At Price",
            variant
                .compare_at
                .map_or(String::new(), |price| price.amount()),
        ),
        ("Variant Requires Shipping", truth(!product.digital)),
        ("Variant Taxable", truth(true)),
        ("Variant Barcode", variant.barcode.clone()),
        (
            "Variant Image",
            image.map_or(String::new(), |image| picture_url(image, base_url)),
        ),
    ];
    let names = ["Option1 Value", "Option2 Value", "Option3 Value"];
    if product.options.is_empty() {
        cells.push(("Option1 Value", NO_VALUE.to_owned()));
    }
    cells.extend(names.into_iter().zip(variant.options.iter().cloned()));
    cells
}

/// As Shopify writes it.
fn truth(yes: bool) -> String {
    if yes { "TRUE" } else { "FALSE" }.to_owned()
}

//! What would change of a product, for people.

use crate::catalog::service::many::Preview;
use crate::catalog::{CategoryTree, Product, ProductOption, Variant};
use crate::imports::formats::{Described, short};
use crate::imports::model::Change;
use crate::taxes::STANDARD;
use crate::types::{CategoryId, Money, Timestamp};

/// The most changes of one product that are kept.
const MAX_CHANGES: usize = 200;

/// The differences that `described` makes. `fetch`: places of the pictures that are new.
pub(super) fn differences(
    preview: &Preview,
    described: &Described,
    tree: &CategoryTree,
    fetch: &[usize],
) -> Vec<Change> {
    let (before, after) = (&preview.before, &preview.product);
    let mut changes = Changes(Vec::new());
    let new = before.id.0 == 0;
    for (field, text) in TEXTS {
        changes.add(field, text(before), text(after));
    }
    if new {
        // It begins as one on sale, so nothing would differ.
        changes.add("Status", String::new(), after.status.label());
    } else {
        changes.add("Status", before.status.label(), after.status.label());
    }
    let category_after = match &described.category {
        Some(names) => format!("{} (new)", names.join(" \u{203a} ")),
        None => category(tree, after.category_id),
    };
    changes.add(
        "Category",
        category(tree, before.category_id),
        category_after,
    );
    if let Some(related) = &preview.related {
        // Those that are there are named by slug, as the file does; ids are rare.
        let were = before.related.iter().map(|one| one.slug.to_string());
        changes.add(
            "Related products",
            join(were),
            join(related.iter().cloned()),
        );
    }
    variants(preview, &mut changes);
    for picture in fetch
        .iter()
        .filter_map(|&place| described.pictures.get(place))
    {
        changes.add("Picture", String::new(), picture.url.clone());
    }
    let mut changes = changes.0;
    if changes.len() > MAX_CHANGES {
        let more = changes.len() - MAX_CHANGES;
        changes.truncate(MAX_CHANGES);
        changes.push(Change {
            field: "And more".to_owned(),
            before: String::new(),
            after: format!("{more} more changes"),
        });
    }
    changes
}

/// A text of a product by the name of its field.
type Text = (&'static str, fn(&Product) -> String);

const TEXTS: [Text; 13] = [
    ("Name", |product| product.name.clone()),
    ("Name in URLs", |product| match product.id.0 {
        0 => String::new(),
        _ => product.slug.to_string(),
    }),
    ("Maker", |product| product.maker.clone()),
    ("Summary", |product| product.summary.clone()),
    ("Description", |product| product.description.clone()),
    ("On sale from", |product| {
        product
            .publish_at
            .map_or_else(String::new, Timestamp::date_time)
    }),
    ("Digital", |product| {
        if product.digital { "yes" } else { "" }.to_owned()
    }),
    ("Tax class", |product| match product.tax_class.as_str() {
        STANDARD => String::new(),
        class => class.to_owned(),
    }),
    ("Search engines: title", |product| product.seo.title.clone()),
    ("Search engines: description", |product| {
        product.seo.description.clone()
    }),
    ("Tags", |product| join(product.tags.iter().cloned())),
    ("Attributes", |product| {
        join(
            product
                .attributes
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        )
    }),
    ("Options", |product| {
        join(product.options.iter().map(option))
    }),
];

struct Changes(Vec<Change>);

impl Changes {
    /// Adds a change where the two differ.
    fn add(&mut self, field: impl Into<String>, before: String, after: String) {
        if before != after {
            let (mut short_before, mut short_after) = (short(&before), short(&after));
            if short_before == short_after {
                // They differ further on only.
                short_before = from_difference(&before, &after);
                short_after = from_difference(&after, &before);
            }
            self.0.push(Change {
                field: field.into(),
                before: short_before,
                after: short_after,
            });
        }
    }
}

/// A text from a little before the place where it differs from another one.
fn from_difference(text: &str, other: &str) -> String {
    let same = text
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let rest: String = text.chars().skip(same.saturating_sub(10)).collect();
    format!("\u{2026}{}", short(&rest))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn option(option: &ProductOption) -> String {
    let value = |one: &crate::catalog::OptionValue| match &one.swatch {
        Some(swatch) => format!("{} {swatch}", one.value),
        None => one.value.clone(),
    };
    format!(
        "{}: {}",
        option.name,
        option
            .values
            .iter()
            .map(value)
            .collect::<Vec<_>>()
            .join(" / ")
    )
}

fn category(tree: &CategoryTree, id: Option<CategoryId>) -> String {
    let path = id.map(|id| tree.path(id)).unwrap_or_default();
    let names: Vec<&str> = path.iter().map(|one| one.name.as_str()).collect();
    names.join(" \u{203a} ")
}

fn variants(preview: &Preview, changes: &mut Changes) {
    let before = |id| preview.before.variants.iter().find(|one| one.id == id);
    for (place, after) in preview.product.variants.iter().enumerate() {
        let stock = preview.stock.get(place).copied().flatten();
        let title = title(after, place);
        let Some(before) = before(after.id) else {
            let stock = stock.unwrap_or(0);
            changes.add(
                format!("New variant {title}"),
                String::new(),
                format!("{}, {stock} in stock", after.price),
            );
            continue;
        };
        let money =
            |price: Option<Money>| price.map_or_else(String::new, |price| price.to_string());
        let number = |number: i64| number.to_string();
        let on_hand = before.stock.on_hand;
        for (field, was, is) in [
            ("SKU", before.sku.clone(), after.sku.clone()),
            (
                "Options",
                before.options.join(" / "),
                after.options.join(" / "),
            ),
            ("Price", before.price.to_string(), after.price.to_string()),
            (
                "Former price",
                money(before.compare_at),
                money(after.compare_at),
            ),
            ("Stock", number(on_hand), number(stock.unwrap_or(on_hand))),
            (
                "Grams",
                number(before.weight_grams),
                number(after.weight_grams),
            ),
            ("Barcode", before.barcode.clone(), after.barcode.clone()),
            ("For sale", yes(before.active), yes(after.active)),
        ] {
            changes.add(format!("{field} of {title}"), was, is);
        }
    }
    for id in &preview.gone {
        if let Some(gone) = before(*id) {
            changes.add(
                format!("Variant {}", title(gone, 0)),
                gone.sku.clone(),
                String::new(),
            );
        }
    }
}

fn yes(so: bool) -> String {
    if so { "yes" } else { "no" }.to_owned()
}

/// How people know a variant: by its SKU, else by its options, else by its place.
fn title(variant: &Variant, place: usize) -> String {
    if !variant.sku.is_empty() {
        variant.sku.clone()
    } else if !variant.options.is_empty() {
        variant.options.join(" / ")
    } else {
        (place + 1).to_string()
    }
}

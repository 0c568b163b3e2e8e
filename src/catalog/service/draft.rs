//! What an input makes of a product: all rules that need no database.

use std::collections::HashSet;

use super::input::{AttributeInput, OptionInput, OptionValueInput, ProductInput, VariantInput};
use crate::catalog::model::{
    OptionValue, Product, ProductOption, ProductStatus, RESERVED_SLUGS, Seo, Variant,
};
use crate::error::FieldErrors;
use crate::inventory::StockLevel;
use crate::inventory::service::{MAX_ON_HAND, STOCK_RANGE};
use crate::types::{Currency, Money, MoneyInput, Slug, Timestamp, VariantId};

const MAX_NAME: usize = 200;
const MAX_MAKER: usize = 100;
const MAX_SUMMARY: usize = 300;
const MAX_DESCRIPTION: usize = 20_000;
/// Search engines cut longer ones off.
const MAX_SEO_TITLE: usize = 120;
const MAX_SEO_DESCRIPTION: usize = 320;
const MAX_RELATED: usize = 20;
const MAX_TAGS: usize = 20;
const MAX_TAG: usize = 40;
const MAX_ATTRIBUTES: usize = 30;
/// The most options of a product.
pub const MAX_OPTIONS: usize = 3;
const MAX_OPTION_VALUES: usize = 50;
/// The most variants of a product.
pub const MAX_VARIANTS: usize = 1_000;
/// Names of attributes and options, and values of options.
const MAX_WORD: usize = 60;
/// Values of attributes.
const MAX_VALUE: usize = 200;
const MAX_SKU: usize = 100;
const MAX_BARCODE: usize = 50;
const MAX_WEIGHT: i64 = 1_000_000_000;

/// What to tell whoever typed a slug that is none.
pub(super) const SLUG_RULE: &str =
    "Use lower-case letters, digits and single hyphens, and at least one letter.";

/// A trimmed text of one line, at most `max` characters long.
pub(super) fn line(errors: &mut FieldErrors, field: &str, given: &str, max: usize) -> String {
    if given.trim().contains(char::is_control) {
        errors.add(field, "invalid", "This must be a single line.");
    }
    text(errors, field, given, max)
}

/// A trimmed text, at most `max` characters long.
pub(super) fn text(errors: &mut FieldErrors, field: &str, given: &str, max: usize) -> String {
    let given = given.trim();
    if given.chars().count() > max {
        let message = format!("This is too long: at most {max} characters.");
        errors.add(field, "length", message);
    }
    given.to_owned()
}

/// A slug made from a name that nobody else has: `name`, `name-2`, …
pub(super) fn free_slug(name: &str, fallback: &str, taken: impl Fn(&Slug) -> bool) -> Slug {
    let base = Slug::from_text(name, fallback);
    let mut slug = base.clone();
    let mut number = 2;
    while taken(&slug) {
        let tail = format!("-{number}");
        let head: String = base
            .as_str()
            .chars()
            .take(Slug::MAX_LEN - tail.len())
            .collect();
        slug = Slug::from_text(&format!("{}{tail}", head.trim_end_matches('-')), fallback);
        number += 1;
    }
    slug
}

/// A product as it will be, before anything is written.
pub(super) struct Draft {
    /// The product. New variants have the id 0; an SKU that is to be made is empty.
    pub product: Product,
    /// Where the message of each variant goes: empty for the top, or `variants.3.`. Variants
    /// that the input does not name come after those it names.
    pub places: Vec<String>,
    /// What is to be on the shelf of each variant that `places` names.
    pub stock: Vec<Option<i64>>,
    /// What the input names as related: ids or slugs, to be looked up; none: as before.
    pub related: Option<Vec<String>>,
    /// Variants that go, because nobody ever ordered them.
    pub gone: Vec<VariantId>,
    /// What is wrong so far.
    pub errors: FieldErrors,
}

/// What `input` makes of `before`; of an empty product with the id 0, a new one. The slug stays
/// as it is where the input gives none. `ordered`: variants that were ordered once and so cannot
/// go.
pub(super) fn resolve(
    before: &Product,
    input: ProductInput,
    ordered: &[VariantId],
    currency: Currency,
) -> Draft {
    let mut draft = Draft {
        product: before.clone(),
        places: Vec::new(),
        stock: Vec::new(),
        related: None,
        gone: Vec::new(),
        errors: FieldErrors::default(),
    };
    draft.texts(&input);
    seo(
        &mut draft.errors,
        &mut draft.product.seo,
        input.seo_title.as_deref(),
        input.seo_description.as_deref(),
    );
    draft.place(&input);
    draft.sale(&input);
    if let Some(related) = input.related {
        draft.related(related);
    }
    if let Some(tags) = input.tags {
        draft.tags(tags);
    }
    if let Some(attributes) = input.attributes {
        draft.attributes(attributes);
    }
    if let Some(options) = input.options {
        draft.options(options);
    }
    let top = Top {
        price: input.price,
        stock: input.stock,
        sku: input.sku,
    };
    // Neither options nor variants: an empty list is what a form without rows sends.
    let simple = draft.product.options.is_empty();
    match input.variants.filter(|given| !simple || !given.is_empty()) {
        Some(given) => draft.variants(before, &given, &top, ordered, currency),
        None => draft.same_variants(top, currency),
    }
    draft
}

/// What describes the one variant of a simple product.
struct Top {
    price: Option<MoneyInput>,
    stock: Option<i64>,
    sku: Option<String>,
}

impl Top {
    fn fields(&self) -> impl Iterator<Item = &'static str> {
        [
            ("price", self.price.is_some()),
            ("stock", self.stock.is_some()),
            ("sku", self.sku.is_some()),
        ]
        .into_iter()
        .filter_map(|(field, given)| given.then_some(field))
    }
}

impl Draft {
    fn texts(&mut self, input: &ProductInput) {
        let (product, errors) = (&mut self.product, &mut self.errors);
        if let Some(name) = &input.name {
            product.name = line(errors, "name", name, MAX_NAME);
        }
        if product.name.is_empty() && errors.of("name").is_empty() {
            errors.add("name", "required", "Give it a name.");
        }
        if let Some(maker) = &input.maker {
            product.maker = line(errors, "maker", maker, MAX_MAKER);
        }
        if let Some(summary) = &input.summary {
            product.summary = line(errors, "summary", summary, MAX_SUMMARY);
        }
        if let Some(description) = &input.description {
            // Checked, but kept as typed: leading spaces mean something in Markdown.
            text(errors, "description", description, MAX_DESCRIPTION);
            product.description.clone_from(description);
        }
    }

    fn place(&mut self, input: &ProductInput) {
        let (product, errors) = (&mut self.product, &mut self.errors);
        match input.slug.as_deref().map_or("", str::trim) {
            "" => {}
            given if RESERVED_SLUGS.contains(&given) => {
                errors.add(
                    "slug",
                    "reserved",
                    "The shop itself uses this name in URLs.",
                );
            }
            given => match Slug::parse(given) {
                Some(slug) => product.slug = slug,
                None => errors.add("slug", "invalid", SLUG_RULE),
            },
        }
        if let Some(category) = input.category_id {
            product.category_id = Some(category).filter(|category| category.0 != 0);
        }
        if let Some(status) = &input.status {
            let status = status
                .trim()
                .parse()
                .map_err(|rule| format!("This {rule}."));
            if let Some(status) = errors.keep("status", "unknown", status) {
                product.status = status;
            }
        }
    }

    /// When it goes on sale, and how it is sent.
    fn sale(&mut self, input: &ProductInput) {
        let (product, errors) = (&mut self.product, &mut self.errors);
        product.digital = input.digital.unwrap_or(product.digital);
        let draft = product.status == ProductStatus::Draft;
        match input.publish_at.as_deref().map(str::trim) {
            Some("") => product.publish_at = None,
            Some(given) => match moment(given) {
                Some(_) if !draft => {
                    let message =
                        "Only a draft waits for a time: make it one, or leave this empty.";
                    errors.add("publish_at", "not_draft", message);
                }
                Some(at) => product.publish_at = Some(at),
                None => {
                    let message = "Write a date and a time, such as 2026-12-24T09:00.";
                    errors.add("publish_at", "invalid", message);
                }
            },
            None if !draft => product.publish_at = None,
            None => {}
        }
    }

    fn related(&mut self, given: Vec<String>) {
        let mut related: Vec<String> = Vec::new();
        for key in given {
            let key = key.trim().to_owned();
            if !key.is_empty() && !related.contains(&key) {
                related.push(key);
            }
        }
        let count = related.len();
        if at_most(&mut self.errors, "related", count, MAX_RELATED, "products") {
            self.related = Some(related);
        }
    }

    fn tags(&mut self, given: Vec<String>) {
        let errors = &mut self.errors;
        let mut tags: Vec<String> = Vec::new();
        for tag in given {
            let tag = line(errors, "tags", &tag, MAX_TAG);
            if tag.contains(',') {
                errors.add("tags", "invalid", "A tag has no comma in it.");
            }
            if !tag.is_empty() && !tags.iter().any(|other| same(other, &tag)) {
                tags.push(tag);
            }
        }
        at_most(errors, "tags", tags.len(), MAX_TAGS, "tags");
        self.product.tags = tags;
    }

    fn attributes(&mut self, given: Vec<AttributeInput>) {
        let errors = &mut self.errors;
        let mut attributes: Vec<(String, String)> = Vec::new();
        at_most(
            errors,
            "attributes",
            given.len(),
            MAX_ATTRIBUTES,
            "attributes",
        );
        for (index, attribute) in given.into_iter().enumerate() {
            let field = format!("attributes.{index}.name");
            let name = word(errors, &field, &attribute.name, MAX_WORD);
            if attributes.iter().any(|(other, _)| same(other, &name)) {
                errors.add(&field, "repeated", "Another attribute has this name.");
            }
            let field = format!("attributes.{index}.value");
            attributes.push((name, word(errors, &field, &attribute.value, MAX_VALUE)));
        }
        self.product.attributes = attributes;
    }

    fn options(&mut self, given: Vec<OptionInput>) {
        let errors = &mut self.errors;
        let mut options: Vec<ProductOption> = Vec::new();
        at_most(errors, "options", given.len(), MAX_OPTIONS, "options");
        for (index, option) in given.into_iter().enumerate() {
            let field = format!("options.{index}.name");
            let name = word(errors, &field, &option.name, MAX_WORD);
            if options.iter().any(|other| same(&other.name, &name)) {
                errors.add(&field, "repeated", "Another option has this name.");
            }
            let values = option_values(errors, &format!("options.{index}.values"), option.values);
            options.push(ProductOption { name, values });
        }
        self.product.options = options;
    }

    /// All variants, as the input gives them.
    fn variants(
        &mut self,
        before: &Product,
        given: &[VariantInput],
        top: &Top,
        ordered: &[VariantId],
        currency: Currency,
    ) {
        for field in top.fields() {
            let message = "Give this with each of the variants.";
            self.errors.add(field, "not_simple", message);
        }
        if given.is_empty() {
            self.errors
                .add("variants", "required", "Give at least one variant.");
        }
        if !at_most(
            &mut self.errors,
            "variants",
            given.len(),
            MAX_VARIANTS,
            "variants",
        ) {
            return;
        }
        let mut named: HashSet<VariantId> = HashSet::new();
        let mut seen: HashSet<Vec<String>> = HashSet::new();
        self.product.variants.clear();
        for (index, input) in given.iter().enumerate() {
            let place = format!("variants.{index}.");
            let found = input.id.map(|id| {
                let found = before.variants.iter().find(|variant| variant.id == id);
                found.filter(|_| named.insert(id))
            });
            if let Some(None) = found {
                let message = "This product has no such variant, or it is given twice.";
                self.errors.add(&format!("{place}id"), "unknown", message);
            }
            let variant = self.variant(&place, found.flatten(), input, currency);
            if !seen.insert(variant.options.clone()) {
                let message = "Another variant has the same options.";
                self.errors
                    .add(&format!("{place}options"), "repeated", message);
            }
            self.keep(place, variant, input.stock);
        }
        for variant in &before.variants {
            if named.contains(&variant.id) {
                continue;
            }
            if ordered.contains(&variant.id) {
                self.product.variants.push(Variant {
                    active: false,
                    ..variant.clone()
                });
            } else {
                self.gone.push(variant.id);
            }
        }
        self.number();
    }

    /// The variants that there were, of a simple product with what is given at the top.
    fn same_variants(&mut self, top: Top, currency: Currency) {
        let (errors, options) = (&mut self.errors, &self.product.options);
        let fits = |variant: &Variant| option_mistake(options, &variant.options).is_none();
        if self
            .product
            .variants
            .iter()
            .any(|one| one.active && !fits(one))
        {
            let message = "The variants do not fit these options: give the variants, too.";
            errors.add("variants", "options", message);
            return;
        }
        if !options.is_empty() {
            for field in top.fields() {
                let message = "This product has options: give this with each of the variants.";
                errors.add(field, "not_simple", message);
            }
            if self.product.variants.is_empty() {
                errors.add("variants", "required", "Give at least one variant.");
            }
            return;
        }
        if self.product.id.0 != 0 && top.fields().next().is_none() {
            return;
        }
        let input = VariantInput {
            price: top.price,
            sku: top.sku,
            ..VariantInput::default()
        };
        let mut variants = std::mem::take(&mut self.product.variants);
        let index = variants
            .iter()
            .position(|variant| variant.active)
            .or(variants.iter().position(|one| one.options.is_empty()));
        let before = index.map(|index| variants.remove(index));
        let variant = self.variant("", before.as_ref(), &input, currency);
        self.keep(String::new(), variant, top.stock);
        self.product.variants.extend(variants);
        self.number();
    }

    /// One variant: what `input` makes of the one before, or a new one.
    fn variant(
        &mut self,
        place: &str,
        before: Option<&Variant>,
        input: &VariantInput,
        currency: Currency,
    ) -> Variant {
        let errors = &mut self.errors;
        let at = |field: &str| format!("{place}{field}");
        let mut variant = before.cloned().unwrap_or(Variant {
            id: VariantId(0),
            product_id: self.product.id,
            sku: String::new(),
            options: Vec::new(),
            price: Money::zero(currency),
            compare_at: None,
            weight_grams: 0,
            barcode: String::new(),
            position: 0,
            active: true,
            stock: StockLevel::default(),
        });
        if let Some(sku) = &input.sku {
            let sku = line(errors, &at("sku"), sku, MAX_SKU);
            if !sku.is_empty() {
                variant.sku = sku;
            }
        }
        if before.is_none() || !input.options.is_empty() {
            let trimmed = input.options.iter().map(|value| value.trim().to_owned());
            variant.options = trimmed.collect();
        }
        if let Some(mistake) = option_mistake(&self.product.options, &variant.options) {
            errors.add(&at("options"), "options", mistake);
        }
        match &input.price {
            Some(price) => {
                let price = errors.keep(&at("price"), "money", price.read(currency));
                variant.price = price.unwrap_or(variant.price);
            }
            None if before.is_none() => errors.add(&at("price"), "required", "Give it a price."),
            None => {}
        }
        if let Some(price) = &input.compare_at_price {
            let price = errors.keep(&at("compare_at_price"), "money", price.read(currency));
            variant.compare_at = price.filter(|price| !price.is_zero());
        }
        if let Some(weight) = input.weight_grams {
            if !(0..=MAX_WEIGHT).contains(&weight) {
                let message = format!("A weight is a number of grams from 0 to {MAX_WEIGHT}.");
                errors.add(&at("weight_grams"), "range", message);
            }
            variant.weight_grams = weight;
        }
        if let Some(barcode) = &input.barcode {
            variant.barcode = line(errors, &at("barcode"), barcode, MAX_BARCODE);
        }
        variant.active = input.active.unwrap_or(variant.active);
        variant
    }

    fn keep(&mut self, place: String, variant: Variant, stock: Option<i64>) {
        if stock.is_some_and(|stock| !(0..=MAX_ON_HAND).contains(&stock)) {
            self.errors
                .add(&format!("{place}stock"), "range", STOCK_RANGE);
        }
        self.product.variants.push(variant);
        self.places.push(place);
        self.stock.push(stock);
    }

    fn number(&mut self) {
        for (position, variant) in (0..).zip(&mut self.product.variants) {
            variant.position = position;
        }
    }
}

/// A moment as RFC 3339 writes it, or as a browser's field for date and time does, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let read = |tail: &str| Timestamp::parse(&format!("{text}{tail}"));
    read("").or_else(|| read("Z")).or_else(|| read(":00Z"))
}

/// What search engines show, as `title` and `description` give it.
pub(super) fn seo(
    errors: &mut FieldErrors,
    seo: &mut Seo,
    title: Option<&str>,
    description: Option<&str>,
) {
    if let Some(title) = title {
        seo.title = line(errors, "seo_title", title, MAX_SEO_TITLE);
    }
    if let Some(description) = description {
        seo.description = line(errors, "seo_description", description, MAX_SEO_DESCRIPTION);
    }
}

fn option_values(
    errors: &mut FieldErrors,
    field: &str,
    given: Vec<OptionValueInput>,
) -> Vec<OptionValue> {
    if given.is_empty() {
        errors.add(field, "required", "Give at least one value.");
    }
    at_most(errors, field, given.len(), MAX_OPTION_VALUES, "values");
    let mut values: Vec<OptionValue> = Vec::new();
    for (index, input) in given.into_iter().enumerate() {
        let place = format!("{field}.{index}.value");
        let value = word(errors, &place, &input.value, MAX_WORD);
        if values.iter().any(|other| same(&other.value, &value)) {
            errors.add(&place, "repeated", "This option has the value twice.");
        }
        let swatch = input.swatch.map(|swatch| swatch.trim().to_lowercase());
        let swatch = swatch.filter(|swatch| !swatch.is_empty());
        if swatch.as_deref().is_some_and(|swatch| !is_colour(swatch)) {
            let place = format!("{field}.{index}.swatch");
            errors.add(&place, "invalid", "A colour is written #rrggbb.");
        }
        values.push(OptionValue { value, swatch });
    }
    values
}

/// What is wrong with a variant's choice, if anything.
fn option_mistake(options: &[ProductOption], chosen: &[String]) -> Option<String> {
    if options.len() != chosen.len() {
        return Some(match options.len() {
            0 => "This product has no options.".to_owned(),
            1 => "Give one value of the option.".to_owned(),
            count => format!("Give one value of each of the {count} options."),
        });
    }
    let wrong = options.iter().zip(chosen).find(|(option, value)| {
        let mut values = option.values.iter();
        !values.any(|known| known.value == **value)
    });
    wrong.map(|(option, value)| format!("\u{201c}{value}\u{201d} is no {}.", option.name))
}

/// A text of one line that must not be empty.
fn word(errors: &mut FieldErrors, field: &str, given: &str, max: usize) -> String {
    let word = line(errors, field, given, max);
    if word.is_empty() {
        errors.add(field, "required", "This is needed.");
    }
    word
}

/// Adds an error when there are too many; tells whether there are not.
fn at_most(errors: &mut FieldErrors, field: &str, count: usize, max: usize, things: &str) -> bool {
    if count > max {
        errors.add(field, "length", format!("At most {max} {things}."));
    }
    count <= max
}

/// Whether two names are the same for a reader.
fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#');
    digits.is_some_and(|digits| {
        digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// An SKU made from the slug and the options that nobody else has: `MUG-OAT`, `MUG-OAT-2`, …
pub(super) fn free_sku(slug: &Slug, options: &[String], taken: impl Fn(&str) -> bool) -> String {
    let text = format!("{slug} {}", options.join(" "));
    let base = Slug::from_text(&text, "sku").as_str().to_uppercase();
    let head: String = base.chars().take(MAX_SKU - 10).collect();
    let head = head.trim_end_matches('-');
    let mut sku = head.to_owned();
    let mut number = 2;
    while taken(&sku) {
        sku = format!("{head}-{number}");
        number += 1;
    }
    sku
}

/// What all SKUs that [`free_sku`] makes of a slug begin with.
pub(super) fn sku_prefix(slug: &Slug) -> String {
    let head: String = slug.as_str().chars().take(MAX_SKU - 10).collect();
    head.trim_end_matches('-').to_uppercase()
}

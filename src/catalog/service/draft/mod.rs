//! What an input makes of a product: all rules that need no database.

mod product;
mod variants;

pub use variants::combinations;

use super::input::{ProductInput, VariantsInput};
use crate::catalog::model::{Product, Seo};
use crate::error::FieldErrors;
use crate::types::{Currency, MoneyInput, Slug, VariantId};

const MAX_NAME: usize = 200;
const MAX_MAKER: usize = 100;
const MAX_SUMMARY: usize = 300;
const MAX_DESCRIPTION: usize = 20_000;
/// Search engines cut longer ones off.
const MAX_SEO_TITLE: usize = 120;
const MAX_SEO_DESCRIPTION: usize = 320;
const MAX_RELATED: usize = 20;
pub(super) const MAX_TAGS: usize = 20;
pub(super) const MAX_TAG: usize = 40;
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
    let mut draft = Draft::of(before);
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
        draft.follow(&options, input.variants.is_some());
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
        Some(given) => {
            draft.none_of(&top);
            draft.variants(before, variants::numbered(given), ordered, currency);
        }
        None => draft.same_variants(top, currency),
    }
    if input.combine == Some(true) {
        draft.combine();
    }
    draft
}

/// What `input` makes of some variants of `before`; the others stay as they are.
pub(super) fn resolve_variants(
    before: &Product,
    input: VariantsInput,
    ordered: &[VariantId],
    currency: Currency,
) -> Draft {
    let mut draft = Draft::of(before);
    let rows = variants::among(before, input);
    draft.variants(before, rows, ordered, currency);
    draft
}

impl Draft {
    /// A product as it is.
    fn of(before: &Product) -> Self {
        Self {
            product: before.clone(),
            places: Vec::new(),
            stock: Vec::new(),
            related: None,
            gone: Vec::new(),
            errors: FieldErrors::default(),
        }
    }
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
pub(super) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
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

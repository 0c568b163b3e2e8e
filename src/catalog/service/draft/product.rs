//! The rules of what a product says of itself.

use super::{
    Draft, MAX_ATTRIBUTES, MAX_DESCRIPTION, MAX_MAKER, MAX_NAME, MAX_OPTION_VALUES, MAX_OPTIONS,
    MAX_RELATED, MAX_SUMMARY, MAX_TAG, MAX_TAGS, MAX_VALUE, MAX_WORD, SLUG_RULE, at_most, line,
    same, text, word,
};
use crate::catalog::model::{OptionValue, ProductOption, ProductStatus, RESERVED_SLUGS};
use crate::catalog::service::input::{AttributeInput, OptionInput, OptionValueInput, ProductInput};
use crate::error::FieldErrors;
use crate::types::{Slug, Timestamp};

impl Draft {
    pub(super) fn texts(&mut self, input: &ProductInput) {
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

    pub(super) fn place(&mut self, input: &ProductInput) {
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

    /// When it goes on sale, how it is sent and taxed.
    pub(super) fn sale(&mut self, input: &ProductInput) {
        let (product, errors) = (&mut self.product, &mut self.errors);
        product.digital = input.digital.unwrap_or(product.digital);
        let class = input.tax_class.as_deref().map(str::trim);
        if let Some(class) = class.filter(|class| !class.is_empty()) {
            class.clone_into(&mut product.tax_class);
        }
        let draft = product.status == ProductStatus::Draft;
        match input.publish_at.as_deref().map(str::trim) {
            Some("") => product.publish_at = None,
            Some(given) => match Timestamp::typed(given) {
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

    pub(super) fn related(&mut self, given: Vec<String>) {
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

    pub(super) fn tags(&mut self, given: Vec<String>) {
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

    pub(super) fn attributes(&mut self, given: Vec<AttributeInput>) {
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

    pub(super) fn options(&mut self, given: Vec<OptionInput>) {
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

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#');
    digits.is_some_and(|digits| {
        digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

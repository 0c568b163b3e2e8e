//! What an input makes of a product: all rules that need no database.

use crate::error::FieldErrors;
use crate::types::Slug;

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

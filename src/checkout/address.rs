//! Reading addresses of orders: field by field, or one free text of an API client.

use super::service::AddressInput;
use crate::addresses::service as fields;
use crate::error::FieldErrors;
use crate::orders::Address;

/// The shortest and the longest free text, in characters.
const TEXT: std::ops::RangeInclusive<usize> = 3..=1_000;

/// The address of an input, or messages at `field` and the names below it.
pub fn read(input: Option<AddressInput>, field: &str, errors: &mut FieldErrors) -> Option<Address> {
    match input {
        None => {
            errors.add(field, "required", "We need an address.");
            None
        }
        Some(AddressInput::Text(text)) => read_text(text, field, errors),
        Some(AddressInput::Fields(input)) => {
            fields::read(input, field, errors).map(Address::Fields)
        }
    }
}

/// Whether nothing was given at all.
pub fn is_blank(input: &AddressInput) -> bool {
    match input {
        AddressInput::Text(text) => text.trim().is_empty(),
        AddressInput::Fields(input) => fields::is_blank(input),
    }
}

/// A free text is kept as it is: only its length is looked at.
fn read_text(text: String, field: &str, errors: &mut FieldErrors) -> Option<Address> {
    if text.trim().is_empty() {
        errors.add(field, "required", "We need an address.");
        None
    } else if TEXT.contains(&text.trim().chars().count()) && text.chars().count() <= *TEXT.end() {
        Some(Address::Text(text))
    } else {
        let message = format!("Write {} to {} characters.", TEXT.start(), TEXT.end());
        errors.add(field, "length", message);
        None
    }
}

//! Reading addresses of orders: field by field, or one free text of an API client.

use super::service::AddressInput;
use crate::addresses::service as fields;
use crate::error::FieldErrors;
use crate::orders::Address;

/// The shortest and the longest free text, in characters.
const TEXT: std::ops::RangeInclusive<usize> = 3..=1_000;

/// The longest name of who comes for the goods, in characters.
const MAX_NAME: usize = 200;

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

/// Who comes for the goods, of what may be a whole address: that whole address, or the name alone
/// as a text. `own`: the asker's own name, for an input without one.
pub fn read_name(
    input: Option<AddressInput>,
    own: Option<&str>,
    field: &str,
    errors: &mut FieldErrors,
) -> Option<Address> {
    let (name, place) = match input {
        Some(AddressInput::Fields(input)) => {
            let name = input.name.trim().to_owned();
            let mut ignored = FieldErrors::default();
            let whole = fields::read(input, field, &mut ignored);
            if let Some(address) = whole {
                return Some(Address::Fields(address));
            }
            (name, format!("{field}.name"))
        }
        Some(AddressInput::Text(text)) => {
            let name = text.trim().lines().next().unwrap_or_default();
            (name.trim().to_owned(), field.to_owned())
        }
        None => (String::new(), field.to_owned()),
    };
    let name = match own {
        Some(own) if name.is_empty() => own.to_owned(),
        _ => name,
    };
    if name.is_empty() {
        errors.add(&place, "required", "Write who comes for it.");
        None
    } else if name.chars().count() > MAX_NAME {
        let message = format!("At most {MAX_NAME} characters.");
        errors.add(&place, "length", message);
        None
    } else {
        Some(Address::Text(name))
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

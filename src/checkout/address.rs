//! Reading addresses: which fields there must be, and how long they may be.

use super::service::{AddressFields, AddressInput};
use crate::error::FieldErrors;
use crate::orders::{Address, PostalAddress};
use crate::shipping;

/// The longest field, in characters.
const MAX_FIELD: usize = 200;
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
        Some(AddressInput::Fields(fields)) => {
            let address = tidy(fields);
            let problems = problems(&address);
            for (name, code, message) in &problems {
                errors.add(&format!("{field}.{name}"), code, message.clone());
            }
            problems.is_empty().then_some(Address::Fields(address))
        }
    }
}

/// Whether an address has all that it must have.
pub fn is_complete(address: &PostalAddress) -> bool {
    problems(address).is_empty()
}

/// Whether nothing was given at all.
pub fn is_blank(input: &AddressInput) -> bool {
    match input {
        AddressInput::Text(text) => text.trim().is_empty(),
        AddressInput::Fields(fields) => fields_of(&tidy(fields.clone()))
            .iter()
            .all(|(_, value, _)| value.is_empty()),
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

fn tidy(fields: AddressFields) -> PostalAddress {
    let trim = |text: String| text.trim().to_owned();
    PostalAddress {
        name: trim(fields.name),
        line1: trim(fields.line1),
        line2: trim(fields.line2),
        city: trim(fields.city),
        region: trim(fields.region),
        postal_code: trim(fields.postal_code),
        country: trim(fields.country).to_uppercase(),
        phone: trim(fields.phone),
    }
}

/// Name and value of each field, and what to say when it is missing; nothing where it may be.
fn fields_of(address: &PostalAddress) -> [(&'static str, &str, &'static str); 8] {
    [
        ("name", &address.name, "Write the name of who gets it."),
        ("line1", &address.line1, "Write street and number."),
        ("line2", &address.line2, ""),
        ("city", &address.city, "Write the city."),
        ("region", &address.region, ""),
        (
            "postal_code",
            &address.postal_code,
            "Write the postal code.",
        ),
        ("country", &address.country, "Choose the country."),
        ("phone", &address.phone, ""),
    ]
}

fn problems(address: &PostalAddress) -> Vec<(&'static str, &'static str, String)> {
    let mut found = Vec::new();
    for (name, value, when_missing) in fields_of(address) {
        if value.is_empty() && !when_missing.is_empty() {
            found.push((name, "required", when_missing.to_owned()));
        } else if value.chars().count() > MAX_FIELD {
            found.push((name, "length", format!("At most {MAX_FIELD} characters.")));
        } else if value.chars().any(char::is_control) {
            found.push((name, "invalid", "Write it in one line.".to_owned()));
        } else if name == "country" && !shipping::is_country(value) {
            let message = "Write the two letters of a country, such as DE.";
            found.push((name, "unknown", message.to_owned()));
        }
    }
    found
}

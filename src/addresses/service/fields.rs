//! Reading addresses: which fields there must be, and how long they may be.

use serde::{Deserialize, Serialize};

use crate::addresses::model::PostalAddress;
use crate::error::FieldErrors;
use crate::shipping;

/// The longest field, in characters.
const MAX_FIELD: usize = 200;

/// The fields of an address, as a form or an API client gives them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressFields {
    /// Who lives there.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// More of it.
    pub line2: String,
    /// City.
    pub city: String,
    /// Region or state.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Phone.
    pub phone: String,
}

/// The address of an input, or messages at the names below `field`, which is empty where the
/// input is the address.
pub fn read(input: AddressFields, field: &str, errors: &mut FieldErrors) -> Option<PostalAddress> {
    let address = tidy(input);
    let problems = problems(&address);
    for (name, code, message) in &problems {
        if field.is_empty() {
            errors.add(name, code, message.clone());
        } else {
            errors.add(&format!("{field}.{name}"), code, message.clone());
        }
    }
    problems.is_empty().then_some(address)
}

/// Whether an address has all that it must have.
pub fn is_complete(address: &PostalAddress) -> bool {
    problems(address).is_empty()
}

/// Whether nothing was given at all.
pub fn is_blank(input: &AddressFields) -> bool {
    let address = tidy(input.clone());
    let mut fields = fields_of(&address).into_iter();
    fields.all(|(_, value, _)| value.is_empty())
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

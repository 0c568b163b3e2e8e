//! Where goods go, as far as tax and shipping depend on it.

/// Where goods go. What is empty is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Region or state, as it was typed.
    pub region: String,
    /// Postal code, as it was typed.
    pub postal_code: String,
}

impl Destination {
    /// A country, without more.
    pub fn country(code: &str) -> Self {
        Self {
            country: code.trim().to_uppercase(),
            ..Self::default()
        }
    }
}

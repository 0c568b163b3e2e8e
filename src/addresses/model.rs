//! Postal addresses.

use crate::shipping::country_name;
use crate::types::{AddressId, Destination, UserId};

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostalAddress {
    /// Who lives there.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// More of it, or empty.
    pub line2: String,
    /// City.
    pub city: String,
    /// Region or state, or empty.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Phone, or empty.
    pub phone: String,
}

impl PostalAddress {
    /// As far as tax and shipping depend on it.
    pub fn destination(&self) -> Destination {
        Destination {
            country: self.country.clone(),
            region: self.region.clone(),
            postal_code: self.postal_code.clone(),
        }
    }

    /// The lines of a label; the last one names the country.
    pub fn lines(&self) -> Vec<String> {
        let city = format!("{} {}", self.postal_code, self.city);
        let country = country_name(&self.country).unwrap_or(&self.country);
        [
            &self.name,
            &self.line1,
            &self.line2,
            city.trim(),
            &self.region,
            country,
        ]
        .into_iter()
        .map(|line: &str| line.to_owned())
        .filter(|line| !line.is_empty())
        .collect()
    }
}

/// An address in somebody's book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAddress {
    /// Its id.
    pub id: AddressId,
    /// Whose it is.
    pub user_id: UserId,
    /// The address.
    pub address: PostalAddress,
    /// Whether orders go there unless said otherwise.
    pub default_shipping: bool,
    /// Whether bills go there unless said otherwise.
    pub default_billing: bool,
}

//! Ways to ship an order.

use crate::types::{Money, ShippingMethodId};

/// A way to ship an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingMethod {
    /// Its id.
    pub id: ShippingMethodId,
    /// Its name for programs, `standard`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How long it takes, or where to pick up.
    pub description: String,
    /// The flat rate.
    pub price: Money,
    /// A subtotal that makes it free.
    pub free_over: Option<Money>,
}

impl ShippingMethod {
    /// What it costs for goods of this subtotal, before any tax on it.
    pub fn price_for(&self, subtotal: Money) -> Money {
        match self.free_over {
            Some(free_over) if subtotal.minor() >= free_over.minor() => {
                Money::zero(self.price.currency())
            }
            _ => self.price,
        }
    }
}

/// Whether there is a country of this ISO 3166-1 alpha-2 code, in capitals.
pub fn is_country(code: &str) -> bool {
    country_name(code).is_some()
}

/// The name of the country of an ISO 3166-1 alpha-2 code.
pub fn country_name(code: &str) -> Option<&'static str> {
    let country = celes::Country::from_alpha2(code).ok()?;
    (country.alpha2 == code).then_some(country.long_name)
}

/// All countries as code and name, by name.
pub fn countries() -> Vec<(&'static str, &'static str)> {
    let mut countries: Vec<_> = celes::Country::get_countries()
        .into_iter()
        .map(|country| (country.alpha2, country.long_name))
        .collect();
    countries.sort_unstable_by_key(|&(_, name)| name);
    countries
}

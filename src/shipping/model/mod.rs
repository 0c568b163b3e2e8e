//! Zones and the ways to ship in them.

mod postal;

pub use postal::PostalPattern;

pub use crate::pricing::RateStep;

use crate::pricing::ShippingRate;
use crate::types::country::country_name;
use crate::types::{Destination, Money, ShippingMethodId, ShippingZoneId, text_enum};

/// Where orders go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingZone {
    /// Its id.
    pub id: ShippingZoneId,
    /// Its name, for staff.
    pub name: String,
    /// ISO 3166-1 alpha-2; none: the rest of the world.
    pub countries: Vec<String>,
    /// Postal codes within the countries; none: all of them.
    pub postal_codes: Vec<PostalPattern>,
    /// Its place: the first zone that serves a destination is the one that counts.
    pub position: i64,
    /// Counts its changes.
    pub version: i64,
}

impl ShippingZone {
    /// Whether it serves a destination.
    pub fn serves(&self, destination: &Destination) -> bool {
        let country = self.countries.is_empty() || self.countries.contains(&destination.country);
        let code = &destination.postal_code;
        let mut patterns = self.postal_codes.iter();
        country && (self.postal_codes.is_empty() || patterns.any(|pattern| pattern.fits(code)))
    }

    /// Where that is, in words.
    pub fn place(&self) -> String {
        if self.countries.is_empty() {
            return "The rest of the world".to_owned();
        }
        let names: Vec<&str> = self
            .countries
            .iter()
            .map(|code| country_name(code).unwrap_or(code))
            .collect();
        let countries = names.join(", ");
        if self.postal_codes.is_empty() {
            countries
        } else {
            format!("{countries}: {}", self.patterns())
        }
    }

    /// Its postal codes, as staff write them.
    pub fn patterns(&self) -> String {
        let patterns: Vec<String> = self.postal_codes.iter().map(ToString::to_string).collect();
        patterns.join(", ")
    }
}

/// The zone that counts at a destination: the first one that serves it. `zones` stand in their
/// order.
pub fn zone_of<'z>(
    zones: &'z [ShippingZone],
    destination: &Destination,
) -> Option<&'z ShippingZone> {
    zones.iter().find(|zone| zone.serves(destination))
}

/// How the price of a method comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// Always the same.
    Flat,
    /// By the weight of what is sent.
    ByWeight,
    /// By what the goods cost after discounts.
    ByTotal,
    /// Nothing is sent: the shopper comes for it.
    Pickup,
}
text_enum!(MethodKind {
    Flat => "flat",
    ByWeight => "by_weight",
    ByTotal => "by_total",
    Pickup => "pickup",
});

impl MethodKind {
    /// Whether its price comes in steps.
    pub fn has_steps(self) -> bool {
        matches!(self, Self::ByWeight | Self::ByTotal)
    }
}

/// A way to ship an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingMethod {
    /// Its id.
    pub id: ShippingMethodId,
    /// The zone that it is for.
    pub zone_id: ShippingZoneId,
    /// Its name for programs, `standard`; it never changes.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How long it takes.
    pub description: String,
    /// How its price comes about.
    pub kind: MethodKind,
    /// The price of a flat rate or a pickup.
    pub price: Money,
    /// The prices of other kinds, in ascending order: from so many grams, or minor units of what
    /// the goods cost, on.
    pub steps: Vec<RateStep>,
    /// A subtotal that makes it free.
    pub free_over: Option<Money>,
    /// Where a pickup is.
    pub pickup_location: String,
    /// Whether it is offered.
    pub active: bool,
    /// Its place in its zone.
    pub position: i64,
    /// Counts its changes.
    pub version: i64,
}

impl ShippingMethod {
    /// Whether the shopper comes for it.
    pub fn is_pickup(&self) -> bool {
        self.kind == MethodKind::Pickup
    }

    /// How its price comes about, for the kernel.
    pub fn rate(&self) -> ShippingRate {
        match self.kind {
            MethodKind::Flat | MethodKind::Pickup => ShippingRate::Flat(self.price),
            MethodKind::ByWeight => ShippingRate::ByWeight(self.steps.clone()),
            MethodKind::ByTotal => ShippingRate::ByTotal(self.steps.clone()),
        }
    }

    /// The least that it costs, and whether it may cost more.
    fn lowest(&self) -> (Money, bool) {
        if !self.kind.has_steps() {
            return (self.price, false);
        }
        let prices = self.steps.iter().map(|step| step.price);
        let lowest = prices.clone().min_by_key(|price| price.minor());
        let lowest = lowest.unwrap_or(self.price);
        (lowest, prices.into_iter().any(|price| price != lowest))
    }

    /// The least that it costs where it is not free.
    pub fn lowest_price(&self) -> Money {
        self.lowest().0
    }

    /// What it costs, before anybody knows for what: `4.90 €`, `from 4.90 €`, `free`.
    pub fn price_in_words(&self) -> String {
        match self.lowest() {
            (price, true) => format!("from {price}"),
            (price, false) if price.is_zero() => "free".to_owned(),
            (price, false) => price.to_string(),
        }
    }

    /// What to read below its name: where a pickup is, and how long it takes.
    pub fn details(&self) -> String {
        let parts = [self.pickup_location.as_str(), self.description.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(". ")
    }

    /// How much more has to be bought to ship free; none when it is free or never is.
    pub fn short_of_free(&self, subtotal: Money) -> Option<Money> {
        let short = self.free_over?.minus(subtotal).ok()?;
        let (lowest, varies) = self.lowest();
        (short.minor() > 0 && (varies || !lowest.is_zero())).then_some(short)
    }
}

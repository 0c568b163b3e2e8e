//! Tax classes, tax rates by place, and which rate counts where.

use std::collections::BTreeMap;

use crate::types::country::country_name;
use crate::types::text::fold;
use crate::types::{Destination, TaxRate, TaxRateId, Timestamp, percent};

/// The class that every shop has, and every product begins with.
pub const STANDARD: &str = "standard";

/// A kind of goods, as far as tax goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxClass {
    /// Its name for programs, `reduced`; it never changes.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its place in lists.
    pub position: i64,
    /// Whether shipping is taxed as this; one class is.
    pub for_shipping: bool,
    /// Counts its changes.
    pub version: i64,
}

/// How much tax is on a class of goods in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRule {
    /// Its id.
    pub id: TaxRateId,
    /// The code of the class.
    pub tax_class: String,
    /// ISO 3166-1 alpha-2; empty for any.
    pub country: String,
    /// A state or province in all the ways that people write it, parted by commas; empty for any.
    pub region: String,
    /// `VAT`, as shoppers see it.
    pub name: String,
    /// In hundredths of a percent.
    pub rate: u32,
    /// Counts its changes.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl TaxRule {
    /// The place in words: `Any country`, `Spain`, `Canada, QC or Quebec`.
    pub fn place(&self) -> String {
        if self.country.is_empty() {
            return "Any country".to_owned();
        }
        let country = country_name(&self.country).unwrap_or(&self.country);
        if self.region.is_empty() {
            country.to_owned()
        } else {
            let regions: Vec<&str> = self.region.split(',').map(str::trim).collect();
            format!("{country}, {}", regions.join(" or "))
        }
    }

    /// The rate in words: `21 %`.
    pub fn percent(&self) -> String {
        percent(self.rate)
    }

    /// How well it fits a destination: the higher the more specific; none where it does not.
    fn fit(&self, destination: &Destination) -> Option<u8> {
        if self.country.is_empty() {
            return Some(0);
        }
        if self.country != destination.country {
            return None;
        }
        if self.region.is_empty() {
            return Some(1);
        }
        let region = fold(destination.region.trim());
        let mut ways = self.region.split(',').map(|way| fold(way.trim()));
        let fits = !region.is_empty() && ways.any(|way| way == region);
        fits.then_some(2)
    }
}

/// The rates that count at one destination, one for each class at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    by_class: BTreeMap<String, TaxRate>,
    shipping: String,
}

impl Rates {
    /// Chooses among `rates` those that count at `destination`. `shipping`: the class that
    /// shipping is taxed as.
    pub fn at(destination: &Destination, rates: Vec<TaxRule>, shipping: &str) -> Self {
        let mut best: BTreeMap<String, (u8, TaxRule)> = BTreeMap::new();
        for rate in rates {
            let Some(fit) = rate.fit(destination) else {
                continue;
            };
            let known = best.get(&rate.tax_class);
            // Of two that fit as well, the older one counts, in whatever order they come.
            let better = known.is_none_or(|(before, other)| {
                fit > *before || (fit == *before && rate.id < other.id)
            });
            if better {
                best.insert(rate.tax_class.clone(), (fit, rate));
            }
        }
        let by_class = best.into_iter().map(|(class, (_, rule))| {
            let (name, rate) = (rule.name, rule.rate);
            (class, TaxRate { name, rate })
        });
        Self {
            by_class: by_class.collect(),
            shipping: shipping.to_owned(),
        }
    }

    /// The rate of a class; [`TaxRate::none`] where there is no tax on it.
    pub fn of(&self, class: &str) -> TaxRate {
        let found = self.by_class.get(class).cloned();
        found.unwrap_or_else(TaxRate::none)
    }

    /// The rate of shipping; [`TaxRate::none`] where there is no tax on it.
    pub fn of_shipping(&self) -> TaxRate {
        self.of(&self.shipping)
    }
}

/// A rate in percent, without the sign: 2100 is `21`, 550 is `5.5`.
pub fn write_percent(rate: u32) -> String {
    let digits = format!("{}.{:02}", rate / 100, rate % 100);
    let digits = digits.trim_end_matches('0');
    digits.trim_end_matches('.').to_owned()
}

/// Reads a rate in percent, with a point or a comma, the sign or without: hundredths of a
/// percent from 0 to 10000. None for anything else.
pub fn read_percent(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim().replace(',', ".");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let rate = format!("{whole}{part:0<2}").parse().ok()?;
    (rate <= 10_000).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(id: i64, class: &str, country: &str, region: &str, rate: u32) -> TaxRule {
        TaxRule {
            id: TaxRateId(id),
            tax_class: class.to_owned(),
            country: country.to_owned(),
            region: region.to_owned(),
            name: "VAT".to_owned(),
            rate,
            version: 1,
            updated_at: Timestamp(0),
        }
    }

    fn to(country: &str, region: &str) -> Destination {
        Destination {
            region: region.to_owned(),
            ..Destination::country(country)
        }
    }

    #[test]
    fn the_most_specific_rate_counts() {
        let mut all = vec![
            rate(1, "standard", "", "", 2100),
            rate(2, "standard", "CA", "", 500),
            rate(3, "standard", "CA", "QC, Québec", 1498),
            rate(4, "reduced", "ES", "", 1000),
            rate(5, "standard", "CA", "Quebec", 9999),
        ];
        for _ in 0..2 {
            for (country, region, standard, reduced) in [
                ("ES", "", 2100, 1000),
                ("FR", "", 2100, 0),
                ("CA", "", 500, 0),
                ("CA", "Ontario", 500, 0),
                ("CA", " qc ", 1498, 0),
                ("CA", "quebec", 1498, 0),
                ("", "QC", 2100, 0),
            ] {
                let rates = Rates::at(&to(country, region), all.clone(), "reduced");
                assert_eq!(rates.of("standard").rate, standard, "{country} {region}");
                assert_eq!(rates.of("reduced").rate, reduced, "{country} {region}");
                assert_eq!(rates.of_shipping().rate, reduced);
            }
            all.reverse();
        }
        assert_eq!(Rates::default().of_shipping(), TaxRate::none());
    }

    #[test]
    fn percentages_are_read_and_written() {
        for (text, rate) in [
            ("21", Some(2100)),
            (" 5,5 % ", Some(550)),
            ("9.98%", Some(998)),
            ("0", Some(0)),
            ("100", Some(10_000)),
            ("100.01", None),
            ("1.234", None),
            ("-1", None),
            ("", None),
            (".5", None),
            ("vat", None),
        ] {
            assert_eq!(read_percent(text), rate, "{text}");
        }
        for rate in 0..=10_000 {
            assert_eq!(read_percent(&write_percent(rate)), Some(rate));
        }
        assert_eq!(write_percent(2100), "21");
        assert_eq!(write_percent(550), "5.5");
    }
}

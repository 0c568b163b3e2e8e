//! The countries of ISO 3166-1, by the names that people call them.

use std::sync::LazyLock;

use super::text::fold;

/// The countries whose name in the list of ISO 3166 is not what people call them.
const EVERYDAY_NAMES: &[(&str, &str)] = &[
    ("BO", "Bolivia"),
    ("BN", "Brunei"),
    ("CC", "Cocos (Keeling) Islands"),
    ("CD", "Congo (Kinshasa)"),
    ("CG", "Congo (Brazzaville)"),
    ("FK", "Falkland Islands"),
    ("FM", "Micronesia"),
    ("GB", "United Kingdom"),
    ("HM", "Heard Island and McDonald Islands"),
    ("IR", "Iran"),
    ("KP", "North Korea"),
    ("KR", "South Korea"),
    ("LA", "Laos"),
    ("MD", "Moldova"),
    ("MK", "North Macedonia"),
    ("PS", "Palestine"),
    ("RU", "Russia"),
    ("SH", "Saint Helena, Ascension and Tristan da Cunha"),
    ("SY", "Syria"),
    ("TW", "Taiwan"),
    ("TZ", "Tanzania"),
    ("US", "United States"),
    ("VA", "Vatican City"),
    ("VE", "Venezuela"),
    ("VN", "Vietnam"),
];

/// Whether there is a country of this ISO 3166-1 alpha-2 code, in capitals.
pub fn is_country(code: &str) -> bool {
    country_name(code).is_some()
}

/// The name of the country of an ISO 3166-1 alpha-2 code.
pub fn country_name(code: &str) -> Option<&'static str> {
    let found = countries().iter().find(|(known, _)| *known == code);
    found.map(|(_, name)| name.as_str())
}

/// All countries as code and name, by name.
pub fn countries() -> &'static [(&'static str, String)] {
    static COUNTRIES: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
        let countries = celes::Country::get_countries().into_iter();
        let mut countries: Vec<_> = countries
            .map(|country| (country.alpha2, everyday_name(&country)))
            .collect();
        countries.sort_unstable_by_key(|(_, name)| fold(name));
        countries
    });
    &COUNTRIES
}

/// The list writes `The Sudan` and `Isle Of Man`.
fn everyday_name(country: &celes::Country) -> String {
    let usual = EVERYDAY_NAMES
        .iter()
        .find(|(code, _)| *code == country.alpha2);
    if let Some((_, name)) = usual {
        return (*name).to_owned();
    }
    let name = country.long_name;
    let name = name.strip_prefix("The ").unwrap_or(name);
    ["And", "Da", "Of", "The"]
        .into_iter()
        .fold(name.to_owned(), |name, word| {
            name.replace(&format!(" {word} "), &format!(" {} ", word.to_lowercase()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_called_what_people_call_them() {
        for (code, name) in [
            ("DE", "Germany"),
            ("GB", "United Kingdom"),
            ("IM", "Isle of Man"),
            ("NL", "Netherlands"),
            ("VC", "Saint Vincent and the Grenadines"),
        ] {
            assert_eq!(country_name(code), Some(name));
        }
        assert!(EVERYDAY_NAMES.iter().all(|(code, _)| is_country(code)));
        assert!(!is_country("XX") && !is_country("de"));
    }
}

//! The languages that the shop speaks.

use super::text_enum;

/// A language that the shop speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
}
text_enum!(Locale { English => "en", Spanish => "es" });

impl Locale {
    /// The language's own name.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }

    /// The language that a reader likes best, by their `Accept-Language` header (RFC 9110,
    /// 12.5.4); English where none of ours is asked for.
    pub fn preferred(accept_language: &str) -> Self {
        let mut best = (0, Self::default());
        for range in accept_language.split(',').take(20) {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let weight = weight.trim().strip_prefix("q=").map_or(0, thousandths);
            let locale = super::TextEnum::from_word(&primary.to_ascii_lowercase());
            if let Some(locale) = locale.filter(|_| weight > best.0) {
                best = (weight, locale);
            }
        }
        best.1
    }
}

/// A weight such as `0.8`, in thousandths; 0 for what is none.
fn thousandths(weight: &str) -> u32 {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = format!("{decimals:0<3}");
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole @ 0..=1), Ok(part @ 0..=999)) => (whole * 1000 + part).min(1000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn a_readers_language_is_the_one_they_weigh_most() {
        for (header, expected) in [
            ("", Locale::English),
            ("es", Locale::Spanish),
            ("es-MX,es;q=0.9,en;q=0.8", Locale::Spanish),
            ("en;q=0.3, ES;q=0.75", Locale::Spanish),
            ("en, es", Locale::English),
            ("de, fr;q=0.9", Locale::English),
            ("de, es;q=0.1", Locale::Spanish),
            ("es;q=0", Locale::English),
            ("es;q=2,;;,é", Locale::English),
        ] {
            assert_eq!(Locale::preferred(header), expected, "{header}");
        }
    }
}

//! Postal codes as zones name them.

use std::fmt;

/// Some postal codes: one, those that begin in some way, or a range of numbers. Spaces, hyphens
/// and the case of letters make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostalPattern {
    /// `28013`, `SW1A 1AA`
    Exact(String),
    /// `10*`, `SW1*`
    Prefix(String),
    /// `1000-1999`: codes whose number lies between. What follows the number does not count:
    /// `1011 AB` and `1000-205` are in it, but not `10115`, which has another length.
    Range(String, String),
}

impl PostalPattern {
    /// The longest pattern, in characters.
    pub const MAX_LEN: usize = 30;

    /// Reads a pattern. Errors say what is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().count() > Self::MAX_LEN {
            return Err(format!("{text} is too long for a postal code."));
        }
        if let Some(beginning) = text.strip_suffix('*') {
            let beginning = plain(beginning);
            return if is_plain(&beginning) {
                Ok(Self::Prefix(beginning))
            } else {
                Err(format!("{text}: write how the codes begin, such as 10*."))
            };
        }
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (first.trim(), last.trim());
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            // `00-950` and `12345-6789` are codes of Poland and of the United States.
            if !first.is_empty() && first.len() == last.len() && digits(first) && digits(last) {
                return if first <= last {
                    Ok(Self::Range(first.to_owned(), last.to_owned()))
                } else {
                    Err(format!("{text}: the range ends before it begins."))
                };
            }
        }
        let code = plain(text);
        if is_plain(&code) {
            Ok(Self::Exact(code))
        } else {
            Err(format!("{text}: write a postal code, 10* or 1000-1999."))
        }
    }

    /// Whether a postal code, as somebody typed it, is one of these.
    pub fn fits(&self, code: &str) -> bool {
        match self {
            Self::Exact(exact) => plain(code) == *exact,
            Self::Prefix(beginning) => plain(code).starts_with(beginning),
            Self::Range(first, last) => {
                let number = number_of(code);
                // Texts of digits of one length stand in the order of their numbers.
                number.len() == first.len() && *first <= number && number <= *last
            }
        }
    }
}

impl fmt::Display for PostalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(code) => f.write_str(code),
            Self::Prefix(beginning) => write!(f, "{beginning}*"),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// A code without spaces and hyphens, in capitals.
fn plain(code: &str) -> String {
    let kept = code
        .chars()
        .filter(|sign| !sign.is_whitespace() && *sign != '-');
    kept.flat_map(char::to_uppercase).collect()
}

fn is_plain(code: &str) -> bool {
    !code.is_empty() && code.chars().all(char::is_alphanumeric)
}

/// The number that a code begins with: `123 45` is 12345, `1011 AB` is 1011, `1000-205` is 1000.
fn number_of(code: &str) -> String {
    let signs = code.chars().filter(|sign| !sign.is_whitespace());
    signs.take_while(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, code: &str) -> bool {
        PostalPattern::parse(pattern).unwrap().fits(code)
    }

    #[test]
    fn patterns_fit_the_codes_that_they_name() {
        for (pattern, code, fit) in [
            ("28013", "28013", true),
            ("28013", " 28 013 ", true),
            ("28013", "28014", false),
            ("28013", "", false),
            ("sw1a 1aa", "SW1A1AA", true),
            ("00-950", "00950", true),
            ("10*", "10115", true),
            ("10*", "1 0115", true),
            ("10*", "11011", false),
            ("SW1*", "sw1a 2aa", true),
            ("1000-1999", "1011 AB", true),
            ("1000-1999", "1000-205", true),
            ("1000-1999", "1999", true),
            ("1000-1999", "2000", false),
            ("1000-1999", "10115", false),
            ("1000-1999", "", false),
            ("10000-19999", "123 45", true),
            ("10000-10999", "10001-1234", true),
            ("12345-6789", "12345-6789", true),
        ] {
            assert_eq!(fits(pattern, code), fit, "{pattern} and {code}");
        }
        for wrong in ["", "*", "-", "1999-1000", "1?", "(*", &"1".repeat(31)] {
            assert!(PostalPattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    mod properties {
        use proptest::prelude::*;

        use super::super::PostalPattern;

        proptest! {
            #[test]
            fn a_pattern_reads_back_what_it_writes(text in "[ 0-9a-zA-Z*-]{0,12}") {
                if let Ok(pattern) = PostalPattern::parse(&text) {
                    prop_assert_eq!(PostalPattern::parse(&pattern.to_string()), Ok(pattern));
                }
            }

            #[test]
            fn a_range_holds_the_numbers_between(first in 0_u32..100_000, last in 0_u32..100_000, code in 0_u32..100_000) {
                let pattern = PostalPattern::parse(&format!("{first:05}-{last:05}"));
                prop_assert_eq!(pattern.is_ok(), first <= last);
                if let Ok(pattern) = pattern {
                    let between = first <= code && code <= last;
                    let (plain, parted) = (format!("{code:05}"), format!("{:03} {:02} XY", code / 100, code % 100));
                    prop_assert_eq!(pattern.fits(&plain), between);
                    prop_assert_eq!(pattern.fits(&parted), between);
                    let longer = format!("{code:06}");
                    prop_assert!(!pattern.fits(&longer));
                }
            }

            #[test]
            fn what_begins_so_fits(beginning in "[0-9A-Z]{1,5}", rest in "[0-9A-Z -]{0,5}", other in ".{0,8}") {
                let pattern = PostalPattern::parse(&format!("{beginning}*")).unwrap();
                let code = format!("{beginning}{rest}");
                prop_assert!(pattern.fits(&code));
                let code = code.to_lowercase();
                prop_assert!(pattern.fits(&code));
                // Whatever somebody types, asking does no harm.
                let _ = pattern.fits(&other);
                let _ = PostalPattern::parse(&other);
            }
        }
    }
}

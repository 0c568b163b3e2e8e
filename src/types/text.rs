//! Text with rules: e-mail addresses, slugs, folding for search, cells of a table.

use std::fmt;

use validator::ValidateEmail;

/// An e-mail address in lower case, so that one person has one account whatever the case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The address, trimmed and in lower case; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        (text.len() <= 254 && text.validate_email()).then_some(Self(text))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For columns; the text was checked when it was written.
impl TryFrom<String> for Email {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("not an e-mail address: {text}"))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name fit for a URL: lower-case letters, digits and single hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// The longest slug that the shop keeps.
    pub const MAX_LEN: usize = 120;

    /// Takes a text that already is a slug; `None` when it is not.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = !text.is_empty()
            && text.len() <= Self::MAX_LEN
            && text.parse::<i64>().is_err()
            && slug::slugify(text) == text;
        well_formed.then(|| Self(text.to_owned()))
    }

    /// Makes a slug of any text; `fallback` where nothing of it can stay. A text of digits only
    /// gets the fallback in front, so that a slug is never taken for an id.
    pub fn from_text(text: &str, fallback: &str) -> Self {
        let mut made = slug::slugify(text);
        made.truncate(Self::MAX_LEN);
        let made = made.trim_matches('-');
        if made.is_empty() {
            Self(fallback.to_owned())
        } else if made.parse::<i64>().is_ok() {
            Self(format!("{fallback}-{made}"))
        } else {
            Self(made.to_owned())
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For columns; the text was checked when it was written.
impl TryFrom<String> for Slug {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("not a slug: {text}"))
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Folds a text for comparison: lower case, accents dropped, runs of other signs to one space.
pub fn fold(text: &str) -> String {
    slug::slugify(text).replace('-', " ")
}

/// Whether a spreadsheet takes the text for a formula.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in
/// front. [`unprotected`] undoes it.
pub fn protected(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A cell without the apostrophe that [`protected`], or another shop, put in front.
pub fn unprotected(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_kept_in_lower_case() {
        assert_eq!(
            Email::parse(" Ada@Example.COM ").unwrap().as_str(),
            "ada@example.com"
        );
        for wrong in ["", "ada", "ada@", "@example.com", "a b@example.com"] {
            assert!(Email::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_slug_is_never_a_number() {
        assert_eq!(
            Slug::from_text("Everyday Mug!", "p").as_str(),
            "everyday-mug"
        );
        assert_eq!(Slug::from_text("2026", "product").as_str(), "product-2026");
        assert_eq!(Slug::from_text("???", "product").as_str(), "product");
        assert!(Slug::parse("everyday-mug").is_some());
        for wrong in ["", "Mug", "a--b", "-a", "12", "a b"] {
            assert!(Slug::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn formulas_are_protected_and_come_back() {
        for text in [
            "=1+1", "+49", "-1", "@x", "\tx", "'=x", "''-1", "'quoted", "plain", "",
        ] {
            let safe = protected(text);
            assert!(!is_formula(&safe), "{safe}");
            assert_eq!(unprotected(&safe), text);
        }
    }

    #[test]
    fn folding_drops_case_and_accents() {
        assert_eq!(fold("Camión  Ñandú"), "camion nandu");
    }
}

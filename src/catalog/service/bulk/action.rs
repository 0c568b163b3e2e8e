//! What can be done to many products at once, and how it is written.

use serde::{Deserialize, Serialize};

use crate::catalog::service::draft::{MAX_TAG, line};
use crate::error::{FieldErrors, Result};
use crate::types::money::ratio;
use crate::types::{CategoryId, Currency, Money, text_enum};

/// What to do, as a form or an API client writes it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BulkInput {
    /// `publish`, `unpublish` (to draft), `archive`, `category`, `add_tag`, `remove_tag`, `price`
    /// or `delete` (what was ever ordered is archived).
    pub action: String,
    /// For `category`: which one; 0 for none.
    #[schema(value_type = Option<i64>)]
    pub category_id: Option<CategoryId>,
    /// For `add_tag` and `remove_tag`.
    pub tag: Option<String>,
    /// For `price`: by how many percent, with one decimal at most, `-12.5` for cheaper.
    pub percent: Option<String>,
    /// For `price`: `leave` the former price as it is (if left out), `keep` the old price as
    /// former price where the new one is lower, or `clear` it.
    pub former_price: Option<String>,
    /// For `price`: what new prices end in, `.99`; they go to the nearest such price.
    pub ending: Option<String>,
}

/// The kinds of things that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkKind {
    /// Put on sale.
    Publish,
    /// Make a draft.
    Unpublish,
    /// Archive.
    Archive,
    /// Put into a category.
    Category,
    /// Add a tag.
    AddTag,
    /// Take a tag away.
    RemoveTag,
    /// Change prices by percent.
    Price,
    /// Delete, or archive what was ordered.
    Delete,
}
text_enum!(BulkKind {
    Publish => "publish",
    Unpublish => "unpublish",
    Archive => "archive",
    Category => "category",
    AddTag => "add_tag",
    RemoveTag => "remove_tag",
    Price => "price",
    Delete => "delete",
});

/// Something to do to each of many products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// Put on sale.
    Publish,
    /// Make a draft.
    Unpublish,
    /// Archive.
    Archive,
    /// Put into a category, or none.
    Category(Option<CategoryId>),
    /// Add a tag.
    AddTag(String),
    /// Take a tag away, whatever its case.
    RemoveTag(String),
    /// Change the prices of all variants.
    Price(PriceRule),
    /// Delete, or archive what was ordered.
    Delete,
}

/// What becomes of the former price, which is shown struck through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Former {
    /// It stays as it is.
    #[default]
    Leave,
    /// The old price becomes it, where the new one is lower.
    Keep,
    /// There is none any more.
    Clear,
}
text_enum!(Former { Leave => "leave", Keep => "keep", Clear => "clear" });

/// How prices change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRule {
    /// By so many tenths of a percent; negative for cheaper.
    pub tenths: i64,
    /// What becomes of the former price.
    pub former: Former,
    /// What new prices end in.
    pub ending: Option<Ending>,
}

/// What prices end in: the remainder of a division, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    modulus: i64,
    rest: i64,
}

/// From nothing at all to eleven times the price.
const TENTHS: std::ops::RangeInclusive<i64> = -1_000..=10_000;

impl BulkInput {
    /// What is to be done. Errors: `Invalid` at the field that is missing or wrong.
    pub fn read(&self, currency: Currency) -> Result<BulkAction> {
        let mut errors = FieldErrors::default();
        let kind = self.action.trim().parse();
        let kind = kind.map_err(|rule: String| format!("This {rule}."));
        let action = errors.keep("action", "unknown", kind).and_then(|kind| {
            Some(match kind {
                BulkKind::Publish => BulkAction::Publish,
                BulkKind::Unpublish => BulkAction::Unpublish,
                BulkKind::Archive => BulkAction::Archive,
                BulkKind::Delete => BulkAction::Delete,
                BulkKind::Category => BulkAction::Category(self.category(&mut errors)?),
                BulkKind::AddTag => BulkAction::AddTag(self.tag(&mut errors)),
                BulkKind::RemoveTag => BulkAction::RemoveTag(self.tag(&mut errors)),
                BulkKind::Price => BulkAction::Price(self.price(&mut errors, currency)?),
            })
        });
        errors.into_result()?;
        action.ok_or_else(|| anyhow::anyhow!("an action without a mistake is there").into())
    }

    fn category(&self, errors: &mut FieldErrors) -> Option<Option<CategoryId>> {
        let chosen = self.category_id.ok_or("Choose a category, or none.");
        let chosen = errors.keep("category_id", "required", chosen)?;
        Some(Some(chosen).filter(|category| category.0 != 0))
    }

    fn tag(&self, errors: &mut FieldErrors) -> String {
        let tag = line(errors, "tag", self.tag.as_deref().unwrap_or(""), MAX_TAG);
        if tag.is_empty() {
            errors.add("tag", "required", "Give a tag.");
        }
        if tag.contains(',') {
            errors.add("tag", "invalid", "A tag has no comma in it.");
        }
        tag
    }

    fn price(&self, errors: &mut FieldErrors, currency: Currency) -> Option<PriceRule> {
        let given = |text: &Option<String>| text.as_deref().unwrap_or("").trim().to_owned();
        let former = match given(&self.former_price) {
            word if word.is_empty() => Ok(Former::default()),
            word => word.parse().map_err(|rule: String| format!("This {rule}.")),
        };
        let former = errors.keep("former_price", "unknown", former);
        let ending = match given(&self.ending) {
            text if text.is_empty() => Ok(None),
            text => Ending::parse(&text, currency).map(Some),
        };
        let ending = errors.keep("ending", "invalid", ending);
        let tenths = errors.keep("percent", "invalid", tenths(&given(&self.percent)));
        let rule = PriceRule {
            tenths: tenths?,
            former: former?,
            ending: ending?,
        };
        if rule.tenths == 0 && rule.ending.is_none() && rule.former != Former::Clear {
            errors.add("percent", "required", "With 0 percent nothing changes.");
        }
        Some(rule)
    }
}

/// A percentage with one decimal at most, in tenths: `-12.5`, `10`, `3,5 %`.
fn tenths(text: &str) -> std::result::Result<i64, &'static str> {
    const RULE: &str = "Write a percentage like 12.5, with one decimal at most.";
    let text = text.trim_end_matches('%').trim_end();
    let (sign, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, tenth) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=6).contains(&whole.len()) || tenth.len() != 1 || !plain(whole) || !plain(tenth) {
        return Err(RULE);
    }
    let tenths: i64 = format!("{whole}{tenth}").parse().map_err(|_| RULE)?;
    Some(sign * tenths)
        .filter(|tenths| TENTHS.contains(tenths))
        .ok_or("Prices go down by 100 percent at most, and up by 1000.")
}

impl Ending {
    /// Reads `.99`, `0.95`, `9.90` or, in a currency without decimals, `80`.
    fn parse(text: &str, currency: Currency) -> std::result::Result<Self, String> {
        let wrong = || "Write what prices end in, such as .99.".to_owned();
        let exponent = currency.exponent() as usize;
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let whole = if exponent > 0 {
            whole.trim_start_matches('0')
        } else {
            whole
        };
        let digits = format!("{whole}{decimals:0<exponent$}");
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let none = !text.contains(|c: char| c.is_ascii_digit());
        if none || !plain || digits.len() > 8 || decimals.len() > exponent {
            return Err(wrong());
        }
        let places = u32::try_from(digits.len()).map_err(|_| wrong())?;
        Ok(Self {
            modulus: 10_i64.pow(places),
            rest: digits.parse().map_err(|_| wrong())?,
        })
    }

    /// The nearest amount that ends so, the higher of two; never below zero.
    fn near(self, minor: i64) -> i64 {
        let below = minor - (minor - self.rest).rem_euclid(self.modulus);
        let above = below + self.modulus;
        if below < 0 || above - minor <= minor - below {
            above
        } else {
            below
        }
    }
}

impl PriceRule {
    /// The new price of an old one, in minor units: rounded half away from zero, then to the
    /// ending; what is free stays free. None when it is larger than the shop can hold.
    pub fn apply(&self, minor: i64) -> Option<i64> {
        let exact = ratio(minor, 1_000 + self.tenths, 1_000);
        let price = match self.ending {
            Some(ending) if exact > 0 => ending.near(exact),
            _ => exact,
        };
        (0..=Money::MAX_MINOR).contains(&price).then_some(price)
    }

    /// What becomes of the former price when a price changes, in minor units.
    pub fn former(&self, old: i64, new: i64, former: Option<i64>) -> Option<i64> {
        match self.former {
            Former::Leave => former,
            Former::Keep if new < old => Some(old),
            Former::Keep => former,
            Former::Clear => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(text: &str, code: &str) -> Option<Ending> {
        Ending::parse(text, code.parse().unwrap()).ok()
    }

    #[test]
    fn percentages_have_one_decimal() {
        for (text, expected) in [
            ("10", 100),
            ("-12.5", -125),
            ("\u{2212}3,5 %", -35),
            ("+0.1", 1),
            ("-100", -1_000),
            ("1000", 10_000),
            ("0", 0),
        ] {
            assert_eq!(tenths(text), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "x",
            "1.25",
            "5.",
            ".5",
            "--5",
            "-100.1",
            "1000.1",
            "NaN",
            "1e3",
            "9999999999",
            "1 0",
            "٣",
        ] {
            assert!(tenths(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn prices_round_half_away_from_zero_and_go_to_the_nearest_ending() {
        let rule = |tenths, ending| PriceRule {
            tenths,
            former: Former::Leave,
            ending,
        };
        let plain = |tenths, minor| rule(tenths, None).apply(minor);
        assert_eq!(plain(-100, 2_400), Some(2_160));
        assert_eq!(plain(-125, 999), Some(874), "874.125");
        assert_eq!(plain(100, 5), Some(6), "5.5 is rounded away from zero");
        assert_eq!(plain(-1_000, 2_400), Some(0));
        assert_eq!(plain(10, Money::MAX_MINOR), None);
        assert_eq!(plain(10_000, Money::MAX_MINOR), None);
        let ninety_nine = ending(".99", "EUR");
        for (minor, expected) in [
            (2_160, 2_199),
            (2_149, 2_199),
            (2_148, 2_099),
            (10, 99),
            (0, 0),
        ] {
            assert_eq!(rule(0, ninety_nine).apply(minor), Some(expected), "{minor}");
        }
        assert_eq!(rule(0, ending("9.90", "EUR")).apply(2_300), Some(1_990));
        assert_eq!(rule(0, ending("80", "JPY")).apply(1_234), Some(1_280));
        assert_eq!(rule(0, ending(".00", "EUR")).apply(1_250), Some(1_300));
        assert_eq!(rule(0, ending(".9", "KWD")).apply(1_234), Some(900));
        for wrong in ["", "x", ".999", "-.99", ".9.9", "123456789", "1e2"] {
            assert_eq!(ending(wrong, "EUR"), None, "{wrong}");
        }
        assert_eq!(ending(".5", "JPY"), None);
    }

    #[test]
    fn the_old_price_is_kept_where_the_new_one_is_lower() {
        let rule = |former| PriceRule {
            tenths: 0,
            former,
            ending: None,
        };
        assert_eq!(rule(Former::Keep).former(10, 8, Some(20)), Some(10));
        assert_eq!(rule(Former::Keep).former(10, 12, Some(20)), Some(20));
        assert_eq!(rule(Former::Clear).former(10, 12, Some(20)), None);
        assert_eq!(rule(Former::Leave).former(10, 8, None), None);
    }
}

//! A tax rate with its name.

/// A tax on goods: what it is called, and how much.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxRate {
    /// As it is written on the invoice: `VAT`.
    pub name: String,
    /// In hundredths of a percent: 2100 is 21 %.
    pub rate: u32,
}

impl TaxRate {
    /// A rate that has no name of its own.
    pub fn plain(rate: u32) -> Self {
        Self {
            name: "tax".to_owned(),
            rate,
        }
    }

    /// No tax.
    pub fn none() -> Self {
        Self::plain(0)
    }

    /// The rate in words: 2100 is `21 %`, 550 is `5.5 %`.
    pub fn percent(&self) -> String {
        percent(self.rate)
    }

    /// Rate and name: `21 % VAT`.
    pub fn in_words(&self) -> String {
        format!("{} {}", self.percent(), self.name)
    }
}

/// Reads a percentage as somebody types it, `12.5`, in hundredths of a percent. None for what is
/// no number, has more than two decimals or a sign.
pub fn read_percent(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim_end();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 2 {
        return None;
    }
    format!("{whole}{fraction:0<2}").parse().ok()
}

/// Hundredths of a percent in words: 2100 is `21 %`, 550 is `5.5 %`.
pub fn percent(rate: u32) -> String {
    let digits = format!("{}.{:02}", rate / 100, rate % 100);
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_written_without_idle_zeros() {
        for (rate, words) in [
            (0, "0 %"),
            (5, "0.05 %"),
            (550, "5.5 %"),
            (2100, "21 %"),
            (10_000, "100 %"),
        ] {
            assert_eq!(percent(rate), words);
        }
        assert_eq!(TaxRate::plain(700).in_words(), "7 % tax");
        for (text, rate) in [("10", 1_000), ("5.5 %", 550), ("0.05", 5), ("100", 10_000)] {
            assert_eq!(read_percent(text), Some(rate));
        }
        for text in ["", "-1", "1.234", "1.", ".5", "1e2", "99999999999"] {
            assert_eq!(read_percent(text), None, "{text}");
        }
    }
}

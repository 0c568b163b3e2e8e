//! Money: whole minor units and a currency. No floating point touches it.

use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Decimals of this currency by ISO 4217: JPY 0, EUR 2, KWD 3.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The usual sign, `€`, or the code where there is none.
    pub fn symbol(self) -> String {
        self.0.symbol().to_string()
    }

    /// The euro.
    pub fn eur() -> Self {
        Self(iso_currency::Currency::EUR)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency)
    }
}

/// For columns.
impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

/// What can be wrong with an amount of money. The text is fit for a form field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("Write an amount like 19.99.")]
    NotANumber,
    /// More decimals than the currency has.
    #[error("This currency has {0} decimals.")]
    TooManyDecimals(u32),
    /// A sign where none belongs.
    #[error("An amount cannot be negative.")]
    Negative,
    /// Larger than the shop can hold.
    #[error("This amount is too large.")]
    Overflow,
    /// Two currencies in one sum.
    #[error("These amounts are in different currencies.")]
    MixedCurrencies,
    /// Not an ISO 4217 code.
    #[error("This is not a currency code of ISO 4217.")]
    UnknownCurrency,
}

/// An amount in whole minor units (cents) of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount a price or a sum may have: 10^15 minor units. Small enough that a
    /// sum of thousands of them stays far from the end of `i64`.
    pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

    /// `minor` whole minor units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing.
    pub fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is exactly zero.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Reads a decimal amount, `"19.99"`, in `currency`. Errors: not a number, a sign, more
    /// decimals than the currency has, too large.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        if text.starts_with('-') {
            return Err(MoneyError::Negative);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let point_without_decimals = text.contains('.') && fraction.is_empty();
        if whole.is_empty() || point_without_decimals || !digits(whole) || !digits(fraction) {
            return Err(MoneyError::NotANumber);
        }
        let exponent = currency.exponent();
        if fraction.len() > exponent as usize {
            return Err(MoneyError::TooManyDecimals(exponent));
        }
        let padded = format!("{whole}{fraction:0<width$}", width = exponent as usize);
        let minor: i64 = padded.parse().map_err(|_| MoneyError::Overflow)?;
        if minor > Self::MAX_MINOR {
            return Err(MoneyError::Overflow);
        }
        Ok(Self::new(minor, currency))
    }

    /// The sum. Errors: two currencies, overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference. Errors: two currencies, overflow. May be negative.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// `quantity` times the amount. Errors: overflow.
    pub fn times(self, quantity: i64) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_mul(quantity))
    }

    /// The amount as a plain decimal, `19.99`: what the API and form fields carry.
    pub fn amount(self) -> String {
        let exponent = self.currency.exponent();
        let sign = if self.minor < 0 { "-" } else { "" };
        let unit = 10_u64.pow(exponent);
        let (whole, fraction) = (
            self.minor.unsigned_abs() / unit,
            self.minor.unsigned_abs() % unit,
        );
        if exponent == 0 {
            format!("{sign}{whole}")
        } else {
            format!(
                "{sign}{whole}.{fraction:0>width$}",
                width = exponent as usize
            )
        }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies)
        }
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor
            .filter(|minor| minor.abs() <= Self::MAX_MINOR)
            .map(|minor| Self::new(minor, self.currency))
            .ok_or(MoneyError::Overflow)
    }
}

/// As a person reads it: `19.99 €`, with a space that does not break.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\u{a0}{}", self.amount(), self.currency.symbol())
    }
}

/// Money as a request gives it: `"19.99"` in the shop's currency, a whole number, or
/// `{"amount": "19.99", "currency": "EUR"}`. Any other JSON is kept and refused by
/// [`MoneyInput::read`], so that the message stands at the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyInput(Result<(String, Option<String>), MoneyError>);

impl MoneyInput {
    /// A decimal amount in the shop's currency.
    pub fn new(amount: impl Into<String>) -> Self {
        Self(Ok((amount.into(), None)))
    }

    /// The amount, which must be in the shop's `currency`. Errors: as [`Money::parse`]; another
    /// currency.
    pub fn read(&self, currency: Currency) -> Result<Money, MoneyError> {
        let (amount, named) = self.0.as_ref().map_err(|&error| error)?;
        if named.as_deref().is_some_and(|code| code != currency.code()) {
            return Err(MoneyError::MixedCurrencies);
        }
        Money::parse(amount, currency)
    }
}

impl<'de> serde::Deserialize<'de> for MoneyInput {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Text(String),
            Whole(i64),
            Object {
                amount: String,
                currency: Option<String>,
            },
            Other(serde::de::IgnoredAny),
        }
        Ok(Self(match Shape::deserialize(deserializer)? {
            Shape::Text(amount) => Ok((amount, None)),
            Shape::Whole(amount) => Ok((amount.to_string(), None)),
            Shape::Object { amount, currency } => Ok((amount, currency)),
            Shape::Other(_) => Err(MoneyError::NotANumber),
        }))
    }
}

impl serde::Serialize for MoneyInput {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0
            .as_ref()
            .ok()
            .map(|(amount, _)| amount)
            .serialize(serializer)
    }
}

/// Shares `total` over `weights` by largest remainder, so that the shares add up to the whole
/// exactly (Hamilton's method; ties go to the earlier line). With no weight at all, the first
/// line bears it. `total` and the weights are minor units, none negative.
pub fn share_out(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    if sum == 0 {
        let mut shares = vec![0; weights.len()];
        if let Some(first) = shares.first_mut() {
            *first = total;
        }
        return shares;
    }
    let product = |weight: i64| i128::from(total) * i128::from(weight);
    let mut shares: Vec<i64> = weights
        .iter()
        .map(|&weight| (product(weight) / sum) as i64)
        .collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(product(weights[index]) % sum));
    let rest = total - shares.iter().sum::<i64>();
    for &index in order.iter().take(rest as usize) {
        shares[index] += 1;
    }
    shares
}

/// `amount * numerator / denominator`, rounded half away from zero. All values in minor units
/// or plain ratios; `denominator` is positive.
pub fn ratio(amount: i64, numerator: i64, denominator: i64) -> i64 {
    let product = i128::from(amount) * i128::from(numerator);
    let denominator = i128::from(denominator);
    let half = if product < 0 {
        -denominator
    } else {
        denominator
    };
    ((product * 2 + half) / (denominator * 2)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn reads_and_writes_each_exponent() {
        for (text, code, minor) in [
            ("19.99", "EUR", 1999),
            ("19.9", "EUR", 1990),
            ("0", "EUR", 0),
            ("700", "JPY", 700),
            ("1.234", "KWD", 1234),
        ] {
            assert_eq!(
                Money::parse(text, currency(code)).unwrap().minor(),
                minor,
                "{text}"
            );
        }
        assert_eq!(Money::new(5, currency("EUR")).amount(), "0.05");
        assert_eq!(Money::new(-1999, currency("EUR")).amount(), "-19.99");
        assert_eq!(Money::new(700, currency("JPY")).amount(), "700");
        assert_eq!(
            Money::new(2400, currency("EUR")).to_string(),
            "24.00\u{a0}€"
        );
    }

    #[test]
    fn refuses_what_is_no_amount() {
        let eur = currency("EUR");
        for (text, error) in [
            ("", MoneyError::NotANumber),
            (".5", MoneyError::NotANumber),
            ("5.", MoneyError::NotANumber),
            ("1e3", MoneyError::NotANumber),
            ("+1", MoneyError::NotANumber),
            ("-1", MoneyError::Negative),
            ("1.234", MoneyError::TooManyDecimals(2)),
            ("99999999999999999999", MoneyError::Overflow),
        ] {
            assert_eq!(Money::parse(text, eur), Err(error), "{text}");
        }
        assert_eq!(
            Money::parse("1.5", currency("JPY")),
            Err(MoneyError::TooManyDecimals(0))
        );
    }

    #[test]
    fn shares_add_up_and_favour_the_largest_remainder() {
        assert_eq!(share_out(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(share_out(10, &[5, 3, 2]), [5, 3, 2]);
        assert_eq!(share_out(5, &[0, 0]), [5, 0]);
        assert_eq!(share_out(5, &[]), Vec::<i64>::new());
    }

    #[test]
    fn rounds_half_away_from_zero() {
        assert_eq!(ratio(5, 1, 2), 3);
        assert_eq!(ratio(-5, 1, 2), -3);
        assert_eq!(ratio(4, 1, 3), 1);
        assert_eq!(ratio(1999, 2100, 12100), 347);
    }
}

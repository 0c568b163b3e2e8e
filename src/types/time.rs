//! Time: microseconds since 1970 in UTC, read from a clock that tests can set.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Locale;

const MONTHS_IN_SPANISH: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment of an RFC 3339 text.
    pub fn parse(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(Self::from)
    }

    /// A moment as RFC 3339 writes it, or as a browser's field for date and time does, in UTC.
    pub fn typed(text: &str) -> Option<Self> {
        let read = |tail: &str| Self::parse(&format!("{text}{tail}"));
        read("").or_else(|| read("Z")).or_else(|| read(":00Z"))
    }

    /// As a browser's field for date and time has it, in UTC: `2026-11-24T20:15`.
    pub fn field(self) -> String {
        self.rfc3339().chars().take(16).collect()
    }

    /// This moment plus a number of seconds (minus, where negative).
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// As a calendar date and time in UTC. Moments outside the calendar become its start.
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// RFC 3339 in UTC, as the API writes it.
    pub fn rfc3339(self) -> String {
        self.to_utc().format(&Rfc3339).unwrap_or_default()
    }

    /// A date as a person reads it: `24 November 2026`.
    pub fn date(self) -> String {
        let date = self.to_utc();
        format!("{} {} {}", date.day(), date.month(), date.year())
    }

    /// A date and time as a person reads it: `24 November 2026, 20:15 UTC`.
    pub fn date_time(self) -> String {
        let at = self.to_utc();
        format!("{}, {:02}:{:02} UTC", self.date(), at.hour(), at.minute())
    }

    /// The same in a reader's language: `24 de noviembre de 2026, 20:15 UTC`.
    pub fn date_time_in(self, locale: Locale) -> String {
        let at = self.to_utc();
        let month = match locale {
            Locale::English => return self.date_time(),
            Locale::Spanish => MONTHS_IN_SPANISH[usize::from(u8::from(at.month())) - 1],
        };
        let (day, year) = (at.day(), at.year());
        let (hour, minute) = (at.hour(), at.minute());
        format!("{day} de {month} de {year}, {hour:02}:{minute:02} UTC")
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        Self((moment.unix_timestamp_nanos() / 1000) as i64)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Where "now" comes from: the system, or a moment that a test sets and moves.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A moment that stands still until it is moved.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at`.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.0)))
    }

    /// Now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system clock"
    )]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => OffsetDateTime::now_utc().into(),
            Self::Fixed(micros) => Timestamp(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock on; does nothing to the system's.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Self::Fixed(micros) = self {
            micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(moment: Timestamp) -> Self {
        moment.to_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_well_in_both_languages() {
        let at = Timestamp::parse("2026-12-01T09:05:59Z").unwrap();
        assert_eq!(
            at.date_time_in(Locale::English),
            "1 December 2026, 09:05 UTC"
        );
        assert_eq!(
            at.date_time_in(Locale::Spanish),
            "1 de diciembre de 2026, 09:05 UTC"
        );
    }
}

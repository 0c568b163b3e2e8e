//! What somebody saw before they decided: products with their versions, as a text that a form or
//! a client carries from the preview to the change.

use std::fmt;
use std::str::FromStr;

use crate::types::ProductId;

/// The most products that a text may name.
const MAX: usize = 100_000;

/// Products with the versions that were seen, by ascending id. As text, `12.3-1.1`: the
/// distance to the id before, a point, the version; so that thousands of them stay short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(pub(super) Vec<(ProductId, i64)>);

impl Seen {
    /// How many products.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = 0;
        for (index, &(id, version)) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "-" };
            write!(f, "{gap}{}.{version}", id.0 - before)?;
            before = id.0;
        }
        Ok(())
    }
}

impl FromStr for Seen {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "This does not come from a preview.";
        let mut seen = Vec::new();
        let mut before: i64 = 0;
        for part in text.split('-').filter(|part| !part.is_empty()) {
            let (distance, version) = part.split_once('.').ok_or(WRONG)?;
            let number = |digits: &str| digits.parse::<u32>().map(i64::from).map_err(|_| WRONG);
            let (distance, version) = (number(distance)?, number(version)?);
            before = before
                .checked_add(distance)
                .filter(|_| distance > 0)
                .ok_or(WRONG)?;
            seen.push((ProductId(before), version));
            if seen.len() > MAX {
                return Err(WRONG);
            }
        }
        Ok(Self(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_the_way_there_and_back() {
        for pairs in [vec![], vec![(7, 1)], vec![(7, 3), (8, 1), (1_000, 12)]] {
            let seen = Seen(
                pairs
                    .into_iter()
                    .map(|(id, v)| (ProductId(id), v))
                    .collect(),
            );
            assert_eq!(seen.to_string().parse(), Ok(seen));
        }
        let seen = Seen(vec![(ProductId(7), 3), (ProductId(9), 1)]);
        assert_eq!(seen.to_string(), "7.3-2.1");
    }

    #[test]
    fn what_is_none_is_refused() {
        for wrong in [
            "x",
            "7",
            "7.x",
            "7.1-0.1",
            "-7",
            "99999999999.1",
            "1.-1",
            "7.1.1",
        ] {
            assert!(wrong.parse::<Seen>().is_err(), "{wrong}");
        }
    }
}

//! Counting what the products of a list have. Each group is counted as if nothing were chosen
//! in it, so that a shopper sees what choosing something else would give. The number of
//! statements is fixed, but for one more for each chosen attribute.

use std::collections::BTreeMap;

use crate::app::App;
use crate::catalog::model::{CategoryTree, Facets, PriceRange};
use crate::catalog::store::{self, Matching};
use crate::db::Conn;
use crate::error::Result;
use crate::types::{CategoryId, Currency, Money};

/// The most values that are counted of one attribute.
const MAX_VALUES: usize = 50;
/// The most tags that are counted.
const MAX_TAGS: i64 = 20;

/// Counts what matching products have.
pub(super) async fn count(
    app: &App,
    conn: &mut Conn,
    matching: &Matching,
    tree: &CategoryTree,
) -> Result<Facets> {
    let in_stock = Matching {
        in_stock: true,
        ..matching.clone()
    };
    let any_tag = Matching {
        tag: None,
        ..matching.clone()
    };
    let any_rating = Matching {
        min_rating: None,
        ..matching.clone()
    };
    let ratings = store::count_by_rating(conn, &any_rating).await?;
    let (price, prices) = by_price(conn, matching, app.currency()).await?;
    Ok(Facets {
        categories: by_category(conn, matching, tree).await?,
        in_stock: store::count(conn, &in_stock).await?,
        ratings: [4, 3, 2, 1].into_iter().zip(ratings).collect(),
        price,
        prices,
        tags: store::count_by_tag(conn, &any_tag, MAX_TAGS).await?,
        attributes: by_attribute(conn, matching).await?,
    })
}

async fn by_category(
    conn: &mut Conn,
    matching: &Matching,
    tree: &CategoryTree,
) -> Result<Vec<(CategoryId, i64)>> {
    let anywhere = Matching {
        categories: None,
        ..matching.clone()
    };
    let mut totals = BTreeMap::new();
    for (category, count) in store::count_by_category(conn, &anywhere).await? {
        for above in tree.path(category) {
            *totals.entry(above.id).or_insert(0) += count;
        }
    }
    let total = |category: CategoryId| totals.get(&category).copied();
    Ok(tree
        .0
        .iter()
        .filter_map(|category| Some((category.id, total(category.id)?)))
        .collect())
}

/// One statement for all attributes that nobody filters by, and one for each of the others.
async fn by_attribute(
    conn: &mut Conn,
    matching: &Matching,
) -> Result<Vec<(String, Vec<(String, i64)>)>> {
    let chosen: Vec<String> = matching
        .attributes
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let mut counts = store::count_by_attribute(conn, matching, None, &chosen).await?;
    for name in &chosen {
        let mut without = matching.clone();
        without.attributes.retain(|(other, _)| other != name);
        counts.extend(store::count_by_attribute(conn, &without, Some(name), &[]).await?);
    }
    let mut facets: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (name, value, count) in counts {
        let values = facets.entry(name).or_default();
        if values.len() < MAX_VALUES {
            values.push((value, count));
        }
    }
    Ok(facets.into_iter().collect())
}

/// The lowest and the highest price, and a few ranges between them.
async fn by_price(
    conn: &mut Conn,
    matching: &Matching,
    currency: Currency,
) -> Result<(Option<(Money, Money)>, Vec<PriceRange>)> {
    let any_price = Matching {
        min_price: None,
        max_price: None,
        ..matching.clone()
    };
    let quarters = store::price_quarters(conn, &any_price).await?;
    let lowest = quarters.iter().map(|quarter| quarter.begins).min();
    let highest = quarters.iter().map(|quarter| quarter.ends).max();
    let price = lowest
        .zip(highest)
        .map(|(lowest, highest)| (Money::new(lowest, currency), Money::new(highest, currency)));
    let begins: Vec<i64> = quarters.iter().map(|quarter| quarter.begins).collect();
    let ranges = ranges(&borders(&begins));
    let counts = store::count_by_price(conn, &any_price, &ranges).await?;
    if ranges.len() < 2 {
        return Ok((price, Vec::new()));
    }
    let money = |minor: i64| (minor > 0 && minor < i64::MAX).then(|| Money::new(minor, currency));
    let range = |(&(from, to), count): (&(i64, i64), i64)| PriceRange {
        from: money(from),
        to: money(to),
        count,
    };
    Ok((price, ranges.iter().zip(counts).map(range).collect()))
}

/// Round amounts, in minor units, near to where the quarters of a list begin; rising, and above
/// the lowest price.
fn borders(begins: &[i64]) -> Vec<i64> {
    let lowest = begins.iter().copied().min().unwrap_or(0);
    let mut borders: Vec<i64> = begins
        .iter()
        .skip(1)
        .map(|&begin| round(begin))
        .filter(|&border| border > lowest)
        .collect();
    borders.sort_unstable();
    borders.dedup();
    borders
}

/// The nearest amount not above this one with a leading 1, 1.5, 2, 2.5, 3, 4, 5 or 7.5.
fn round(minor: i64) -> i64 {
    let mut unit = 1;
    while minor / unit >= 100 {
        unit *= 10;
    }
    // From 10 to 99 units.
    let leading = [75, 50, 40, 30, 25, 20, 15, 10];
    let fits = leading.into_iter().find(|&one| one * unit <= minor);
    fits.map_or(minor, |one| one * unit)
}

/// The ranges between borders: from 0 up to the first, from the last on without end. The upper
/// end belongs to a range.
fn ranges(borders: &[i64]) -> Vec<(i64, i64)> {
    let from = std::iter::once(0).chain(borders.iter().copied());
    let to = borders.iter().map(|border| border - 1).chain([i64::MAX]);
    from.zip(to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_prices_have_round_borders() {
        let borders = borders(&[690, 1_990, 3_400, 8_900]);
        assert_eq!(borders, [1_500, 3_000, 7_500]);
        assert_eq!(
            ranges(&borders),
            [
                (0, 1_499),
                (1_500, 2_999),
                (3_000, 7_499),
                (7_500, i64::MAX)
            ]
        );
        assert_eq!(round(7), 7);
        assert_eq!(round(123_456), 100_000);
    }

    #[test]
    fn prices_that_are_alike_have_no_ranges() {
        assert!(borders(&[]).is_empty());
        assert!(borders(&[1_000, 1_000, 1_000, 1_000]).is_empty());
        assert_eq!(ranges(&[]), [(0, i64::MAX)]);
    }
}

//! Reviews: one of each user and product.

use crate::types::{ProductId, ReviewId, Timestamp, UserId};

/// What a user wrote about a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// About what.
    pub product_id: ProductId,
    /// By whom.
    pub user_id: UserId,
    /// The name that readers see: first name and initial.
    pub author: String,
    /// Stars, 1 to 5.
    pub rating: i64,
    /// A headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The name that readers see of a person: first name and initial, `Ada L.`; the first name alone
/// where there is no other.
pub fn author(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or("Somebody");
    let initial = words.next_back().and_then(|last| last.chars().next());
    match initial {
        Some(initial) => format!("{first} {}.", initial.to_uppercase()),
        None => first.to_owned(),
    }
}

/// How many reviews gave 1, 2, 3, 4 and 5 stars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram(pub [i64; 5]);

impl Histogram {
    /// How many reviews there are.
    pub fn count(self) -> i64 {
        self.0.iter().sum()
    }

    /// All stars together.
    pub fn sum(self) -> i64 {
        (1..).zip(self.0).map(|(stars, count)| stars * count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_first_name_and_initial() {
        for (name, seen) in [
            ("Ada Lovelace", "Ada L."),
            ("  Ada  King Lovelace ", "Ada L."),
            ("Åsa öberg", "Åsa Ö."),
            ("ada", "ada"),
            ("", "Somebody"),
        ] {
            assert_eq!(author(name), seen, "{name}");
        }
    }

    #[test]
    fn a_histogram_adds_up() {
        let histogram = Histogram([1, 0, 2, 0, 3]);
        assert_eq!((histogram.count(), histogram.sum()), (6, 22));
    }
}

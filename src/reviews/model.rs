//! Reviews: one of each user and product.

use crate::types::{ProductId, ReviewId, Slug, Timestamp, UserId, text_enum};

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
    /// Whether its author received the product in an order.
    pub verified: bool,
    /// Whether staff took it off the product's page; then it counts for nothing.
    pub hidden: bool,
    /// What the shop answers.
    pub reply: Option<Reply>,
    /// Counts its changes; the `ETag`.
    pub version: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its author last changed it.
    pub updated_at: Timestamp,
}

/// The shop's answer to a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// The name that readers see of who wrote it.
    pub author: String,
    /// When it was written.
    pub at: Timestamp,
}

/// A review as staff look through them: with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewOfProduct {
    /// The review.
    pub review: Review,
    /// The product's name in URLs.
    pub product_slug: Slug,
    /// The product's name.
    pub product_name: String,
}

/// The order of a list of reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReviewSort {
    /// The newest first.
    #[default]
    Newest,
    /// The most stars first.
    Highest,
    /// The fewest stars first.
    Lowest,
    /// Those of buyers first.
    Verified,
}
text_enum!(ReviewSort {
    Newest => "newest",
    Highest => "highest",
    Lowest => "lowest",
    Verified => "verified",
});

impl ReviewSort {
    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Newest => "Newest",
            Self::Highest => "Highest",
            Self::Lowest => "Lowest",
            Self::Verified => "Verified first",
        }
    }
}

/// Which of a product's reviews a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Those of so many stars.
    pub stars: Option<i64>,
    /// In which order.
    pub sort: ReviewSort,
}

/// What staff look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewState {
    /// What shoppers see.
    Shown,
    /// What staff took off.
    Hidden,
    /// What shoppers see and nobody answered.
    Unanswered,
}
text_enum!(ReviewState {
    Shown => "shown",
    Hidden => "hidden",
    Unanswered => "unanswered",
});

/// Which reviews the list of staff shows; the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffFilter {
    /// In which state; none for all.
    pub state: Option<ReviewState>,
    /// Those of so many stars.
    pub stars: Option<i64>,
    /// Words that must all occur in the review or in the product's name.
    pub search: String,
}

/// A product whose row says something else than its reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imbalance {
    /// Which product.
    pub product_id: ProductId,
    /// All stars together and how many reviews, as the product's row has them.
    pub kept: (i64, i64),
    /// The same, as its reviews that shoppers see add up.
    pub counted: (i64, i64),
    /// The score that lists are sorted by, in thousandths of a star.
    pub score: i64,
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

    /// How many reviews gave so many stars.
    pub fn of(self, stars: i64) -> i64 {
        let place = usize::try_from(stars - 1).ok();
        let bar = place.and_then(|place| self.0.get(place));
        bar.copied().unwrap_or(0)
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
        let bars = [0, 1, 3, 5, 6].map(|stars| histogram.of(stars));
        assert_eq!(bars, [0, 1, 2, 3, 0]);
    }
}

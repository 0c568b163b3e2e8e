//! The reviews of a product as a part of a page: what they come to, and one page of them. Stands
//! on the product's page and on a page of its own.

use axum::http::Uri;

use crate::app::App;
use crate::catalog::{Product, ProductKey, Rating};
use crate::ctx::Ctx;
use crate::error::Result;
use crate::reviews::model::{Histogram, Review, ReviewFilter, ReviewSort};
use crate::reviews::{service, urls};
use crate::types::{Page, PageRequest, Slug, TextEnum};
use crate::web::{Link, Pager};

/// Where a section stands, and what its links keep.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// What the number of the page is called in the query.
    page: &'static str,
    /// What leads down to the section.
    anchor: &'static str,
    per_page: u32,
}

/// Reviews are a list within the product's page, so their number has a name of its own.
const ON_PRODUCT: Place = Place {
    page: "reviews",
    anchor: "#reviews",
    per_page: 5,
};
const ON_OWN_PAGE: Place = Place {
    page: "page",
    anchor: "",
    per_page: 20,
};

/// The reviews of a product, for `reviews/parts.html`.
#[derive(Debug)]
pub struct Section {
    /// The product's name in URLs.
    pub slug: Slug,
    /// What the reviews come to.
    pub rating: Rating,
    /// The mean in whole stars.
    pub stars: i64,
    /// From five stars down to one.
    pub bars: Vec<Bar>,
    /// The orders to choose from.
    pub sorts: Vec<Link>,
    /// What is shown.
    pub filter: ReviewFilter,
    /// Where all of them are, whatever their stars.
    pub unfiltered: String,
    /// Where the list begins.
    pub first: String,
    /// The reviews of this page.
    pub page: Page<Review>,
    /// The other pages.
    pub pager: Pager,
    /// What the viewer wrote.
    pub own: Option<Review>,
    /// Whether there is another page that shows more of them at once.
    pub continues: bool,
}

/// How many reviews gave so many stars.
#[derive(Debug, PartialEq, Eq)]
pub struct Bar {
    /// 1 to 5.
    pub stars: i64,
    /// How many.
    pub count: i64,
    /// Of all of them.
    pub percent: i64,
    /// Where the list shows only these; where it does already, all of them. Empty for none.
    pub href: String,
    /// Whether the list shows only these.
    pub current: bool,
}

impl Section {
    /// The section of the product's page; `pairs` is the page's query.
    pub async fn on_product(
        app: &App,
        ctx: &Ctx,
        product: &Product,
        pairs: &[(String, String)],
    ) -> Result<Self> {
        // Who chose a variant goes on looking at it.
        let variant = asked(pairs, "variant").and_then(|id| id.parse::<i64>().ok());
        let path = crate::catalog::urls::product(&product.slug);
        let path = match variant {
            Some(id) => format!("{path}?variant={id}"),
            None => path,
        };
        Self::new(app, ctx, product, pairs, ON_PRODUCT, path).await
    }

    /// The page of its own; `pairs` is its query.
    pub async fn on_own_page(
        app: &App,
        ctx: &Ctx,
        product: &Product,
        pairs: &[(String, String)],
    ) -> Result<Self> {
        let path = urls::all(&product.slug);
        Self::new(app, ctx, product, pairs, ON_OWN_PAGE, path).await
    }

    async fn new(
        app: &App,
        ctx: &Ctx,
        product: &Product,
        pairs: &[(String, String)],
        place: Place,
        path: String,
    ) -> Result<Self> {
        let filter = filter(pairs);
        let number = asked(pairs, place.page).and_then(|number| number.parse().ok());
        let request = PageRequest::new(number.unwrap_or(1), place.per_page);
        let key = ProductKey::Id(product.id);
        let (page, histogram) = service::list(app, ctx, &key, filter, request).await?;
        let here = |filter| address(&path, filter, place.anchor);
        Ok(Self {
            slug: product.slug.clone(),
            rating: product.rating,
            stars: whole_stars(product.rating),
            bars: bars(histogram, filter, here),
            sorts: sorts(filter, here),
            unfiltered: here(ReviewFilter {
                stars: None,
                ..filter
            }),
            first: here(filter),
            pager: pager(&page, &address(&path, filter, ""), place),
            own: service::own(app, ctx, &key).await?,
            continues: place.page == ON_PRODUCT.page && page.total > page.request.limit(),
            filter,
            page,
        })
    }
}

fn asked<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let pair = pairs.iter().find(|(known, _)| known == name);
    pair.map(|(_, value)| value.as_str())
}

/// What a query asks for; what it does not say, or says wrongly, is as usual.
fn filter(pairs: &[(String, String)]) -> ReviewFilter {
    let stars = asked(pairs, "stars").and_then(|stars| stars.parse().ok());
    ReviewFilter {
        stars: stars.filter(|stars| (1..=5).contains(stars)),
        sort: asked(pairs, "sort")
            .and_then(ReviewSort::from_word)
            .unwrap_or_default(),
    }
}

fn address(path: &str, filter: ReviewFilter, anchor: &str) -> String {
    let stars = filter.stars.map(|stars| format!("stars={stars}"));
    let sort = (filter.sort != ReviewSort::default()).then(|| format!("sort={}", filter.sort));
    let mut address = path.to_owned();
    for pair in stars.into_iter().chain(sort) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(&pair);
    }
    address + anchor
}

fn whole_stars(rating: Rating) -> i64 {
    (rating.sum * 2 + rating.count) / (rating.count * 2).max(1)
}

fn bars(
    histogram: Histogram,
    filter: ReviewFilter,
    here: impl Fn(ReviewFilter) -> String,
) -> Vec<Bar> {
    let total = histogram.count().max(1);
    let bar = |stars: i64| {
        let count = histogram.of(stars);
        let current = filter.stars == Some(stars);
        let target = ReviewFilter {
            stars: (!current).then_some(stars),
            ..filter
        };
        Bar {
            stars,
            count,
            percent: count * 100 / total,
            href: if count > 0 || current {
                here(target)
            } else {
                String::new()
            },
            current,
        }
    };
    (1..=5).rev().map(bar).collect()
}

fn sorts(filter: ReviewFilter, here: impl Fn(ReviewFilter) -> String) -> Vec<Link> {
    let link = |&sort: &ReviewSort| Link {
        label: sort.in_words().to_owned(),
        href: here(ReviewFilter { sort, ..filter }),
        current: sort == filter.sort,
    };
    ReviewSort::ALL.iter().map(link).collect()
}

fn pager(reviews: &Page<Review>, address: &str, place: Place) -> Pager {
    let uri: Uri = address.parse().unwrap_or_default();
    let mut pager = Pager::new(reviews, &uri);
    let renamed = |href: &mut String| {
        if !href.is_empty() {
            let number = format!("{}=", place.page);
            *href = href.replace("page=", &number) + place.anchor;
        }
    };
    pager.previous.as_mut().map(renamed);
    pager.next.as_mut().map(renamed);
    for link in &mut pager.numbers {
        renamed(&mut link.href);
    }
    pager
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four_stars() -> ReviewFilter {
        ReviewFilter {
            stars: Some(4),
            sort: ReviewSort::Lowest,
        }
    }

    fn here(filter: ReviewFilter) -> String {
        address("/x", filter, "#reviews")
    }

    #[test]
    fn bars_run_from_five_stars_down_and_share_a_hundred() {
        let found = bars(Histogram([1, 0, 0, 1, 2]), four_stars(), here);
        let rows: Vec<_> = found
            .iter()
            .map(|bar| (bar.stars, bar.count, bar.percent, bar.href.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                (5, 2, 50, "/x?stars=5&sort=lowest#reviews"),
                // A second click takes the filter off.
                (4, 1, 25, "/x?sort=lowest#reviews"),
                (3, 0, 0, ""),
                (2, 0, 0, ""),
                (1, 1, 25, "/x?stars=1&sort=lowest#reviews"),
            ]
        );
        let none = bars(Histogram::default(), ReviewFilter::default(), here);
        assert!(none.iter().all(|bar| bar.percent == 0 && !bar.current));
    }

    #[test]
    fn a_query_that_says_nonsense_asks_for_the_usual() {
        let read = |pairs: &[(&str, &str)]| {
            let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
            filter(&pairs.iter().map(pair).collect::<Vec<_>>())
        };
        assert_eq!(read(&[("stars", "4"), ("sort", "lowest")]), four_stars());
        for wrong in [("stars", "0"), ("stars", "x"), ("sort", "best")] {
            assert_eq!(read(&[wrong]), ReviewFilter::default());
        }
        assert_eq!(
            address("/x?variant=1", four_stars(), ""),
            "/x?variant=1&stars=4&sort=lowest"
        );
    }
}

//! The filter of a list as the address carries it: read leniently, because a link with a
//! mistake in it should still show products, and written again for other links.

use crate::catalog::{Category, CategoryTree, PriceRange, ProductFilter, ProductSort};
use crate::error::FieldErrors;
use crate::types::{Currency, Money, TextEnum};
use crate::web::Link;

/// In front of an attribute's name in the address: `attr.Material=Oak`.
const ATTRIBUTE: &str = "attr.";
/// Longer searches are cut off; the field takes no more either.
const MAX_SEARCH: usize = 200;
/// Offered in the form.
const OFFERED_RATINGS: [i64; 4] = [4, 3, 2, 1];

/// What somebody filters a list by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words to search for, as typed.
    pub search: String,
    /// A category and what is below it.
    pub category: Option<Category>,
    /// The lowest price, as typed.
    pub min_price: String,
    /// The highest price, as typed.
    pub max_price: String,
    /// Only products with this tag; empty for any.
    pub tag: String,
    /// Only what can be bought now.
    pub in_stock: bool,
    /// At least so many stars.
    pub min_rating: Option<i64>,
    /// Attribute names and values.
    pub attributes: Vec<(String, String)>,
    /// The order.
    pub sort: ProductSort,
    /// The number of the page, from 1.
    pub page: u32,
    /// What is wrong with the prices; a wrong one filters nothing.
    pub errors: FieldErrors,
    lowest: Option<Money>,
    highest: Option<Money>,
}

impl Filter {
    /// Reads the pairs of a query. What cannot be understood is left out; a wrong price gets a
    /// message.
    pub fn read(pairs: Vec<(String, String)>, tree: &CategoryTree, currency: Currency) -> Self {
        let mut filter = Self {
            page: 1,
            ..Self::default()
        };
        for (name, value) in pairs {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            match name.as_str() {
                "search" => filter.search = value.chars().take(MAX_SEARCH).collect(),
                "category" => filter.category = category(tree, value).cloned(),
                "min_price" => value.clone_into(&mut filter.min_price),
                "max_price" => value.clone_into(&mut filter.max_price),
                "tag" => value.clone_into(&mut filter.tag),
                "in_stock" => filter.in_stock = matches!(value, "true" | "1" | "on"),
                "min_rating" => {
                    filter.min_rating = value.parse().ok().filter(|stars| (1..=5).contains(stars));
                }
                "sort" => filter.sort = ProductSort::from_word(value).unwrap_or_default(),
                "page" => filter.page = value.parse().unwrap_or(1),
                _ => {
                    if let Some(name) = name.strip_prefix(ATTRIBUTE)
                        && !name.is_empty()
                    {
                        filter.attributes.push((name.to_owned(), value.to_owned()));
                    }
                }
            }
        }
        filter.read_prices(currency);
        if filter.search.is_empty() && filter.sort == ProductSort::Rating {
            // The usual order without words; it need not stand in the address.
            filter.sort = ProductSort::default();
        }
        filter
    }

    fn read_prices(&mut self, currency: Currency) {
        let errors = &mut self.errors;
        let mut read = |field: &str, typed: &str| {
            let given = !typed.is_empty();
            given
                .then(|| errors.keep(field, "money", Money::parse(typed, currency)))
                .flatten()
        };
        self.lowest = read("min_price", &self.min_price);
        self.highest = read("max_price", &self.max_price);
        if let (Some(lowest), Some(highest)) = (self.lowest, self.highest)
            && lowest.minor() > highest.minor()
        {
            let message = "The highest price is below the lowest one.";
            self.errors.add("max_price", "range", message);
            (self.lowest, self.highest) = (None, None);
        }
    }

    /// What it asks the service for; `place` is the category whose page it is.
    pub fn wanted(&self, place: Option<&Category>) -> ProductFilter {
        ProductFilter {
            search: self.search.clone(),
            category: place.or(self.category.as_ref()).map(|category| category.id),
            min_price: self.lowest,
            max_price: self.highest,
            tag: self.tag.clone(),
            in_stock: self.in_stock,
            min_rating: self.min_rating,
            attributes: self.attributes.clone(),
            sort: self.sort,
            ..ProductFilter::default()
        }
    }

    /// Whether a value of an attribute is filtered by.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.attributes
            .iter()
            .any(|(known, chosen)| known == name && chosen == value)
    }

    /// Whether it leaves anything out.
    pub fn is_active(&self) -> bool {
        !self.chips("").is_empty()
    }

    /// The address of the first page of the list at `path` that is filtered so.
    pub fn address(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs() {
            query.append_pair(&name, &value);
        }
        let query = query.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                pairs.push((name.to_owned(), value.to_owned()));
            }
        };
        add("search", &self.search);
        if let Some(category) = &self.category {
            add("category", category.slug.as_str());
        }
        add("min_price", &self.min_price);
        add("max_price", &self.max_price);
        add("tag", &self.tag);
        if self.in_stock {
            add("in_stock", "true");
        }
        if let Some(stars) = self.min_rating {
            add("min_rating", &stars.to_string());
        }
        for (name, value) in &self.attributes {
            add(&format!("{ATTRIBUTE}{name}"), value);
        }
        if self.sort != ProductSort::default() {
            add("sort", self.sort.as_str());
        }
        pairs
    }

    /// What is filtered by, each with a link to the list without it.
    pub fn chips(&self, path: &str) -> Vec<Link> {
        let mut chips = Vec::new();
        let mut chip = |label: String, without: Self| {
            chips.push(Link {
                label,
                href: without.address(path),
                current: false,
            });
        };
        let plain = || Self {
            page: 1,
            ..self.clone()
        };
        if !self.search.is_empty() {
            let mut without = plain();
            without.search.clear();
            chip(format!("“{}”", self.search), without);
        }
        if let Some(category) = &self.category {
            let mut without = plain();
            without.category = None;
            chip(category.name.clone(), without);
        }
        if !self.tag.is_empty() {
            let mut without = plain();
            without.tag.clear();
            chip(self.tag.clone(), without);
        }
        if let Some(lowest) = self.lowest {
            let mut without = plain();
            without.min_price.clear();
            chip(format!("From {lowest}"), without);
        }
        if let Some(highest) = self.highest {
            let mut without = plain();
            without.max_price.clear();
            chip(format!("Up to {highest}"), without);
        }
        if self.in_stock {
            let mut without = plain();
            without.in_stock = false;
            chip("In stock".to_owned(), without);
        }
        if let Some(stars) = self.min_rating {
            let mut without = plain();
            without.min_rating = None;
            chip(stars_and_up(stars), without);
        }
        for (name, value) in &self.attributes {
            let mut without = plain();
            without
                .attributes
                .retain(|(known, chosen)| known != name || chosen != value);
            chip(format!("{name}: {value}"), without);
        }
        chips
    }

    /// The ratings that are offered, each with its words, how many products have it, and whether
    /// it is the one chosen.
    pub fn ratings(&self, counts: &[(i64, i64)]) -> Vec<(i64, String, Option<i64>, bool)> {
        // One that only a link asks for is offered, too, so that the form does not lose it.
        let asked = self
            .min_rating
            .filter(|stars| !OFFERED_RATINGS.contains(stars));
        let count = |stars| {
            let counted = counts.iter().find(|(known, _)| *known == stars);
            counted.map(|(_, count)| *count)
        };
        OFFERED_RATINGS
            .into_iter()
            .chain(asked)
            .map(|stars| {
                let chosen = self.min_rating == Some(stars);
                (stars, stars_and_up(stars), count(stars), chosen)
            })
            .collect()
    }

    /// The orders that the list can have, each with its words and whether it has it.
    pub fn sorts(&self) -> Vec<(&'static str, &'static str, bool)> {
        let mut sorts = vec![
            (ProductSort::Rating, "Most loved"),
            (ProductSort::Newest, "Newest"),
            (ProductSort::PriceAscending, "Price, low to high"),
            (ProductSort::PriceDescending, "Price, high to low"),
            (ProductSort::Name, "Name"),
        ];
        let mut chosen = self.sort;
        if !self.search.is_empty() {
            sorts.insert(0, (ProductSort::Relevance, "Best match"));
        } else if chosen == ProductSort::Relevance {
            chosen = ProductSort::Rating;
        }
        let sort = |(sort, label): (ProductSort, _)| (sort.as_str(), label, sort == chosen);
        sorts.into_iter().map(sort).collect()
    }

    /// The same list, with other words to search for.
    pub fn with_words(&self, words: &str) -> Self {
        Self {
            search: words.to_owned(),
            page: 1,
            ..self.clone()
        }
    }

    /// Whether this is the range of prices that is filtered by.
    pub fn is_range(&self, range: &PriceRange) -> bool {
        self.min_price.len() + self.max_price.len() > 0
            && (self.lowest, self.highest) == (range.from, range.to)
    }

    /// The same list with products of this range of prices only.
    pub fn within(&self, range: &PriceRange) -> Self {
        let typed = |price: Option<Money>| price.map_or_else(String::new, Money::amount);
        Self {
            min_price: typed(range.from),
            max_price: typed(range.to),
            page: 1,
            ..self.clone()
        }
    }
}

/// `4 stars and up`
fn stars_and_up(stars: i64) -> String {
    match stars {
        5 => "5 stars".to_owned(),
        1 => "1 star and up".to_owned(),
        _ => format!("{stars} stars and up"),
    }
}

/// A category by its slug or id.
fn category<'t>(tree: &'t CategoryTree, text: &str) -> Option<&'t Category> {
    match text.parse() {
        Ok(id) => tree.get(id),
        Err(_) => tree.by_slug(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CategoryId, Slug, Timestamp};

    fn tree() -> CategoryTree {
        CategoryTree(vec![Category {
            id: CategoryId(7),
            parent_id: None,
            slug: Slug::from_text("Mugs", "x"),
            name: "Mugs".to_owned(),
            description: String::new(),
            seo: crate::catalog::Seo::default(),
            position: 0,
            version: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }])
    }

    fn read(query: &str) -> Filter {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Filter::read(pairs, &tree(), Currency::eur())
    }

    #[test]
    fn an_address_is_read_and_written_again() {
        let query = "search=blue+mug&category=mugs&min_price=10&max_price=20.5&in_stock=true\
            &min_rating=4&attr.Made+of=Clay+%26+salt&attr.Made+of=Oak&sort=-price";
        let filter = read(&format!("{query}&page=3&utm_source=x"));
        assert_eq!(filter.page, 3);
        assert_eq!(filter.address("/products"), format!("/products?{query}"));
        let wanted = filter.wanted(None);
        assert_eq!(wanted.category, Some(CategoryId(7)));
        assert_eq!(wanted.min_price.unwrap().minor(), 1000);
        assert_eq!(wanted.max_price.unwrap().minor(), 2050);
        assert!(filter.has("Made of", "Oak") && !filter.has("Made of", "Tin"));
        assert_eq!(read("category=7").category, filter.category);
    }

    #[test]
    fn what_makes_no_sense_filters_nothing() {
        let filter =
            read("category=nowhere&min_rating=9&sort=magic&page=x&in_stock=no&attr.=a&search=+");
        assert_eq!(filter.address("/p"), "/p");
        assert!(!filter.is_active());
        assert_eq!(filter.page, 1);
    }

    #[test]
    fn a_wrong_price_is_kept_with_a_message_and_filters_nothing() {
        let filter = read("min_price=abc&max_price=20");
        assert_eq!(filter.errors.of("min_price"), "Write an amount like 19.99.");
        assert_eq!(
            (filter.min_price.as_str(), filter.wanted(None).min_price),
            ("abc", None)
        );
        assert!(filter.wanted(None).max_price.is_some());
        let crossed = read("min_price=30&max_price=20");
        assert!(!crossed.errors.of("max_price").is_empty());
        assert_eq!(crossed.wanted(None), ProductFilter::default());
    }

    #[test]
    fn each_chip_takes_one_thing_away() {
        let filter = read("search=mug&max_price=20&attr.Colour=Oat&attr.Colour=Ink&page=2");
        let chips = filter.chips("/products");
        let labels: Vec<&str> = chips.iter().map(|chip| &*chip.label).collect();
        assert_eq!(
            labels,
            ["“mug”", "Up to 20.00\u{a0}€", "Colour: Oat", "Colour: Ink"]
        );
        assert_eq!(
            chips[2].href,
            "/products?search=mug&max_price=20&attr.Colour=Ink"
        );
        assert!(filter.is_active());
    }
}

//! What the list for staff is narrowed by, as the address carries it: read leniently, because a
//! link with a mistake in it should still show products, and written again for other links.

use serde::Deserialize;

use crate::catalog::model::{CategoryTree, ProductStatus, StaffFilter, StaffSort, StockChoice};
use crate::error::FieldErrors;
use crate::types::{Currency, Money, PageRequest, TextEnum};
use crate::web::Link;

/// Products on a page, as far as one can choose.
pub const SIZES: [u32; 3] = [25, 50, 100];

/// The fields as typed. A word that means nothing counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Narrowed {
    pub search: String,
    pub status: String,
    pub category: String,
    pub tag: String,
    pub maker: String,
    pub stock: String,
    pub scheduled: String,
    pub without_picture: String,
    pub min_price: String,
    pub max_price: String,
    pub sort: String,
    pub per_page: String,
    pub page: String,
}

impl Narrowed {
    /// What is asked of the service, and what is wrong with the prices: a wrong one filters
    /// nothing.
    pub fn filter(&self, currency: Currency) -> (StaffFilter, FieldErrors) {
        let mut errors = FieldErrors::default();
        let mut price = |field: &str, typed: &str| {
            let typed = Some(typed.trim()).filter(|typed| !typed.is_empty())?;
            errors.keep(field, "money", Money::parse(typed, currency))
        };
        let min_price = price("min_price", &self.min_price);
        let max_price = price("max_price", &self.max_price);
        let filter = StaffFilter {
            search: self.search.clone(),
            status: ProductStatus::from_word(&self.status),
            category: self.category.parse().ok(),
            tag: self.tag.clone(),
            maker: self.maker.clone(),
            stock: StockChoice::from_word(&self.stock),
            scheduled: !self.scheduled.is_empty(),
            without_picture: !self.without_picture.is_empty(),
            min_price,
            max_price,
            sort: self.sort(),
        };
        (filter, errors)
    }

    pub fn sort(&self) -> StaffSort {
        StaffSort::from_word(&self.sort).unwrap_or_default()
    }

    pub fn page(&self) -> PageRequest {
        PageRequest::typed(&self.page, self.size())
    }

    /// Products on a page.
    pub fn size(&self) -> u32 {
        let size = self.per_page.parse().ok();
        size.filter(|size| SIZES.contains(size)).unwrap_or(SIZES[0])
    }

    /// What is not at its default, for the address and for hidden fields.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("search", &self.search),
            ("status", &self.status),
            ("category", &self.category),
            ("tag", &self.tag),
            ("maker", &self.maker),
            ("stock", &self.stock),
            ("scheduled", &self.scheduled),
            ("without_picture", &self.without_picture),
            ("min_price", &self.min_price),
            ("max_price", &self.max_price),
            ("sort", &self.sort),
            ("per_page", &self.per_page),
            ("page", &self.page),
        ];
        all.into_iter()
            .map(|(name, value)| (name, value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    /// The same for a page that has pages of its own and leads back to this one.
    pub fn carried(&self) -> Vec<(&'static str, String)> {
        let name = |name| if name == "page" { "from" } else { name };
        let pairs = self.pairs().into_iter();
        pairs.map(|(field, value)| (name(field), value)).collect()
    }

    /// The query of the address of this list; empty for the whole list.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs());
        query.finish()
    }

    /// The address of this list, below `path`.
    pub fn address(&self, path: &str) -> String {
        match self.query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// What the list is narrowed by, each with the address of the list without it.
    pub fn chips(&self, path: &str, tree: &CategoryTree, currency: Currency) -> Vec<Link> {
        let (filter, _) = self.filter(currency);
        let category = filter.category.map(|id| {
            let found = tree.get(id);
            found.map_or_else(|| format!("Category {id}"), |found| found.name.clone())
        });
        let money =
            |words: &str, price: Option<Money>| price.map(|price| format!("{words} {price}"));
        let typed = |words: &str, text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| format!("{words}{text}"))
        };
        let stock = filter.stock.map(|stock| {
            let words = match stock {
                StockChoice::In => "In stock",
                StockChoice::Low => "Running out",
                StockChoice::Out => "Sold out",
            };
            words.to_owned()
        });
        let found = typed("", &self.search).map(|text| format!("\u{201c}{text}\u{201d}"));
        let scheduled = filter.scheduled.then(|| "Scheduled".to_owned());
        let without_picture = filter.without_picture.then(|| "Without picture".to_owned());
        type Field = fn(&mut Narrowed) -> &mut String;
        let all: [(Option<String>, Field); 10] = [
            (found, |list| &mut list.search),
            (filter.status.map(|status| status.label()), |list| {
                &mut list.status
            }),
            (category, |list| &mut list.category),
            (stock, |list| &mut list.stock),
            (typed("Tag: ", &self.tag), |list| &mut list.tag),
            (typed("Maker: ", &self.maker), |list| &mut list.maker),
            (money("From", filter.min_price), |list| &mut list.min_price),
            (money("Up to", filter.max_price), |list| &mut list.max_price),
            (scheduled, |list| &mut list.scheduled),
            (without_picture, |list| &mut list.without_picture),
        ];
        let chip = |(label, field): (Option<String>, Field)| {
            let mut without = self.clone();
            without.page.clear();
            field(&mut without).clear();
            Some(Link {
                label: label?,
                href: without.address(path),
                current: false,
            })
        };
        all.into_iter().filter_map(chip).collect()
    }

    /// The address of the first page of this list in another order.
    pub fn sorted(&self, path: &str, sort: StaffSort) -> String {
        let list = Self {
            sort: sort.to_string(),
            page: String::new(),
            ..self.clone()
        };
        list.address(path)
    }
}

/// A head of a column that one can sort by.
pub struct Head {
    pub label: &'static str,
    pub class: &'static str,
    /// The list sorted by it, the other way round where it is so already.
    pub href: String,
    /// For `aria-sort`; empty where the list is sorted otherwise.
    pub sorted: &'static str,
}

impl Head {
    /// The head of a column that is sorted by `first` at a first click, by `second` at another.
    pub fn new(
        list: &Narrowed,
        path: &str,
        label: &'static str,
        class: &'static str,
        first: StaffSort,
        second: StaffSort,
    ) -> Self {
        let now = list.sort();
        let next = if now == first { second } else { first };
        let rising = match now {
            StaffSort::Rating => false,
            StaffSort::RatingAscending => true,
            other => !other.as_str().starts_with('-'),
        };
        Self {
            label,
            class,
            href: list.sorted(path, next),
            sorted: match (now == first || now == second, rising) {
                (false, _) => "",
                (true, true) => "ascending",
                (true, false) => "descending",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chip_takes_one_thing_away_and_leads_to_the_first_page() {
        let list = Narrowed {
            search: " mug ".to_owned(),
            stock: "low".to_owned(),
            max_price: "20".to_owned(),
            page: "3".to_owned(),
            status: "sold".to_owned(),
            ..Narrowed::default()
        };
        let chips = list.chips("/p", &CategoryTree::default(), Currency::eur());
        let labels: Vec<&str> = chips.iter().map(|chip| &*chip.label).collect();
        assert_eq!(
            labels,
            ["\u{201c}mug\u{201d}", "Running out", "Up to 20.00\u{a0}€"]
        );
        assert_eq!(chips[1].href, "/p?search=mug&status=sold&max_price=20");
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let head = |sort: &str| {
            let list = Narrowed {
                sort: sort.to_owned(),
                ..Narrowed::default()
            };
            let (first, second) = (StaffSort::Name, StaffSort::NameDescending);
            let head = Head::new(&list, "/p", "Product", "", first, second);
            (head.href, head.sorted)
        };
        assert_eq!(head(""), ("/p?sort=name".to_owned(), ""));
        assert_eq!(head("name"), ("/p?sort=-name".to_owned(), "ascending"));
        assert_eq!(head("-name"), ("/p?sort=name".to_owned(), "descending"));
    }
}

//! Lists: everything, what a search finds, what a category holds.

use axum::extract::{Path, Query, State};
use axum::http::Uri;

use super::filter::Filter;
use super::seo::structured;
use super::{link_to, urls, way_to};
use crate::app::App;
use crate::catalog::service::{self, categories, featured_products, search_products};
use crate::catalog::{Category, CategoryTree, Facets, PriceRange, ProductCard};
use crate::error::Error;
use crate::search::Matched;
use crate::types::{CategoryId, Currency, Money, Page, PageRequest, Timestamp};
use crate::web::{Answer, Link, Pager, Shell, Template, Viewer, html, page};

/// Products offered instead of a list that is empty.
const INSTEAD: i64 = 4;
/// Values of an attribute that are shown at once.
const SHOWN_VALUES: usize = 7;

#[derive(Template)]
#[template(path = "catalog/list.html")]
struct List {
    shell: Shell,
    now: Timestamp,
    heading: String,
    /// For search engines: the way here.
    structured: String,
    path: String,
    place: Option<Category>,
    crumbs: Vec<Link>,
    currency: Currency,
    filter: Filter,
    chips: Vec<Link>,
    offers: Offers,
    products: Page<ProductCard>,
    pager: Pager,
    /// The same search as the shop would spell it.
    corrected: Option<Link>,
    /// Whether no product has all of the words, and these have some.
    some_words: bool,
    /// The list with less filtered out, when that has products.
    wider: Option<Link>,
    instead: Vec<ProductCard>,
}

impl List {
    /// What search engines show as the title: without the name of the shop.
    fn title(&self) -> String {
        let place = self
            .place
            .as_ref()
            .filter(|place| !place.seo.title.is_empty());
        let title = place.map_or(&self.heading, |place| &place.seo.title);
        match self.filter.page {
            page if page > 1 => format!("{title}, page {page}"),
            _ => title.clone(),
        }
    }

    fn description(&self) -> String {
        let place = self.place.iter();
        let mut texts = place.flat_map(|place| [&place.seo.description, &place.description]);
        match texts.find(|text| !text.is_empty()) {
            Some(text) => text.clone(),
            None => {
                let (total, shop) = (self.products.total, &self.shell.shop_name);
                let products = if total == 1 { "product" } else { "products" };
                format!("{} at {shop}: {total} {products}.", self.heading)
            }
        }
    }

    /// The address of this page of the list without what narrows it.
    fn canonical(&self) -> String {
        let address = self.shell.canonical();
        match self.filter.page {
            page if page > 1 => format!("{address}?page={page}"),
            _ => address,
        }
    }
}

/// What the list can be filtered by.
struct Offers {
    /// Below the category of the page, or all of them.
    categories: Vec<CategoryOffer>,
    in_stock: i64,
    ratings: Vec<(i64, i64)>,
    /// The lowest and the highest price.
    price: Option<(Money, Money)>,
    prices: Vec<PriceOffer>,
    tags: AttributeOffer,
    attributes: Vec<AttributeOffer>,
}

struct PriceOffer {
    link: Link,
    count: i64,
}

struct CategoryOffer {
    slug: String,
    link: Link,
    depth: usize,
    count: i64,
}

struct AttributeOffer {
    name: String,
    values: Vec<(String, i64, bool)>,
}

impl AttributeOffer {
    fn shown(&self) -> &[(String, i64, bool)] {
        &self.values[..self.values.len().min(SHOWN_VALUES)]
    }

    fn hidden(&self) -> &[(String, i64, bool)] {
        &self.values[self.values.len().min(SHOWN_VALUES)..]
    }
}

/// GET /products
pub async fn all(
    State(app): State<App>,
    viewer: Viewer,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let tree = categories(&app).await?;
    list(&app, viewer, &tree, None, pairs).await
}

/// GET /categories/{slug}
pub async fn of_category(
    State(app): State<App>,
    viewer: Viewer,
    Path(slug): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let tree = categories(&app).await?;
    let Some(place) = tree.by_slug(&slug).cloned() else {
        let now_at = service::category_redirect(&app, &slug).await?;
        return html::moved(&urls::category(&now_at.ok_or(Error::NotFound)?.slug));
    };
    list(&app, viewer, &tree, Some(place), pairs).await
}

async fn list(
    app: &App,
    mut viewer: Viewer,
    tree: &CategoryTree,
    place: Option<Category>,
    pairs: Vec<(String, String)>,
) -> Answer {
    let mut filter = Filter::read(pairs, tree, app.currency());
    let path = match &place {
        Some(place) => {
            // The page is a category's already.
            if let Some(other) = filter.category.take() {
                return html::redirect(&filter.address(&urls::category(&other.slug)));
            }
            urls::category(&place.slug)
        }
        None => urls::PRODUCTS.to_owned(),
    };
    let wanted = filter.wanted(place.as_ref());
    let request = PageRequest::new(filter.page, PageRequest::DEFAULT_PER_PAGE);
    let found = search_products(app, &viewer.ctx, &wanted, request, true).await?;
    let (products, facets) = (found.products, found.facets.unwrap_or_default());
    let widened = found.widened.filter(|&count| count > 0);
    let wider = widened.map(|count| wider(&filter, place.as_ref(), count));
    let instead = if products.total == 0 {
        featured_products(app, &viewer.ctx, INSTEAD).await?
    } else {
        Vec::new()
    };
    let heading = heading(&filter, place.as_ref());
    let crumbs = way_to(tree, place.as_ref(), false);
    mark_root(&mut viewer.shell, tree, place.as_ref());
    let uri: Uri = filter.address(&path).parse().unwrap_or_default();
    page(&List {
        now: viewer.ctx.now,
        structured: structured::breadcrumbs(&viewer.shell, &crumbs, &heading),
        heading,
        crumbs,
        currency: app.currency(),
        chips: filter.chips(&path),
        offers: offers(tree, facets, &filter, place.as_ref(), &path),
        corrected: found.corrected.map(|words| Link {
            href: filter.with_words(&words).address(&path),
            label: words,
            current: false,
        }),
        some_words: found.matched == Matched::Some,
        pager: Pager::new(&products, &uri),
        shell: viewer.shell,
        path,
        place,
        filter,
        products,
        wider,
        instead,
    })
}

/// The way to what [`crate::catalog::ProductFilter::widened`] finds.
fn wider(filter: &Filter, place: Option<&Category>, count: i64) -> Link {
    let plural = if count == 1 { "" } else { "s" };
    let place = place.or(filter.category.as_ref());
    let (what, href) = match place {
        _ if !filter.search.is_empty() => (
            format!("for “{}”", filter.search),
            Filter::default()
                .with_words(&filter.search)
                .address(urls::PRODUCTS),
        ),
        Some(place) => (format!("in {}", place.name), urls::category(&place.slug)),
        None => ("of the shop".to_owned(), urls::PRODUCTS.to_owned()),
    };
    Link {
        label: format!("Show {count} product{plural} {what}"),
        href,
        current: false,
    }
}

fn heading(filter: &Filter, place: Option<&Category>) -> String {
    match place {
        Some(place) => place.name.clone(),
        None if !filter.tag.is_empty() => filter.tag.clone(),
        None if !filter.search.is_empty() => format!("Results for “{}”", filter.search),
        None => match &filter.category {
            Some(category) => category.name.clone(),
            None => "Everything".to_owned(),
        },
    }
}

/// The entry of the main navigation that a category stands below is the current one.
fn mark_root(shell: &mut Shell, tree: &CategoryTree, place: Option<&Category>) {
    let root = place.and_then(|place| tree.path(place.id).into_iter().next());
    if let Some(root) = root {
        let href = urls::category(&root.slug);
        for link in &mut shell.nav {
            link.current = link.href == href;
        }
    }
}

fn offers(
    tree: &CategoryTree,
    facets: Facets,
    filter: &Filter,
    place: Option<&Category>,
    path: &str,
) -> Offers {
    let mut tags = facets.tags;
    if !filter.tag.is_empty() && tags.iter().all(|(tag, _)| *tag != filter.tag) {
        tags.push((filter.tag.clone(), 0));
    }
    let tag = |(tag, count): (String, i64)| {
        let chosen = tag == filter.tag;
        (tag, count, chosen)
    };
    let mut counted = facets.attributes;
    for (name, value) in &filter.attributes {
        add_missing(&mut counted, name, value);
    }
    let attributes = counted.into_iter().map(|(name, values)| {
        let checked = |value: &str| filter.has(&name, value);
        let values = values.into_iter().map(|(value, count)| {
            let checked = checked(&value);
            (value, count, checked)
        });
        AttributeOffer {
            values: values.collect(),
            name,
        }
    });
    Offers {
        categories: categories_offered(tree, &facets.categories, filter, place),
        in_stock: facets.in_stock,
        ratings: facets.ratings,
        price: facets.price,
        prices: prices_offered(&facets.prices, filter, path),
        tags: AttributeOffer {
            name: "tag".to_owned(),
            values: tags.into_iter().map(tag).collect(),
        },
        attributes: attributes.filter(groups_products).collect(),
    }
}

fn prices_offered(ranges: &[PriceRange], filter: &Filter, path: &str) -> Vec<PriceOffer> {
    let label = |range: &PriceRange| match (range.from, range.to) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("{from} and more"),
        (None, Some(to)) => format!("Up to {to}"),
        (None, None) => "Any price".to_owned(),
    };
    let offer = |range: &PriceRange| PriceOffer {
        link: Link {
            label: label(range),
            href: filter.within(range).address(path),
            current: filter.is_range(range),
        },
        count: range.count,
    };
    let worth = |range: &&PriceRange| range.count > 0 || filter.is_range(range);
    ranges.iter().filter(worth).map(offer).collect()
}

/// A value that is filtered by is offered even where nothing has it, so that the form keeps it.
fn add_missing(counted: &mut Vec<(String, Vec<(String, i64)>)>, name: &str, value: &str) {
    let place = counted.iter().position(|(known, _)| known == name);
    let place = place.unwrap_or_else(|| {
        counted.push((name.to_owned(), Vec::new()));
        counted.len() - 1
    });
    let values = &mut counted[place].1;
    if values.iter().all(|(known, _)| known != value) {
        values.push((value.to_owned(), 0));
    }
}

/// Whether an attribute sorts products into groups. One that is different for each product,
/// such as a height, filters nothing that a look at the list would not.
fn groups_products(offer: &AttributeOffer) -> bool {
    let chosen = offer.values.iter().any(|(_, _, checked)| *checked);
    let shared = offer.values.iter().any(|(_, count, _)| *count > 1);
    chosen || (offer.values.len() > 1 && (shared || offer.values.len() <= 4))
}

/// On a category's page what is directly below it; elsewhere the roots, and what is below the
/// chosen one.
fn categories_offered(
    tree: &CategoryTree,
    counts: &[(CategoryId, i64)],
    filter: &Filter,
    place: Option<&Category>,
) -> Vec<CategoryOffer> {
    let chosen = filter.category.as_ref().map(|category| category.id);
    let open: Vec<CategoryId> = chosen
        .map(|id| tree.path(id).iter().map(|category| category.id).collect())
        .unwrap_or_default();
    let parent_shown = |category: &Category| match (place, category.parent_id) {
        (Some(place), parent) => parent == Some(place.id),
        (None, None) => true,
        (None, Some(parent)) => open.contains(&parent),
    };
    tree.flattened()
        .into_iter()
        .filter(|(_, category)| parent_shown(category))
        .filter_map(|(depth, category)| {
            let counted = counts.iter().find(|(id, _)| *id == category.id);
            let count = counted.map_or(0, |(_, count)| *count);
            let current = chosen == Some(category.id);
            (count > 0 || current).then(|| CategoryOffer {
                slug: category.slug.to_string(),
                link: Link {
                    current,
                    href: filter.address(&urls::category(&category.slug)),
                    ..link_to(category)
                },
                depth,
                count,
            })
        })
        .collect()
}

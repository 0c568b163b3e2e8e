//! The list of products for staff, drafts and archived ones too.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::category_choices;
use crate::app::App;
use crate::catalog::model::{CategoryTree, ProductCard, ProductFilter, ProductSort, ProductStatus};
use crate::catalog::{service, urls};
use crate::types::{Page, PageRequest, TextEnum};
use crate::web::{Answer, Pager, Shell, Template, Viewer, page};

pub(super) fn routes() -> Router<App> {
    Router::new().route(urls::ADMIN_PRODUCTS, get(list))
}

/// What the list is narrowed by. A word that means nothing counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    status: String,
    category: String,
    sort: String,
    page: String,
}

impl Narrowed {
    fn filter(&self) -> ProductFilter {
        ProductFilter {
            search: self.search.clone(),
            category: self.category.parse().ok(),
            for_staff: true,
            status: ProductStatus::from_word(&self.status),
            sort: ProductSort::from_word(&self.sort).unwrap_or(ProductSort::Newest),
            ..ProductFilter::default()
        }
    }

    fn page(&self) -> PageRequest {
        let number = self.page.parse().unwrap_or(1);
        PageRequest::new(number, PageRequest::DEFAULT_PER_PAGE)
    }
}

#[derive(Template)]
#[template(path = "catalog/admin_products.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    statuses: Vec<(String, String)>,
    categories: Vec<(String, String)>,
    sorts: Vec<(String, String)>,
    tree: CategoryTree,
    products: Page<ProductCard>,
    pager: Pager,
}

impl ListPage {
    fn category(&self, card: &ProductCard) -> &str {
        let category = card.category_id.and_then(|id| self.tree.get(id));
        category.map_or("", |category| &category.name)
    }
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let tree = service::categories_for_staff(&app, &viewer.ctx).await?;
    let filter = narrowed.filter();
    let products = service::list_products(&app, &viewer.ctx, &filter, narrowed.page()).await?;
    page(&ListPage {
        shell: viewer.shell,
        narrowed,
        statuses: statuses("Any status"),
        categories: category_choices(&tree, "Any category"),
        sorts: sorts(),
        tree,
        pager: Pager::new(&products, &uri),
        products,
    })
}

fn statuses(any: &str) -> Vec<(String, String)> {
    let each = |status: &ProductStatus| (status.to_string(), status.label());
    let mut choices = vec![(String::new(), any.to_owned())];
    choices.extend(ProductStatus::ALL.iter().map(each));
    choices
}

fn sorts() -> Vec<(String, String)> {
    [
        (ProductSort::Newest, "Newest first"),
        (ProductSort::Name, "By name"),
        (ProductSort::PriceAscending, "Cheapest first"),
        (ProductSort::PriceDescending, "Dearest first"),
        (ProductSort::Rating, "Best rated first"),
    ]
    .map(|(sort, words)| (sort.to_string(), words.to_owned()))
    .into()
}

//! Home, listings and product pages, with reviews.

mod choice;
mod filter;
mod home;
mod list;
mod product;
mod seo;

pub use seo::robots;
pub use seo::structured::shop as structured_shop;

use axum::Router;
use axum::routing::{get, post};

use super::urls;
use crate::app::App;
use crate::catalog::{Category, CategoryTree};
use crate::web::Link;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::HOME, get(home::show))
        .route(urls::PRODUCTS, get(list::all))
        .route("/categories/{slug}", get(list::of_category))
        .route("/products/{slug}", get(product::show))
        .route("/products/{slug}/back-in-stock", post(product::wait))
        .merge(seo::routes())
}

fn link_to(category: &Category) -> Link {
    Link {
        label: category.name.clone(),
        href: urls::category(&category.slug),
        current: false,
    }
}

/// The way from the front page down to a category; itself included only with `inclusive`.
fn way_to(tree: &CategoryTree, category: Option<&Category>, inclusive: bool) -> Vec<Link> {
    let mut way = vec![Link {
        label: "Home".to_owned(),
        href: urls::HOME.to_owned(),
        current: false,
    }];
    if let Some(category) = category {
        let path = tree.path(category.id);
        let kept = path.len() - usize::from(!inclusive && !path.is_empty());
        way.extend(path.into_iter().take(kept).map(link_to));
    }
    way
}

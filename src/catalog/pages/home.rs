//! The front page.

use axum::extract::State;

use super::link_to;
use crate::app::App;
use crate::catalog::service::{self, categories, featured_products, list_products};
use crate::catalog::{Category, CategoryTree, Image, ProductCard, ProductFilter, ProductSort};
use crate::shipping::{self, ShippingMethod};
use crate::types::{PageRequest, Timestamp};
use crate::web::{Answer, Link, Shell, Template, Viewer, page};

const FEATURED: i64 = 8;
const NEWEST: usize = 4;
/// Newest products that are looked at, to find some that are not featured and a picture for
/// each category.
const LOOKED_AT: u32 = 48;

#[derive(Template)]
#[template(path = "catalog/home.html")]
struct Home {
    shell: Shell,
    now: Timestamp,
    featured: Vec<ProductCard>,
    newest: Vec<ProductCard>,
    categories: Vec<Tile>,
    shipping: Option<ShippingMethod>,
    total: i64,
}

/// A category with a picture of something in it.
struct Tile {
    link: Link,
    below: String,
    count: i64,
    picture: Option<Image>,
}

/// GET /
pub async fn show(State(app): State<App>, viewer: Viewer) -> Answer {
    let ctx = &viewer.ctx;
    let tree = categories(&app).await?;
    let newest_first = ProductFilter {
        sort: ProductSort::Newest,
        ..ProductFilter::default()
    };
    let featured = featured_products(&app, ctx, FEATURED).await?;
    let request = PageRequest::new(1, LOOKED_AT);
    let newest = list_products(&app, ctx, &newest_first, request).await?;
    let counts = service::facets(&app, ctx, &ProductFilter::default()).await?;
    let shipping = shipping::service::methods(&app).await?;
    page(&Home {
        now: ctx.now,
        categories: tiles(&tree, &counts.categories, &featured, &newest.items),
        total: newest.total,
        newest: not_among(newest.items, &featured),
        featured,
        shipping: shipping.into_iter().find(|method| !method.is_pickup()),
        shell: viewer.shell,
    })
}

fn not_among(cards: Vec<ProductCard>, shown: &[ProductCard]) -> Vec<ProductCard> {
    let fresh = |card: &ProductCard| shown.iter().all(|other| other.id != card.id);
    cards.into_iter().filter(fresh).take(NEWEST).collect()
}

/// The roots of the tree that have products, each with a picture of a different product.
fn tiles(
    tree: &CategoryTree,
    counts: &[(crate::types::CategoryId, i64)],
    featured: &[ProductCard],
    newest: &[ProductCard],
) -> Vec<Tile> {
    let picture = |root: &Category| {
        let below = tree.with_descendants(root.id);
        featured
            .iter()
            .chain(newest)
            .filter(|card| card.category_id.is_some_and(|id| below.contains(&id)))
            .find_map(|card| card.cover.clone())
    };
    let count = |root: &Category| counts.iter().find(|(id, _)| *id == root.id);
    tree.children(None)
        .into_iter()
        .filter_map(|root| {
            let (_, count) = count(root)?;
            let below = tree.children(Some(root.id)).into_iter().take(3);
            let below: Vec<&str> = below.map(|category| category.name.as_str()).collect();
            Some(Tile {
                link: link_to(root),
                below: below.join(", "),
                count: *count,
                picture: picture(root),
            })
        })
        .collect()
}

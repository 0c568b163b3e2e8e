//! Products, their pictures and categories for staff.

mod categories;
mod form;
mod images;
mod list;
mod products;
mod variants;

use axum::Router;

use super::model::CategoryTree;
use crate::app::App;
use crate::web::Link;

/// A field that somebody else changed while the form was open.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    label: String,
    theirs: String,
    yours: String,
}

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(list::routes())
        .merge(products::routes())
        .merge(variants::routes())
        .merge(images::routes())
        .merge(categories::routes())
}

/// The category tree as choices of a select: ids and indented names, after an empty choice.
fn category_choices(tree: &CategoryTree, none: &str) -> Vec<(String, String)> {
    let mut choices = vec![(String::new(), none.to_owned())];
    for (depth, category) in tree.flattened() {
        // Spaces that do not fold: a select shows no other indentation.
        let indent = "\u{a0}\u{a0}\u{a0}".repeat(depth);
        choices.push((
            category.id.to_string(),
            format!("{indent}{}", category.name),
        ));
    }
    choices
}

fn link(label: &str, href: impl Into<String>) -> Link {
    Link {
        label: label.to_owned(),
        href: href.into(),
        current: false,
    }
}

//! The start page of the back office, and the menu beside all of its pages.

use axum::Router;

use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::Result;
use crate::web::MenuItem;
use crate::{catalog, orders};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
}

/// The menu as far as the viewer may open it; empty outside of the back office.
pub async fn menu(_app: &App, ctx: &Ctx, path: &str) -> Result<Vec<MenuItem>> {
    let below = |href: &str| {
        path.strip_prefix(href)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if !ctx.is_staff() || !below(super::urls::HOME) {
        return Ok(Vec::new());
    }
    let mut items = vec![MenuItem {
        label: "Home",
        href: super::urls::HOME,
        icon: "home",
        waiting: 0,
        current: path.trim_end_matches('/') == super::urls::HOME,
    }];
    for (permission, label, href, icon) in [
        (
            Permission::Orders,
            "Orders",
            orders::urls::ADMIN_ORDERS,
            "bag",
        ),
        (
            Permission::Catalog,
            "Products",
            catalog::urls::ADMIN_PRODUCTS,
            "box",
        ),
        (
            Permission::Catalog,
            "Categories",
            catalog::urls::ADMIN_CATEGORIES,
            "tag",
        ),
    ] {
        if ctx.may(permission) {
            items.push(MenuItem {
                label,
                href,
                icon,
                waiting: 0,
                current: below(href),
            });
        }
    }
    Ok(items)
}

//! The start page of the back office, and the menu beside all of its pages.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::service::{self, Overview};
use super::urls;
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::Result;
use crate::web::{Answer, MenuItem, Shell, Template, Viewer, page};
use crate::{
    accounts, audit, catalog, credit, imports, inventory, orders, promotions, reviews, search,
    shipping, taxes,
};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new().route(urls::HOME, get(home))
}

#[derive(Template)]
#[template(path = "admin/home.html")]
struct HomePage {
    shell: Shell,
    overview: Overview,
}

async fn home(State(app): State<App>, viewer: Viewer) -> Answer {
    let overview = service::overview(&app, &viewer.ctx).await?;
    page(&HomePage {
        shell: viewer.shell,
        overview,
    })
}

/// The menu as far as the viewer may open it; empty outside of the back office.
pub async fn menu(app: &App, ctx: &Ctx, path: &str) -> Result<Vec<MenuItem>> {
    let below = |href: &str| {
        path.strip_prefix(href)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if !ctx.is_staff() || !below(urls::HOME) {
        return Ok(Vec::new());
    }
    let mut items = vec![MenuItem {
        label: "Home",
        href: urls::HOME,
        icon: "home",
        waiting: 0,
        current: path.trim_end_matches('/') == urls::HOME,
    }];
    let pending = service::pending_orders(app, ctx).await?;
    let strays = service::strays(app, ctx).await?;
    let stock = &[Permission::Catalog, Permission::Inventory][..];
    for (permissions, label, href, icon, waiting) in [
        (
            &[Permission::Orders][..],
            "Orders",
            orders::urls::ADMIN_ORDERS,
            "bag",
            pending,
        ),
        (
            &[Permission::Orders],
            "Payments",
            orders::urls::ADMIN_PAYMENTS,
            "card",
            strays,
        ),
        (stock, "Products", catalog::urls::ADMIN_PRODUCTS, "box", 0),
        (
            &[Permission::Inventory][..],
            "Stock",
            inventory::urls::ADMIN_STOCK,
            "page",
            0,
        ),
        (
            &[Permission::Catalog][..],
            "Categories",
            catalog::urls::ADMIN_CATEGORIES,
            "tag",
            0,
        ),
        (
            &[Permission::Catalog][..],
            "Reviews",
            reviews::urls::ADMIN_REVIEWS,
            "star",
            0,
        ),
        (
            &[Permission::Promotions],
            "Promotions",
            promotions::urls::ADMIN_PROMOTIONS,
            "pct",
            0,
        ),
        (
            &[Permission::Promotions],
            "Gift cards",
            credit::urls::ADMIN_CARDS,
            "card",
            0,
        ),
        (
            &[Permission::Customers],
            "Store credit",
            credit::urls::ADMIN_CREDIT,
            "card",
            0,
        ),
        (
            &[Permission::Catalog],
            "Search",
            search::urls::ADMIN_SYNONYMS,
            "search",
            0,
        ),
        (
            &[Permission::Catalog],
            "Import",
            imports::urls::ADMIN_IMPORTS,
            "up",
            0,
        ),
        (
            &[Permission::Settings],
            "Shipping",
            shipping::urls::ADMIN_ZONES,
            "truck",
            0,
        ),
        (
            &[Permission::Settings],
            "Taxes",
            taxes::urls::ADMIN_TAXES,
            "pct",
            0,
        ),
        (
            &[Permission::Settings],
            "Staff",
            accounts::urls::ADMIN_STAFF,
            "user",
            0,
        ),
        (
            &[Permission::Settings],
            "Audit log",
            audit::urls::ADMIN_AUDIT,
            "lock",
            0,
        ),
    ] {
        if ctx.require_any(permissions).is_ok() {
            items.push(MenuItem {
                label,
                href,
                icon,
                waiting,
                current: below(href),
            });
        }
    }
    Ok(items)
}

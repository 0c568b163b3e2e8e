//! The list of products for staff, drafts and archived ones too.

mod bulk;
mod narrowed;
mod stock;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use axum_extra::extract::Query;

use super::category_choices;
use crate::app::App;
use crate::catalog::model::{
    CategoryTree, ProductCard, ProductStatus, StaffCard, StaffSort, StaffWords, StockChoice,
};
use crate::catalog::{ProductKey, service, urls};
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors};
use crate::types::{Page, ProductId, TextEnum};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, redirect};
use narrowed::{Head, Narrowed, SIZES};
use stock::StockForm;

/// Who may see the list and count what is in it.
const MAY_COUNT: [Permission; 2] = [Permission::Catalog, Permission::Inventory];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(urls::ADMIN_PRODUCTS, get(list))
        .route(urls::ADMIN_BULK, get(bulk::ask).post(bulk::confirm))
        .route(urls::ADMIN_STOCK, post(stock::save_in_list))
        .route(
            &format!("{}/{{id}}/stock", urls::ADMIN_PRODUCTS),
            get(stock::show).post(stock::save),
        )
        .route(
            &format!("{}/{{id}}/duplicate", urls::ADMIN_PRODUCTS),
            post(duplicate),
        )
}

#[derive(Template)]
#[template(path = "catalog/admin_products.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    errors: FieldErrors,
    chips: Vec<Link>,
    heads: Vec<Head>,
    words: StaffWords,
    tree: CategoryTree,
    products: Page<StaffCard>,
    pager: Pager,
    /// Whether the viewer works on products, not only counts them.
    may_edit: bool,
    stock: StockForm,
}

impl ListPage {
    fn category(&self, card: &ProductCard) -> &str {
        let category = card.category_id.and_then(|id| self.tree.get(id));
        category.map_or("", |category| &category.name)
    }

    fn statuses(&self) -> Vec<(String, String)> {
        let each = |status: &ProductStatus| (status.to_string(), status.label());
        let mut choices = vec![(String::new(), "Any status".to_owned())];
        choices.extend(ProductStatus::ALL.iter().map(each));
        choices
    }

    fn categories(&self) -> Vec<(String, String)> {
        category_choices(&self.tree, "Any category")
    }

    fn stocks(&self) -> Vec<(String, String)> {
        let words = |stock: StockChoice| match stock {
            StockChoice::In => "In stock",
            StockChoice::Low => "Running out",
            StockChoice::Out => "Sold out",
        };
        let each = |stock: &StockChoice| (stock.to_string(), words(*stock).to_owned());
        let mut choices = vec![(String::new(), "Any stock".to_owned())];
        choices.extend(StockChoice::ALL.iter().map(each));
        choices
    }

    fn sorts(&self) -> Vec<(String, String)> {
        let words = |sort: StaffSort| match sort {
            StaffSort::Newest => "Newest first",
            StaffSort::Name => "Name, A to Z",
            StaffSort::NameDescending => "Name, Z to A",
            StaffSort::Price => "Cheapest first",
            StaffSort::PriceDescending => "Dearest first",
            StaffSort::Stock => "Least stock first",
            StaffSort::StockDescending => "Most stock first",
            StaffSort::Status => "Active first",
            StaffSort::StatusDescending => "Archived first",
            StaffSort::Updated => "Longest unchanged first",
            StaffSort::UpdatedDescending => "Last changed first",
            StaffSort::Rating => "Best rated first",
            StaffSort::RatingAscending => "Worst rated first",
        };
        let each = |sort: &StaffSort| (sort.to_string(), words(*sort).to_owned());
        StaffSort::ALL.iter().map(each).collect()
    }

    fn sizes(&self) -> Vec<(String, String)> {
        SIZES
            .map(|size| (size.to_string(), size.to_string()))
            .into()
    }

    fn actions(&self) -> Vec<(String, String)> {
        let mut choices = vec![(String::new(), "Choose what to do".to_owned())];
        choices.extend(bulk::actions());
        choices
    }

    fn scopes(&self) -> Vec<(String, String)> {
        let all = match self.products.total {
            1 => "the one that fits".to_owned(),
            total => format!("all {total} that fit"),
        };
        vec![
            ("ticked".to_owned(), "what is ticked".to_owned()),
            ("all".to_owned(), all),
        ]
    }

    /// Whether one of the fields that are folded away says something.
    fn is_unfolded(&self) -> bool {
        let list = &self.narrowed;
        let typed = [
            &list.tag,
            &list.maker,
            &list.min_price,
            &list.max_price,
            &list.scheduled,
            &list.without_picture,
        ];
        typed.iter().any(|text| !text.trim().is_empty())
    }
}

async fn list(State(app): State<App>, viewer: Viewer, Query(narrowed): Query<Narrowed>) -> Answer {
    draw(&app, viewer, narrowed, StockForm::default()).await
}

/// Draws the list, with stock as it was typed.
async fn draw(app: &App, viewer: Viewer, narrowed: Narrowed, stock: StockForm) -> Answer {
    let (filter, errors) = narrowed.filter(app.currency());
    let products = service::list_for_staff(app, &viewer.ctx, &filter, narrowed.page()).await?;
    let tree = service::categories(app).await?;
    let words = service::staff_words(app, &viewer.ctx).await?;
    let here = narrowed.address(urls::ADMIN_PRODUCTS);
    let here: Uri = here
        .parse()
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))?;
    let status = if stock.errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let template = ListPage {
        may_edit: viewer.ctx.may(Permission::Catalog),
        shell: viewer.shell,
        errors,
        chips: narrowed.chips(urls::ADMIN_PRODUCTS, &tree, app.currency()),
        heads: heads(&narrowed),
        words,
        tree,
        pager: Pager::new(&products, &here),
        products,
        narrowed,
        stock,
    };
    page_with(status, &template)
}

/// A copy of a product, ready to be changed.
async fn duplicate(State(app): State<App>, viewer: Viewer, Path(id): Path<ProductId>) -> Answer {
    match service::duplicate_product(&app, &viewer.ctx, &ProductKey::Id(id)).await {
        Ok(copy) => {
            let words = format!(
                "This is a draft like \u{201c}{}\u{201d}. Change what differs.",
                copy.name.strip_prefix("Copy of ").unwrap_or(&copy.name)
            );
            viewer.flash(Flash::good(words)).await?;
            redirect(&urls::admin_product(copy.id))
        }
        Err(Error::Invalid(errors)) => {
            let words = errors.iter().next().map(|(_, error)| error.message.clone());
            let words = format!(
                "It cannot be copied as it is. {}",
                words.unwrap_or_default()
            );
            viewer.flash(Flash::warning(words)).await?;
            redirect(&urls::admin_product(id))
        }
        Err(error) => Err(error.into()),
    }
}

fn heads(list: &Narrowed) -> Vec<Head> {
    use StaffSort::*;
    [
        ("Product", "", Name, NameDescending),
        ("Status", "", Status, StatusDescending),
        ("Price", "num", Price, PriceDescending),
        ("Stock", "num", Stock, StockDescending),
        ("Rating", "num", Rating, RatingAscending),
        ("Changed", "", UpdatedDescending, Updated),
    ]
    .map(|(label, class, first, second)| {
        Head::new(list, urls::ADMIN_PRODUCTS, label, class, first, second)
    })
    .into()
}

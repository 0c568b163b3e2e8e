//! Returns for staff: agreeing or not, and what came.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::{crumbs, tell};
use crate::addresses::pages::Typed;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::orders::model::{Order, Return};
use crate::orders::service::{Receipt, ReceiptLine, ReturnAnswer};
use crate::orders::{service, urls};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Link, Shell, Template, Viewer};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let (number, one) = ("{number}", "{return}");
    Router::new()
        .route(&urls::admin_return(number, one), get(show).post(answer))
        .route(&urls::admin_received(number, one), post(receive))
}

#[derive(Template)]
#[template(path = "orders/admin_return.html")]
struct ReturnPage {
    shell: Shell,
    crumbs: Vec<Link>,
    order: Order,
    one: Return,
    typed: Typed,
    errors: FieldErrors,
}

fn draw(viewer: Viewer, order: Order, number: i64, typed: Typed, errors: FieldErrors) -> Answer {
    let mut returns = order.returns.iter();
    let one = returns.find(|one| one.number == number).cloned();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = ReturnPage {
        shell: viewer.shell,
        crumbs: crumbs(Some(&order)),
        one: one.ok_or(Error::NotFound)?,
        order,
        typed,
        errors,
    };
    page_with(status, &page)
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, one)): Path<(String, i64)>,
) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    let mut typed = Typed::default();
    let known = order.returns.iter().find(|known| known.number == one);
    for line in known.iter().flat_map(|known| &known.lines) {
        let field = format!("quantity.{}", line.order_line_id);
        typed.set(&field, &line.quantity.to_string());
        typed.set(&format!("restock.{}", line.order_line_id), "yes");
    }
    draw(viewer, order, one, typed, FieldErrors::default())
}

async fn answer(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, one)): Path<(String, i64)>,
    Form(typed): Form<Typed>,
) -> Answer {
    let input = ReturnAnswer {
        to: typed.of("to").to_owned(),
        message: typed.of("message").to_owned(),
    };
    match service::answer_return(&app, &viewer.ctx, &number, one, &input).await {
        Err(Error::Invalid(errors)) => {
            let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
            draw(viewer, order, one, typed, errors)
        }
        answered => tell(&viewer, &number, answered, "answered").await,
    }
}

async fn receive(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, one)): Path<(String, i64)>,
    Form(typed): Form<Typed>,
) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    let known = order.returns.iter().find(|known| known.number == one);
    let known = known.ok_or(Error::NotFound)?;
    let ids: Vec<i64> = known
        .lines
        .iter()
        .map(|line| line.order_line_id.0)
        .collect();
    let lines = ids.iter().map(|id| ReceiptLine {
        line_id: *id,
        quantity: typed
            .of(&format!("quantity.{id}"))
            .trim()
            .parse()
            .unwrap_or(-1),
        restock: !typed.of(&format!("restock.{id}")).is_empty(),
    });
    let receipt = Receipt {
        lines: Some(lines.collect()),
    };
    match service::receive_return(&app, &viewer.ctx, &number, one, &receipt).await {
        Err(Error::Invalid(errors)) => {
            let mut placed = FieldErrors::default();
            for (field, error) in errors.iter() {
                let index = field
                    .split('.')
                    .nth(1)
                    .and_then(|at| at.parse::<usize>().ok());
                let id = index.and_then(|index| ids.get(index)).or(ids.first());
                let field = id.map_or(field.to_owned(), |id| format!("quantity.{id}"));
                placed.add(&field, error.code, error.message.clone());
            }
            draw(viewer, order, one, typed, placed)
        }
        received => tell(&viewer, &number, received, "told what came back").await,
    }
}

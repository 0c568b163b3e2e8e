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
use crate::orders::service::{Receipt, ReceiptLine, ReturnAnswer, ReturnRefund};
use crate::orders::{service, urls};
use crate::types::{Money, MoneyInput};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let (number, one) = ("{number}", "{return}");
    Router::new()
        .route(&urls::admin_return(number, one), get(show).post(answer))
        .route(&urls::admin_received(number, one), post(receive))
        .route(&urls::admin_return_refund(number, one), post(refund))
}

#[derive(Template)]
#[template(path = "orders/admin_return.html")]
struct ReturnPage {
    shell: Shell,
    crumbs: Vec<Link>,
    order: Order,
    one: Return,
    /// What went back of the order so far.
    refunded: Money,
    typed: Typed,
    errors: FieldErrors,
}

async fn draw(
    app: &App,
    viewer: Viewer,
    order: Order,
    number: i64,
    typed: Typed,
    errors: FieldErrors,
) -> Answer {
    let mut returns = order.returns.iter();
    let one = returns.find(|one| one.number == number).cloned();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = ReturnPage {
        crumbs: crumbs(Some(&order)),
        one: one.ok_or(Error::NotFound)?,
        refunded: service::books(app, &viewer.ctx, &order.number)
            .await?
            .refundable
            .refunded,
        shell: viewer.shell,
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
    draw(&app, viewer, order, one, typed, FieldErrors::default()).await
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
            draw(&app, viewer, order, one, typed, errors).await
        }
        answered => tell(&viewer, &number, answered, "answered").await,
    }
}

async fn refund(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, one)): Path<(String, i64)>,
    Form(typed): Form<Typed>,
) -> Answer {
    let input = ReturnRefund {
        shipping: !typed.of("shipping").is_empty(),
        expected_refunded: typed.given("expected_refunded").map(MoneyInput::new),
    };
    match service::refund_return(&app, &viewer.ctx, &number, one, input).await {
        // Every field was the page's own: what is wrong is news, not a slip of the pen.
        Err(Error::Invalid(errors)) => {
            let words: Vec<&str> = errors.iter().map(|(_, error)| &*error.message).collect();
            viewer.flash(Flash::warning(words.join(" "))).await?;
            redirect(&urls::admin_return(&number, one))
        }
        refunded => tell(&viewer, &number, refunded, "refunded").await,
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
            draw(&app, viewer, order, one, typed, placed).await
        }
        received => tell(&viewer, &number, received, "told what came back").await,
    }
}

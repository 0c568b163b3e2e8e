//! Calling off what of an order is not sent: which pieces, and whether their money goes back.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;

use super::fulfilments::{Row, at_fields, read_lines, rows};
use super::{crumbs, tell};
use crate::addresses::pages::Typed;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::orders::model::{Order, Refundable};
use crate::orders::service::CancelPieces;
use crate::orders::{service, urls};
use crate::types::MoneyInput;
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, redirect};

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new().route(&urls::admin_rest("{number}"), get(ask).post(cancel))
}

#[derive(Template)]
#[template(path = "orders/admin_rest.html")]
struct RestPage {
    shell: Shell,
    crumbs: Vec<Link>,
    order: Order,
    rows: Vec<Row>,
    refundable: Refundable,
    typed: Typed,
    errors: FieldErrors,
}

async fn ask(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    if !service::has_open_pieces(&order) {
        let words = "Nothing of this order waits to be sent.";
        viewer.flash(Flash::warning(words)).await?;
        return redirect(&urls::admin_order(&order.number));
    }
    if service::is_payment_open(&order) {
        viewer.flash(Flash::warning(service::PAYMENT_OPEN)).await?;
        return redirect(&urls::admin_order(&order.number));
    }
    let mut typed = Typed::default();
    // Where nothing was sent yet, all of it is the order itself, which is cancelled elsewhere.
    if !order.fulfilments.is_empty() {
        for row in rows(&order) {
            typed.set(&row.field, &row.left.to_string());
        }
    }
    typed.set("refund", "on");
    draw(&app, viewer, order, typed, FieldErrors::default()).await
}

async fn draw(
    app: &App,
    viewer: Viewer,
    order: Order,
    typed: Typed,
    errors: FieldErrors,
) -> Answer {
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let books = service::books(app, &viewer.ctx, &order.number).await?;
    let page = RestPage {
        crumbs: crumbs(Some(&order)),
        rows: rows(&order),
        refundable: books.refundable,
        shell: viewer.shell,
        order,
        typed,
        errors,
    };
    page_with(status, &page)
}

async fn cancel(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    let (lines, fields) = read_lines(&order, &typed);
    let expected = typed.given("expected_refunded");
    let input = CancelPieces {
        lines: Some(lines),
        refund: !typed.of("refund").is_empty(),
        reason: typed.of("reason").to_owned(),
        expected_refunded: expected.map(MoneyInput::new),
    };
    match service::cancel_pieces(&app, &viewer.ctx, &number, input).await {
        Err(Error::Invalid(errors)) => {
            let errors = at_fields(&errors, &fields);
            draw(&app, viewer, order, typed, errors).await
        }
        done => tell(&viewer, &number, done, "changed").await,
    }
}

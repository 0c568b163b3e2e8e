//! Sending something back: the form, and calling it off.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::opened;
use crate::addresses::pages::Typed;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::orders::model::{Order, ReturnReason};
use crate::orders::service::{NewReturn, NewReturnLine};
use crate::orders::{service, urls};
use crate::types::TextEnum;
use crate::web::form::{self, Form};
use crate::web::{Answer, Flash, Shell, Template, Viewer, html, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(&urls::send_back("{number}"), get(ask).post(request))
        .route(&urls::cancel_return("{number}", "{return}"), post(cancel))
}

/// A line of which something can be sent back.
struct Row {
    id: i64,
    label: String,
    left: i64,
}

fn rows(order: &Order) -> Vec<Row> {
    let rows = order.lines.iter().map(|line| Row {
        id: line.id.0,
        label: line.label(),
        left: order.returnable(line),
    });
    rows.filter(|row| row.left > 0).collect()
}

fn reasons() -> Vec<(String, String)> {
    let none = (String::new(), "Choose".to_owned());
    let each = ReturnReason::ALL.iter();
    let each = each.map(|reason| (reason.as_str().to_owned(), reason.label()));
    std::iter::once(none).chain(each).collect()
}

#[derive(Template)]
#[template(path = "orders/return.html")]
struct ReturnPage {
    shell: Shell,
    number: String,
    rows: Vec<Row>,
    reasons: Vec<(String, String)>,
    typed: Typed,
    errors: FieldErrors,
}

fn draw(shell: Shell, order: &Order, typed: Typed, errors: FieldErrors) -> Answer {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = ReturnPage {
        shell,
        number: order.number.clone(),
        rows: rows(order),
        reasons: reasons(),
        typed,
        errors,
    };
    html::page_with(status, &page)
}

async fn ask(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let order = service::order(&app, &ctx, &number).await?;
    if !service::may_return(&app, &ctx, &order) {
        let days = app.config.return_days;
        let words = format!("Only what was delivered within {days} days can be sent back.");
        viewer.flash(Flash::warning(words)).await?;
        return redirect(&urls::order(&order.number));
    }
    draw(
        viewer.shell,
        &order,
        Typed::default(),
        FieldErrors::default(),
    )
}

async fn request(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let order = service::order(&app, &ctx, &number).await?;
    let lines: Vec<NewReturnLine> = rows(&order)
        .iter()
        .map(|row| NewReturnLine {
            line_id: row.id,
            quantity: form::number(typed.of(&format!("quantity.{}", row.id))).unwrap_or(0),
            reason: typed.of(&format!("reason.{}", row.id)).to_owned(),
        })
        .collect();
    let ids: Vec<i64> = lines.iter().map(|line| line.line_id).collect();
    let input = NewReturn {
        lines: Some(lines),
        note: typed.given("note"),
    };
    match service::request_return(&app, &ctx, &number, input).await {
        Ok(order) => {
            let words = "We have your request and write to you soon.";
            viewer.flash(Flash::good(words)).await?;
            redirect(&urls::order(&order.number))
        }
        Err(Error::Invalid(errors)) => draw(viewer.shell, &order, typed, at_fields(&errors, &ids)),
        Err(Error::Conflict { detail, .. }) => {
            viewer.flash(Flash::warning(detail)).await?;
            redirect(&urls::order(&order.number))
        }
        Err(error) => Err(error.into()),
    }
}

/// The messages at the fields of the form, which name the lines by their ids.
fn at_fields(errors: &FieldErrors, ids: &[i64]) -> FieldErrors {
    let mut placed = FieldErrors::default();
    for (field, error) in errors.iter() {
        let mut parts = field.split('.');
        let index = parts.nth(1).and_then(|index| index.parse::<usize>().ok());
        let id = index.and_then(|index| ids.get(index));
        let field = match (id, parts.next(), ids.first()) {
            (Some(id), Some("reason"), _) => format!("reason.{id}"),
            (Some(id), _, _) => format!("quantity.{id}"),
            (None, _, Some(first)) if field == "lines" => format!("quantity.{first}"),
            _ => field.to_owned(),
        };
        placed.add(&field, error.code, error.message.clone());
    }
    placed
}

async fn cancel(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, one)): Path<(String, i64)>,
) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let flash = match service::cancel_return(&app, &ctx, &number, one).await {
        Ok(_) => Flash::good("You keep it: the return is called off."),
        Err(Error::Conflict { detail, .. }) => Flash::warning(detail),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(flash).await?;
    redirect(&urls::order(&service::tidy_number(&number)))
}

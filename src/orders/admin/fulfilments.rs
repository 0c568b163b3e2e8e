//! Sending an order: what goes into a parcel, who carries it, and its arrival.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::{crumbs, tell};
use crate::addresses::pages::Typed;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::orders::model::{CARRIERS, Order, OrderLine, Tracking, carrier};
use crate::orders::service::{NewParcel, ParcelLine, TrackingInput};
use crate::orders::{service, urls};
use crate::web::form::{Form, number};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let (number, parcel) = ("{number}", "{parcel}");
    Router::new()
        .route(&urls::admin_send(number), get(ask).post(send))
        .route(
            &urls::admin_parcel(number, parcel),
            get(ask_tracking).post(track),
        )
        .route(&urls::admin_delivered(number, parcel), post(delivered))
}

/// The carriers to choose from.
fn carriers() -> Vec<(String, String)> {
    let known = CARRIERS.iter();
    let known = known.map(|one| (one.code.to_owned(), one.name.to_owned()));
    let none = (String::new(), "Another, or none".to_owned());
    std::iter::once(none).chain(known).collect()
}

fn tracking(typed: &Typed) -> TrackingInput {
    TrackingInput {
        carrier: typed.given("carrier"),
        tracking_number: typed.given("tracking_number"),
        tracking_url: typed.given("tracking_url"),
    }
}

/// A line that has something left to be sent.
pub(super) struct Row {
    /// The name of its field.
    pub field: String,
    pub label: String,
    pub sku: String,
    pub left: i64,
}

pub(super) fn rows(order: &Order) -> Vec<Row> {
    let row = |line: &OrderLine| Row {
        field: format!("quantity.{}", line.id),
        label: line.label(),
        sku: line.sku.clone(),
        left: order.unsent(line),
    };
    let rows = order.lines.iter().map(row);
    rows.filter(|row| row.left > 0).collect()
}

#[derive(Template)]
#[template(path = "orders/admin_send.html")]
struct SendPage {
    shell: Shell,
    crumbs: Vec<Link>,
    order: Order,
    rows: Vec<Row>,
    carriers: Vec<(String, String)>,
    typed: Typed,
    errors: FieldErrors,
}

async fn ask(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    if !order.may_be_sent() {
        let words = format!("An order that is {} cannot be sent.", order.status);
        viewer.flash(Flash::warning(words)).await?;
        return redirect(&urls::admin_order(&order.number));
    }
    if !order.has_its_goods() {
        viewer
            .flash(Flash::warning(service::GOODS_NOT_TAKEN))
            .await?;
        return redirect(&urls::admin_order(&order.number));
    }
    let mut typed = Typed::default();
    for row in rows(&order) {
        typed.set(&row.field, &row.left.to_string());
    }
    draw(viewer, order, typed, FieldErrors::default(), StatusCode::OK)
}

fn draw(
    viewer: Viewer,
    order: Order,
    typed: Typed,
    errors: FieldErrors,
    status: StatusCode,
) -> Answer {
    let page = SendPage {
        shell: viewer.shell,
        crumbs: crumbs(Some(&order)),
        rows: rows(&order),
        carriers: carriers(),
        order,
        typed,
        errors,
    };
    page_with(status, &page)
}

/// The lines as the form gives them, and the field of each. What is no number is below zero, so
/// that the service refuses it at its field.
pub(super) fn read_lines(order: &Order, typed: &Typed) -> (Vec<ParcelLine>, Vec<String>) {
    let rows = order.lines.iter().filter(|line| order.unsent(line) > 0);
    let mut lines = Vec::new();
    let mut fields = Vec::new();
    for line in rows {
        let field = format!("quantity.{}", line.id);
        let quantity = number(typed.of(&field)).unwrap_or(0);
        lines.push(ParcelLine {
            line_id: line.id.0,
            quantity,
        });
        fields.push(field);
    }
    (lines, fields)
}

fn read_parcel(order: &Order, typed: &Typed) -> (NewParcel, Vec<String>) {
    let (lines, fields) = read_lines(order, typed);
    let tracking = tracking(typed);
    let parcel = NewParcel {
        lines: Some(lines),
        carrier: tracking.carrier,
        tracking_number: tracking.tracking_number,
        tracking_url: tracking.tracking_url,
    };
    (parcel, fields)
}

/// The messages at the fields of the form, which name the lines by their ids.
pub(super) fn at_fields(errors: &FieldErrors, fields: &[String]) -> FieldErrors {
    let mut placed = FieldErrors::default();
    for (field, error) in errors.iter() {
        let index = field.strip_prefix("lines.");
        let index = index.and_then(|rest| rest.split('.').next()?.parse().ok());
        let own = index.and_then(|index: usize| fields.get(index));
        let field = match (own, fields.first()) {
            (Some(own), _) => own.as_str(),
            // That nothing was chosen is said at the first of them.
            (None, Some(first)) if field == "lines" => first.as_str(),
            _ => field,
        };
        placed.add(field, error.code, error.message.clone());
    }
    placed
}

async fn send(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    let (parcel, fields) = read_parcel(&order, &typed);
    match service::fulfil(&app, &viewer.ctx, &number, parcel).await {
        Err(Error::Invalid(errors)) => {
            let errors = at_fields(&errors, &fields);
            draw(
                viewer,
                order,
                typed,
                errors,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
        }
        sent => tell(&viewer, &number, sent, "sent").await,
    }
}

#[derive(Template)]
#[template(path = "orders/admin_parcel.html")]
struct TrackingPage {
    shell: Shell,
    crumbs: Vec<Link>,
    order: Order,
    parcel: i64,
    carriers: Vec<(String, String)>,
    typed: Typed,
    errors: FieldErrors,
}

fn filled(tracking: &Tracking) -> Typed {
    let mut typed = Typed::default();
    typed.set("carrier", &tracking.carrier);
    typed.set("tracking_number", &tracking.number);
    let known = carrier(&tracking.carrier);
    // The carrier's own page comes by itself, and with another number it is another one.
    if known.is_none_or(|known| known.url(&tracking.number) != tracking.url) {
        typed.set("tracking_url", &tracking.url);
    }
    typed
}

async fn ask_tracking(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, parcel)): Path<(String, i64)>,
) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    let typed = filled(&order.parcel(parcel).ok_or(Error::NotFound)?.tracking);
    let page = TrackingPage {
        shell: viewer.shell,
        crumbs: crumbs(Some(&order)),
        order,
        parcel,
        carriers: carriers(),
        typed,
        errors: FieldErrors::default(),
    };
    page_with(StatusCode::OK, &page)
}

async fn track(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, parcel)): Path<(String, i64)>,
    Form(typed): Form<Typed>,
) -> Answer {
    match service::track(&app, &viewer.ctx, &number, parcel, &tracking(&typed)).await {
        Err(Error::Invalid(errors)) => {
            let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
            let page = TrackingPage {
                shell: viewer.shell,
                crumbs: crumbs(Some(&order)),
                order,
                parcel,
                carriers: carriers(),
                typed,
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        tracked => tell(&viewer, &number, tracked, "changed").await,
    }
}

async fn delivered(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, parcel)): Path<(String, i64)>,
) -> Answer {
    let arrived = service::delivered(&app, &viewer.ctx, &number, parcel).await;
    tell(&viewer, &number, arrived, "told of a delivery").await
}

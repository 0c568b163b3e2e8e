//! Orders for staff: the list, an order, and the buttons that move it on.

mod fulfilments;
mod list;
mod papers;
mod payments;
mod rest;
mod returns;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use self::payments::MoneyView;
use super::model::{Invoice, Order, OrderEvent, OrderStatus};
use super::service::NewNote;
use super::{service, urls};
use crate::app::App;
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors, Result};
use crate::payments::{Payment, PaymentState};
use crate::types::TextEnum;
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(list::routes())
        .merge(fulfilments::routes())
        .merge(payments::routes())
        .merge(papers::routes())
        .merge(rest::routes())
        .merge(returns::routes())
        .route(&urls::admin_order("{number}"), get(show))
        .route(&urls::admin_status("{number}"), post(transition))
        .route(&urls::admin_payment("{number}"), post(record_payment))
        .route(&urls::admin_notes("{number}"), post(add_note))
        .route(
            &urls::admin_cancel("{number}"),
            get(ask_cancel).post(cancel),
        )
}

/// A button that moves an order on.
struct Step {
    to: OrderStatus,
    words: &'static str,
}

/// The steps forward that the table of transitions allows now; cancelling has a page of its own.
fn steps(order: &Order) -> Vec<Step> {
    let step = |to: OrderStatus| {
        let words = match to {
            OrderStatus::Confirmed => "Confirm order",
            OrderStatus::Processing => "Start packing",
            OrderStatus::Shipped => "Mark as shipped",
            OrderStatus::Delivered => "Mark as delivered",
            OrderStatus::Pending | OrderStatus::Cancelled => return None,
        };
        Some(Step { to, words })
    };
    order
        .status
        .next()
        .iter()
        .copied()
        .filter_map(step)
        .collect()
}

impl OrderPage {
    /// The timeline, newest first.
    fn events(&self) -> impl Iterator<Item = (String, &OrderEvent)> {
        let told = |event: &OrderEvent| match event.kind.as_str() {
            "payment_captured" => format!("Payment received: {}", event.detail),
            "fulfilled" => format!("Sent: {}", event.detail),
            "status_changed" => format!("Moved on: {}", event.detail),
            _ => event.detail.clone(),
        };
        self.order
            .events
            .iter()
            .rev()
            .map(move |event| (told(event), event))
    }
}

#[derive(Template)]
#[template(path = "orders/admin_order.html")]
struct OrderPage {
    shell: Shell,
    crumbs: Vec<Link>,
    steps: Vec<Step>,
    awaits_payment: bool,
    may_cancel: bool,
    /// Whether pieces of it can be called off.
    may_call_off: bool,
    may_edit_products: bool,
    money: MoneyView,
    /// What the customer opens; a guest's link has the token in it, to be handed on.
    link: String,
    order: Order,
    note: NewNote,
    errors: FieldErrors,
    invoices: Vec<Invoice>,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    draw(
        &app,
        viewer,
        order,
        NewNote::default(),
        FieldErrors::default(),
    )
    .await
}

/// The page of an order, with a note as it was typed and what is wrong with it.
async fn draw(
    app: &App,
    viewer: Viewer,
    order: Order,
    note: NewNote,
    errors: FieldErrors,
) -> Answer {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = OrderPage {
        crumbs: crumbs(None),
        steps: steps(&order),
        awaits_payment: awaits_payment(app, &order),
        may_cancel: service::may_cancel(&viewer.ctx, &order),
        may_call_off: service::has_open_pieces(&order),
        may_edit_products: viewer.ctx.may(Permission::Catalog),
        money: MoneyView::load(app, &viewer.ctx, &order).await?,
        invoices: service::invoices(app, &viewer.ctx, &order.number).await?,
        link: service::link_to(app, &order),
        shell: viewer.shell,
        order,
        note,
        errors,
    };
    page_with(status, &page)
}

/// The way to an order's page, or to a page below it.
fn crumbs(below: Option<&Order>) -> Vec<Link> {
    let link = |label: &str, href: String| Link {
        label: label.to_owned(),
        href,
        current: false,
    };
    let mut links = vec![link("Orders", urls::ADMIN_ORDERS.to_owned())];
    links.extend(below.map(|order| link(&order.number, urls::admin_order(&order.number))));
    links
}

async fn add_note(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(note): Form<NewNote>,
) -> Answer {
    match service::add_note(&app, &viewer.ctx, &number, note.clone()).await {
        Ok(order) => redirect(&format!("{}#timeline", urls::admin_order(&order.number))),
        Err(Error::Invalid(errors)) => {
            let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
            draw(&app, viewer, order, note, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether staff record that its money came: where no gateway tells.
fn awaits_payment(app: &App, order: &Order) -> bool {
    let by_hand = |payment: &Payment| {
        payment.state.is_open() && app.payments.gateway(&payment.provider).is_none()
    };
    order.status != OrderStatus::Cancelled && order.payments.iter().any(by_hand)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Transition {
    to: String,
}

async fn transition(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(form): Form<Transition>,
) -> Answer {
    let Some(to) = OrderStatus::from_word(&form.to) else {
        // Whoever may not move orders is told so, whatever was sent.
        service::order_for_staff(&app, &viewer.ctx, &number).await?;
        let message = "There is no such status.";
        return Err(Error::invalid("to", "unknown", message).into());
    };
    let moved = service::transition(&app, &viewer.ctx, &number, to).await;
    tell(&viewer, &number, moved, "moved on").await
}

async fn record_payment(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
) -> Answer {
    let paid = service::record_payment(&app, &viewer.ctx, &number).await;
    tell(&viewer, &number, paid, "marked as paid").await
}

#[derive(Template)]
#[template(path = "orders/admin_cancel.html")]
struct CancelPage {
    shell: Shell,
    crumbs: Vec<Link>,
    paid: bool,
    order: Order,
}

async fn ask_cancel(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    if !service::may_cancel(&viewer.ctx, &order) {
        let words = format!("An order that is {} cannot be cancelled.", order.status);
        viewer.flash(Flash::warning(words)).await?;
        return redirect(&urls::admin_order(&order.number));
    }
    let captured = |payment: &Payment| payment.state == PaymentState::Captured;
    page(&CancelPage {
        shell: viewer.shell,
        crumbs: crumbs(Some(&order)),
        paid: order.payments.iter().any(captured),
        order,
    })
}

/// By the transition, not by the owner's way to cancel: staff alone come through here.
async fn cancel(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let to = OrderStatus::Cancelled;
    let cancelled = service::transition(&app, &viewer.ctx, &number, to).await;
    tell(&viewer, &number, cancelled, "cancelled").await
}

/// Back to the order's page, with what happened: a conflict there is news, not a dead end.
async fn tell(viewer: &Viewer, number: &str, result: Result<Order>, done: &str) -> Answer {
    match result {
        Ok(order) => {
            let words = format!("Order {} was {done}: {}.", order.number, order.status);
            viewer.flash(Flash::good(words)).await?;
        }
        Err(Error::Conflict { detail, .. }) => viewer.flash(Flash::warning(detail)).await?,
        Err(error) => return Err(error.into()),
    }
    redirect(&urls::admin_order(number))
}

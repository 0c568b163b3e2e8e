//! Pages of one's own orders: the list, an order, the thank-you page, cancelling.
//!
//! A guest's visit remembers what opens the orders that it placed; the link in the confirmation
//! brings the same along. Whoever has neither is told that there is no such order.

mod find;
pub mod invoices;
mod payment;
mod returns;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::{Address, Invoice, Order, OrderEvent, OrderStatus, OrderSummary, PaymentStatus};
use super::{service, urls};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::types::{Page, TextEnum};
use crate::web::json::page_request;
use crate::web::{Answer, Flash, Pager, Shell, Template, Viewer, html, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::ORDERS, get(list))
        .merge(find::routes())
        .merge(invoices::routes())
        .merge(returns::routes())
        .route("/orders/{number}", get(show))
        .route("/orders/{number}/thanks", get(thanks))
        .route("/orders/{number}/cancel", post(cancel))
        .merge(payment::routes())
}

#[derive(Template)]
#[template(path = "orders/list.html")]
struct ListPage {
    shell: Shell,
    orders: Page<OrderSummary>,
    pager: Pager,
}

#[derive(Debug, Default, Deserialize)]
struct ListQuery {
    page: Option<String>,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(query): Query<ListQuery>,
) -> Answer {
    let page = page_request(query.page.as_deref(), None)?;
    let orders = service::list_own(&app, &viewer.ctx, page).await?;
    html::page(&ListPage {
        shell: viewer.shell,
        pager: Pager::new(&orders, &uri),
        orders,
    })
}

#[derive(Template)]
#[template(path = "orders/order.html")]
struct OrderPage {
    shell: Shell,
    view: View,
    may_cancel: bool,
    may_return: bool,
    invoices: Vec<Invoice>,
}

#[derive(Template)]
#[template(path = "orders/thanks.html")]
struct ThanksPage {
    shell: Shell,
    view: View,
}

/// An order in words.
struct View {
    order: Order,
    address: Vec<String>,
    billing_address: Vec<String>,
    /// What the shopper has to do to pay; empty for nothing.
    instructions: String,
    /// Whether the shopper pays online, or tries again.
    to_pay: bool,
    /// The names of the payments' providers, in the order of the payments.
    providers: Vec<String>,
}

impl View {
    fn new(app: &App, order: Order) -> Self {
        let billing = order.billing_address.as_ref();
        let payments = order.payments.iter();
        let label = |provider: &str| app.payments.label(provider).to_owned();
        let cancelled = order.status == OrderStatus::Cancelled;
        let instructions = service::how_to_pay(app, &order).filter(|_| !cancelled);
        let step = service::next_step(app, &order);
        let step = step.filter(|step| step.online || !step.state.is_open());
        let unpaid = order.payment_status == PaymentStatus::Unpaid && !cancelled;
        Self {
            to_pay: unpaid && step.is_some(),
            address: order.shipping_address.lines(),
            billing_address: billing.map(Address::lines).unwrap_or_default(),
            instructions: instructions.unwrap_or_default(),
            providers: payments.map(|payment| label(&payment.provider)).collect(),
            order,
        }
    }

    /// The timeline, newest first.
    fn events(&self) -> impl Iterator<Item = (String, &OrderEvent)> {
        let events = self.order.events.iter().rev();
        events.map(|event| (told(event), event))
    }
}

/// An entry of the timeline as a shopper reads it.
fn told(event: &OrderEvent) -> String {
    let (_, to) = event.detail.rsplit_once(" → ").unwrap_or_default();
    match (&*event.kind, OrderStatus::from_word(to)) {
        // Whoever made it, it is theirs.
        ("placed", _) => "Order placed".to_owned(),
        ("status_changed", Some(status)) => status.in_words().to_owned(),
        ("fulfilled", _) => format!("Sent: {}", event.detail),
        ("payment_captured", _) => format!("Payment received: {}", event.detail),
        _ => event.detail.clone(),
    }
}

#[derive(Debug, Default, Deserialize)]
struct TokenQuery {
    /// What the link in a guest's confirmation carries.
    token: Option<String>,
}

/// The asker, with what their visit remembers of this order.
async fn opened(viewer: &Viewer, number: &str) -> Result<Ctx> {
    let number = service::tidy_number(number);
    Ok(Ctx {
        order_token: viewer.visit.order_token(&number).await?,
        ..viewer.ctx.clone()
    })
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Query(query): Query<TokenQuery>,
) -> Answer {
    if let Some(token) = query.token {
        return open(&app, &viewer, &number, token).await;
    }
    let ctx = opened(&viewer, &number).await?;
    let order = service::order(&app, &ctx, &number).await?;
    html::page(&OrderPage {
        shell: viewer.shell,
        invoices: service::invoices(&app, &ctx, &number).await?,
        may_cancel: service::may_cancel(&ctx, &order),
        may_return: service::may_return(&app, &ctx, &order),
        view: View::new(&app, order),
    })
}

/// Follows the link in a guest's confirmation: the visit remembers its token, so that it stands
/// in the address bar no longer than needed.
async fn open(app: &App, viewer: &Viewer, number: &str, token: String) -> Answer {
    let ctx = Ctx {
        order_token: Some(token.clone()),
        ..viewer.ctx.clone()
    };
    let order = service::order(app, &ctx, number).await?;
    if order.user_id.is_none() {
        viewer.visit.add_order_token(&order.number, &token).await?;
    }
    redirect(&urls::order(&order.number))
}

async fn thanks(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let order = service::order(&app, &ctx, &number).await?;
    html::page(&ThanksPage {
        shell: viewer.shell,
        view: View::new(&app, order),
    })
}

async fn cancel(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let flash = match service::cancel(&app, &ctx, &number).await {
        Ok(_) => Flash::good("Your order is cancelled."),
        Err(Error::Conflict { detail, .. }) => Flash::warning(detail),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(flash).await?;
    redirect(&urls::order(&service::tidy_number(&number)))
}

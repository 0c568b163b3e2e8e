//! The list of orders for staff, and what narrows it.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use crate::app::App;
use crate::orders::model::{
    FulfilmentStatus, OrderFilter, OrderStatus, OrderSummary, PaymentStatus,
};
use crate::orders::{service, urls};
use crate::types::{Page, PageRequest, TextEnum};
use crate::web::{Answer, Pager, Shell, Template, Viewer, page};

/// The routes of the list.
pub fn routes() -> Router<App> {
    Router::new().route(urls::ADMIN_ORDERS, get(list))
}

/// What the list is narrowed by. A word that no status has counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    status: String,
    payment: String,
    fulfilment: String,
    page: String,
}

impl Narrowed {
    fn filter(&self) -> OrderFilter {
        OrderFilter {
            search: self.search.clone(),
            status: OrderStatus::from_word(&self.status),
            payment_status: PaymentStatus::from_word(&self.payment),
            fulfilment_status: FulfilmentStatus::from_word(&self.fulfilment),
        }
    }

    fn page(&self) -> PageRequest {
        let number = self.page.parse().unwrap_or(1);
        PageRequest::new(number, PageRequest::DEFAULT_PER_PAGE)
    }
}

/// The choices of a filter: no matter which, then each word of the enum.
fn choices<T: TextEnum>(any: &'static str) -> Vec<(String, String)> {
    let each = |value: &T| (value.as_str().to_owned(), value.label());
    let mut choices = vec![(String::new(), any.to_owned())];
    choices.extend(T::ALL.iter().map(each));
    choices
}

#[derive(Template)]
#[template(path = "orders/admin_orders.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    statuses: Vec<(String, String)>,
    payments: Vec<(String, String)>,
    fulfilments: Vec<(String, String)>,
    orders: Page<OrderSummary>,
    pager: Pager,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let orders = service::list(&app, &viewer.ctx, &narrowed.filter(), narrowed.page()).await?;
    page(&ListPage {
        shell: viewer.shell,
        narrowed,
        statuses: choices::<OrderStatus>("Any status"),
        payments: choices::<PaymentStatus>("Paid or not"),
        fulfilments: choices::<FulfilmentStatus>("Sent or not"),
        pager: Pager::new(&orders, &uri),
        orders,
    })
}

//! The list of orders for staff: what narrows it, views of it, and the list as a file.

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use crate::app::App;
use crate::audit::When;
use crate::error::Error;
use crate::orders::model::{
    FulfilmentStatus, OrderFilter, OrderStatus, OrderSummary, OrderView, PaymentStatus,
    ReturnState, Task,
};
use crate::orders::{service, urls};
use crate::types::{Currency, Money, OrderViewId, Page, PageRequest, TextEnum};
use crate::web::files::download;
use crate::web::form::{self, Form, choices};
use crate::web::{Answer, Flash, Pager, Shell, Template, Viewer, page, redirect};

/// The routes of the list.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::ADMIN_ORDERS, get(list))
        .route(urls::ADMIN_EXPORT, get(export))
        .route(urls::ADMIN_VIEWS, post(save_view))
        .route(urls::ADMIN_VIEW_DELETE, post(delete_view))
}

/// What the list is narrowed by. What cannot be read counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    status: String,
    payment: String,
    fulfilment: String,
    returns: String,
    task: String,
    invoice: String,
    country: String,
    provider: String,
    from: String,
    until: String,
    min: String,
    max: String,
    page: String,
}

impl Narrowed {
    fn filter(&self, currency: Currency) -> OrderFilter {
        let when = |text: &str| text.parse::<When>().ok();
        let minor = |text: &str| Money::parse(text.trim(), currency).ok().map(Money::minor);
        OrderFilter {
            search: self.search.clone(),
            status: OrderStatus::from_word(&self.status),
            payment_status: PaymentStatus::from_word(&self.payment),
            fulfilment_status: FulfilmentStatus::from_word(&self.fulfilment),
            return_state: ReturnState::from_word(&self.returns),
            task: Task::from_word(&self.task),
            invoiced: match self.invoice.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            country: self.country.clone(),
            provider: self.provider.clone(),
            from: when(&self.from).map(When::begins),
            until: when(&self.until).map(When::ends),
            min_total: minor(&self.min),
            max_total: minor(&self.max),
        }
    }

    fn page(&self) -> PageRequest {
        PageRequest::typed(&self.page, PageRequest::DEFAULT_PER_PAGE)
    }

    /// The query that shows the same, from its first page.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("search", &self.search),
            ("status", &self.status),
            ("payment", &self.payment),
            ("fulfilment", &self.fulfilment),
            ("returns", &self.returns),
            ("task", &self.task),
            ("invoice", &self.invoice),
            ("country", &self.country),
            ("provider", &self.provider),
            ("from", &self.from),
            ("until", &self.until),
            ("min", &self.min),
            ("max", &self.max),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// Whether something is chosen that the first row of fields does not show.
    fn is_deep(&self) -> bool {
        [
            &self.returns,
            &self.task,
            &self.invoice,
            &self.country,
            &self.provider,
            &self.from,
            &self.until,
            &self.min,
            &self.max,
        ]
        .iter()
        .any(|value| !value.is_empty())
    }
}

/// Words of a choice.
fn pairs(known: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(value, words): &(&str, &str)| ((*value).to_owned(), (*words).to_owned());
    known.iter().map(pair).collect()
}

#[derive(Template)]
#[template(path = "orders/admin_orders.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    statuses: Vec<(String, String)>,
    payments: Vec<(String, String)>,
    fulfilments: Vec<(String, String)>,
    returns: Vec<(String, String)>,
    tasks: Vec<(String, String)>,
    invoiced: Vec<(String, String)>,
    countries: Vec<(String, String)>,
    providers: Vec<(String, String)>,
    views: Vec<OrderView>,
    orders: Page<OrderSummary>,
    pager: Pager,
}

impl ListPage {
    /// The views that everybody has, as addresses.
    fn built_in(&self) -> Vec<(&'static str, String)> {
        let known = service::BUILT_IN.iter();
        known.map(|(name, query)| (*name, address(query))).collect()
    }
}

/// The list with a query.
fn address(query: &str) -> String {
    format!("{}?{query}", urls::ADMIN_ORDERS)
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let filter = narrowed.filter(app.currency());
    let orders = service::list(&app, &viewer.ctx, &filter, narrowed.page()).await?;
    let countries = form::countries("Any country");
    let mut providers = pairs(&[("", "Any way")]);
    providers.extend(
        app.payments
            .iter()
            .map(|one| (one.name().to_owned(), one.label().to_owned())),
    );
    page(&ListPage {
        views: service::views(&app, &viewer.ctx).await?,
        shell: viewer.shell,
        narrowed,
        statuses: choices::<OrderStatus>(Some("Any status")),
        payments: choices::<PaymentStatus>(Some("Paid or not")),
        fulfilments: choices::<FulfilmentStatus>(Some("Sent or not")),
        returns: choices::<ReturnState>(Some("With or without")),
        tasks: pairs(&[
            ("", "Anything or nothing"),
            ("send", "Something to send"),
            ("money", "Money is missing"),
            ("return", "A return to look at"),
        ]),
        invoiced: pairs(&[("", "With or without"), ("yes", "With"), ("no", "Without")]),
        countries,
        providers,
        pager: Pager::new(&orders, &uri),
        orders,
    })
}

async fn export(
    State(app): State<App>,
    viewer: Viewer,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let filter = narrowed.filter(app.currency());
    let export = service::export_orders(&app, &viewer.ctx, filter).await?;
    let name = format!("orders-{}.csv", viewer.ctx.now.to_utc().date());
    Ok(download(&name, "text/csv; charset=utf-8", export.pieces()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewView {
    name: String,
    query: String,
}

async fn save_view(State(app): State<App>, viewer: Viewer, Form(view): Form<NewView>) -> Answer {
    // Back to what it shows, whatever came of it.
    let back = address(&view.query);
    let flash = match service::save_view(&app, &viewer.ctx, &view.name, &view.query).await {
        Ok(()) => Flash::good(format!("The view {} is kept.", view.name.trim())),
        Err(Error::Invalid(errors)) => Flash::warning(errors.of("name")),
        Err(Error::Conflict { detail, .. }) => Flash::warning(detail),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(flash).await?;
    redirect(&back)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OldView {
    id: String,
}

async fn delete_view(State(app): State<App>, viewer: Viewer, Form(view): Form<OldView>) -> Answer {
    let id = view.id.parse().map_or(OrderViewId(0), OrderViewId);
    service::delete_view(&app, &viewer.ctx, id).await?;
    viewer.flash(Flash::good("The view is removed.")).await?;
    redirect(urls::ADMIN_ORDERS)
}

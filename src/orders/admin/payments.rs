//! Money for staff: what came for an order, taking and sending it back, the list of payments, and
//! money that is not where it belongs.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::tell;
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::orders::model::{Books, Order, OrderLine, OrderStatus, OrderSummary};
use crate::orders::service::{self, RefundInput, RefundLineInput};
use crate::orders::urls;
use crate::payments::service::{self as payments, inbox};
use crate::payments::{Payment, PaymentFilter, PaymentState, Strays};
use crate::types::{Money, MoneyInput, Page, PageRequest, PaymentEventId, PaymentId, TextEnum};
use crate::web::form::Form;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, html, page, redirect};

/// The routes of these pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(&urls::admin_capture("{number}"), post(capture))
        .route(&urls::admin_void("{number}"), post(void))
        .route(
            &urls::admin_refund("{number}"),
            get(ask_refund).post(refund),
        )
        .route(urls::ADMIN_PAYMENTS, get(list))
        .route(urls::ADMIN_UNMATCHED, get(unmatched))
        .route(&urls::admin_send_back("{id}"), post(send_back))
        .route(&urls::admin_dismiss("{id}"), post(dismiss))
}

/// A payment with its provider's name for people.
pub(super) struct Row {
    pub provider: String,
    pub payment: Payment,
}

impl Row {
    fn new(app: &App, payment: &Payment) -> Self {
        Self {
            provider: app.payments.label(&payment.provider).to_owned(),
            payment: payment.clone(),
        }
    }
}

fn rows(app: &App, payments: &[Payment]) -> Vec<Row> {
    payments.iter().map(|one| Row::new(app, one)).collect()
}

/// The money of an order, as its page shows it.
pub(super) struct MoneyView {
    pub rows: Vec<Row>,
    pub books: Books,
    /// What is promised and can be taken.
    pub promised: Option<Money>,
}

impl MoneyView {
    pub async fn load(app: &App, ctx: &Ctx, order: &Order) -> Result<Self> {
        let promised = order
            .payments
            .iter()
            .find(|one| one.counts() && one.state == PaymentState::Authorized);
        let books = service::books(app, ctx, &order.number).await?;
        let open = order.status != OrderStatus::Cancelled && books.asked.is_empty();
        Ok(Self {
            rows: rows(app, &order.payments),
            promised: promised.filter(|_| open).map(|one| one.amount),
            books,
        })
    }

    /// Whether anything can go back.
    pub fn may_refund(&self) -> bool {
        !self.books.refundable.amount.is_zero()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CaptureForm {
    amount: String,
}

async fn capture(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(form): Form<CaptureForm>,
) -> Answer {
    let amount = Some(form.amount.trim()).filter(|text| !text.is_empty());
    let amount = amount.map(MoneyInput::new);
    match service::capture(&app, &viewer.ctx, &number, amount).await {
        Err(Error::Invalid(errors)) => {
            let words = errors.of("amount").to_owned();
            viewer.flash(Flash::warning(words)).await?;
            redirect(&urls::admin_order(&number))
        }
        taken => tell(&viewer, &number, taken, "charged").await,
    }
}

async fn void(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let freed = service::void(&app, &viewer.ctx, &number).await;
    tell(&viewer, &number, freed, "freed of its payment").await
}

#[derive(Template)]
#[template(path = "orders/admin_refund.html")]
struct RefundPage {
    shell: Shell,
    crumbs: Vec<Link>,
    order: Order,
    books: Books,
    typed: BTreeMap<String, String>,
    errors: FieldErrors,
    /// Why nothing went back, when that is no field's fault; empty for none.
    refusal: String,
}

impl RefundPage {
    async fn load(app: &App, viewer: Viewer, number: &str) -> Result<Self> {
        let order = service::order_for_staff(app, &viewer.ctx, number).await?;
        let books = service::books(app, &viewer.ctx, number).await?;
        let crumb = |label: &str, href: String| Link {
            label: label.to_owned(),
            href,
            current: false,
        };
        Ok(Self {
            crumbs: vec![
                crumb("Orders", urls::ADMIN_ORDERS.to_owned()),
                crumb(&order.number, urls::admin_order(&order.number)),
            ],
            shell: viewer.shell,
            order,
            books,
            typed: BTreeMap::new(),
            errors: FieldErrors::default(),
            refusal: String::new(),
        })
    }

    /// Why there is no form; none where something can go back.
    fn hindrance(&self) -> Option<&'static str> {
        service::waits_for_payment(&self.order).then_some(service::WAITS_FOR_PAYMENT)
    }

    /// Whether refunded pieces are called off with it.
    fn calls_off(&self) -> bool {
        service::has_open_pieces(&self.order)
    }

    fn of(&self, name: &str) -> &str {
        self.typed.get(name).map_or("", String::as_str)
    }

    /// Pieces of a line as they were typed.
    fn quantity(&self, line: &OrderLine) -> &str {
        self.of(&format!("quantity.{}", line.id))
    }

    fn restocks(&self, line: &OrderLine) -> bool {
        self.typed.is_empty() || !self.of(&format!("restock.{}", line.id)).is_empty()
    }

    fn error(&self, line: &OrderLine) -> &str {
        self.errors.of(&format!("quantity.{}", line.id))
    }
}

async fn ask_refund(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    page(&RefundPage::load(&app, viewer, &number).await?)
}

/// What was typed, and the lines in the order of the input.
fn input(order: &Order, typed: &BTreeMap<String, String>) -> (RefundInput, Vec<String>) {
    let of = |name: &str| typed.get(name).map_or("", |text| text.trim());
    let mut lines = Vec::new();
    let mut names = Vec::new();
    for line in &order.lines {
        let name = format!("quantity.{}", line.id);
        let quantity = of(&name);
        if quantity.is_empty() || quantity == "0" {
            continue;
        }
        lines.push(RefundLineInput {
            line_id: line.id.0,
            // What is no number is out of bounds.
            quantity: quantity.parse().unwrap_or(-1),
            restock: !of(&format!("restock.{}", line.id)).is_empty(),
        });
        names.push(name);
    }
    let money = |name: &str| {
        Some(of(name))
            .filter(|text| !text.is_empty())
            .map(MoneyInput::new)
    };
    let input = RefundInput {
        lines,
        shipping: !of("shipping").is_empty(),
        amount: money("amount"),
        reason: of("reason").to_owned(),
        expected_refunded: money("expected_refunded"),
    };
    (input, names)
}

async fn refund(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Answer {
    let order = service::order_for_staff(&app, &viewer.ctx, &number).await?;
    let (input, names) = input(&order, &typed);
    let (status, errors, refusal) = match service::refund(&app, &viewer.ctx, &number, input).await {
        Ok(order) => return tell(&viewer, &number, Ok(order), "refunded").await,
        Err(Error::Invalid(errors)) => {
            let mut named = FieldErrors::default();
            for (field, error) in errors.iter() {
                let index = field
                    .strip_prefix("lines.")
                    .and_then(|rest| rest.split('.').next());
                let index = index.and_then(|index| index.parse::<usize>().ok());
                let name = index.and_then(|index| names.get(index));
                let name = name.map_or(field, String::as_str);
                named.add(name, error.code, error.message.clone());
            }
            (StatusCode::UNPROCESSABLE_ENTITY, named, String::new())
        }
        Err(Error::Conflict { detail, .. }) => {
            (StatusCode::CONFLICT, FieldErrors::default(), detail)
        }
        Err(error) => return Err(error.into()),
    };
    let mut page = RefundPage::load(&app, viewer, &number).await?;
    page.typed = typed;
    page.errors = errors;
    page.refusal = refusal;
    html::page_with(status, &page)
}

/// What the list is narrowed by. A word that no state has counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    state: String,
    provider: String,
    order: String,
    page: String,
}

#[derive(Template)]
#[template(path = "orders/admin_payment_list.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    states: Vec<(String, String)>,
    providers: Vec<(String, String)>,
    rows: Vec<Row>,
    total: i64,
    pager: Pager,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let filter = PaymentFilter {
        state: PaymentState::from_word(&narrowed.state),
        provider: narrowed.provider.clone(),
        reference: service::tidy_number(&narrowed.order),
    };
    let request = PageRequest::typed(&narrowed.page, PageRequest::DEFAULT_PER_PAGE);
    let found: Page<Payment> = payments::list(&app, &viewer.ctx, &filter, request).await?;
    let mut states = vec![(String::new(), "Any state".to_owned())];
    states.extend(
        PaymentState::ALL
            .iter()
            .map(|one| (one.to_string(), one.label())),
    );
    let mut providers = vec![(String::new(), "Any way".to_owned())];
    let each = app.payments.iter();
    providers.extend(each.map(|one| (one.name().to_owned(), one.label().to_owned())));
    page(&ListPage {
        shell: viewer.shell,
        narrowed,
        states,
        providers,
        pager: Pager::new(&found, &uri),
        total: found.total,
        rows: rows(&app, &found.items),
    })
}

#[derive(Template)]
#[template(path = "orders/admin_unmatched.html")]
struct UnmatchedPage {
    shell: Shell,
    strays: Strays,
    stray: Vec<Row>,
    returned: Vec<Row>,
    orders: Vec<OrderSummary>,
}

impl UnmatchedPage {
    fn is_clean(&self) -> bool {
        self.stray.is_empty()
            && self.orders.is_empty()
            && self.strays.refused.is_empty()
            && self.strays.events.is_empty()
    }
}

async fn unmatched(State(app): State<App>, viewer: Viewer) -> Answer {
    let strays = payments::strays(&app, &viewer.ctx).await?;
    let orders = service::without_money(&app, &viewer.ctx).await?;
    page(&UnmatchedPage {
        shell: viewer.shell,
        stray: rows(&app, &strays.payments),
        returned: rows(&app, &strays.returned),
        strays,
        orders,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SendBackForm {
    by: String,
}

async fn send_back(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(form): Form<SendBackForm>,
) -> Answer {
    let by_hand = form.by == "hand";
    let words = match service::send_back(&app, &viewer.ctx, PaymentId(id), by_hand).await {
        Ok(()) if by_hand => Flash::good("It is written down that it went back by hand."),
        Ok(()) => Flash::good("The gateway is asked to send it back."),
        Err(Error::Conflict { detail, .. }) => Flash::warning(detail),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(words).await?;
    redirect(urls::ADMIN_UNMATCHED)
}

async fn dismiss(State(app): State<App>, viewer: Viewer, Path(id): Path<i64>) -> Answer {
    inbox::dismiss(&app, &viewer.ctx, PaymentEventId(id)).await?;
    viewer
        .flash(Flash::good("The event is listed no more."))
        .await?;
    redirect(urls::ADMIN_UNMATCHED)
}

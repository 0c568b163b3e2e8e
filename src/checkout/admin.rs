//! Staff: one page that makes an order for a customer who phoned or wrote.
//!
//! The form carries a key of its own, and a key makes one order only. So a double click, the back
//! button and a reload all lead to the same order. Nothing is kept before it is placed.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use super::model::{Placed, PricedOrder};
use super::service::{self, AddressInput, MakeOrder, PaymentInput};
use super::urls;
use crate::addresses::pages::Typed;
use crate::addresses::service::is_blank;
use crate::app::App;
use crate::cart::service::{MAX_LINES, SimulatedLine};
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors, Result};
use crate::orders::{self, Address};
use crate::shipping;
use crate::types::{Locale, MoneyInput, TextEnum};
use crate::web::form::{Form, number};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Shell, Template, Viewer, redirect};

/// Rows of the form, at least.
const ROWS: usize = 3;
/// Rows that the button adds.
const MORE: usize = 5;

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new().route(urls::ADMIN_NEW_ORDER, get(new).post(answer))
}

#[derive(Template)]
#[template(path = "checkout/admin_new_order.html")]
struct NewOrderPage {
    shell: Shell,
    crumbs: Vec<Link>,
    typed: Typed,
    errors: FieldErrors,
    /// Why nothing was placed, when that is no field's fault; empty for none.
    refusal: String,
    /// What it costs, once something is named.
    priced: Option<PricedOrder>,
    methods: Vec<(String, String)>,
    providers: Vec<(String, String)>,
    languages: Vec<(String, String)>,
}

impl NewOrderPage {
    /// What was typed, and rows for more.
    fn rows(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let asked = self.typed.of("rows").parse().unwrap_or(ROWS);
        let last = (0..MAX_LINES).rev().find(|row| is_used(&self.typed, *row));
        let rows = asked.max(ROWS).max(last.map_or(0, |last| last + 1));
        (0..rows.min(MAX_LINES)).map(|row| {
            let [sku, quantity] = names(row).map(|name| self.typed.of(&name));
            (row, sku, quantity)
        })
    }

    /// How many rows there are, for the form that comes back.
    fn count(&self) -> usize {
        self.rows().count()
    }

    /// The first message at a row.
    fn error_of(&self, row: &usize) -> String {
        names(*row)
            .map(|name| self.errors.of(&name).to_owned())
            .concat()
    }

    /// Whether the fields of another bill address are shown.
    fn bills_elsewhere(&self) -> bool {
        !is_blank(&self.typed.address("billing_address"))
    }
}

/// The names of a row's fields: the SKU's and the quantity's.
fn names(row: usize) -> [String; 2] {
    [format!("lines.{row}.sku"), format!("lines.{row}.quantity")]
}

fn is_used(typed: &Typed, row: usize) -> bool {
    names(row).iter().any(|name| typed.given(name).is_some())
}

/// What was typed with its rows drawn together: empty ones among them are left out, so that a
/// message finds its row.
fn tidied(mut typed: Typed) -> Typed {
    let used: Vec<[String; 2]> = (0..MAX_LINES)
        .filter(|row| is_used(&typed, *row))
        .map(|row| names(row).map(|name| typed.of(&name).to_owned()))
        .collect();
    for row in 0..MAX_LINES {
        let values = used.get(row).cloned().unwrap_or_default();
        for (name, value) in names(row).iter().zip(&values) {
            typed.set(name, value);
        }
    }
    typed
}

/// Codes that are parted by commas, spaces or lines.
fn parted(text: &str, by: &[char]) -> Vec<String> {
    let parts = text.split(by).map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn input(typed: &Typed) -> MakeOrder {
    let address = |prefix| Some(AddressInput::Fields(typed.address(prefix)));
    let lines = (0..MAX_LINES)
        .filter(|row| is_used(typed, *row))
        .map(|row| {
            let [sku, quantity] = names(row).map(|name| typed.of(&name).to_owned());
            SimulatedLine {
                sku,
                // Nothing typed is one.
                quantity: number(&quantity).unwrap_or(1),
            }
        });
    MakeOrder {
        email: typed.of("email").to_owned(),
        lines: lines.collect(),
        codes: parted(typed.of("codes"), &[',', ' ', '\n']),
        // People write a card's code in groups.
        gift_cards: parted(typed.of("gift_cards"), &[',', '\n']),
        store_credit: !typed.of("store_credit").is_empty(),
        shipping_address: address("shipping_address"),
        billing_address: address("billing_address"),
        shipping_method: typed.given("shipping_method"),
        payment: Some(PaymentInput {
            provider: typed.given("payment.provider"),
            token: None,
        }),
        expected_total: typed.given("expected_total").map(MoneyInput::new),
        expected_remaining: typed.given("expected_remaining").map(MoneyInput::new),
        locale: typed.given("locale"),
        note: typed.given("note"),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// Whose it becomes.
    email: String,
    /// The number of an order of the same customer.
    like: String,
}

async fn new(State(app): State<App>, viewer: Viewer, Query(asked): Query<Asked>) -> Answer {
    viewer.ctx.require(Permission::Orders)?;
    let mut typed = Typed::default();
    typed.set("email", asked.email.trim());
    typed.set("shipping_address.country", &app.config.country);
    if !asked.like.is_empty() {
        let other = orders::service::order_for_staff(&app, &viewer.ctx, &asked.like).await?;
        typed.set("email", other.email.as_str());
        typed.set("locale", other.locale.as_str());
        for (prefix, address) in [
            ("shipping_address", Some(&other.shipping_address)),
            ("billing_address", other.billing_address.as_ref()),
        ] {
            if let Some(Address::Fields(address)) = address {
                typed.set_address(prefix, address);
            }
        }
    }
    let form = OrderForm { app, viewer, typed };
    form.draw(StatusCode::OK, FieldErrors::default(), "").await
}

async fn answer(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Answer {
    viewer.ctx.require(Permission::Orders)?;
    let mut form = OrderForm {
        app,
        viewer,
        typed: tidied(typed),
    };
    let key = form.typed.given("key");
    let confirmed = form.typed.given("expected_total").is_some();
    match (form.typed.of("action"), key) {
        ("more", _) => {
            let rows = form.typed.of("rows").parse().unwrap_or(ROWS);
            let rows = rows.saturating_add(MORE).min(MAX_LINES);
            form.typed.set("rows", &rows.to_string());
            form.draw(StatusCode::OK, FieldErrors::default(), "").await
        }
        // Nobody places what has no price yet, or would be placed twice.
        ("place", Some(key)) if confirmed => form.place(&key).await,
        _ => form.show_price().await,
    }
}

/// The form as it was typed.
struct OrderForm {
    app: App,
    viewer: Viewer,
    typed: Typed,
}

impl OrderForm {
    async fn place(self, key: &str) -> Answer {
        let order = input(&self.typed);
        match service::make_order(&self.app, &self.viewer.ctx, Some(key), &order).await {
            Ok(placed) => self.show_order(placed).await,
            Err(Error::Invalid(errors)) => {
                self.draw(StatusCode::UNPROCESSABLE_ENTITY, errors, "")
                    .await
            }
            Err(Error::Conflict { detail, .. }) => {
                let errors = FieldErrors::default();
                self.draw(StatusCode::CONFLICT, errors, &detail).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn show_order(self, placed: Placed) -> Answer {
        let Placed {
            order, replayed, ..
        } = placed;
        let (number, email) = (&order.number, &order.email);
        let words = if replayed {
            format!("This form has made order {number} already. Begin a new form for another one.")
        } else {
            format!("Order {number} is made, and {email} gets the letter with it.")
        };
        self.viewer.flash(Flash::good(words)).await?;
        redirect(&orders::urls::admin_order(number))
    }

    async fn show_price(self) -> Answer {
        let order = input(&self.typed);
        match service::price_order(&self.app, &self.viewer.ctx, &order).await {
            Ok(priced) => {
                let errors = FieldErrors::default();
                self.page(StatusCode::OK, errors, "", Some(priced)).await
            }
            Err(Error::Invalid(errors)) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                self.page(status, errors, "", None).await
            }
            Err(Error::Conflict { detail, .. }) => {
                let errors = FieldErrors::default();
                self.page(StatusCode::CONFLICT, errors, &detail, None).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Draws the form again, at today's price where there is one.
    async fn draw(self, status: StatusCode, errors: FieldErrors, refusal: &str) -> Answer {
        let order = input(&self.typed);
        // A wrong card was looked at already, and each look counts as a guess.
        let priced = if order.lines.is_empty() || !errors.of("gift_cards").is_empty() {
            None
        } else {
            match service::price_order(&self.app, &self.viewer.ctx, &order).await {
                Ok(priced) => Some(priced),
                Err(Error::Invalid(_) | Error::Conflict { .. }) => None,
                Err(error) => return Err(error.into()),
            }
        };
        self.page(status, errors, refusal, priced).await
    }

    async fn page(
        mut self,
        status: StatusCode,
        errors: FieldErrors,
        refusal: &str,
        priced: Option<PricedOrder>,
    ) -> Answer {
        if self.typed.given("key").is_none() {
            self.typed.set("key", &self.app.rng.token());
        }
        let page = NewOrderPage {
            crumbs: vec![Link {
                label: "Orders".to_owned(),
                href: orders::urls::ADMIN_ORDERS.to_owned(),
                current: false,
            }],
            methods: methods(&self.app).await?,
            providers: providers(&self.app),
            languages: languages(),
            shell: self.viewer.shell,
            typed: self.typed,
            errors,
            refusal: refusal.to_owned(),
            priced,
        };
        page_with(status, &page)
    }
}

/// The ways to ship, as the form offers them.
async fn methods(app: &App) -> Result<Vec<(String, String)>> {
    let mut choices = vec![(String::new(), "The first that goes there".to_owned())];
    let methods = shipping::service::methods(app).await?;
    choices.extend(methods.into_iter().map(|method| (method.code, method.name)));
    Ok(choices)
}

/// The ways to pay.
fn providers(app: &App) -> Vec<(String, String)> {
    let each = app.payments.iter();
    each.map(|one| (one.name().to_owned(), one.label().to_owned()))
        .collect()
}

/// The languages of letters.
fn languages() -> Vec<(String, String)> {
    let mut choices = vec![(String::new(), "As in the account, or English".to_owned())];
    let each = Locale::ALL.iter();
    choices.extend(each.map(|one| (one.as_str().to_owned(), one.name().to_owned())));
    choices
}

//! "What would this cart cost?": promotions tried out by staff, on a cart that nobody has.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;

use super::model::Cart;
use super::service::{self, SimulatedLine, Simulation};
use crate::app::App;
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors};
use crate::promotions::urls;
use crate::shipping::{self, ShippingMethod};
use crate::web::form;
use crate::web::html::page_with;
use crate::web::{Answer, Link, Shell, Template, Viewer};

/// Rows of the form, at least.
const ROWS: usize = 4;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new().route(urls::ADMIN_SIMULATOR, get(simulator))
}

/// The form as typed. It is asked by GET, so that a simulation has an address to share.
#[derive(Clone, Debug, Default)]
struct Typed {
    rows: Vec<(String, String)>,
    codes: String,
    email: String,
    shipping_method: String,
    country: String,
    region: String,
    postal_code: String,
    at: String,
}

impl Typed {
    fn read(query: &str) -> Self {
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "sku" => typed.rows.push((value, String::new())),
                "quantity" => {
                    if let Some(row) = typed.rows.last_mut() {
                        row.1 = value;
                    }
                }
                "codes" => typed.codes = value,
                "email" => typed.email = value,
                "shipping_method" => typed.shipping_method = value,
                "country" => typed.country = value,
                "region" => typed.region = value,
                "postal_code" => typed.postal_code = value,
                "at" => typed.at = value,
                _ => {}
            }
        }
        typed.rows.retain(|(sku, _)| !sku.trim().is_empty());
        typed
    }

    fn input(&self) -> Simulation {
        let codes = self.codes.split([',', ' ', '\n']);
        let codes = codes.map(str::trim).filter(|code| !code.is_empty());
        let lines = self.rows.iter().map(|(sku, quantity)| SimulatedLine {
            sku: sku.clone(),
            // Nothing typed is one; what is no number is refused as 0.
            quantity: match quantity.trim() {
                "" => 1,
                typed => typed.parse().unwrap_or(0),
            },
        });
        Simulation {
            lines: lines.collect(),
            codes: codes.map(str::to_owned).collect(),
            email: Some(self.email.clone()),
            shipping_method: Some(self.shipping_method.clone()),
            country: Some(self.country.clone()),
            region: Some(self.region.clone()),
            postal_code: Some(self.postal_code.clone()),
            at: Some(self.at.clone()),
        }
    }
}

#[derive(Template)]
#[template(path = "promotions/admin_simulator.html")]
struct SimulatorPage {
    shell: Shell,
    crumbs: Vec<Link>,
    methods: Vec<(String, String)>,
    countries: Vec<(String, String)>,
    typed: Typed,
    errors: FieldErrors,
    cart: Option<Cart>,
}

impl SimulatorPage {
    /// What was typed, and rows for more.
    fn rows(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let typed = self
            .typed
            .rows
            .iter()
            .map(|(sku, quantity)| (sku.as_str(), quantity.as_str()));
        let rows = (self.typed.rows.len() + 1).max(ROWS);
        let empty = std::iter::repeat_n(("", ""), rows - self.typed.rows.len());
        typed
            .chain(empty)
            .enumerate()
            .map(|(index, (sku, quantity))| (index, sku, quantity))
    }

    /// The first message at a row.
    fn error_of(&self, index: &usize) -> String {
        let sku = self.errors.of(&format!("lines.{index}.sku"));
        let quantity = self.errors.of(&format!("lines.{index}.quantity"));
        [sku, quantity].concat()
    }
}

async fn simulator(State(app): State<App>, viewer: Viewer, RawQuery(query): RawQuery) -> Answer {
    viewer.ctx.require(Permission::Promotions)?;
    let typed = Typed::read(query.as_deref().unwrap_or_default());
    let mut errors = FieldErrors::default();
    let mut cart = None;
    // A fresh form asks for nothing yet.
    if !typed.rows.is_empty() {
        match service::simulate(&app, &viewer.ctx, typed.input()).await {
            Ok(priced) => cart = Some(priced),
            Err(Error::Invalid(found)) => errors = found,
            Err(Error::Conflict { detail, .. }) => errors.add("", "conflict", detail),
            Err(error) => return Err(error.into()),
        }
    }
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let methods = shipping::service::methods(&app).await?;
    let method = |method: &ShippingMethod| (method.code.clone(), method.name.clone());
    let page = SimulatorPage {
        shell: viewer.shell,
        crumbs: vec![Link {
            label: "Promotions".to_owned(),
            href: urls::ADMIN_PROMOTIONS.to_owned(),
            current: false,
        }],
        methods: methods.iter().map(method).collect(),
        countries: form::countries("The shop's own country"),
        typed,
        errors,
        cart,
    };
    page_with(status, &page)
}

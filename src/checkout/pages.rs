//! The checkout: one page from the cart to the order, guests first.
//!
//! The form carries the cart's token, and a cart becomes one order only. So a double click, the
//! back button and a reload all lead to the same order's thank-you page.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use super::model::{Checkout, Placed};
use super::service::{self, AddressFields, AddressInput, PaymentInput, PlaceOrder};
use super::urls;
use crate::app::App;
use crate::cart;
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors};
use crate::orders::{self, PostalAddress};
use crate::types::MoneyInput;
use crate::web::form::Form;
use crate::web::{Answer, Flash, Shell, Template, Viewer, html, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new().route(urls::CHECKOUT, get(show).post(place))
}

#[derive(Template)]
#[template(path = "checkout/checkout.html")]
struct CheckoutPage {
    shell: Shell,
    checkout: Checkout,
    typed: Typed,
    errors: FieldErrors,
    /// Why nothing was placed, when that is no field's fault; empty for none.
    refusal: String,
}

impl CheckoutPage {
    /// Whether the fields of another bill address are shown.
    fn bills_elsewhere(&self) -> bool {
        let typed = self.typed.0.iter();
        let mut typed = typed.filter(|(_, value)| !value.trim().is_empty());
        typed.any(|(field, _)| field.starts_with("billing_address."))
    }
}

/// What was typed, by field; the names are those of the API's input.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
struct Typed(BTreeMap<String, String>);

impl Typed {
    /// The form as a visitor finds it: filled with what is known of them.
    fn known(checkout: &Checkout) -> Self {
        let mut typed = Self::default();
        typed.set("email", &checkout.email);
        typed.set_address("shipping_address", &checkout.address);
        typed
    }

    /// What was typed into a field; empty for nothing.
    fn of(&self, field: &str) -> &str {
        self.0.get(field).map(String::as_str).unwrap_or_default()
    }

    fn set(&mut self, field: &str, value: &str) {
        self.0.insert(field.to_owned(), value.to_owned());
    }

    fn set_address(&mut self, prefix: &str, address: &PostalAddress) {
        for (name, value) in [
            ("name", &address.name),
            ("line1", &address.line1),
            ("line2", &address.line2),
            ("city", &address.city),
            ("region", &address.region),
            ("postal_code", &address.postal_code),
            ("country", &address.country),
            ("phone", &address.phone),
        ] {
            self.set(&format!("{prefix}.{name}"), value);
        }
    }

    fn address(&self, prefix: &str) -> AddressInput {
        let field = |name: &str| self.of(&format!("{prefix}.{name}")).to_owned();
        AddressInput::Fields(AddressFields {
            name: field("name"),
            line1: field("line1"),
            line2: field("line2"),
            city: field("city"),
            region: field("region"),
            postal_code: field("postal_code"),
            country: field("country"),
            phone: field("phone"),
        })
    }

    /// A field that counts as left out when it is empty.
    fn given(&self, field: &str) -> Option<String> {
        Some(self.of(field).trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn input(&self) -> PlaceOrder {
        PlaceOrder {
            shipping_address: Some(self.address("shipping_address")),
            billing_address: Some(self.address("billing_address")),
            email: self.given("email"),
            shipping_method: self.given("shipping_method"),
            payment: Some(PaymentInput {
                provider: self.given("payment.provider"),
                token: None,
            }),
            expected_total: self.given("expected_total").map(MoneyInput::new),
            note: self.given("note"),
        }
    }

    /// The asker with the cart that the form is about, in case the visit has lost it meanwhile.
    fn ctx(&self, ctx: &Ctx) -> Ctx {
        Ctx {
            cart_token: self.given("cart").or_else(|| ctx.cart_token.clone()),
            ..ctx.clone()
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    /// The code of the shipping method to price with.
    shipping_method: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Query(choice): Query<Choice>) -> Answer {
    let method = choice.shipping_method.as_deref();
    let checkout = service::checkout(&app, &viewer.ctx, method).await?;
    if checkout.cart.is_empty() {
        return redirect(cart::urls::CART);
    }
    html::page(&CheckoutPage {
        shell: viewer.shell,
        typed: Typed::known(&checkout),
        checkout,
        errors: FieldErrors::default(),
        refusal: String::new(),
    })
}

async fn place(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Answer {
    let ctx = typed.ctx(&viewer.ctx);
    let again = Again { app, viewer, typed };
    // The button beside the shipping methods asks for the total only.
    if again.typed.of("action") == "update" {
        return again.draw(StatusCode::OK, FieldErrors::default(), "").await;
    }
    let (cart, input) = (again.typed.given("cart"), again.typed.input());
    match service::place_order(&again.app, &ctx, cart.as_deref(), input).await {
        Ok(placed) => thank(&again.viewer, cart, placed).await,
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            again.draw(status, errors, "").await
        }
        Err(Error::Conflict { detail, .. }) => {
            let status = StatusCode::CONFLICT;
            again.draw(status, FieldErrors::default(), &detail).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A form that comes again.
struct Again {
    app: App,
    viewer: Viewer,
    typed: Typed,
}

impl Again {
    /// Draws the page at today's prices, with what was typed. A cart that is empty by now has
    /// its own page.
    async fn draw(self, status: StatusCode, errors: FieldErrors, refusal: &str) -> Answer {
        let ctx = self.typed.ctx(&self.viewer.ctx);
        let method = self.typed.given("shipping_method");
        let mut checkout = service::checkout(&self.app, &ctx, method.as_deref()).await?;
        if checkout.cart.is_empty() {
            let empty = Flash::warning("There is nothing in your cart to order.");
            self.viewer.flash(empty).await?;
            return redirect(cart::urls::CART);
        }
        let input = self.typed.input();
        checkout.requirements = service::still_needed(&self.app, &ctx, &checkout, input);
        let page = CheckoutPage {
            shell: self.viewer.shell,
            checkout,
            typed: self.typed,
            errors,
            refusal: refusal.to_owned(),
        };
        html::page_with(status, &page)
    }
}

/// Goes on to the thank-you page. The visit of a guest remembers what opens the order, and
/// forgets the cart if it still is the one that was placed.
async fn thank(viewer: &Viewer, cart: Option<String>, placed: Placed) -> Answer {
    let number = &placed.order.number;
    if let Some(token) = &placed.guest_token {
        viewer.visit.add_order_token(number, token).await?;
    }
    if viewer.ctx.cart_token.is_some() && (cart.is_none() || viewer.ctx.cart_token == cart) {
        viewer.visit.set_cart_token(None).await?;
    }
    redirect(&orders::urls::thanks(number))
}

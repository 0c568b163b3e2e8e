//! The checkout: one page from the cart to the order, guests first.
//!
//! The form carries the cart's token, and a cart becomes one order only. So a double click, the
//! back button and a reload all lead to the same order's thank-you page.

mod seen;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use self::seen::{Difference, Seen, TOTAL};
use super::model::{Checkout, Placed};
use super::service::{self, AddressInput, Choice, PaymentInput, PlaceOrder};
use super::urls;
use crate::addresses::{self, pages::Typed};
use crate::app::App;
use crate::cart::{self, Cart};
use crate::ctx::Ctx;
use crate::error::{Error, FieldError, FieldErrors, Result};
use crate::orders;
use crate::payments::PaymentState;
use crate::types::{Destination, MoneyInput, VariantId};
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
    /// What is other than on the page that was confirmed.
    differences: Vec<Difference>,
}

/// The fields in the order of the page, for the summary of what to mend.
const ORDER: [&str; 8] = [
    "email",
    "shipping_address",
    "shipping_method",
    "gift_card",
    "payment.provider",
    "billing_address",
    "note",
    "",
];

/// The same below an address.
const ORDER_OF_ADDRESS: [&str; 8] = [
    "name",
    "line1",
    "line2",
    "postal_code",
    "city",
    "region",
    "country",
    "phone",
];

impl CheckoutPage {
    /// The messages, in the order of the page.
    fn mistakes(&self) -> Vec<(&str, &FieldError)> {
        let place = |field: &str| {
            let (section, name) = match field.split_once('.') {
                Some((section, name)) if section != "payment" => (section, name),
                _ => (field, ""),
            };
            (
                ORDER.iter().position(|known| *known == section),
                ORDER_OF_ADDRESS.iter().position(|known| *known == name),
            )
        };
        let mut found: Vec<_> = self.errors.iter().collect();
        found.sort_by_key(|(field, _)| {
            let (section, name) = place(field);
            (section.unwrap_or(ORDER.len()), name)
        });
        found
    }

    /// What is on the page, to be told from what comes later.
    fn seen(&self) -> String {
        serde_json::to_string(&Seen::of(&self.checkout)).unwrap_or_default()
    }

    /// Whether a line is other than on the page that was confirmed.
    fn has_changed(&self, variant: &VariantId) -> bool {
        let mut changed = self.differences.iter();
        changed.any(|difference| difference.variant == Some(*variant))
    }

    /// What the total was on the page that was confirmed, where it is another one now.
    fn total_before(&self) -> Option<&str> {
        let mut changed = self.differences.iter();
        let total = changed.find(|difference| difference.label == TOTAL);
        total.map(|difference| difference.before.as_str())
    }

    /// `required` for fields that there must be: of who comes for the goods, the name alone.
    fn required(&self) -> &str {
        if self.checkout.is_pickup() {
            ""
        } else {
            "required"
        }
    }

    /// Whether the fields of another bill address are shown.
    fn bills_elsewhere(&self) -> bool {
        !addresses::service::is_blank(&self.typed.address("billing_address"))
    }
}

/// The form as a visitor finds it: filled with what is known of them.
fn known(checkout: &Checkout) -> Typed {
    let mut typed = Typed::default();
    typed.set("email", &checkout.email);
    let address = &checkout.address;
    typed.set_address("shipping_address", address);
    if address.country.is_empty() {
        // Prices are estimated for there, and most shoppers are.
        typed.set("shipping_address.country", &checkout.destination.country);
    }
    let mut saved = checkout.saved_addresses.iter();
    let billing = saved.find(|saved| saved.default_billing);
    if let Some(billing) = billing.filter(|billing| billing.address != *address) {
        typed.set_address("billing_address", &billing.address);
    }
    typed
}

fn input(typed: &Typed) -> PlaceOrder {
    let address = |prefix| Some(AddressInput::Fields(typed.address(prefix)));
    PlaceOrder {
        shipping_address: address("shipping_address"),
        billing_address: address("billing_address"),
        email: typed.given("email"),
        shipping_method: typed.given("shipping_method"),
        payment: Some(PaymentInput {
            provider: typed.given("payment.provider"),
            token: None,
        }),
        expected_total: typed.given("expected_total").map(MoneyInput::new),
        store_credit: !typed.of("store_credit").is_empty(),
        expected_remaining: typed.given("expected_remaining").map(MoneyInput::new),
        note: typed.given("note"),
    }
}

/// The asker with the cart that the form is about, in case the visit has lost it meanwhile.
fn with_cart(typed: &Typed, ctx: &Ctx) -> Ctx {
    Ctx {
        cart_token: typed.given("cart").or_else(|| ctx.cart_token.clone()),
        ..ctx.clone()
    }
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// The code of the shipping method to price with.
    shipping_method: Option<String>,
    /// The id of the address in the asker's book to fill the form with.
    address: Option<String>,
}

async fn show(State(app): State<App>, viewer: Viewer, Query(asked): Query<Asked>) -> Answer {
    let choice = Choice {
        destination: None,
        email: None,
        address: asked.address.and_then(|id| id.parse().ok()),
        shipping_method: asked.shipping_method,
        store_credit: false,
    };
    let checkout = service::checkout(&app, &viewer.ctx, choice).await?;
    if checkout.cart.is_empty() {
        return redirect(cart::urls::CART);
    }
    html::page(&CheckoutPage {
        shell: viewer.shell,
        typed: known(&checkout),
        checkout,
        errors: FieldErrors::default(),
        refusal: String::new(),
        differences: Vec::new(),
    })
}

async fn place(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Answer {
    let ctx = with_cart(&typed, &viewer.ctx);
    let again = Again { app, viewer, typed };
    if let Some(code) = again.typed.given("remove_code") {
        let removed = cart::service::remove_code(&again.app, &ctx, &code).await;
        return again.draw_codes(removed).await;
    }
    // A code changes the total, which is then looked at before it is confirmed.
    if let Some(code) = again.typed.given("code") {
        let added = cart::service::add_code(&again.app, &ctx, &code).await;
        return again.draw_codes(added).await;
    }
    if let Some(card) = again.typed.given("remove_gift_card") {
        let removed = cart::service::remove_gift_card(&again.app, &ctx, &card).await;
        return again.draw_codes(removed).await;
    }
    if let Some(code) = again.typed.given("gift_card") {
        let added = cart::service::add_gift_card(&again.app, &ctx, &code).await;
        return again.draw_codes(at_gift_card(added)).await;
    }
    // The button beside the shipping methods, and the key Enter, ask for the total only.
    if again.typed.of("action") == "update" {
        return again.draw(StatusCode::OK, FieldErrors::default(), "").await;
    }
    let (cart, input) = (again.typed.given("cart"), input(&again.typed));
    match service::place_order(&again.app, &ctx, cart.as_deref(), input).await {
        Ok(placed) => {
            if !again.typed.of("save_address").is_empty() {
                save_address(&again.app, &ctx, &placed).await;
            }
            thank(&again.viewer, cart, placed).await
        }
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

/// The message about a card's code, at the field that the page has for it.
fn at_gift_card(added: Result<Cart>) -> Result<Cart> {
    added.map_err(|error| match error {
        Error::Invalid(errors) => {
            let message = errors.of("code").to_owned();
            Error::invalid("gift_card", "unknown", message)
        }
        other => other,
    })
}

/// Keeps where an order went in the shopper's book. The order is placed, so that a book that is
/// full is no reason to fail.
async fn save_address(app: &App, ctx: &Ctx, placed: &Placed) {
    if let orders::Address::Fields(address) = &placed.order.shipping_address
        && let Err(error) = addresses::service::remember(app, ctx, address).await
    {
        tracing::info!(%error, "an address was not kept");
    }
}

/// A form that comes again.
struct Again {
    app: App,
    viewer: Viewer,
    typed: Typed,
}

impl Again {
    /// Draws the page after a code was added or taken away. One that another tab took away, or
    /// the whole cart, is no reason to fail.
    async fn draw_codes(mut self, changed: Result<Cart>) -> Answer {
        match changed {
            Ok(_) => {
                self.typed.set("code", "");
                self.typed.set("gift_card", "");
                self.draw(StatusCode::OK, FieldErrors::default(), "").await
            }
            Err(Error::Invalid(errors)) => {
                self.draw(StatusCode::UNPROCESSABLE_ENTITY, errors, "")
                    .await
            }
            Err(Error::NotFound) => self.draw(StatusCode::OK, FieldErrors::default(), "").await,
            Err(error) => Err(error.into()),
        }
    }

    /// Draws the page at today's prices, with what was typed. A cart that is empty by now has
    /// its own page.
    async fn draw(self, status: StatusCode, errors: FieldErrors, refusal: &str) -> Answer {
        let ctx = with_cart(&self.typed, &self.viewer.ctx);
        let typed = self.typed.address("shipping_address");
        let choice = Choice {
            destination: Some(Destination {
                country: typed.country.trim().to_uppercase(),
                region: typed.region,
                postal_code: typed.postal_code,
            }),
            email: self.typed.given("email"),
            address: None,
            shipping_method: self.typed.given("shipping_method"),
            store_credit: !self.typed.of("store_credit").is_empty(),
        };
        let mut checkout = service::checkout(&self.app, &ctx, choice).await?;
        if checkout.cart.is_empty() {
            let empty = Flash::warning("There is nothing in your cart to order.");
            self.viewer.flash(empty).await?;
            return redirect(cart::urls::CART);
        }
        let input = input(&self.typed);
        checkout.requirements = service::still_needed(&self.app, &ctx, &checkout, input);
        let differences = if refusal.is_empty() {
            Vec::new()
        } else {
            let seen: Seen = serde_json::from_str(self.typed.of("seen")).unwrap_or_default();
            seen.differences(&Seen::of(&checkout))
        };
        let page = CheckoutPage {
            shell: self.viewer.shell,
            checkout,
            typed: self.typed,
            errors,
            refusal: refusal.to_owned(),
            differences,
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
    let to_pay = placed.payment.as_ref();
    let to_pay = to_pay.is_some_and(|step| step.online && step.state == PaymentState::Pending);
    redirect(&match to_pay {
        true => orders::urls::payment(number),
        false => orders::urls::thanks(number),
    })
}

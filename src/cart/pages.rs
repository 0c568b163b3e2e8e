//! The cart page, and the forms that fill and change the cart.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::{Cart, CartItem};
use super::service::{self, AddItem};
use super::urls;
use crate::app::App;
use crate::catalog;
use crate::error::{Error, FieldErrors, Result};
use crate::shipping::{ShippingMethod, country_name};
use crate::types::CartItemId;
use crate::web::form::Form;
use crate::web::{Answer, Flash, Shell, Template, Viewer, html, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::CART, get(show))
        .route(urls::ITEMS, post(add))
        .route("/cart/items/{id}", post(change))
        .route(urls::CODES, post(change_codes))
}

#[derive(Template)]
#[template(path = "cart/cart.html")]
struct CartPage {
    shell: Shell,
    cart: Cart,
    /// How it is shipped unless the shopper chooses otherwise; none in a shop that ships nothing.
    delivery: Option<ShippingMethod>,
    /// The country that the price is estimated for.
    home: &'static str,
    max_quantity: i64,
    /// The code that was typed and refused.
    code: String,
    errors: FieldErrors,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Answer {
    draw(
        &app,
        viewer,
        StatusCode::OK,
        String::new(),
        FieldErrors::default(),
    )
    .await
}

async fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    code: String,
    errors: FieldErrors,
) -> Answer {
    let home = app.config.home();
    let (cart, offers) = service::with_shipping(app, &viewer.ctx, &home, None, None).await?;
    let mut methods = offers.into_iter().map(|offer| offer.method);
    let page = CartPage {
        shell: viewer.shell,
        cart,
        delivery: methods.find(|method| !method.is_pickup()),
        home: country_name(&home.country).unwrap_or_default(),
        max_quantity: app.config.max_quantity,
        code,
        errors,
    };
    html::page_with(status, &page)
}

/// A code to add, or the button that takes one away.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CodeForm {
    code: String,
    remove_code: String,
}

async fn change_codes(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<CodeForm>,
) -> Answer {
    let changed = if form.remove_code.is_empty() {
        service::add_code(&app, &viewer.ctx, &form.code).await
    } else {
        service::remove_code(&app, &viewer.ctx, &form.remove_code).await
    };
    match changed {
        // What another tab took away, or a cart that is gone: the page shows what is left.
        Ok(_) | Err(Error::NotFound) => redirect(urls::CART),
        Err(Error::Invalid(errors)) => {
            draw(
                &app,
                viewer,
                StatusCode::UNPROCESSABLE_ENTITY,
                form.code,
                errors,
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// What to add, as a form has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AddForm {
    variant_id: String,
    product_id: String,
    /// Empty: one.
    quantity: String,
}

impl AddForm {
    fn read(&self) -> Result<AddItem> {
        let mut errors = FieldErrors::default();
        let input = AddItem {
            variant_id: number("variant_id", &self.variant_id, &mut errors),
            product_id: number("product_id", &self.product_id, &mut errors),
            quantity: number("quantity", &self.quantity, &mut errors),
        };
        errors.into_result()?;
        Ok(input)
    }
}

/// The number of a field; none for an empty one.
fn number<T: std::str::FromStr>(field: &str, text: &str, errors: &mut FieldErrors) -> Option<T> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let read = text.parse().map_err(|_| "Write a whole number.");
    errors.keep(field, "number", read)
}

async fn add(State(app): State<App>, viewer: Viewer, Form(form): Form<AddForm>) -> Answer {
    let input = match form.read() {
        Ok(input) => input,
        Err(error) => return warn(&viewer, error, urls::CART).await,
    };
    match service::add_item(&app, &viewer.ctx, input.clone()).await {
        Ok(cart) => {
            remember(&viewer, &cart).await?;
            viewer.flash(Flash::good(added(&cart, &input))).await?;
            redirect(urls::CART)
        }
        Err(error) => {
            let product = service::product_of(&app, &input).await?;
            let back = product.as_ref().map(catalog::urls::product);
            warn(&viewer, error, back.as_deref().unwrap_or(urls::CART)).await
        }
    }
}

fn added(cart: &Cart, input: &AddItem) -> String {
    let item = cart.items.iter().find(|item| {
        Some(item.variant_id) == input.variant_id || Some(item.product_id) == input.product_id
    });
    let name = item.map_or_else(|| "It".to_owned(), CartItem::label);
    format!("{name} is in your cart.")
}

/// A guest's visit keeps the token of the cart that was just made for it.
async fn remember(viewer: &Viewer, cart: &Cart) -> Result<()> {
    let guest = viewer.ctx.user().is_none();
    if guest && viewer.ctx.cart_token.as_ref() != Some(&cart.token) {
        viewer.visit.set_cart_token(Some(&cart.token)).await?;
    }
    Ok(())
}

/// What to change about a line, as a form has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    /// 0 removes the line.
    quantity: String,
    /// The button that removes the line, whatever the quantity.
    remove: Option<String>,
}

impl ChangeForm {
    fn read(&self) -> Result<i64> {
        if self.remove.is_some() {
            return Ok(0);
        }
        let quantity = self.quantity.trim().parse();
        quantity.map_err(|_| Error::invalid("quantity", "number", "Write a whole number."))
    }
}

async fn change(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Answer {
    let id: CartItemId = id.parse().map_err(|_| Error::NotFound)?;
    let changed = match form.read() {
        Ok(quantity) => service::set_quantity(&app, &viewer.ctx, id, quantity).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(_) => redirect(urls::CART),
        // Another tab was faster; the cart shows what is left.
        Err(Error::NotFound) => {
            let gone = Flash::warning("That article is no longer in your cart.");
            viewer.flash(gone).await?;
            redirect(urls::CART)
        }
        Err(error) => warn(&viewer, error, urls::CART).await,
    }
}

/// Goes on to `path` with what stood against the change; other errors stay what they are.
async fn warn(viewer: &Viewer, error: Error, path: &str) -> Answer {
    let text = match error {
        Error::Conflict { detail, .. } => detail,
        Error::Invalid(fields) => {
            let messages: Vec<&str> = fields.iter().map(|(_, field)| &*field.message).collect();
            messages.join(" ")
        }
        other => return Err(other.into()),
    };
    viewer.flash(Flash::warning(text)).await?;
    redirect(path)
}

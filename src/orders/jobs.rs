//! What happens after an order changed: letters.

use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::model::Order;
use super::{service, urls};
use crate::app::App;
use crate::error::{Error, Result};
use crate::jobs::Observer;
use crate::mail::Letter;

/// Sends the confirmation of a new order.
pub const CONFIRMATION_MAIL: Observer = Observer {
    topic: "order.placed",
    job: "orders.confirmation_mail",
    run: |app, payload| Box::pin(send_confirmation(app, payload)),
};

#[derive(Deserialize)]
struct Placed {
    number: String,
}

#[derive(Template)]
#[template(path = "emails/order_confirmation.txt")]
struct Text<'a> {
    shop: &'a str,
    order: &'a Order,
    address: &'a [String],
    instructions: &'a str,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "emails/order_confirmation.html")]
struct Html<'a> {
    shop: &'a str,
    order: &'a Order,
    address: &'a [String],
    instructions: &'a str,
    link: &'a str,
}

async fn send_confirmation(app: App, payload: Value) -> Result<()> {
    let Placed { number } = serde_json::from_value(payload)?;
    let order = service::order(&app, &app.system(), &number).await?;
    let letter = confirmation(&app, &order)?;
    Ok(app.mailer.send(letter).await?)
}

/// The letter; the same for the same order, however often it is written.
fn confirmation(app: &App, order: &Order) -> Result<Letter> {
    let shop = &app.config.shop_name;
    let instructions = service::how_to_pay(app, order).unwrap_or_default();
    let address = order.shipping_address.lines();
    let link = link(app, order);
    let text = Text {
        shop,
        order,
        address: &address,
        instructions: &instructions,
        link: &link,
    };
    let html = Html {
        shop,
        order,
        address: &address,
        instructions: &instructions,
        link: &link,
    };
    let failed = |error: askama::Error| Error::Internal(error.into());
    Ok(Letter {
        to: order.email.clone(),
        subject: format!("Your order {} at {shop}", order.number),
        text: text.render().map_err(failed)?,
        html: html.render().map_err(failed)?,
        key: format!("order confirmation {}", order.number),
    })
}

/// Where the reader sees the order; a guest's link carries the token that opens it.
fn link(app: &App, order: &Order) -> String {
    let page = app.config.absolute(&urls::order(&order.number));
    match service::guest_token(app, order) {
        Some(token) => format!("{page}?token={token}"),
        None => page,
    }
}

//! The letter that confirms a new order.

use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::error::{Error, Result};
use crate::mail::Letter;
use crate::orders::model::Order;
use crate::orders::service;

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

/// Sends it.
pub async fn send(app: App, payload: Value) -> Result<()> {
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
    let link = service::link_to(app, order);
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

//! Finding an order again without the letter that confirmed it.
//!
//! The link goes to the order's own address instead of opening the order: its number stands on
//! the parcel, too, and the neighbour who took it in may well know the e-mail. So the answer is
//! the same whether there is such an order or not, and the letter helps nobody but its reader.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::guest::tidy_number;
use crate::accounts;
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{FieldErrors, Result};
use crate::jobs;
use crate::orders::model::Order;
use crate::orders::{store, urls};
use crate::types::Email;

/// The order that somebody looks for.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FindOrder {
    /// Its public number.
    #[schema(example = "K7QM-3XWT-9RPA")]
    pub number: String,
    /// The e-mail that it was placed with.
    #[schema(example = "ada@example.com")]
    pub email: String,
}

/// Sends a link to an order to the address that it was placed with, if both fit together. The
/// answer is the same if they do not. Errors: fields; `TooMany`, by e-mail and by address.
pub async fn find_by_email(app: &App, ctx: &Ctx, input: &FindOrder) -> Result<()> {
    let number = tidy_number(&input.number);
    let email = Email::parse(&input.email);
    let mut errors = FieldErrors::default();
    if number.is_empty() {
        let message = "Write the number; it looks like K7QM-3XWT-9RPA.";
        errors.add("number", "required", message);
    }
    if email.is_none() {
        let message = "Write an e-mail address like name@example.com.";
        errors.add("email", "email", message);
    }
    errors.into_result()?;
    let Some(email) = email else { return Ok(()) };
    accounts::service::count_letter(app, ctx, "order", &email).await?;
    let mut tx = app.db.begin().await?;
    let found = store::by_number(&mut tx, &number).await?;
    if let Some(head) = found.filter(|head| head.order.email == email) {
        let payload = json!({ "order_id": head.order.id, "number": head.order.number });
        jobs::emit(&mut tx, ctx, "order.link_wanted", &payload).await?;
    }
    Ok(tx.commit().await?)
}

/// The full address at which the reader of a letter sees an order; a guest's carries the token
/// that opens it.
pub fn link_to(app: &App, order: &Order) -> String {
    let page = app.config.absolute(&urls::order(&order.number));
    match super::guest_token(app, order) {
        Some(token) => format!("{page}?token={token}"),
        None => page,
    }
}

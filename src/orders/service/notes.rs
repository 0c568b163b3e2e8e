//! What staff write of an order for each other. Nobody changes or removes it; it goes when the
//! shopper is taken out of their orders.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::change::{finish, tell};
use super::find_to_change;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::orders::model::{NOTE, Order};

/// The longest note, in characters.
pub const MAX_NOTE: usize = 2000;

/// A note of staff.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewNote {
    /// What to remember; at most 2000 characters.
    #[schema(example = "Wants it wrapped as a present.")]
    pub text: String,
}

/// Staff: adds a note to an order's timeline, which the shopper does not see. Errors: `Invalid`
/// at `text`; `NotFound`.
pub async fn add_note(app: &App, ctx: &Ctx, number: &str, input: NewNote) -> Result<Order> {
    ctx.require(Permission::Orders)?;
    let text = input.text.trim();
    let mut tx = app.db.begin().await?;
    let order = find_to_change(&mut tx, ctx, number).await?;
    if text.is_empty() {
        return Err(Error::invalid(
            "text",
            "required",
            "Write what to remember.",
        ));
    }
    if text.chars().count() > MAX_NOTE {
        let message = format!("At most {MAX_NOTE} characters.");
        return Err(Error::invalid("text", "length", message));
    }
    tell(&mut tx, ctx, &order, NOTE, text).await?;
    // What it says may be about a person, and is erased with the order: the log does not keep it.
    let subject = format!("order {}", order.number);
    let nothing = (Value::Null, Value::Null);
    audit::record(
        &mut tx,
        ctx,
        "order.note_added",
        &subject,
        nothing.0,
        nothing.1,
    )
    .await?;
    finish(tx, ctx, &order.number).await
}

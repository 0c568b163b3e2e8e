//! Places that hold stock.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shelves::{Changes, Shelves};
use super::watch::watch;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::inventory::model::Location;
use crate::inventory::store;
use crate::types::{LocationId, VariantId};

const MAX_CODE: usize = 40;
const MAX_NAME: usize = 100;
const MAX_ADDRESS: usize = 500;
/// The most places of a shop: each is a column of the list of stock.
const MAX_LOCATIONS: usize = 50;

/// A place as a form or an API client writes it; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocationInput {
    /// Its word in addresses and in the API: small letters, digits and hyphens. Only when it is
    /// made.
    pub code: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Lines as on an envelope.
    pub address: Option<String>,
    /// Orders are filled from the lowest first.
    pub position: Option<i64>,
    /// Whether orders are filled from it.
    pub active: Option<bool>,
}

/// Staff: all places, the one that orders are filled from first first.
pub async fn locations(app: &App, ctx: &Ctx) -> Result<Vec<Location>> {
    ctx.require(Permission::Inventory)?;
    Ok(store::locations(&mut app.db.conn().await?).await?)
}

/// Staff: a place. Errors: `NotFound`.
pub async fn location(app: &App, ctx: &Ctx, code: &str) -> Result<Location> {
    let all = locations(app, ctx).await?;
    let found = all.into_iter().find(|location| location.code == code);
    found.ok_or(Error::NotFound)
}

/// Staff: makes a place. Errors: `Invalid` by field, `code` `taken`; conflict `too_many`.
pub async fn create_location(app: &App, ctx: &Ctx, input: LocationInput) -> Result<Location> {
    ctx.require(Permission::Inventory)?;
    let mut errors = FieldErrors::default();
    let code = input.code.clone().unwrap_or_default().trim().to_owned();
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let whole = code.chars().all(|letter| fits(letter) || letter == '-');
    if !whole || code.len() > MAX_CODE || !code.starts_with(fits) {
        let message = format!("Write 1 to {MAX_CODE} small letters, digits and hyphens.");
        errors.add("code", "invalid", message);
    }
    let mut location = Location {
        id: LocationId(0),
        code,
        name: String::new(),
        address: String::new(),
        position: 0,
        active: true,
    };
    let mut tx = app.db.begin().await?;
    let all = store::locations(&mut tx).await?;
    if all.len() >= MAX_LOCATIONS {
        let detail = format!("A shop has at most {MAX_LOCATIONS} places.");
        return Err(Error::conflict("too_many", detail));
    }
    // Behind all others, unless something else is said.
    let last = all.iter().map(|location| location.position).max();
    location.position = last.unwrap_or(0).saturating_add(1).min(MAX_POSITION);
    apply(&mut location, &input, &mut errors);
    errors.into_result()?;
    let inserted = store::insert_location(&mut tx, &location).await;
    location.id = on_unique(inserted, || {
        Error::invalid("code", "taken", "Another place has this code.")
    })?;
    let subject = subject(&location);
    let after = facts(&location);
    audit::record(
        &mut tx,
        ctx,
        "location.created",
        &subject,
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    Ok(location)
}

/// Staff: changes a place. Errors: `NotFound`; `Invalid` by field, at `active` for the main
/// place, which stays.
pub async fn change_location(
    app: &App,
    ctx: &Ctx,
    code: &str,
    input: LocationInput,
) -> Result<Location> {
    ctx.require(Permission::Inventory)?;
    let mut tx = app.db.begin().await?;
    let all = store::locations(&mut tx).await?;
    let before = all.into_iter().find(|location| location.code == code);
    let before = before.ok_or(Error::NotFound)?;
    let mut errors = FieldErrors::default();
    if input.code.as_ref().is_some_and(|new| *new != before.code) {
        errors.add("code", "fixed", "A code stays what it is.");
    }
    let mut after = before.clone();
    apply(&mut after, &input, &mut errors);
    if after.is_main() && !after.active {
        let message = "Orders are always filled from the main place.";
        errors.add("active", "main", message);
    }
    errors.into_result()?;
    let mut changes = Changes::new();
    if after.active != before.active {
        let variants = store::free_at(&mut tx, before.id).await?;
        let variants: Vec<VariantId> = variants.iter().map(|piece| piece.variant_id).collect();
        Shelves::lock(&mut tx, &variants).await?;
        for piece in store::free_at(&mut tx, before.id).await? {
            let sign = if after.active { 1 } else { -1 };
            changes.insert(piece.variant_id, sign * piece.quantity);
        }
    }
    store::update_location(&mut tx, &after).await?;
    watch(&mut tx, ctx, &changes).await?;
    let (old, new) = (facts(&before), facts(&after));
    audit::record(&mut tx, ctx, "location.changed", &subject(&after), old, new).await?;
    tx.commit().await?;
    Ok(after)
}

const MAX_POSITION: i64 = 1_000_000;

fn apply(location: &mut Location, input: &LocationInput, errors: &mut FieldErrors) {
    if let Some(name) = &input.name {
        name.trim().clone_into(&mut location.name);
    }
    if location.name.is_empty()
        || location.name.chars().count() > MAX_NAME
        || location.name.contains(char::is_control)
    {
        let message = format!("Write a name of at most {MAX_NAME} characters.");
        errors.add("name", "length", message);
    }
    if let Some(address) = &input.address {
        location.address = address.replace("\r\n", "\n").trim().to_owned();
    }
    if location.address.chars().count() > MAX_ADDRESS {
        let message = format!("At most {MAX_ADDRESS} characters.");
        errors.add("address", "length", message);
    }
    location.position = input.position.unwrap_or(location.position);
    if !(0..=MAX_POSITION).contains(&location.position) {
        errors.add("position", "range", "Write a number from 0 to 1000000.");
    }
    location.active = input.active.unwrap_or(location.active);
}

fn subject(location: &Location) -> String {
    format!("location {}", location.code)
}

fn facts(location: &Location) -> Value {
    json!({
        "name": location.name,
        "address": location.address,
        "position": location.position,
        "active": location.active,
    })
}

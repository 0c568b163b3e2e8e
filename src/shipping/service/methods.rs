//! Methods, for staff.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::line;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::error::on_unique;
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::pricing::RateStep;
use crate::shipping::model::{MethodKind, ShippingMethod};
use crate::shipping::store;
use crate::types::{Currency, Money, MoneyInput, ShippingMethodId, ShippingZoneId, Slug};

/// The longest name, description and place of a pickup, in characters.
const MAX_NAME: usize = 100;
const MAX_TEXT: usize = 300;
/// The longest code, in characters.
const MAX_CODE: usize = 40;
/// The most methods of a zone: the checkout shows them all.
const MAX_METHODS: usize = 30;
/// The most steps of a price.
const MAX_STEPS: usize = 50;
/// The heaviest step, in grams.
const MAX_GRAMS: i64 = 100_000_000;

/// A way to ship, as it is written. What is left out stays; of a new one it is empty.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MethodInput {
    /// Its name for programs, such as `express`; left out: made from the name. It never changes.
    pub code: Option<String>,
    /// Its name, as shoppers see it.
    pub name: Option<String>,
    /// How long it takes.
    pub description: Option<String>,
    /// `flat`, `by_weight`, `by_total` or `pickup`; a new one is `flat`.
    pub kind: Option<String>,
    /// The price of a flat rate or a pickup.
    #[schema(value_type = Option<String>)]
    pub price: Option<MoneyInput>,
    /// The prices by weight or total.
    pub steps: Option<Vec<StepInput>>,
    /// A subtotal that makes it free; left out: unchanged, `"0"`: never.
    #[schema(value_type = Option<String>)]
    pub free_over: Option<MoneyInput>,
    /// Where a pickup is.
    pub pickup_location: Option<String>,
    /// Whether it is offered; a new one is.
    pub active: Option<bool>,
    /// Its place in its zone; the checkout begins with the first.
    pub position: Option<i64>,
}

/// A price from some measure on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StepInput {
    /// By weight: from so many grams on.
    pub from_grams: Option<i64>,
    /// By total: from so much on.
    #[schema(value_type = Option<String>)]
    pub from_total: Option<MoneyInput>,
    /// What shipping costs then.
    #[schema(value_type = Option<String>)]
    pub price: Option<MoneyInput>,
}

/// Staff: a method, offered or not.
pub async fn method(app: &App, ctx: &Ctx, code: &str) -> Result<ShippingMethod> {
    ctx.require(Permission::Settings)?;
    let found = store::method(&mut app.db.conn().await?, code).await?;
    found.ok_or(Error::NotFound)
}

/// Staff: makes a method of a zone. Errors: `NotFound` for a zone that there is not.
pub async fn create_method(
    app: &App,
    ctx: &Ctx,
    zone: ShippingZoneId,
    input: MethodInput,
) -> Result<ShippingMethod> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    if !store::zones(&mut tx)
        .await?
        .iter()
        .any(|one| one.id == zone)
    {
        return Err(Error::NotFound);
    }
    let all = store::methods(&mut tx).await?;
    let mut errors = FieldErrors::default();
    let code = new_code(&input, &all, &mut errors);
    let siblings = all.iter().filter(|method| method.zone_id == zone);
    if siblings.clone().count() >= MAX_METHODS {
        let message = format!("This zone has {MAX_METHODS} methods already.");
        errors.add("name", "too_many", message);
    }
    let last = siblings.map(|method| method.position).max();
    let empty = ShippingMethod {
        id: ShippingMethodId(0),
        zone_id: zone,
        code,
        name: String::new(),
        description: String::new(),
        kind: MethodKind::Flat,
        price: Money::zero(app.currency()),
        steps: Vec::new(),
        free_over: None,
        pickup_location: String::new(),
        active: true,
        position: last.map_or(0, |last| last + 1),
        version: 1,
    };
    let priced = input.price.is_some();
    let mut method = resolve(empty, input, app.currency(), errors, priced)?;
    let made = store::insert_method(&mut tx, &method).await;
    method.id = on_unique(made, || {
        Error::invalid("code", "taken", "Another method has this code.")
    })?;
    let action = "shipping_method.created";
    record(&mut tx, ctx, action, None, Some(&method)).await?;
    tx.commit().await?;
    Ok(method)
}

/// The code that was given, or one of the name that no other method has.
fn new_code(input: &MethodInput, all: &[ShippingMethod], errors: &mut FieldErrors) -> String {
    let taken = |code: &str| all.iter().any(|method| method.code == code);
    let given = input.code.as_deref().map_or("", str::trim);
    if given.is_empty() {
        let name = input.name.as_deref().unwrap_or_default();
        let base = Slug::from_text(name, "method").to_string();
        let base: String = base.chars().take(MAX_CODE - 4).collect();
        let base = base.trim_matches('-');
        let others = (2..).map(|number| format!("{base}-{number}"));
        let mut codes = std::iter::once(base.to_owned()).chain(others);
        return codes.find(|code| !taken(code)).unwrap_or_default();
    }
    if Slug::parse(given).is_none_or(|code| code.as_str().len() > MAX_CODE) {
        let message = format!("Write up to {MAX_CODE} small letters, digits and hyphens.");
        errors.add("code", "invalid", message);
    } else if taken(given) {
        errors.add("code", "taken", "Another method has this code.");
    }
    given.to_owned()
}

/// Staff: changes a method. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_method(
    app: &App,
    ctx: &Ctx,
    code: &str,
    version: Option<i64>,
    input: MethodInput,
) -> Result<ShippingMethod> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, code, version).await?;
    let mut errors = FieldErrors::default();
    let given = input.code.as_deref().map_or("", str::trim);
    if !given.is_empty() && given != code {
        let message = "The code of a method never changes: orders hold it.";
        errors.add("code", "fixed", message);
    }
    // A price that is left over from another currency must be written anew.
    let priced = input.price.is_some() || before.price.currency() == app.currency();
    let mut method = resolve(before.clone(), input, app.currency(), errors, priced)?;
    method.version = before.version + 1;
    if !store::update_method(&mut tx, &method, before.version).await? {
        return Err(Error::Stale);
    }
    let action = "shipping_method.updated";
    record(&mut tx, ctx, action, Some(&before), Some(&method)).await?;
    tx.commit().await?;
    Ok(method)
}

/// Staff: deletes a method. Orders keep its name.
pub async fn delete_method(app: &App, ctx: &Ctx, code: &str, version: Option<i64>) -> Result<()> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let before = current(&mut tx, code, version).await?;
    if !store::delete_method(&mut tx, before.id, before.version).await? {
        return Err(Error::Stale);
    }
    let action = "shipping_method.deleted";
    record(&mut tx, ctx, action, Some(&before), None).await?;
    Ok(tx.commit().await?)
}

async fn current(conn: &mut Conn, code: &str, version: Option<i64>) -> Result<ShippingMethod> {
    let found = store::method(conn, code).await?.ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

/// The method that `input` makes of `base`. `priced`: whether there is a price.
fn resolve(
    base: ShippingMethod,
    input: MethodInput,
    currency: Currency,
    mut errors: FieldErrors,
    priced: bool,
) -> Result<ShippingMethod> {
    let mut method = base;
    if let Some(name) = &input.name {
        method.name = line(&mut errors, "name", name, MAX_NAME);
    }
    if method.name.is_empty() && errors.of("name").is_empty() {
        errors.add("name", "required", "Give it a name.");
    }
    if let Some(text) = &input.description {
        method.description = line(&mut errors, "description", text, MAX_TEXT);
    }
    if let Some(text) = &input.pickup_location {
        method.pickup_location = line(&mut errors, "pickup_location", text, MAX_TEXT);
    }
    if let Some(kind) = input.kind.as_deref().filter(|kind| !kind.trim().is_empty()) {
        let kind = kind.trim().parse().map_err(|rule| format!("This {rule}."));
        let kind = errors.keep("kind", "unknown", kind).unwrap_or(method.kind);
        // Steps by weight say nothing about totals.
        if kind != method.kind {
            method.steps.clear();
        }
        method.kind = kind;
    }
    if method.kind.has_steps() {
        // The column of the one price stays filled, in the shop's currency.
        method.price = Money::zero(currency);
    } else if let Some(price) = &input.price {
        let read = errors.keep("price", "money", price.read(currency));
        method.price = read.unwrap_or(Money::zero(currency));
    } else if !priced && method.kind == MethodKind::Flat {
        errors.add("price", "required", "Write what it costs.");
    } else if !priced {
        method.price = Money::zero(currency);
    }
    if let Some(steps) = input.steps.filter(|_| method.kind.has_steps()) {
        method.steps = read_steps(&mut errors, method.kind, &steps, currency);
    }
    let stray = (method.steps.iter()).any(|step| step.price.currency() != currency);
    if !method.kind.has_steps() {
        method.steps.clear();
    } else if (method.steps.is_empty() || stray)
        && !errors.iter().any(|(at, _)| at.starts_with("steps"))
    {
        errors.add("steps", "required", "Write at least one step.");
    }
    if let Some(sum) = &input.free_over {
        let read = errors.keep("free_over", "money", sum.read(currency));
        method.free_over = read.filter(|sum| !sum.is_zero());
    }
    method.free_over = method.free_over.filter(|sum| sum.currency() == currency);
    if method.is_pickup() && method.pickup_location.is_empty() {
        let message = "Write where shoppers come to.";
        if errors.of("pickup_location").is_empty() {
            errors.add("pickup_location", "required", message);
        }
    } else if !method.is_pickup() {
        method.pickup_location.clear();
    }
    method.active = input.active.unwrap_or(method.active);
    method.position = input.position.unwrap_or(method.position);
    if !(0..=9_999).contains(&method.position) {
        errors.add("position", "range", "Write a number from 0 to 9999.");
    }
    errors.into_result()?;
    Ok(method)
}

/// Steps in ascending order; messages at `steps.3.price`.
fn read_steps(
    errors: &mut FieldErrors,
    kind: MethodKind,
    given: &[StepInput],
    currency: Currency,
) -> Vec<RateStep> {
    if given.len() > MAX_STEPS {
        errors.add("steps", "too_many", format!("At most {MAX_STEPS} steps."));
        return Vec::new();
    }
    let mut steps: Vec<RateStep> = Vec::new();
    for (index, step) in given.iter().enumerate() {
        let field = format!("steps.{index}.from");
        let from = match kind {
            MethodKind::ByTotal => match &step.from_total {
                Some(total) => errors
                    .keep(&field, "money", total.read(currency))
                    .map(Money::minor),
                None => Some(0),
            },
            _ => match step.from_grams.unwrap_or(0) {
                grams if (0..=MAX_GRAMS).contains(&grams) => Some(grams),
                _ => {
                    let message = format!("Write grams, 0 to {MAX_GRAMS}.");
                    errors.add(&field, "range", message);
                    None
                }
            },
        };
        if from.is_some_and(|from| steps.iter().any(|other| other.from == from)) {
            errors.add(&field, "repeated", "Another step begins here.");
        }
        let field = format!("steps.{index}.price");
        let price = match &step.price {
            Some(price) => errors.keep(&field, "money", price.read(currency)),
            None => {
                errors.add(&field, "required", "Write what it costs.");
                None
            }
        };
        if let (Some(from), Some(price)) = (from, price) {
            steps.push(RateStep { from, price });
        }
    }
    steps.sort_by_key(|step| step.from);
    steps
}

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&ShippingMethod>,
    after: Option<&ShippingMethod>,
) -> Result<()> {
    let step = |step: &RateStep| json!([step.from, step.price.amount()]);
    let facts = |method: Option<&ShippingMethod>| {
        method.map_or(Value::Null, |method| {
            json!({
                "zone_id": method.zone_id,
                "name": method.name,
                "description": method.description,
                "kind": method.kind.as_str(),
                "price": method.price.amount(),
                "steps": method.steps.iter().map(step).collect::<Vec<_>>(),
                "free_over": method.free_over.map(Money::amount),
                "pickup_location": method.pickup_location,
                "active": method.active,
                "position": method.position,
            })
        })
    };
    let code = before.or(after).map_or("", |method| method.code.as_str());
    let subject = format!("shipping method {code}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await
}

//! What tax is on what, and where staff say so.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{Rates, STANDARD, TaxClass, TaxRule, read_percent};
use super::store;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::error::on_unique;
use crate::db::{Conn, Tx, settings};
use crate::error::{Error, FieldErrors, Result};
use crate::types::country::is_country;
use crate::types::{Destination, Slug, TaxRateId};

/// The longest name and region, in characters.
const MAX_TEXT: usize = 200;
/// The longest code of a class, in characters.
const MAX_CODE: usize = 40;
/// The most classes and rates: lists show them all.
const MAX_CLASSES: usize = 100;
const MAX_RATES: usize = 5_000;
/// The setting that tells that the shop once had its first rate.
const BEGUN: &str = "taxes";

/// A tax class, as it is written. What is left out stays; of a new one it is empty.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TaxClassInput {
    /// Its name for programs, such as `reduced`; left out: made from the name. It never changes.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its place in lists.
    pub position: Option<i64>,
    /// `true`: shipping is taxed as this from now on, and as no other. It ends when another class
    /// says so.
    pub for_shipping: Option<bool>,
}

/// A tax rate, as it is written. What is left out stays; of a new one it is empty.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TaxRateInput {
    /// The code of the class.
    pub tax_class: Option<String>,
    /// ISO 3166-1 alpha-2; empty: any.
    pub country: Option<String>,
    /// A state or province in all the ways that people write it, parted by commas
    /// (`QC, Quebec`); empty: any.
    pub region: Option<String>,
    /// Its name, as shoppers see it.
    #[schema(example = "VAT")]
    pub name: Option<String>,
    /// Percent, with two decimals at most.
    #[schema(example = "21")]
    pub percent: Option<String>,
}

/// The rates that count at a destination, read in the caller's transaction. A destination without
/// a country is the shop's own.
pub async fn rates(conn: &mut Conn, app: &App, destination: &Destination) -> Result<Rates> {
    let home;
    let destination = if destination.country.is_empty() {
        home = app.config.home();
        &home
    } else {
        destination
    };
    let shipping = store::shipping_class(conn).await?;
    let rates = store::rates_of(conn, &destination.country).await?;
    let shipping = shipping.as_deref().unwrap_or(STANDARD);
    Ok(Rates::at(destination, rates, shipping))
}

/// For the catalog: whether there is a class of this code.
pub async fn class_exists(conn: &mut Conn, code: &str) -> Result<bool> {
    Ok(store::class_exists(conn, code).await?)
}

/// Makes the first rate of a new shop, of any country, as the setting `tax_rate` says; does
/// nothing in a shop that ever had one. Several instances may call it at once.
pub async fn ensure_default(app: &App) -> Result<()> {
    if settings::get(&mut app.db.conn().await?, BEGUN)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    let mark = app.rng.token();
    if settings::get_or_keep(&mut tx, BEGUN, &mark).await? == mark {
        let rate = TaxRule {
            id: TaxRateId(0),
            tax_class: STANDARD.to_owned(),
            country: String::new(),
            region: String::new(),
            name: "tax".to_owned(),
            rate: app.config.tax_rate,
            version: 1,
            updated_at: app.clock.now(),
        };
        store::insert_rate(&mut tx, &rate).await?;
    }
    Ok(tx.commit().await?)
}

/// Staff: all classes, in their order. Those who work on the catalog choose among them.
pub async fn classes(app: &App, ctx: &Ctx) -> Result<Vec<TaxClass>> {
    ctx.require_any(&[Permission::Settings, Permission::Catalog])?;
    Ok(store::classes(&mut app.db.conn().await?).await?)
}

/// Staff: how many products are of each class that has any, by its code.
pub async fn products_by_class(app: &App, ctx: &Ctx) -> Result<HashMap<String, i64>> {
    ctx.require(Permission::Settings)?;
    let counts = store::products_by_class(&mut app.db.conn().await?).await?;
    Ok(counts.into_iter().collect())
}

/// Staff: a class.
pub async fn class(app: &App, ctx: &Ctx, code: &str) -> Result<TaxClass> {
    ctx.require(Permission::Settings)?;
    let classes = store::classes(&mut app.db.conn().await?).await?;
    let found = classes.into_iter().find(|class| class.code == code);
    found.ok_or(Error::NotFound)
}

/// Staff: makes a class.
pub async fn create_class(app: &App, ctx: &Ctx, input: TaxClassInput) -> Result<TaxClass> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let known = store::classes(&mut tx).await?;
    let code = input.code.as_deref().map(str::trim).unwrap_or_default();
    let name = input.name.as_deref().unwrap_or_default();
    let mut errors = FieldErrors::default();
    let code = match code {
        "" => Slug::from_text(name, "class").to_string(),
        given => given.to_owned(),
    };
    let fits = Slug::parse(&code).is_some_and(|code| code.as_str().len() <= MAX_CODE);
    if !fits {
        let message = format!("Write up to {MAX_CODE} small letters, digits and hyphens.");
        errors.add("code", "invalid", message);
    } else if known.iter().any(|class| class.code == code) {
        errors.add("code", "taken", "Another class has this code.");
    }
    if known.len() >= MAX_CLASSES {
        let message = format!("There are {MAX_CLASSES} classes already.");
        errors.add("name", "too_many", message);
    }
    let empty = TaxClass {
        code,
        name: String::new(),
        position: i64::try_from(known.len()).unwrap_or_default(),
        for_shipping: false,
        version: 1,
    };
    let class = resolve_class(empty, &input, &known, errors)?;
    if class.for_shipping {
        store::ship_as_none(&mut tx).await?;
    }
    let made = store::insert_class(&mut tx, &class).await;
    on_unique(made, || {
        Error::invalid("code", "taken", "Another class has this code.")
    })?;
    record_class(&mut tx, ctx, "tax_class.created", None, Some(&class)).await?;
    tx.commit().await?;
    Ok(class)
}

/// Staff: changes a class. `version`: from `If-Match`; another one is `Stale`, and so is a class
/// that becomes the one of shipping while another does.
pub async fn update_class(
    app: &App,
    ctx: &Ctx,
    code: &str,
    version: Option<i64>,
    input: TaxClassInput,
) -> Result<TaxClass> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let known = store::classes(&mut tx).await?;
    let before = current_class(&known, code, version)?;
    let mut errors = FieldErrors::default();
    let given = input.code.as_deref().map(str::trim).unwrap_or_default();
    if !given.is_empty() && given != code {
        let message = "The code of a class never changes: products hold it.";
        errors.add("code", "fixed", message);
    }
    if before.for_shipping && input.for_shipping == Some(false) {
        let message = "Shipping is taxed as this: choose another class for it there.";
        errors.add("for_shipping", "required", message);
    }
    let mut class = resolve_class(before.clone(), &input, &known, errors)?;
    class.version = before.version + 1;
    if class.for_shipping && !before.for_shipping {
        store::ship_as_none(&mut tx).await?;
    }
    // Two classes may be made the one of shipping at once.
    let written = store::update_class(&mut tx, &class, before.version).await;
    if !on_unique(written, || Error::Stale)? {
        return Err(Error::Stale);
    }
    record_class(
        &mut tx,
        ctx,
        "tax_class.updated",
        Some(before),
        Some(&class),
    )
    .await?;
    tx.commit().await?;
    Ok(class)
}

/// Staff: deletes a class with its rates. Errors: the conflict `tax_class_in_use` for the class
/// that every shop has, one that products have, and the one that shipping is taxed as.
pub async fn delete_class(app: &App, ctx: &Ctx, code: &str, version: Option<i64>) -> Result<()> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let known = store::classes(&mut tx).await?;
    let before = current_class(&known, code, version)?;
    let counts = store::products_by_class(&mut tx).await?;
    let products = counts.iter().find(|(class, _)| class == code);
    let products = products.map_or(0, |(_, count)| *count);
    let why = match products {
        _ if code == STANDARD => "Every shop has this class.".to_owned(),
        _ if before.for_shipping => {
            "Shipping is taxed as this. Choose another class for it first.".to_owned()
        }
        0 => String::new(),
        1 => "A product is of this class.".to_owned(),
        products => format!("{products} products are of this class."),
    };
    if !why.is_empty() {
        return Err(Error::conflict("tax_class_in_use", why));
    }
    if !store::delete_class(&mut tx, code, before.version).await? {
        return Err(Error::Stale);
    }
    record_class(&mut tx, ctx, "tax_class.deleted", Some(before), None).await?;
    Ok(tx.commit().await?)
}

fn current_class<'c>(
    known: &'c [TaxClass],
    code: &str,
    version: Option<i64>,
) -> Result<&'c TaxClass> {
    let found = known.iter().find(|class| class.code == code);
    let found = found.ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

fn resolve_class(
    base: TaxClass,
    input: &TaxClassInput,
    known: &[TaxClass],
    mut errors: FieldErrors,
) -> Result<TaxClass> {
    let mut class = base;
    if let Some(name) = &input.name {
        class.name = text(&mut errors, "name", name);
    }
    if class.name.is_empty() {
        if errors.of("name").is_empty() {
            errors.add("name", "required", "Give it a name.");
        }
    } else if known
        .iter()
        .any(|one| one.code != class.code && one.name.to_lowercase() == class.name.to_lowercase())
    {
        errors.add("name", "taken", "Another class has this name.");
    }
    class.position = input.position.unwrap_or(class.position);
    if !(0..=9_999).contains(&class.position) {
        errors.add("position", "range", "Write a number from 0 to 9999.");
    }
    class.for_shipping = input.for_shipping.unwrap_or(class.for_shipping);
    errors.into_result()?;
    Ok(class)
}

/// Staff: all rates, by class and place.
pub async fn all_rates(app: &App, ctx: &Ctx) -> Result<Vec<TaxRule>> {
    ctx.require(Permission::Settings)?;
    Ok(store::rates(&mut app.db.conn().await?).await?)
}

/// Staff: a rate.
pub async fn rate(app: &App, ctx: &Ctx, id: TaxRateId) -> Result<TaxRule> {
    ctx.require(Permission::Settings)?;
    let found = store::rate(&mut app.db.conn().await?, id).await?;
    found.ok_or(Error::NotFound)
}

/// Staff: makes a rate.
pub async fn create_rate(app: &App, ctx: &Ctx, input: TaxRateInput) -> Result<TaxRule> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let empty = TaxRule {
        id: TaxRateId(0),
        tax_class: String::new(),
        country: String::new(),
        region: String::new(),
        name: String::new(),
        rate: 0,
        version: 1,
        updated_at: ctx.now,
    };
    let mut errors = FieldErrors::default();
    if input.percent.as_deref().map_or("", str::trim).is_empty() {
        errors.add("percent", "required", "Write the rate in percent.");
    }
    if store::rates(&mut tx).await?.len() >= MAX_RATES {
        let message = format!("There are {MAX_RATES} rates already.");
        errors.add("name", "too_many", message);
    }
    let mut rate = resolve_rate(&mut tx, empty, input, errors).await?;
    rate.id = on_unique(store::insert_rate(&mut tx, &rate).await, twin)?;
    record_rate(&mut tx, ctx, "tax_rate.created", None, Some(&rate)).await?;
    tx.commit().await?;
    Ok(rate)
}

/// Staff: changes a rate. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_rate(
    app: &App,
    ctx: &Ctx,
    id: TaxRateId,
    version: Option<i64>,
    input: TaxRateInput,
) -> Result<TaxRule> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let before = current_rate(&mut tx, id, version).await?;
    let mut rate = resolve_rate(&mut tx, before.clone(), input, FieldErrors::default()).await?;
    rate.version = before.version + 1;
    rate.updated_at = ctx.now;
    let changed = store::update_rate(&mut tx, &rate, before.version).await;
    if !on_unique(changed, twin)? {
        return Err(Error::Stale);
    }
    let action = "tax_rate.updated";
    record_rate(&mut tx, ctx, action, Some(&before), Some(&rate)).await?;
    tx.commit().await?;
    Ok(rate)
}

/// Staff: deletes a rate.
pub async fn delete_rate(app: &App, ctx: &Ctx, id: TaxRateId, version: Option<i64>) -> Result<()> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let before = current_rate(&mut tx, id, version).await?;
    if !store::delete_rate(&mut tx, id, before.version).await? {
        return Err(Error::Stale);
    }
    record_rate(&mut tx, ctx, "tax_rate.deleted", Some(&before), None).await?;
    Ok(tx.commit().await?)
}

async fn current_rate(conn: &mut Conn, id: TaxRateId, version: Option<i64>) -> Result<TaxRule> {
    let found = store::rate(conn, id).await?.ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

fn twin() -> Error {
    let message = "There is a rate of this class for this place already.";
    Error::invalid("country", "taken", message)
}

async fn resolve_rate(
    tx: &mut Tx,
    base: TaxRule,
    input: TaxRateInput,
    mut errors: FieldErrors,
) -> Result<TaxRule> {
    let mut rate = base;
    if let Some(class) = &input.tax_class {
        class.trim().clone_into(&mut rate.tax_class);
    }
    if rate.tax_class.is_empty() {
        errors.add("tax_class", "required", "Choose a tax class.");
    } else if !store::class_exists(tx, &rate.tax_class).await? {
        errors.add("tax_class", "unknown", "There is no such tax class.");
    }
    if let Some(country) = &input.country {
        rate.country = country.trim().to_uppercase();
    }
    if !rate.country.is_empty() && !is_country(&rate.country) {
        let message = "Write the two letters of a country, such as DE.";
        errors.add("country", "unknown", message);
    }
    if let Some(region) = &input.region {
        let ways = region.split(',').map(str::trim);
        let ways: Vec<&str> = ways.filter(|way| !way.is_empty()).collect();
        rate.region = text(&mut errors, "region", &ways.join(", "));
    }
    if rate.country.is_empty() && !rate.region.is_empty() {
        errors.add("region", "no_country", "A region belongs to a country.");
    }
    if let Some(name) = &input.name {
        rate.name = text(&mut errors, "name", name);
    }
    if rate.name.is_empty() && errors.of("name").is_empty() {
        let message = "Give it the name that shoppers see, such as VAT.";
        errors.add("name", "required", message);
    }
    if let Some(percent) = input.percent.filter(|text| !text.trim().is_empty()) {
        match read_percent(&percent) {
            Some(read) => rate.rate = read,
            None => {
                let message = "Write a number from 0 to 100 with two decimals at most.";
                errors.add("percent", "invalid", message);
            }
        }
    }
    errors.into_result()?;
    Ok(rate)
}

/// One line of text, as it is kept.
fn text(errors: &mut FieldErrors, field: &str, given: &str) -> String {
    let words: Vec<&str> = given.split_whitespace().collect();
    let text = words.join(" ");
    if text.chars().count() > MAX_TEXT {
        errors.add(field, "length", format!("At most {MAX_TEXT} characters."));
    }
    text
}

async fn record_class(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&TaxClass>,
    after: Option<&TaxClass>,
) -> Result<()> {
    let facts = |class: Option<&TaxClass>| {
        class.map_or(Value::Null, |class| {
            json!({
                "name": class.name,
                "position": class.position,
                "for_shipping": class.for_shipping,
            })
        })
    };
    let code = before.or(after).map_or("", |class| class.code.as_str());
    let subject = format!("tax class {code}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await
}

async fn record_rate(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&TaxRule>,
    after: Option<&TaxRule>,
) -> Result<()> {
    let facts = |rate: Option<&TaxRule>| {
        rate.map_or(Value::Null, |rate| {
            json!({
                "tax_class": rate.tax_class,
                "country": rate.country,
                "region": rate.region,
                "name": rate.name,
                "percent": rate.percent(),
            })
        })
    };
    let id = before.or(after).map_or(0, |rate| rate.id.0);
    let subject = format!("tax rate {id}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await
}

//! Zones, for staff.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::line;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::Tx;
use crate::db::error::on_unique;
use crate::error::{Error, FieldErrors, Result};
use crate::shipping::model::{PostalPattern, ShippingMethod, ShippingZone};
use crate::shipping::store;
use crate::types::ShippingZoneId;
use crate::types::country::{countries, is_country};
use crate::types::text::fold;

/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// The most zones: every price looks through them.
const MAX_ZONES: usize = 200;
/// The most postal codes of a zone.
const MAX_PATTERNS: usize = 500;

/// A zone, as it is written. What is left out stays; of a new one it is empty.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ZoneInput {
    /// Its name, for staff.
    pub name: Option<String>,
    /// Countries by ISO 3166-1 alpha-2 or by name; an empty list is the rest of the world.
    #[schema(example = json!(["ES", "PT"]))]
    pub countries: Option<Vec<String>>,
    /// Postal codes within the countries: `28013`, `10*`, `1000-1999`; an empty list is all.
    #[schema(example = json!(["28*", "1000-1999"]))]
    pub postal_codes: Option<Vec<String>>,
    /// Its place: the first zone that serves a destination is the one that counts. Left out of a
    /// new one: after all others with countries, or at the end.
    pub position: Option<i64>,
}

/// Staff: all zones in their order, each with its methods.
pub async fn zones(app: &App, ctx: &Ctx) -> Result<Vec<(ShippingZone, Vec<ShippingMethod>)>> {
    ctx.require(Permission::Settings)?;
    let mut conn = app.db.conn().await?;
    let zones = store::zones(&mut conn).await?;
    let methods = store::methods(&mut conn).await?;
    let with_methods = |zone: ShippingZone| {
        let own = methods.iter().filter(|method| method.zone_id == zone.id);
        let own = own.cloned().collect();
        (zone, own)
    };
    Ok(zones.into_iter().map(with_methods).collect())
}

/// Staff: a zone with its methods.
pub async fn zone(
    app: &App,
    ctx: &Ctx,
    id: ShippingZoneId,
) -> Result<(ShippingZone, Vec<ShippingMethod>)> {
    let zones = zones(app, ctx).await?;
    let found = zones.into_iter().find(|(zone, _)| zone.id == id);
    found.ok_or(Error::NotFound)
}

/// Staff: makes a zone.
pub async fn create_zone(app: &App, ctx: &Ctx, input: ZoneInput) -> Result<ShippingZone> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let known = store::zones(&mut tx).await?;
    let mut errors = FieldErrors::default();
    if known.len() >= MAX_ZONES {
        let message = format!("There are {MAX_ZONES} zones already.");
        errors.add("name", "too_many", message);
    }
    let everywhere = input.countries.as_ref().is_none_or(Vec::is_empty);
    let empty = ShippingZone {
        id: ShippingZoneId(0),
        name: String::new(),
        countries: Vec::new(),
        postal_codes: Vec::new(),
        position: next_position(&known, everywhere),
        version: 1,
    };
    let mut zone = resolve(empty, input, &known, errors)?;
    zone.id = on_unique(store::insert_zone(&mut tx, &zone).await, twin)?;
    record(&mut tx, ctx, "shipping_zone.created", None, Some(&zone)).await?;
    tx.commit().await?;
    Ok(zone)
}

/// A zone of the rest of the world stands at the end, any other after the last one with
/// countries.
fn next_position(known: &[ShippingZone], everywhere: bool) -> i64 {
    let before = known
        .iter()
        .filter(|zone| everywhere || !zone.countries.is_empty());
    let last = before.map(|zone| zone.position).max();
    last.map_or(0, |last| (last + 1).min(MAX_POSITION))
}

/// The last place.
const MAX_POSITION: i64 = 9_999;

/// Staff: changes a zone. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_zone(
    app: &App,
    ctx: &Ctx,
    id: ShippingZoneId,
    version: Option<i64>,
    input: ZoneInput,
) -> Result<ShippingZone> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let known = store::zones(&mut tx).await?;
    let before = current(&known, id, version)?;
    let mut zone = resolve(before.clone(), input, &known, FieldErrors::default())?;
    zone.version = before.version + 1;
    let changed = store::update_zone(&mut tx, &zone, before.version).await;
    if !on_unique(changed, twin)? {
        return Err(Error::Stale);
    }
    let action = "shipping_zone.updated";
    record(&mut tx, ctx, action, Some(before), Some(&zone)).await?;
    tx.commit().await?;
    Ok(zone)
}

/// Staff: deletes a zone with its methods.
pub async fn delete_zone(
    app: &App,
    ctx: &Ctx,
    id: ShippingZoneId,
    version: Option<i64>,
) -> Result<()> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let known = store::zones(&mut tx).await?;
    let before = current(&known, id, version)?;
    if !store::delete_zone(&mut tx, id, before.version).await? {
        return Err(Error::Stale);
    }
    record(&mut tx, ctx, "shipping_zone.deleted", Some(before), None).await?;
    Ok(tx.commit().await?)
}

fn twin() -> Error {
    Error::invalid("name", "taken", "Another zone has this name.")
}

fn current(
    known: &[ShippingZone],
    id: ShippingZoneId,
    version: Option<i64>,
) -> Result<&ShippingZone> {
    let found = known.iter().find(|zone| zone.id == id);
    let found = found.ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

fn resolve(
    base: ShippingZone,
    input: ZoneInput,
    known: &[ShippingZone],
    mut errors: FieldErrors,
) -> Result<ShippingZone> {
    let mut zone = base;
    if let Some(name) = &input.name {
        zone.name = line(&mut errors, "name", name, MAX_NAME);
    }
    if zone.name.is_empty() {
        if errors.of("name").is_empty() {
            errors.add("name", "required", "Give it a name.");
        }
    } else if known
        .iter()
        .any(|one| one.id != zone.id && one.name.to_lowercase() == zone.name.to_lowercase())
    {
        errors.add("name", "taken", "Another zone has this name.");
    }
    if let Some(given) = input.countries {
        zone.countries = read_countries(&mut errors, &given);
    }
    if let Some(given) = input.postal_codes {
        zone.postal_codes = read_patterns(&mut errors, &given);
    }
    if zone.countries.is_empty() && !zone.postal_codes.is_empty() {
        let message = "Postal codes belong to a country.";
        errors.add("postal_codes", "no_country", message);
    }
    zone.position = input.position.unwrap_or(zone.position);
    if !(0..=MAX_POSITION).contains(&zone.position) {
        let message = format!("Write a number from 0 to {MAX_POSITION}.");
        errors.add("position", "range", message);
    }
    errors.into_result()?;
    Ok(zone)
}

/// Codes of countries, each once, of what may be codes or names.
fn read_countries(errors: &mut FieldErrors, given: &[String]) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for text in given {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let code = text.to_uppercase();
        let code = if is_country(&code) {
            Some(code)
        } else {
            let named = countries()
                .iter()
                .find(|(_, name)| fold(name) == fold(text));
            named.map(|(code, _)| (*code).to_owned())
        };
        match code {
            Some(code) if codes.contains(&code) => {}
            Some(code) => codes.push(code),
            None => {
                let message = format!("We know no country {text}. Write its two letters or name.");
                errors.add("countries", "unknown", message);
            }
        }
    }
    codes
}

fn read_patterns(errors: &mut FieldErrors, given: &[String]) -> Vec<PostalPattern> {
    let mut patterns: Vec<PostalPattern> = Vec::new();
    for text in given.iter().filter(|text| !text.trim().is_empty()) {
        match PostalPattern::parse(text) {
            Ok(pattern) if patterns.contains(&pattern) => {}
            Ok(pattern) => patterns.push(pattern),
            Err(message) => errors.add("postal_codes", "invalid", message),
        }
    }
    if patterns.len() > MAX_PATTERNS {
        let message = format!("At most {MAX_PATTERNS} of them.");
        errors.add("postal_codes", "too_many", message);
    }
    patterns
}

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&ShippingZone>,
    after: Option<&ShippingZone>,
) -> Result<()> {
    let facts = |zone: Option<&ShippingZone>| {
        zone.map_or(Value::Null, |zone| {
            json!({
                "name": zone.name,
                "countries": zone.countries,
                "postal_codes": zone.patterns(),
                "position": zone.position,
            })
        })
    };
    let id = before.or(after).map_or(0, |zone| zone.id.0);
    let subject = format!("shipping zone {id}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await
}

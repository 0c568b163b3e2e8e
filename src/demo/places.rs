//! Where the demonstration shop delivers, and what is taxed there.

use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::shipping::ShippingZone;
use crate::shipping::service::{
    MethodInput, StepInput, ZoneInput, create_method, create_zone, update_zone, zones,
};
use crate::taxes::service::{TaxClassInput, TaxRateInput, create_class, create_rate};
use crate::types::{MoneyInput, ShippingZoneId};

/// The zone of the shop's own country.
const HOME: &str = "Home";

/// Countries that are served at the rate of neighbours.
const NEIGHBOURS: [&str; 12] = [
    "AT", "BE", "DE", "ES", "FR", "IE", "IT", "LU", "NL", "PL", "PT", "GB",
];

/// A class for what is taxed less.
pub async fn make_taxes(app: &App, ctx: &Ctx) -> Result<()> {
    let text = |text: &str| Some(text.to_owned());
    let class = TaxClassInput {
        code: text("reduced"),
        name: text("Reduced"),
        ..TaxClassInput::default()
    };
    let rate = TaxRateInput {
        tax_class: text("reduced"),
        country: None,
        region: None,
        name: text("reduced tax"),
        percent: text("10"),
    };
    there(create_class(app, ctx, class).await)?;
    there(create_rate(app, ctx, rate).await)?;
    Ok(())
}

/// Home, where the first method of a new shop serves, the neighbours, and the rest of the world.
pub async fn make_zones(app: &App, ctx: &Ctx) -> Result<()> {
    let home = app.config.country.as_str();
    let known = zones(app, ctx).await?;
    if let [(only, _)] = known.as_slice()
        && only.countries.is_empty()
    {
        let input = zone(HOME, &[home], Some(0));
        let made = update_zone(app, ctx, only.id, Some(only.version), input).await;
        if !matches!(made, Err(Error::Stale)) {
            made?;
        }
    }
    let known = zones(app, ctx).await?;
    if let Some((zone, _)) = known.iter().find(|(zone, _)| zone.name == HOME) {
        let express = MethodInput {
            code: Some("express".to_owned()),
            name: Some("Express".to_owned()),
            description: Some("Tomorrow, when you order before noon".to_owned()),
            price: Some(MoneyInput::new("9")),
            ..MethodInput::default()
        };
        let pickup = MethodInput {
            code: Some("pickup".to_owned()),
            name: Some("Pick up at the workshop".to_owned()),
            kind: Some("pickup".to_owned()),
            pickup_location: Some("Calle del Taller 4, Tuesday to Saturday, 10 to 18".to_owned()),
            ..MethodInput::default()
        };
        there(create_method(app, ctx, zone.id, express).await)?;
        there(create_method(app, ctx, zone.id, pickup).await)?;
    }
    let abroad: Vec<&str> = NEIGHBOURS
        .into_iter()
        .filter(|code| *code != home)
        .collect();
    if let Some(id) = make(app, ctx, zone("Neighbours", &abroad, Some(10))).await? {
        let steps = [(0, "9"), (2_000, "14"), (10_000, "24")];
        let parcel = parcel("parcel", "Parcel", "4 to 7 working days", &steps);
        there(create_method(app, ctx, id, parcel).await)?;
    }
    if let Some(id) = make(app, ctx, zone("Rest of the world", &[], Some(1_000))).await? {
        let steps = [(0, "19"), (2_000, "34"), (10_000, "59")];
        let parcel = parcel("parcel-world", "World parcel", "1 to 3 weeks", &steps);
        there(create_method(app, ctx, id, parcel).await)?;
    }
    Ok(())
}

fn zone(name: &str, countries: &[&str], position: Option<i64>) -> ZoneInput {
    ZoneInput {
        name: Some(name.to_owned()),
        countries: Some(countries.iter().map(|&code| code.to_owned()).collect()),
        postal_codes: None,
        position,
    }
}

/// Makes a zone; gives the one that is there where another instance, or an earlier start, made it.
async fn make(app: &App, ctx: &Ctx, input: ZoneInput) -> Result<Option<ShippingZoneId>> {
    let name = input.name.clone();
    if let Some(zone) = there(create_zone(app, ctx, input).await)? {
        return Ok(Some(zone.id));
    }
    let named = |zone: &ShippingZone| Some(&zone.name) == name.as_ref();
    let known = zones(app, ctx).await?;
    let found = known.into_iter().find(|(zone, _)| named(zone));
    Ok(found.map(|(zone, _)| zone.id))
}

/// A price in whole units of the shop's currency for so many grams, so that any currency will do.
fn parcel(code: &str, name: &str, takes: &str, steps: &[(i64, &str)]) -> MethodInput {
    let step = |&(grams, price): &(i64, &str)| StepInput {
        from_grams: Some(grams),
        from_total: None,
        price: Some(MoneyInput::new(price)),
    };
    MethodInput {
        code: Some(code.to_owned()),
        name: Some(name.to_owned()),
        description: Some(takes.to_owned()),
        kind: Some("by_weight".to_owned()),
        steps: Some(steps.iter().map(step).collect()),
        ..MethodInput::default()
    }
}

/// None where it is there already: another instance, or an earlier start, made it.
fn there<T>(made: Result<T>) -> Result<Option<T>> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(Error::Invalid(errors)) if errors.iter().all(|(_, error)| error.code == "taken") => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

//! SQL of shipping.

use super::model::{MethodKind, PostalPattern, RateStep, ShippingMethod, ShippingZone};
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{Currency, Money, ShippingMethodId, ShippingZoneId};

#[derive(FromRow)]
struct ZoneRow {
    id: ShippingZoneId,
    name: String,
    countries: String,
    postal_codes: String,
    position: i64,
    version: i64,
}

impl From<ZoneRow> for ShippingZone {
    fn from(row: ZoneRow) -> Self {
        let parts = |column: &str| -> Vec<String> {
            let parts = column.split(',').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let patterns = parts(&row.postal_codes).into_iter();
        Self {
            id: row.id,
            name: row.name,
            countries: parts(&row.countries),
            // They were read before they were written.
            postal_codes: patterns
                .filter_map(|text| PostalPattern::parse(&text).ok())
                .collect(),
            position: row.position,
            version: row.version,
        }
    }
}

fn patterns_column(zone: &ShippingZone) -> String {
    let patterns: Vec<String> = zone.postal_codes.iter().map(ToString::to_string).collect();
    patterns.join(",")
}

#[derive(FromRow)]
struct MethodRow {
    id: ShippingMethodId,
    zone_id: ShippingZoneId,
    code: String,
    name: String,
    description: String,
    #[sqlx(try_from = "String")]
    kind: MethodKind,
    price_minor: i64,
    steps: String,
    free_over_minor: Option<i64>,
    pickup_location: String,
    #[sqlx(try_from = "String")]
    currency: Currency,
    active: bool,
    position: i64,
    version: i64,
}

impl From<MethodRow> for ShippingMethod {
    fn from(row: MethodRow) -> Self {
        let money = |minor| Money::new(minor, row.currency);
        let steps: Vec<(i64, i64)> = serde_json::from_str(&row.steps).unwrap_or_default();
        Self {
            id: row.id,
            zone_id: row.zone_id,
            code: row.code,
            name: row.name,
            description: row.description,
            kind: row.kind,
            price: money(row.price_minor),
            steps: steps
                .into_iter()
                .map(|(from, price)| RateStep {
                    from,
                    price: money(price),
                })
                .collect(),
            free_over: row.free_over_minor.map(money),
            pickup_location: row.pickup_location,
            active: row.active,
            position: row.position,
            version: row.version,
        }
    }
}

fn steps_column(method: &ShippingMethod) -> String {
    let steps = method.steps.iter();
    let steps: Vec<(i64, i64)> = steps.map(|step| (step.from, step.price.minor())).collect();
    serde_json::json!(steps).to_string()
}

/// All zones in their order.
pub async fn zones(conn: &mut Conn) -> db::Result<Vec<ShippingZone>> {
    let rows = fetch_all!(
        conn,
        ZoneRow,
        "select id, name, countries, postal_codes, position, version
        from shipping_zones
        order by position, id"
    )?;
    Ok(rows.into_iter().map(ShippingZone::from).collect())
}

/// Adds a zone; gives its id.
pub async fn insert_zone(tx: &mut Tx, zone: &ShippingZone) -> db::Result<ShippingZoneId> {
    let (id,) = fetch_one!(
        tx,
        (ShippingZoneId,),
        "insert into shipping_zones (name, countries, postal_codes, position)
        values ($1, $2, $3, $4)
        returning id",
        &zone.name,
        zone.countries.join(","),
        patterns_column(zone),
        zone.position,
    )?;
    Ok(id)
}

/// Writes a changed zone where it still has version `before`; tells whether it had.
pub async fn update_zone(tx: &mut Tx, zone: &ShippingZone, before: i64) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update shipping_zones
        set name = $2, countries = $3, postal_codes = $4, position = $5, version = $6
        where id = $1 and version = $7",
        zone.id,
        &zone.name,
        zone.countries.join(","),
        patterns_column(zone),
        zone.position,
        zone.version,
        before,
    )?;
    Ok(changed == 1)
}

/// Deletes a zone with its methods where it still has this version; tells whether it had.
pub async fn delete_zone(tx: &mut Tx, id: ShippingZoneId, version: i64) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from shipping_zones
        where id = $1 and version = $2",
        id,
        version,
    )?;
    Ok(deleted == 1)
}

/// The active methods of a zone with prices in `currency`, in their order.
pub async fn active_in(
    conn: &mut Conn,
    zone: ShippingZoneId,
    currency: Currency,
) -> db::Result<Vec<ShippingMethod>> {
    let rows = fetch_all!(
        conn,
        MethodRow,
        "select id, zone_id, code, name, description, kind, price_minor, steps, free_over_minor,
            pickup_location, currency, active, position, version
        from shipping_methods
        where zone_id = $1 and active and currency = $2
        order by position, id",
        zone,
        currency.code(),
    )?;
    Ok(rows.into_iter().map(ShippingMethod::from).collect())
}

/// All methods, active or not, by zone and in their order.
pub async fn methods(conn: &mut Conn) -> db::Result<Vec<ShippingMethod>> {
    let rows = fetch_all!(
        conn,
        MethodRow,
        "select id, zone_id, code, name, description, kind, price_minor, steps, free_over_minor,
            pickup_location, currency, active, position, version
        from shipping_methods
        order by zone_id, position, id"
    )?;
    Ok(rows.into_iter().map(ShippingMethod::from).collect())
}

/// The method of a code, active or not.
pub async fn method(conn: &mut Conn, code: &str) -> db::Result<Option<ShippingMethod>> {
    let row = fetch_optional!(
        conn,
        MethodRow,
        "select id, zone_id, code, name, description, kind, price_minor, steps, free_over_minor,
            pickup_location, currency, active, position, version
        from shipping_methods
        where code = $1",
        code,
    )?;
    Ok(row.map(ShippingMethod::from))
}

/// Adds a method; gives its id. A second one of its code breaks a unique rule.
pub async fn insert_method(tx: &mut Tx, method: &ShippingMethod) -> db::Result<ShippingMethodId> {
    let (id,) = fetch_one!(
        tx,
        (ShippingMethodId,),
        "insert into shipping_methods
            (zone_id, code, name, description, kind, price_minor, steps, free_over_minor,
            pickup_location, currency, active, position)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        returning id",
        method.zone_id,
        &method.code,
        &method.name,
        &method.description,
        method.kind.as_str(),
        method.price.minor(),
        steps_column(method),
        method.free_over.map(Money::minor),
        &method.pickup_location,
        method.price.currency().code(),
        method.active,
        method.position,
    )?;
    Ok(id)
}

/// Writes a changed method where it still has version `before`; tells whether it had.
pub async fn update_method(tx: &mut Tx, method: &ShippingMethod, before: i64) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update shipping_methods
        set zone_id = $2, name = $3, description = $4, kind = $5, price_minor = $6, steps = $7,
            free_over_minor = $8, pickup_location = $9, currency = $10, active = $11,
            position = $12, version = $13
        where id = $1 and version = $14",
        method.id,
        method.zone_id,
        &method.name,
        &method.description,
        method.kind.as_str(),
        method.price.minor(),
        steps_column(method),
        method.free_over.map(Money::minor),
        &method.pickup_location,
        method.price.currency().code(),
        method.active,
        method.position,
        method.version,
        before,
    )?;
    Ok(changed == 1)
}

/// Deletes a method where it still has this version; tells whether it had.
pub async fn delete_method(tx: &mut Tx, id: ShippingMethodId, version: i64) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from shipping_methods
        where id = $1 and version = $2",
        id,
        version,
    )?;
    Ok(deleted == 1)
}

//! Which ways to ship there are, where, and how staff keep them.

mod methods;
mod zones;

pub use methods::{MethodInput, StepInput, create_method, delete_method, method, update_method};
pub use zones::{ZoneInput, create_zone, delete_zone, update_zone, zone, zones};

use super::model::{MethodKind, ShippingMethod, zone_of};
use super::store;
use crate::app::App;
use crate::db::{Conn, settings};
use crate::error::Result;
use crate::types::{Currency, Destination, Money, ShippingMethodId};

/// The setting that tells that the shop once had its first method.
const BEGUN: &str = "shipping";

/// The ways to ship within the shop's own country, in their order: what is told before anybody
/// says where something goes.
pub async fn methods(app: &App) -> Result<Vec<ShippingMethod>> {
    methods_to(&mut app.db.conn().await?, app, &app.config.home()).await
}

/// The ways to ship to a destination in their order, read in the caller's transaction. None where
/// the shop does not deliver.
pub async fn methods_to(
    conn: &mut Conn,
    app: &App,
    destination: &Destination,
) -> Result<Vec<ShippingMethod>> {
    let zones = store::zones(conn).await?;
    Ok(match zone_of(&zones, destination) {
        Some(zone) => store::active_in(conn, zone.id, app.currency()).await?,
        None => Vec::new(),
    })
}

/// The active pickup of a code, read in the caller's transaction: it is offered in one zone, but
/// whoever lives elsewhere may come as well.
pub async fn pickup(conn: &mut Conn, app: &App, code: &str) -> Result<Option<ShippingMethod>> {
    let found = store::method(conn, code).await?;
    let currency = app.currency();
    Ok(found.filter(|method| {
        method.is_pickup() && method.active && method.price.currency() == currency
    }))
}

/// Makes the first method of a new shop, a flat rate, in the zone that serves any country; does
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
    let first = settings::get_or_keep(&mut tx, BEGUN, &mark).await? == mark;
    let zones = store::zones(&mut tx).await?;
    let zone = zones.iter().find(|zone| zone.countries.is_empty());
    if let Some(zone) = zone
        && first
        && store::methods(&mut tx).await?.is_empty()
    {
        let (price, free_over) = default_rate(app.currency());
        let method = ShippingMethod {
            id: ShippingMethodId(0),
            zone_id: zone.id,
            code: "standard".to_owned(),
            name: "Standard delivery".to_owned(),
            description: "At your door in 2 to 4 working days".to_owned(),
            kind: MethodKind::Flat,
            price,
            steps: Vec::new(),
            free_over: Some(free_over),
            pickup_location: String::new(),
            active: true,
            position: 0,
            version: 1,
        };
        store::insert_method(&mut tx, &method).await?;
    }
    Ok(tx.commit().await?)
}

/// 4.90, free from 60.00. A currency without decimals counts in what others call cents: 490 and
/// 6000 yen are about as much.
fn default_rate(currency: Currency) -> (Money, Money) {
    let more = 10_i64.pow(currency.exponent().saturating_sub(2));
    (
        Money::new(490 * more, currency),
        Money::new(6000 * more, currency),
    )
}

/// One line of text, as it is kept.
fn line(errors: &mut crate::error::FieldErrors, field: &str, given: &str, most: usize) -> String {
    let words: Vec<&str> = given.split_whitespace().collect();
    let text = words.join(" ");
    if text.chars().count() > most {
        errors.add(field, "length", format!("At most {most} characters."));
    }
    text
}

//! SQL of shipping.

use super::model::ShippingMethod;
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one};
use crate::types::{Currency, Money, ShippingMethodId};

#[derive(FromRow)]
struct Row {
    id: ShippingMethodId,
    code: String,
    name: String,
    description: String,
    price_minor: i64,
    free_over_minor: Option<i64>,
}

/// The active methods with prices in `currency`, in their order.
pub async fn active(conn: &mut Conn, currency: Currency) -> db::Result<Vec<ShippingMethod>> {
    let rows = fetch_all!(
        conn,
        Row,
        "select id, code, name, description, price_minor, free_over_minor
        from shipping_methods
        where active and currency = $1
        order by position, id",
        currency.code(),
    )?;
    let methods = rows.into_iter().map(|row| ShippingMethod {
        id: row.id,
        code: row.code,
        name: row.name,
        description: row.description,
        price: Money::new(row.price_minor, currency),
        free_over: row.free_over_minor.map(|minor| Money::new(minor, currency)),
    });
    Ok(methods.collect())
}

/// Whether there is any method, active or not.
pub async fn exists(conn: &mut Conn) -> db::Result<bool> {
    let (found,) = fetch_one!(
        conn,
        (bool,),
        "select exists (select 1 from shipping_methods)"
    )?;
    Ok(found)
}

/// Adds a method; does nothing when there is one with its code.
pub async fn insert(
    tx: &mut Tx,
    code: &str,
    name: &str,
    description: &str,
    price: Money,
    free_over: Option<Money>,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into shipping_methods (code, name, description, price_minor, free_over_minor, currency)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (code) do nothing",
        code,
        name,
        description,
        price.minor(),
        free_over.map(Money::minor),
        price.currency().code(),
    )?;
    Ok(())
}

//! SQL of taxes. How many products are of a class is read from the catalog's table.

use super::model::{TaxClass, TaxRule};
use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{TaxRateId, Timestamp};

#[derive(FromRow)]
struct ClassRow {
    code: String,
    name: String,
    position: i64,
    for_shipping: bool,
    version: i64,
}

impl From<ClassRow> for TaxClass {
    fn from(row: ClassRow) -> Self {
        Self {
            code: row.code,
            name: row.name,
            position: row.position,
            for_shipping: row.for_shipping,
            version: row.version,
        }
    }
}

#[derive(FromRow)]
struct RateRow {
    id: TaxRateId,
    tax_class: String,
    country: String,
    region: String,
    name: String,
    rate: i64,
    version: i64,
    updated_at: Timestamp,
}

impl From<RateRow> for TaxRule {
    fn from(row: RateRow) -> Self {
        Self {
            id: row.id,
            tax_class: row.tax_class,
            country: row.country,
            region: row.region,
            name: row.name,
            // The table lets nothing else in.
            rate: u32::try_from(row.rate).unwrap_or_default(),
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// All classes in their order.
pub async fn classes(conn: &mut Conn) -> db::Result<Vec<TaxClass>> {
    let rows = fetch_all!(
        conn,
        ClassRow,
        "select code, name, position, for_shipping, version
        from tax_classes
        order by position, code"
    )?;
    Ok(rows.into_iter().map(TaxClass::from).collect())
}

/// How many products are of each class that has any, by its code.
pub async fn products_by_class(conn: &mut Conn) -> db::Result<Vec<(String, i64)>> {
    fetch_all!(
        conn,
        (String, i64),
        "select coalesce(tax_class, 'standard') as code, count(*)
        from products
        group by coalesce(tax_class, 'standard')"
    )
}

/// Whether there is a class of this code.
pub async fn class_exists(conn: &mut Conn, code: &str) -> db::Result<bool> {
    let (found,) = fetch_one!(
        conn,
        (bool,),
        "select exists (select 1 from tax_classes where code = $1)",
        code,
    )?;
    Ok(found)
}

/// The code of the class that shipping is taxed as.
pub async fn shipping_class(conn: &mut Conn) -> db::Result<Option<String>> {
    let row = fetch_optional!(
        conn,
        (String,),
        "select code
        from tax_classes
        where for_shipping"
    )?;
    Ok(row.map(|(code,)| code))
}

/// Adds a class; the one that shipping was taxed as before must be told with [`ship_as_none`].
pub async fn insert_class(tx: &mut Tx, class: &TaxClass) -> db::Result<()> {
    execute!(
        tx,
        "insert into tax_classes (code, name, position, for_shipping)
        values ($1, $2, $3, $4)",
        &class.code,
        &class.name,
        class.position,
        class.for_shipping,
    )?;
    Ok(())
}

/// Writes a changed class where it still has version `before`; tells whether it had.
pub async fn update_class(tx: &mut Tx, class: &TaxClass, before: i64) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update tax_classes
        set name = $2, position = $3, for_shipping = $4, version = $5
        where code = $1 and version = $6",
        &class.code,
        &class.name,
        class.position,
        class.for_shipping,
        class.version,
        before,
    )?;
    Ok(changed == 1)
}

/// No class is what shipping is taxed as, until one is written that says so.
pub async fn ship_as_none(tx: &mut Tx) -> db::Result<()> {
    execute!(
        tx,
        "update tax_classes
        set for_shipping = false
        where for_shipping"
    )?;
    Ok(())
}

/// Deletes a class with its rates where it still has this version; tells whether it had.
pub async fn delete_class(tx: &mut Tx, code: &str, version: i64) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from tax_classes
        where code = $1 and version = $2",
        code,
        version,
    )?;
    Ok(deleted == 1)
}

/// All rates: by class, country and region, those of any place first.
pub async fn rates(conn: &mut Conn) -> db::Result<Vec<TaxRule>> {
    let rows = fetch_all!(
        conn,
        RateRow,
        "select id, tax_class, country, region, name, rate, version, updated_at
        from tax_rates
        order by tax_class, country, region, id"
    )?;
    Ok(rows.into_iter().map(TaxRule::from).collect())
}

/// The rates that may count in a country.
pub async fn rates_of(conn: &mut Conn, country: &str) -> db::Result<Vec<TaxRule>> {
    let rows = fetch_all!(
        conn,
        RateRow,
        "select id, tax_class, country, region, name, rate, version, updated_at
        from tax_rates
        where country in ('', $1)",
        country,
    )?;
    Ok(rows.into_iter().map(TaxRule::from).collect())
}

/// A rate.
pub async fn rate(conn: &mut Conn, id: TaxRateId) -> db::Result<Option<TaxRule>> {
    let row = fetch_optional!(
        conn,
        RateRow,
        "select id, tax_class, country, region, name, rate, version, updated_at
        from tax_rates
        where id = $1",
        id,
    )?;
    Ok(row.map(TaxRule::from))
}

/// Adds a rate; gives its id. A second one for the same class and place breaks a unique rule.
pub async fn insert_rate(tx: &mut Tx, rate: &TaxRule) -> db::Result<TaxRateId> {
    let (id,) = fetch_one!(
        tx,
        (TaxRateId,),
        "insert into tax_rates (tax_class, country, region, name, rate, updated_at)
        values ($1, $2, $3, $4, $5, $6)
        returning id",
        &rate.tax_class,
        &rate.country,
        &rate.region,
        &rate.name,
        i64::from(rate.rate),
        rate.updated_at,
    )?;
    Ok(id)
}

/// Writes a changed rate where it still has version `before`; tells whether it had.
pub async fn update_rate(tx: &mut Tx, rate: &TaxRule, before: i64) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update tax_rates
        set tax_class = $2, country = $3, region = $4, name = $5, rate = $6, version = $7,
            updated_at = $8
        where id = $1 and version = $9",
        rate.id,
        &rate.tax_class,
        &rate.country,
        &rate.region,
        &rate.name,
        i64::from(rate.rate),
        rate.version,
        rate.updated_at,
        before,
    )?;
    Ok(changed == 1)
}

/// Deletes a rate where it still has this version; tells whether it had.
pub async fn delete_rate(tx: &mut Tx, id: TaxRateId, version: i64) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from tax_rates
        where id = $1 and version = $2",
        id,
        version,
    )?;
    Ok(deleted == 1)
}

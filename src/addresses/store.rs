//! SQL of address books.

use super::model::{PostalAddress, SavedAddress};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_one};
use crate::types::{AddressId, Timestamp, UserId};

#[derive(FromRow)]
struct AddressRow {
    id: AddressId,
    user_id: UserId,
    name: String,
    line1: String,
    line2: String,
    city: String,
    region: String,
    postal_code: String,
    country: String,
    phone: String,
    default_shipping: bool,
    default_billing: bool,
}

impl From<AddressRow> for SavedAddress {
    fn from(row: AddressRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            address: PostalAddress {
                name: row.name,
                line1: row.line1,
                line2: row.line2,
                city: row.city,
                region: row.region,
                postal_code: row.postal_code,
                country: row.country,
                phone: row.phone,
            },
            default_shipping: row.default_shipping,
            default_billing: row.default_billing,
        }
    }
}

/// The addresses that a condition, which comes next, names.
fn addresses_where() -> Query {
    Query::new(
        "select id, user_id, name, line1, line2, city, region, postal_code, country, phone,
            default_shipping, default_billing
        from addresses
        where ",
    )
}

/// A user's addresses, the oldest first.
pub async fn of_user(conn: &mut Conn, user: UserId) -> db::Result<Vec<SavedAddress>> {
    let mut query = addresses_where();
    query.push("user_id = ").bind(user).push(" order by id");
    let rows: Vec<AddressRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(SavedAddress::from).collect())
}

/// The address with this id.
pub async fn by_id(conn: &mut Conn, id: AddressId) -> db::Result<Option<SavedAddress>> {
    let mut query = addresses_where();
    query.push("id = ").bind(id);
    let row: Option<AddressRow> = query.fetch_optional(conn).await?;
    Ok(row.map(SavedAddress::from))
}

/// Adds an address, which is no default yet.
pub async fn insert(
    tx: &mut Tx,
    user: UserId,
    address: &PostalAddress,
    now: Timestamp,
) -> db::Result<AddressId> {
    let (id,) = fetch_one!(
        tx,
        (AddressId,),
        "insert into addresses
            (user_id, name, line1, line2, city, region, postal_code, country, phone, created_at,
            updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        returning id",
        user,
        &address.name,
        &address.line1,
        &address.line2,
        &address.city,
        &address.region,
        &address.postal_code,
        &address.country,
        &address.phone,
        now,
    )?;
    Ok(id)
}

/// Writes an address anew.
pub async fn update(
    tx: &mut Tx,
    id: AddressId,
    address: &PostalAddress,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "update addresses
        set name = $1, line1 = $2, line2 = $3, city = $4, region = $5, postal_code = $6,
            country = $7, phone = $8, updated_at = $9
        where id = $10",
        &address.name,
        &address.line1,
        &address.line2,
        &address.city,
        &address.region,
        &address.postal_code,
        &address.country,
        &address.phone,
        now,
        id,
    )?;
    Ok(())
}

/// Makes an address the one where a user's orders go, or none of them.
pub async fn set_default_shipping(
    tx: &mut Tx,
    user: UserId,
    id: Option<AddressId>,
) -> db::Result<()> {
    set_default(tx, "default_shipping", user, id).await
}

/// Makes an address the one where a user's bills go, or none of them.
pub async fn set_default_billing(
    tx: &mut Tx,
    user: UserId,
    id: Option<AddressId>,
) -> db::Result<()> {
    set_default(tx, "default_billing", user, id).await
}

/// The one before goes first: there is never more than one.
async fn set_default(
    tx: &mut Tx,
    column: &'static str,
    user: UserId,
    id: Option<AddressId>,
) -> db::Result<()> {
    let mut query = Query::new("update addresses set ");
    query.push(column).push(" = false where user_id = ");
    query.bind(user).push(" and ").push(column);
    query.execute(tx).await?;
    let mut query = Query::new("update addresses set ");
    query.push(column).push(" = true where user_id = ");
    query.bind(user).push(" and id = ").bind(id);
    query.execute(tx).await?;
    Ok(())
}

/// Removes an address. Gives false when it was gone.
pub async fn delete(tx: &mut Tx, id: AddressId) -> db::Result<bool> {
    let removed = execute!(
        tx,
        "delete from addresses
        where id = $1",
        id,
    )?;
    Ok(removed == 1)
}

/// Removes all of a user's addresses. Gives how many.
pub async fn delete_all(tx: &mut Tx, user: UserId) -> db::Result<u64> {
    execute!(
        tx,
        "delete from addresses
        where user_id = $1",
        user,
    )
}

//! SQL of locations.

use crate::db::{self, Conn, FromRow, Tx, execute, fetch_all, fetch_one};
use crate::inventory::model::{Location, Piece};
use crate::types::{LocationId, VariantId};

#[derive(FromRow)]
struct LocationRow {
    id: LocationId,
    code: String,
    name: String,
    address: String,
    position: i64,
    active: bool,
}

impl From<LocationRow> for Location {
    fn from(row: LocationRow) -> Self {
        Self {
            id: row.id,
            code: row.code,
            name: row.name,
            address: row.address,
            position: row.position,
            active: row.active,
        }
    }
}

/// All locations, the one that orders are filled from first first.
pub async fn locations(conn: &mut Conn) -> db::Result<Vec<Location>> {
    let rows = fetch_all!(
        conn,
        LocationRow,
        "select id, code, name, address, position, active
        from locations
        order by position, id"
    )?;
    Ok(rows.into_iter().map(Location::from).collect())
}

/// Makes a location. Its code is unique.
pub async fn insert_location(tx: &mut Tx, location: &Location) -> db::Result<LocationId> {
    let (id,) = fetch_one!(
        tx,
        (LocationId,),
        "insert into locations (code, name, address, position, active)
        values ($1, $2, $3, $4, $5)
        returning id",
        &location.code,
        &location.name,
        &location.address,
        location.position,
        location.active,
    )?;
    Ok(id)
}

/// Changes all of a location but its code.
pub async fn update_location(tx: &mut Tx, location: &Location) -> db::Result<()> {
    execute!(
        tx,
        "update locations
        set name = $2, address = $3, position = $4, active = $5
        where id = $1",
        location.id,
        &location.name,
        &location.address,
        location.position,
        location.active,
    )?;
    Ok(())
}

/// What there is at a location that nobody holds, where that is not nothing, by variant.
pub async fn free_at(conn: &mut Conn, location: LocationId) -> db::Result<Vec<Piece>> {
    let rows = fetch_all!(
        conn,
        (VariantId, i64),
        "select variant_id, on_hand - reserved
        from stock_levels
        where location_id = $1 and on_hand <> reserved
        order by variant_id",
        location,
    )?;
    let pieces = rows.into_iter().map(|(variant_id, quantity)| Piece {
        variant_id,
        location_id: location,
        quantity,
    });
    Ok(pieces.collect())
}

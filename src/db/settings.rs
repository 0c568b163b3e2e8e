//! Values that the shop makes once and keeps, such as the keys it signs with. They live in the
//! database, so that all instances share them.

use super::{Conn, Result, Tx, execute, fetch_one, fetch_optional};

/// The value kept under this name; where there is none, `first` becomes it. Several instances
/// may call it at once: all get the same.
pub async fn get_or_keep(tx: &mut Tx, name: &str, first: &str) -> Result<String> {
    execute!(
        tx,
        "insert into settings (name, value)
        values ($1, $2)
        on conflict (name) do nothing",
        name,
        first,
    )?;
    let (value,) = fetch_one!(
        tx,
        (String,),
        "select value
        from settings
        where name = $1",
        name,
    )?;
    Ok(value)
}

/// The value kept under this name.
pub async fn get(conn: &mut Conn, name: &str) -> Result<Option<String>> {
    let row = fetch_optional!(
        conn,
        (String,),
        "select value
        from settings
        where name = $1",
        name,
    )?;
    Ok(row.map(|(value,)| value))
}

/// Puts `new` in the place of `old`; tells whether it was there.
pub async fn replace(tx: &mut Tx, name: &str, old: &str, new: &str) -> Result<bool> {
    let replaced = execute!(
        tx,
        "update settings
        set value = $3
        where name = $1 and value = $2",
        name,
        old,
        new,
    )?;
    Ok(replaced == 1)
}

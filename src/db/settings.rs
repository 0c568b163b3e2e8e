//! Values that the shop makes once and keeps, such as the keys it signs with. They live in the
//! database, so that all instances share them.

use super::{Result, Tx, execute, fetch_one};

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

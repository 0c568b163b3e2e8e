//! Which ways to ship there are.

use super::model::ShippingMethod;
use super::store;
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::types::{Currency, Money};

/// The active methods in their order.
pub async fn methods(app: &App) -> Result<Vec<ShippingMethod>> {
    methods_in(&mut app.db.conn().await?, app.currency()).await
}

/// The same within the caller's transaction.
pub async fn methods_in(conn: &mut Conn, currency: Currency) -> Result<Vec<ShippingMethod>> {
    Ok(store::active(conn, currency).await?)
}

/// Makes the first method of a new shop, a flat rate, when there is none. Several instances may
/// call it at once.
pub async fn ensure_default(app: &App) -> Result<()> {
    if store::exists(&mut app.db.conn().await?).await? {
        return Ok(());
    }
    let (price, free_over) = default_rate(app.currency());
    let mut tx = app.db.begin().await?;
    store::insert(
        &mut tx,
        "standard",
        "Standard delivery",
        "At your door in 2 to 4 working days",
        price,
        Some(free_over),
    )
    .await?;
    tx.commit().await?;
    Ok(())
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

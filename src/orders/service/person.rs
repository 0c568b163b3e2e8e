//! What a person's orders say of them: telling it to them, and taking it out.

use serde_json::json;

use super::super::model::{Order, OrderStatus};
use super::super::store;
use super::complete;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::types::{Email, UserId};

/// What somebody is called in orders that they were taken out of.
const NOBODY: &str = "Former customer";

/// All of the signed-in user's orders with everything in them, the oldest first. Errors:
/// `Unauthenticated`.
pub async fn all_own(app: &App, ctx: &Ctx) -> Result<Vec<Order>> {
    let user = ctx.signed_in()?.id;
    let mut conn = app.db.conn().await?;
    let mut orders = Vec::new();
    for head in store::of_user(&mut conn, user).await? {
        orders.push(complete(&mut conn, head, false).await?);
    }
    Ok(orders)
}

/// Takes a person out of their orders, which stay as the books need them: goods, sums, payments
/// and the country. Errors: `Conflict` `open_orders` with their numbers, as long as something has
/// still to be delivered.
pub async fn erase(tx: &mut Tx, ctx: &Ctx, user: UserId) -> Result<()> {
    let orders = store::of_user(tx, user).await?;
    let orders: Vec<Order> = orders.into_iter().map(|head| head.order).collect();
    let done = [OrderStatus::Delivered, OrderStatus::Cancelled];
    let open: Vec<&str> = orders
        .iter()
        .filter(|order| !done.contains(&order.status))
        .map(|order| order.number.as_str())
        .collect();
    if !open.is_empty() {
        return Err(Error::Conflict {
            code: "open_orders",
            detail: format!(
                "Something is still on its way: {}. Cancel it, or wait until it has arrived.",
                open.join(", ")
            ),
            data: json!({ "orders": open }),
        });
    }
    for order in &orders {
        // RFC 2606 keeps `.invalid` for addresses that are none.
        let email = Email::parse(&format!("former-customer-{}@erased.invalid", order.id));
        let email = email.ok_or_else(|| anyhow::anyhow!("not an e-mail address"))?;
        store::erase(tx, order, &email, NOBODY, ctx.now).await?;
        store::erase_notes(tx, order.id).await?;
        store::erase_returns(tx, order.id).await?;
    }
    store::erase_actor(tx, user, NOBODY).await?;
    Ok(())
}

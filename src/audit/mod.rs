//! The audit log: who changed what, written in the transaction of the change.

pub mod store;

use serde_json::Value;

use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;

use store::Entry;

/// Writes an entry. `action`: `product.updated`; `subject`: `product 12`; `before` and `after`:
/// what changed, null where there was or is nothing. Never pass secrets.
pub async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    subject: &str,
    before: Value,
    after: Value,
) -> Result<()> {
    let text = |value: Value| {
        if value.is_null() {
            String::new()
        } else {
            value.to_string()
        }
    };
    let address = ctx.address.map(|address| address.to_string());
    let entry = Entry {
        action,
        subject,
        before: &text(before),
        after: &text(after),
        actor: ctx.user_id(),
        actor_name: &ctx.actor_name(),
        address: &address.unwrap_or_default(),
    };
    Ok(store::insert(tx, &entry, ctx.now).await?)
}

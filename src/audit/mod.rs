//! The audit log: who changed what, written in the transaction of the change.

mod store;

use serde_json::Value;

use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;

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
    store::insert(tx, ctx, action, subject, &text(before), &text(after)).await?;
    Ok(())
}

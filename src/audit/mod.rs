//! The audit log: who changed what, written in the transaction of the change.

pub mod store;

use serde_json::Value;

use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;

use store::Entry;

/// What changed of one thing. Never pass secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What was changed: `product 12`.
    pub subject: String,
    /// What was before, null for nothing.
    pub before: Value,
    /// What is after, null for nothing.
    pub after: Value,
}

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
    let change = Change {
        subject: subject.to_owned(),
        before,
        after,
    };
    record_all(tx, ctx, action, &[change]).await
}

/// Like [`record`], for many things that one action changed, in one statement for a thousand of
/// them.
pub async fn record_all(tx: &mut Tx, ctx: &Ctx, action: &str, changes: &[Change]) -> Result<()> {
    let text = |value: &Value| {
        if value.is_null() {
            String::new()
        } else {
            value.to_string()
        }
    };
    let actor_name = ctx.actor_name();
    let address = ctx.address.map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let entries: Vec<Entry<'_>> = changes
        .iter()
        .map(|change| Entry {
            action,
            subject: &change.subject,
            before: text(&change.before),
            after: text(&change.after),
            actor: ctx.user_id(),
            actor_name: &actor_name,
            address: &address,
        })
        .collect();
    Ok(store::insert(tx, &entries, ctx.now).await?)
}

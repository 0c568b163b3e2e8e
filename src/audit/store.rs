//! SQL of the audit log.

use crate::db::{self, Query, Tx};
use crate::types::{Timestamp, UserId};

/// What is written of one change.
pub struct Entry<'a> {
    /// `product.updated`
    pub action: &'a str,
    /// `product 12`
    pub subject: &'a str,
    /// What was before, as JSON; empty for nothing.
    pub before: String,
    /// What is after, as JSON; empty for nothing.
    pub after: String,
    /// Who did it; none for the shop itself.
    pub actor: Option<UserId>,
    /// What they were called then.
    pub actor_name: &'a str,
    /// Where they were; empty where that is not known.
    pub address: &'a str,
}

/// Adds entries in their order.
pub async fn insert(tx: &mut Tx, entries: &[Entry<'_>], now: Timestamp) -> db::Result<()> {
    for entries in entries.chunks(1_000) {
        let mut query = Query::new(
            "insert into audit_log
                (action, subject, before, after, actor_id, actor_name, address, created_at)
            values ",
        );
        for (index, entry) in entries.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(entry.action).push(", ").bind(entry.subject);
            query.push(", ").bind(&entry.before);
            query.push(", ").bind(&entry.after);
            query.push(", ").bind(entry.actor);
            query.push(", ").bind(entry.actor_name);
            query.push(", ").bind(entry.address);
            query.push(", ").bind(now).push(")");
        }
        query.execute(tx).await?;
    }
    Ok(())
}

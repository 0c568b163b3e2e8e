//! SQL of the audit log.

use crate::db::{self, Tx, execute};
use crate::types::{Timestamp, UserId};

/// What is written of one change.
pub struct Entry<'a> {
    /// `product.updated`
    pub action: &'a str,
    /// `product 12`
    pub subject: &'a str,
    /// What was before, as JSON; empty for nothing.
    pub before: &'a str,
    /// What is after, as JSON; empty for nothing.
    pub after: &'a str,
    /// Who did it; none for the shop itself.
    pub actor: Option<UserId>,
    /// What they were called then.
    pub actor_name: &'a str,
    /// Where they were; empty where that is not known.
    pub address: &'a str,
}

pub async fn insert(tx: &mut Tx, entry: &Entry<'_>, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "insert into audit_log (action, subject, before, after, actor_id, actor_name, address, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
        entry.action,
        entry.subject,
        entry.before,
        entry.after,
        entry.actor,
        entry.actor_name,
        entry.address,
        now,
    )?;
    Ok(())
}

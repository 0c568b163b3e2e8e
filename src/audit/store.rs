//! SQL of the audit log.

use crate::ctx::Ctx;
use crate::db::{self, Tx, execute};

pub async fn insert(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    subject: &str,
    before: &str,
    after: &str,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into audit_log (action, subject, before, after, actor_id, actor_name, address, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
        action,
        subject,
        before,
        after,
        ctx.user_id(),
        ctx.actor_name(),
        ctx.address.map(|address| address.to_string()).unwrap_or_default(),
        ctx.now,
    )?;
    Ok(())
}

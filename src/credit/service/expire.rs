//! What is over is written off, and the figures of what the shop owes.

use std::time::Duration;

use super::super::model::{CreditKind, CreditReason};
use super::super::store;
use super::{Movement, post};
use crate::app::App;
use crate::error::Result;
use crate::jobs::Chore;
use crate::types::TextEnum;

/// Writes off what is over, and counts what the shop owes.
pub const EXPIRE: Chore = Chore {
    name: "credit.expire",
    every: Duration::from_secs(60),
    run: |app| Box::pin(async move { expire(&app).await }),
};

/// Accounts that are looked at in one go.
const MOST: i64 = 500;

/// Writes off accounts that are over; gives how many.
async fn expire(app: &App) -> Result<u64> {
    let ctx = app.system();
    let over = store::over(&mut app.db.conn().await?, ctx.now, MOST).await?;
    let mut written_off = 0;
    for id in over {
        let mut tx = app.db.begin().await?;
        store::lock(&mut tx, &[id]).await?;
        let Some(account) = store::by_id(&mut tx, id).await? else {
            continue;
        };
        // Money may have come back meanwhile, with more time.
        let is_over = account.expires_at.is_some_and(|at| at <= ctx.now);
        if !is_over || account.balance.is_zero() {
            continue;
        }
        let movement = Movement {
            reason: CreditReason::Expired,
            reference: "",
            note: "",
            once: None,
        };
        post(&mut tx, &ctx, id, -account.balance.minor(), movement).await?;
        tx.commit().await?;
        written_off += 1;
    }
    let mut conn = app.db.conn().await?;
    for &kind in CreditKind::ALL {
        let owed = store::outstanding(&mut conn, kind, app.currency()).await?;
        metrics::gauge!("zoco_credit_outstanding_minor", "kind" => kind.as_str()).set(owed as f64);
    }
    Ok(written_off)
}

//! Forgetting what is over.

use std::time::Duration;

use crate::accounts::store;
use crate::app::App;
use crate::error::Result;
use crate::jobs::Chore;

/// Removes tokens and links that have expired, and counters of attempts whose window is over.
pub const SWEEP: Chore = Chore {
    name: "accounts.sweep",
    every: Duration::from_secs(600),
    run: |app| Box::pin(sweep(app)),
};

async fn sweep(app: App) -> Result<u64> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let tokens = store::delete_expired_tokens(&mut tx, now).await?;
    let personal = store::delete_expired_personal_tokens(&mut tx, now).await?;
    let links = store::delete_expired_links(&mut tx, now).await?;
    let attempts = store::delete_old_attempts(&mut tx, now).await?;
    tx.commit().await?;
    Ok(tokens + personal + links + attempts)
}

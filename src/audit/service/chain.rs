//! Sealing entries into the chain, after they were written: so nobody who writes waits for
//! anybody else who does.

use std::time::Duration;

use crate::app::App;
use crate::audit::model::Head;
use crate::audit::{seal, store};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::jobs::Chore;

/// Entries of one transaction.
const LOT: i64 = 500;

/// Seals what was written since the last time.
pub const CHAIN: Chore = Chore {
    name: "audit.chain",
    every: Duration::from_secs(2),
    run: |app| Box::pin(async move { chain(&app).await }),
};

/// Seals all entries that are not in the chain yet, those of a transaction that is still running
/// the next time; gives how many. Several instances may call it at once. Errors: a conflict,
/// `audit_place_taken`, when somebody wrote an entry behind the end of the chain by hand.
pub async fn chain(app: &App) -> Result<u64> {
    let waiting = store::count_unchained(&mut app.db.conn().await?).await?;
    metrics::gauge!("zoco_audit_waiting").set(waiting as f64);
    if waiting == 0 {
        return Ok(0);
    }
    let mut sealed = 0;
    loop {
        let mut tx = app.db.begin().await?;
        let mut head = store::lock_head(&mut tx).await?;
        let lot = chain_lot(app, &mut tx, &mut head).await?;
        tx.commit().await?;
        sealed += lot;
        metrics::gauge!("zoco_audit_chained").set(head.position as f64);
        metrics::gauge!("zoco_audit_waiting").set(waiting.saturating_sub_unsigned(sealed) as f64);
        if lot < LOT.unsigned_abs() {
            return Ok(sealed);
        }
    }
}

/// Seals the next entries behind a head that is locked, and moves it on; gives how many.
pub(super) async fn chain_lot(app: &App, tx: &mut Tx, head: &mut Head) -> Result<u64> {
    let mut records = store::unchained(tx, LOT).await?;
    if records.is_empty() {
        return Ok(0);
    }
    for record in &mut records {
        record.who_salt = hex::encode(app.rng.bytes::<16>());
        record.what_salt = hex::encode(app.rng.bytes::<16>());
        record.who_hash = seal::who(&record.who_salt, record);
        record.what_hash = seal::what(&record.what_salt, record);
        record.position = head.position + 1;
        record.hash = seal::seal(&head.hash, record.position, record);
        head.position = record.position;
        head.hash.clone_from(&record.hash);
    }
    store::chain(tx, &records).await.map_err(|error| {
        if error.is_unique() {
            let detail = "An entry stands behind the end of the chain.";
            Error::conflict("audit_place_taken", detail)
        } else {
            error.into()
        }
    })?;
    store::set_head(tx, head).await?;
    Ok(records.len() as u64)
}

//! Bringing the books of stock into balance again, for `zoco doctor --repair`.

use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::inventory::store;

/// What the entries of the doctor refer to.
const REFERENCE: &str = "zoco doctor";

/// Writes the entries that the ledger lacks and counts anew what is reserved. Gives a sentence for
/// each thing that it did; none when the books are right.
pub async fn repair(tx: &mut Tx, ctx: &Ctx) -> Result<Vec<String>> {
    let note = "The shelf said something else than its ledger.";
    let entries = store::balance_ledger(tx, REFERENCE, note, ctx.now).await?;
    let written = entries.iter().map(|one| {
        format!(
            "stock: an entry of {} pieces was written into the ledger of variant {} at location {}",
            one.quantity, one.variant_id, one.location_id
        )
    });
    let counted = store::recount_reserved(tx).await?;
    let counted = counted.iter().map(|one| {
        format!(
            "stock: variant {} at location {} has {} reserved now",
            one.variant_id, one.location_id, one.quantity
        )
    });
    Ok(written.chain(counted).collect())
}

//! Taking, giving back and setting stock, each with its entry in the ledger.

use std::collections::HashMap;

use super::model::{Reason, Shortfall, StockLevel};
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::types::VariantId;

/// What is there of each variant, over all locations; a variant without stock is left out.
pub async fn levels(
    _conn: &mut Conn,
    _variants: &[VariantId],
) -> Result<HashMap<VariantId, StockLevel>> {
    todo!()
}

/// Sets what is on the shelf of the main location, with a ledger entry of the difference. The
/// caller has checked the permission. Errors: `Invalid` at `stock` below zero or below what is
/// reserved.
pub async fn set_on_hand(
    _tx: &mut Tx,
    _ctx: &Ctx,
    _variant: VariantId,
    _on_hand: i64,
    _reason: Reason,
) -> Result<()> {
    todo!()
}

/// Takes stock for an order, all lines or none, by one conditional statement a line in
/// ascending variant id. Gives the lines that fell short; then the caller must roll back.
pub async fn take(
    _tx: &mut Tx,
    _ctx: &Ctx,
    _lines: &[(VariantId, i64)],
    _reference: &str,
) -> Result<Vec<Shortfall>> {
    todo!()
}

/// Gives the stock of a cancelled order back.
pub async fn put_back(
    _tx: &mut Tx,
    _ctx: &Ctx,
    _lines: &[(VariantId, i64)],
    _reference: &str,
) -> Result<()> {
    todo!()
}

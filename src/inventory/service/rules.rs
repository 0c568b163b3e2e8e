//! What holds for the stock of a variant: whether it is sold beyond it, and when it is low.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::hold;
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::inventory::model::StockRow;
use crate::inventory::store;
use crate::types::VariantId;

/// The highest number of pieces that can be called low.
const MAX_LOW: i64 = 1_000_000;

/// What holds for a variant's stock; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RulesInput {
    /// Whether it is sold beyond its stock.
    pub backorder: Option<bool>,
    /// From how many pieces down it is low; null: the shop's usual number.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub low_stock: Option<Option<i64>>,
}

/// Tells null from what is left out.
fn given<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Staff: changes what holds for a variant's stock. Errors: `NotFound`; `Invalid` at `low_stock`.
pub async fn set_rules(
    app: &App,
    ctx: &Ctx,
    variant: VariantId,
    input: RulesInput,
) -> Result<StockRow> {
    ctx.require(Permission::Inventory)?;
    let mut tx = app.db.begin().await?;
    let mut rows = store::stock_rows(&mut tx, &[variant]).await?;
    if input.backorder.is_some() && !rows.is_empty() {
        // An order that found it sold beyond its stock takes it so.
        hold(&mut tx, &[variant]).await?;
        rows = store::stock_rows(&mut tx, &[variant]).await?;
    }
    let mut row = rows.into_iter().next().ok_or(Error::NotFound)?;
    let facts = |row: &StockRow| -> Value {
        json!({ "backorder": row.backorder, "low_stock": row.low_stock })
    };
    let before = facts(&row);
    row.backorder = input.backorder.unwrap_or(row.backorder);
    row.low_stock = input.low_stock.unwrap_or(row.low_stock);
    if row
        .low_stock
        .is_some_and(|low| !(0..=MAX_LOW).contains(&low))
    {
        let message = format!("Write a number from 0 to {MAX_LOW}, or nothing.");
        return Err(Error::invalid("low_stock", "range", message));
    }
    let after = facts(&row);
    if after != before {
        store::set_rules(&mut tx, variant, row.backorder, row.low_stock).await?;
        let subject = format!("variant {variant}");
        audit::record(&mut tx, ctx, "stock.rules_changed", &subject, before, after).await?;
        tx.commit().await?;
    }
    Ok(row)
}

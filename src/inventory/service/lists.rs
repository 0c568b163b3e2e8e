//! What staff see of stock: each variant with what is where, and the ledger.

use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::inventory::model::{MovementEntry, MovementFilter, StockFilter, StockRow};
use crate::inventory::store;
use crate::types::{Page, PageRequest, VariantId};

/// Staff: a page of variants with what is where.
pub async fn stock_list(
    app: &App,
    ctx: &Ctx,
    filter: &StockFilter,
    page: PageRequest,
) -> Result<Page<StockRow>> {
    ctx.require(Permission::Inventory)?;
    let mut conn = app.db.conn().await?;
    let ids = store::stock_ids(&mut conn, filter, page).await?;
    Ok(Page {
        items: store::stock_rows(&mut conn, &ids).await?,
        total: store::count_stock(&mut conn, filter).await?,
        request: page,
    })
}

/// Staff: a variant with what is where. Errors: `NotFound`.
pub async fn stock_row(app: &App, ctx: &Ctx, variant: VariantId) -> Result<StockRow> {
    ctx.require(Permission::Inventory)?;
    let mut conn = app.db.conn().await?;
    let rows = store::stock_rows(&mut conn, &[variant]).await?;
    rows.into_iter().next().ok_or(Error::NotFound)
}

/// Staff: a page of the ledger, the newest entry first.
pub async fn movements(
    app: &App,
    ctx: &Ctx,
    filter: &MovementFilter,
    page: PageRequest,
) -> Result<Page<MovementEntry>> {
    ctx.require(Permission::Inventory)?;
    let mut conn = app.db.conn().await?;
    Ok(Page {
        items: store::movements(&mut conn, filter, page).await?,
        total: store::count_movements(&mut conn, filter).await?,
        request: page,
    })
}

//! What waits for staff, as far as the asker may see it, and the books of the shop.

mod doctor;

use crate::app::App;
use crate::catalog::LowStock;
use crate::ctx::{Ctx, Permission, Rule};
use crate::error::Result;
use crate::orders::{OrderFilter, OrderSummary, Waiting};
use crate::types::PageRequest;
use crate::{catalog, orders, payments};

pub use doctor::{AREAS, Finding, WATCH, examine, repair, watch};

/// The newest orders that the start page shows.
const NEWEST: u32 = 8;
/// The variants that the start page names.
const RUNNING_OUT: i64 = 12;

/// What the start page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// For those who work on orders.
    pub orders: Option<OrdersOverview>,
    /// Variants that run out, the fewest pieces first; for those who work on the catalog.
    pub low_stock: Option<Vec<LowStock>>,
}

/// What waits among the orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersOverview {
    /// How many wait.
    pub waiting: Waiting,
    /// The newest ones.
    pub newest: Vec<OrderSummary>,
}

/// What waits for the asker. Errors: `Unauthenticated`, `Forbidden` for those who do not work
/// here.
pub async fn overview(app: &App, ctx: &Ctx) -> Result<Overview> {
    ctx.check(Rule::StaffAny)?;
    let mut overview = Overview::default();
    if ctx.may(Permission::Orders) {
        let page = PageRequest::new(1, NEWEST);
        let newest = orders::service::list(app, ctx, &OrderFilter::default(), page).await?;
        overview.orders = Some(OrdersOverview {
            waiting: orders::service::waiting(app, ctx).await?,
            newest: newest.items,
        });
    }
    if ctx.may(Permission::Catalog) {
        let found = catalog::service::low_stock(app, ctx, RUNNING_OUT).await?;
        overview.low_stock = Some(found);
    }
    Ok(overview)
}

/// How many orders nobody has looked at yet, for the menu; 0 for those who may not see orders.
pub async fn pending_orders(app: &App, ctx: &Ctx) -> Result<i64> {
    if !ctx.may(Permission::Orders) {
        return Ok(0);
    }
    Ok(orders::service::waiting(app, ctx).await?.pending)
}

/// How many payments hold money that belongs to no order, for the menu; 0 for those who may not
/// see them.
pub async fn strays(app: &App, ctx: &Ctx) -> Result<i64> {
    if !ctx.may(Permission::Orders) {
        return Ok(0);
    }
    let (_, strays) = payments::service::figures(&mut app.db.conn().await?).await?;
    Ok(strays)
}

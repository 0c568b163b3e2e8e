//! What waits for staff, as far as the asker may see it.

use crate::app::App;
use crate::catalog::LowStock;
use crate::catalog::service::IndexDifference;
use crate::ctx::{Ctx, Permission, Rule};
use crate::error::Result;
use crate::orders::{OrderFilter, OrderSummary, Waiting};
use crate::types::PageRequest;
use crate::{audit, catalog, inventory, orders, promotions, reviews};

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

/// Compares what is counted with what it is counted from; gives a sentence for each imbalance.
/// For the command `zoco doctor`.
pub async fn examine(app: &App) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let stock = inventory::service::imbalances(&mut app.db.conn().await?).await?;
    findings.extend(stock.into_iter().map(|one| {
        format!(
            "stock: variant {} has {} on the shelf, its ledger says {}",
            one.variant_id, one.on_hand, one.ledger
        )
    }));
    let held = inventory::service::reserved_imbalances(&mut app.db.conn().await?).await?;
    findings.extend(held.into_iter().map(|one| {
        format!(
            "stock: variant {} has {} reserved, its reservations say {}",
            one.variant_id, one.reserved, one.reservations
        )
    }));
    let uses = promotions::service::imbalances(&mut app.db.conn().await?).await?;
    findings.extend(uses.into_iter().map(|one| {
        format!(
            "promotions: {} counts {} uses, its redemptions are {}",
            one.what, one.uses, one.redemptions
        )
    }));
    let ratings = reviews::service::imbalances(&mut app.db.conn().await?).await?;
    findings.extend(ratings.into_iter().map(|one| {
        let ((kept, kept_count), (stars, count)) = (one.kept, one.counted);
        format!(
            "ratings: product {} has {kept} stars in {kept_count} reviews, its reviews say \
            {stars} in {count}",
            one.product_id
        )
    }));
    let index = catalog::service::compare_index(app).await?;
    findings.extend(index.into_iter().map(|one| match one {
        IndexDifference::Missing(id) => format!("search: product {id} is not in the index"),
        IndexDifference::Surplus(id) => {
            format!("search: the index has product {id}, which is no more")
        }
        IndexDifference::Stale(id) => {
            format!("search: the index has another version of product {id}")
        }
    }));
    let log = audit::service::verify(app, None).await?;
    let log = log.findings.into_iter();
    findings.extend(log.map(|finding| format!("audit log: {finding}")));
    Ok(findings)
}

//! The list of orders as a file, and views of it that staff keep.

use futures_util::Stream;
use serde_json::{Value, json};

use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, FieldErrors, Result};
use crate::orders::model::{OrderFilter, OrderView};
use crate::orders::store::{self, ExportRow};
use crate::types::OrderViewId;
use crate::types::text::protected;

/// The longest name of a view, in characters.
const MAX_NAME: usize = 60;
/// The longest query of a view, in bytes.
const MAX_QUERY: usize = 1000;
/// The most views of one person.
const MAX_VIEWS: usize = 50;
/// Orders of one piece of a file.
const LOT: i64 = 500;

/// Views that everybody has: name and query.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("To send", "task=send"),
    ("Unpaid", "task=money"),
    ("Returns to look at", "task=return"),
];

const COLUMNS: [&str; 15] = [
    "number",
    "placed_at",
    "status",
    "payment_status",
    "fulfilment_status",
    "customer",
    "email",
    "country",
    "pieces",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "currency",
];

/// Staff: the views that the asker keeps.
pub async fn views(app: &App, ctx: &Ctx) -> Result<Vec<OrderView>> {
    ctx.require(Permission::Orders)?;
    let user = ctx.signed_in()?.id;
    Ok(store::views(&mut app.db.conn().await?, user).await?)
}

/// Staff: keeps a view for oneself, in place of the one with the same name. Errors: fields;
/// conflict `too_many_views`.
pub async fn save_view(app: &App, ctx: &Ctx, name: &str, query: &str) -> Result<()> {
    ctx.require(Permission::Orders)?;
    let user = ctx.signed_in()?.id;
    let mut errors = FieldErrors::default();
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        let message = format!("Write a name of at most {MAX_NAME} characters.");
        errors.add("name", "length", message);
    }
    if query.len() > MAX_QUERY {
        errors.add("name", "length", "There is too much in this view.");
    }
    errors.into_result()?;
    let mut tx = app.db.begin().await?;
    let kept = store::views(&mut tx, user).await?;
    if kept.len() >= MAX_VIEWS && !kept.iter().any(|view| view.name == name) {
        let detail = format!("You have {MAX_VIEWS} views; remove one first.");
        return Err(Error::conflict("too_many_views", detail));
    }
    store::save_view(&mut tx, user, name, query, ctx.now).await?;
    Ok(tx.commit().await?)
}

/// Staff: removes a view of one's own. Errors: `NotFound`.
pub async fn delete_view(app: &App, ctx: &Ctx, view: OrderViewId) -> Result<()> {
    ctx.require(Permission::Orders)?;
    let user = ctx.signed_in()?.id;
    let mut tx = app.db.begin().await?;
    if !store::delete_view(&mut tx, user, view).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// A table of orders that is made piece by piece, so that its size does not matter.
pub struct OrderExport {
    app: App,
    filter: OrderFilter,
    below: i64,
    begun: bool,
    done: bool,
}

/// Staff: begins a table of all orders that fit, the newest first. That it was taken is in the
/// audit log: it holds names and addresses.
pub async fn export_orders(app: &App, ctx: &Ctx, filter: OrderFilter) -> Result<OrderExport> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let after = json!({ "filtered": filter != OrderFilter::default() });
    audit::record(
        &mut tx,
        ctx,
        "orders.exported",
        "orders",
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    Ok(OrderExport {
        app: app.clone(),
        filter,
        below: i64::MAX,
        begun: false,
        done: false,
    })
}

impl OrderExport {
    /// The file, piece by piece; it ends with the first error, which is logged.
    pub fn pieces(self) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
        futures_util::stream::unfold(Some(self), |export| async move {
            let mut export = export?;
            match export.next().await {
                Ok(None) => None,
                Ok(Some(piece)) => Some((Ok(piece), Some(export))),
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    Some((Err(std::io::Error::other("the export broke off")), None))
                }
            }
        })
    }

    /// The next piece; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if self.done {
            return Ok(None);
        }
        let mut conn = self.app.db.conn().await?;
        let rows = store::below(&mut conn, &self.filter, self.below, LOT).await?;
        drop(conn);
        self.below = rows.last().map_or(self.below, |row| row.id.0);
        self.done = rows.is_empty();
        let first = !std::mem::replace(&mut self.begun, true);
        table(&rows, first).map(Some)
    }
}

fn table(rows: &[ExportRow], with_header: bool) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    if with_header {
        writer.write_record(COLUMNS).map_err(anyhow::Error::from)?;
    }
    for row in rows {
        let order = &row.summary;
        let mut cells = vec![
            order.number.clone(),
            order.placed_at.rfc3339(),
            order.status.to_string(),
            order.payment_status.to_string(),
            order.fulfilment_status.to_string(),
            protected(&order.customer),
            protected(order.email.as_str()),
            protected(&row.country),
            order.count.to_string(),
        ];
        cells.extend(row.sums.iter().map(|sum| sum.amount()));
        cells.push(order.total.amount());
        cells.push(order.total.currency().code().to_owned());
        writer.write_record(cells).map_err(anyhow::Error::from)?;
    }
    let piece = writer.into_inner();
    Ok(piece.map_err(|error| anyhow::anyhow!("{error}"))?)
}

//! All products as a file.

use futures_util::Stream;

use crate::app::App;
use crate::catalog;
use crate::ctx::{Ctx, Permission};
use crate::error::Result;
use crate::imports::formats;
use crate::imports::model::Format;
use crate::types::ProductId;

/// The type of the file.
pub const CSV: &str = "text/csv; charset=utf-8";
/// Products of one piece.
const PRODUCTS: i64 = 200;

/// A file that is made piece by piece, so that its size does not matter.
pub struct Export {
    app: App,
    ctx: Ctx,
    format: Format,
    /// The last product that is in it; none before the header row.
    after: Option<ProductId>,
    done: bool,
}

/// Begins a file of all products, those that are not on sale, too.
pub fn export(app: &App, ctx: &Ctx, format: Format) -> Result<Export> {
    ctx.require(Permission::Catalog)?;
    Ok(Export {
        app: app.clone(),
        ctx: ctx.clone(),
        format,
        after: None,
        done: false,
    })
}

impl Export {
    /// What to call the file.
    pub fn file_name(&self) -> String {
        format!("products-{}-{}.csv", self.format, self.ctx.now.date())
    }

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
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if self.done {
            return Ok(None);
        }
        let mut rows = Vec::new();
        let after = match self.after {
            Some(after) => after,
            None => {
                let header = formats::header(self.format);
                rows.push(header.into_iter().map(str::to_owned).collect());
                ProductId(0)
            }
        };
        let (app, ctx) = (&self.app, &self.ctx);
        let tree = catalog::service::categories_for_staff(app, ctx).await?;
        let products = catalog::service::products_after(app, ctx, after, PRODUCTS).await?;
        self.after = Some(products.last().map_or(after, |last| last.id));
        self.done = products.is_empty();
        for product in &products {
            let base_url = &app.config.base_url;
            rows.extend(formats::rows(self.format, product, &tree, base_url));
        }
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).map_err(anyhow::Error::from)?;
        }
        let piece = writer
            .into_inner()
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Some(piece))
    }
}

//! A file comes in, piece by piece, and becomes a batch.

use serde_json::json;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::{file_of, folder, record};
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::imports::csv::{self, Layout, Normaliser, Place};
use crate::imports::formats::recognise;
use crate::imports::model::{Batch, BatchState, Format};
use crate::imports::store;
use crate::types::ImportId;

/// The largest file, in bytes.
pub const MAX_FILE: u64 = 100 * 1024 * 1024;
/// The largest form around such a file, in bytes.
pub const MAX_FORM: usize = MAX_FILE as usize + 64 * 1024;
/// The longest name of a file that is kept, in characters.
const MAX_NAME: usize = 200;
/// Bytes that the normaliser wants to see at once, at the beginning.
const MARK: usize = 3;

/// A file that is coming in. What is not finished leaves nothing behind.
pub struct Upload {
    spooled: NamedTempFile,
    file: tokio::fs::File,
    normaliser: Normaliser,
    /// The first bytes, until there are enough of them.
    head: Option<Vec<u8>>,
    bytes: u64,
}

impl Upload {
    /// Makes ready for a file.
    pub async fn begin(app: &App, ctx: &Ctx) -> Result<Self> {
        ctx.require(Permission::Catalog)?;
        let folder = folder(app);
        tokio::fs::create_dir_all(&folder).await?;
        let spooled = tempfile::Builder::new()
            .prefix("upload-")
            .suffix(".part")
            .tempfile_in(&folder)?;
        let file = tokio::fs::File::from_std(spooled.reopen()?);
        Ok(Self {
            spooled,
            file,
            normaliser: Normaliser::default(),
            head: Some(Vec::new()),
            bytes: 0,
        })
    }

    /// The next piece of the file. Errors: `Invalid` at `file` for more than [`MAX_FILE`].
    pub async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.bytes += piece.len() as u64;
        if self.bytes > MAX_FILE {
            let message = format!("This file is too large: at most {} MiB.", MAX_FILE >> 20);
            return Err(Error::invalid("file", "too_large", message));
        }
        let mut piece = piece;
        let begun;
        if let Some(mut head) = self.head.take() {
            head.extend_from_slice(piece);
            if head.len() < MARK {
                self.head = Some(head);
                return Ok(());
            }
            begun = head;
            piece = &begun;
        }
        let kept = self.normaliser.take(piece);
        Ok(self.file.write_all(&kept).await?)
    }

    /// The file is whole: it becomes a batch that is read from now on. `name`: what it is called.
    /// Errors: `Invalid` at `file` for what is none that the shop can read.
    pub async fn finish(mut self, app: &App, ctx: &Ctx, name: &str) -> Result<ImportId> {
        ctx.require(Permission::Catalog)?;
        if let Some(head) = self.head.take() {
            let kept = self.normaliser.take(&head);
            self.file.write_all(&kept).await?;
        }
        self.file.write_all(self.normaliser.end()).await?;
        self.file.flush().await?;
        let path = self.spooled.path().to_owned();
        let header = tokio::task::spawn_blocking(move || csv::read_header(&path)).await;
        let header = header.map_err(|error| anyhow::anyhow!(error))??;
        let unreadable = |words| Error::invalid("file", "unreadable", words);
        let (layout, place) = header.map_err(unreadable)?;
        let Some((format, ignored)) = recognise(&layout.columns) else {
            let message = "The first line names no columns that the shop knows. It reads the \
                products of Shopify, of WooCommerce and of its own exports, in CSV.";
            return Err(Error::invalid("file", "unknown_format", message));
        };
        let batch = self.batch(ctx, name, format, ignored, layout, place);
        let mut tx = app.db.begin().await?;
        let id = store::insert_batch(&mut tx, &batch).await?;
        let batch = Batch { id, ..batch };
        let facts = json!({ "bytes": batch.file_bytes });
        record(&mut tx, ctx, "import.created", &batch, facts).await?;
        let kept = self.spooled.persist(file_of(app, id));
        kept.map_err(|error| error.error)?;
        tx.commit().await?;
        Ok(id)
    }

    fn batch(
        &self,
        ctx: &Ctx,
        name: &str,
        format: Format,
        ignored: Vec<String>,
        layout: Layout,
        place: Place,
    ) -> Batch {
        let name: String = name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|character| !character.is_control())
            .take(MAX_NAME)
            .collect();
        Batch {
            id: ImportId(0),
            file_name: if name.is_empty() {
                "products.csv".to_owned()
            } else {
                name
            },
            file_bytes: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            format,
            delimiter: layout.delimiter,
            columns: layout.columns,
            ignored,
            state: BatchState::Reading,
            problem: String::new(),
            read_bytes: i64::try_from(place.byte).unwrap_or(i64::MAX),
            read_line: i64::try_from(place.line).unwrap_or(i64::MAX),
            categories: Vec::new(),
            user_id: ctx.user_id(),
            user_name: String::new(),
            created_at: ctx.now,
            updated_at: ctx.now,
        }
    }
}

//! The log as a file.

use futures_util::Stream;
use serde_json::{Value, json};

use super::record::record;
use crate::app::App;
use crate::audit::json::EntryJson;
use crate::audit::model::{Entry, Filter, Format};
use crate::audit::store;
use crate::ctx::{Ctx, Permission};
use crate::error::Result;
use crate::types::text::protected;

/// The type of a table.
pub const CSV: &str = "text/csv; charset=utf-8";
/// The type of JSON objects, one a line.
pub const JSONL: &str = "application/jsonl";
/// Entries of one piece.
const LOT: i64 = 500;

const COLUMNS: [&str; 12] = [
    "id",
    "position",
    "at",
    "action",
    "subject",
    "actor_id",
    "actor",
    "address",
    "before",
    "after",
    "erased_at",
    "hash",
];

/// A file that is made piece by piece, so that its size does not matter.
pub struct Export {
    app: App,
    filter: Filter,
    format: Format,
    name: String,
    /// All entries from here on are in it.
    below: i64,
    begun: bool,
    done: bool,
}

/// Staff: begins a file of all entries that fit, the newest first. That it was taken is an entry
/// itself.
pub async fn export(app: &App, ctx: &Ctx, filter: Filter, format: Format) -> Result<Export> {
    ctx.require(Permission::Settings)?;
    let mut tx = app.db.begin().await?;
    let after = json!({
        "format": format.as_str(),
        "search": filter.search,
        "subject": filter.subject,
        "action": filter.action,
        "from": filter.from.map(|at| at.rfc3339()),
        "until": filter.until.map(|at| at.rfc3339()),
    });
    record(
        &mut tx,
        ctx,
        "audit.exported",
        "audit log",
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    let day = ctx.now.to_utc().date();
    Ok(Export {
        app: app.clone(),
        filter,
        format,
        name: format!("audit-{day}.{format}"),
        below: i64::MAX,
        begun: false,
        done: false,
    })
}

impl Export {
    /// What to call the file.
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// The file's type.
    pub fn kind(&self) -> &'static str {
        match self.format {
            Format::Csv => CSV,
            Format::Jsonl => JSONL,
        }
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
        let mut conn = self.app.db.conn().await?;
        let entries = store::below(&mut conn, &self.filter, self.below, LOT).await?;
        drop(conn);
        self.below = entries.last().map_or(self.below, |last| last.id);
        self.done = entries.is_empty();
        let first = !std::mem::replace(&mut self.begun, true);
        let piece = match self.format {
            Format::Csv => table(entries, first)?,
            Format::Jsonl => lines(entries)?,
        };
        Ok(Some(piece))
    }
}

fn table(entries: Vec<Entry>, with_header: bool) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    if with_header {
        writer.write_record(COLUMNS).map_err(anyhow::Error::from)?;
    }
    for entry in entries {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        let json = |value: &Value| {
            if value.is_null() {
                String::new()
            } else {
                value.to_string()
            }
        };
        let cells = [
            entry.id.to_string(),
            number(entry.position).unwrap_or_default(),
            entry.at.rfc3339(),
            protected(&entry.action),
            protected(&entry.subject),
            number(entry.actor.map(|actor| actor.0)).unwrap_or_default(),
            protected(&entry.actor_name),
            protected(&entry.address),
            protected(&json(&entry.before)),
            protected(&json(&entry.after)),
            entry.erased_at.map(|at| at.rfc3339()).unwrap_or_default(),
            entry.hash,
        ];
        writer.write_record(cells).map_err(anyhow::Error::from)?;
    }
    let piece = writer.into_inner();
    Ok(piece.map_err(|error| anyhow::anyhow!("{error}"))?)
}

fn lines(entries: Vec<Entry>) -> Result<Vec<u8>> {
    let mut piece = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut piece, &EntryJson::from(entry))?;
        piece.push(b'\n');
    }
    Ok(piece)
}

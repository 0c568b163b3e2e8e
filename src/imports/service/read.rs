//! The file is read: its rows are kept until they are compared.

use super::{file_of, remove_file, still};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::imports::csv::{self, Columns, Layout, Place, Row};
use crate::imports::formats::handle_of;
use crate::imports::model::{Batch, BatchState, Problem};
use crate::imports::store;

/// Rows of one step.
const ROWS: usize = 1_000;

/// Reads the next rows of the file.
pub(super) async fn step(app: &App, ctx: &Ctx, batch: &Batch) -> Result<()> {
    let layout = Layout {
        delimiter: batch.delimiter,
        columns: batch.columns.clone(),
    };
    let place = Place {
        byte: batch.read_bytes.unsigned_abs(),
        line: batch.read_line.unsigned_abs(),
    };
    let path = file_of(app, batch.id);
    let read =
        tokio::task::spawn_blocking(move || csv::read_records(&path, &layout, place, ROWS)).await;
    let read = read.map_err(|error| anyhow::anyhow!(error))?;
    let mut tx = app.db.begin().await?;
    if !still(&mut tx, ctx, batch).await? {
        return Ok(());
    }
    let failed = match read {
        Ok(Ok(piece)) => {
            let columns = Columns::new(&batch.columns);
            let (mut lines, mut problems) = (Vec::new(), Vec::new());
            for record in piece.records {
                let line = i64::try_from(record.line).unwrap_or(i64::MAX);
                match record.cells {
                    Ok(cells) if cells.iter().all(|cell| cell.trim().is_empty()) => {}
                    Ok(cells) => {
                        let row = Row { line, cells };
                        match handle_of(batch.format, &columns, &row) {
                            Ok(handle) => lines.push((line, handle, row.cells)),
                            Err(problem) => problems.push(problem),
                        }
                    }
                    Err(words) => problems.push(Problem::new(line, "", words)),
                }
            }
            store::insert_lines(&mut tx, batch.id, &lines).await?;
            store::insert_errors(&mut tx, batch.id, &problems).await?;
            let bytes = i64::try_from(piece.next.byte).unwrap_or(i64::MAX);
            let line = i64::try_from(piece.next.line).unwrap_or(i64::MAX);
            store::set_place(&mut tx, batch.id, bytes, line).await?;
            if piece.end {
                store::set_state(&mut tx, batch.id, BatchState::Comparing, "").await?;
            }
            tx.commit().await?;
            if piece.end {
                remove_file(app, batch.id).await;
            }
            return Ok(());
        }
        Ok(Err(words)) => words,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "The file is gone: upload it again.".to_owned()
        }
        Err(error) => return Err(error.into()),
    };
    store::set_state(&mut tx, batch.id, BatchState::Failed, &failed).await?;
    tx.commit().await?;
    remove_file(app, batch.id).await;
    Ok(())
}

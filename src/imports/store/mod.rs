//! SQL of imports: batches and the rows of their files, what a dry run found, pictures.

mod items;
mod pictures;

pub use items::*;
pub use pictures::*;

use std::collections::HashSet;

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one};
use crate::imports::model::{Batch, BatchState, Format, Problem};
use crate::types::{ImportId, Page, PageRequest, Timestamp, UserId};

/// Rows of one statement: few enough that no database runs out of placeholders.
const CHUNK: usize = 1_000;

#[derive(FromRow)]
struct BatchRow {
    id: ImportId,
    file_name: String,
    file_bytes: i64,
    #[sqlx(try_from = "String")]
    format: Format,
    delimiter: i64,
    columns: String,
    ignored: String,
    #[sqlx(try_from = "String")]
    state: BatchState,
    problem: String,
    read_bytes: i64,
    read_line: i64,
    categories: String,
    user_id: Option<UserId>,
    user_name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<BatchRow> for Batch {
    fn from(row: BatchRow) -> Self {
        Self {
            id: row.id,
            file_name: row.file_name,
            file_bytes: row.file_bytes,
            format: row.format,
            delimiter: u8::try_from(row.delimiter).unwrap_or(b','),
            columns: read_json(&row.columns),
            ignored: read_json(&row.ignored),
            state: row.state,
            problem: row.problem,
            read_bytes: row.read_bytes,
            read_line: row.read_line,
            categories: read_json(&row.categories),
            user_id: row.user_id,
            user_name: row.user_name,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What cannot be read counts as empty; only this file writes these columns.
fn read_json<T: serde::de::DeserializeOwned + Default>(column: &str) -> T {
    serde_json::from_str(column).unwrap_or_default()
}

fn write_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Adds a batch; its id is given by the database.
pub async fn insert_batch(tx: &mut Tx, batch: &Batch) -> db::Result<ImportId> {
    let (id,) = fetch_one!(
        tx,
        (ImportId,),
        "insert into import_batches
            (file_name, file_bytes, format, delimiter, columns, ignored, state, read_bytes,
            read_line, user_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
        returning id",
        &batch.file_name,
        batch.file_bytes,
        batch.format,
        i64::from(batch.delimiter),
        write_json(&batch.columns),
        write_json(&batch.ignored),
        batch.state,
        batch.read_bytes,
        batch.read_line,
        batch.user_id,
        batch.created_at,
    )?;
    Ok(id)
}

fn select_batches() -> Query {
    Query::new(
        "select b.id, b.file_name, b.file_bytes, b.format, b.delimiter, b.columns, b.ignored,
            b.state, b.problem, b.read_bytes, b.read_line, b.categories, b.user_id,
            coalesce(u.name, '') as user_name, b.created_at, b.updated_at
        from import_batches as b
        left join users as u on u.id = b.user_id",
    )
}

/// A batch.
pub async fn batch(conn: &mut Conn, id: ImportId) -> db::Result<Option<Batch>> {
    let mut query = select_batches();
    query.push(" where b.id = ").bind(id);
    let rows: Vec<BatchRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().next().map(Batch::from))
}

/// A page of batches, newest first.
pub async fn batches(conn: &mut Conn, page: PageRequest) -> db::Result<Page<Batch>> {
    let (total,) = fetch_one!(conn, (i64,), "select count(*) from import_batches")?;
    let mut query = select_batches();
    query.push(" order by b.id desc limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<BatchRow> = query.fetch_all(conn).await?;
    Ok(Page {
        items: rows.into_iter().map(Batch::from).collect(),
        total,
        request: page,
    })
}

/// Batches that are to be worked on, oldest first.
pub async fn busy_batches(conn: &mut Conn) -> db::Result<Vec<ImportId>> {
    let rows = fetch_all!(
        conn,
        (ImportId,),
        "select id from import_batches
        where state in ('reading', 'comparing', 'applying', 'reverting')
        order by id",
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Batches at rest to which nothing happened since `before`.
pub async fn old_batches(conn: &mut Conn, before: Timestamp) -> db::Result<Vec<ImportId>> {
    let rows = fetch_all!(
        conn,
        (ImportId,),
        "select id from import_batches
        where state in ('ready', 'failed', 'applied', 'stopped', 'reverted') and updated_at < $1
        order by id",
        before,
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Locks a batch until the transaction ends, notes that something happens to it, and gives it.
pub async fn lock_batch(tx: &mut Tx, id: ImportId, now: Timestamp) -> db::Result<Option<Batch>> {
    execute!(
        tx,
        "update import_batches set updated_at = $2 where id = $1",
        id,
        now
    )?;
    batch(tx, id).await
}

/// Writes how far a batch has come, and why it failed.
pub async fn set_state(
    tx: &mut Tx,
    id: ImportId,
    state: BatchState,
    problem: &str,
) -> db::Result<()> {
    execute!(
        tx,
        "update import_batches set state = $2, problem = $3 where id = $1",
        id,
        state,
        problem,
    )?;
    Ok(())
}

/// Notes in whose name a batch is worked on; none: the shop's own.
pub async fn set_user(tx: &mut Tx, id: ImportId, user: Option<UserId>) -> db::Result<()> {
    execute!(
        tx,
        "update import_batches set user_id = $2 where id = $1",
        id,
        user
    )?;
    Ok(())
}

/// Writes which categories a batch made.
pub async fn set_categories(tx: &mut Tx, id: ImportId, categories: &[i64]) -> db::Result<()> {
    execute!(
        tx,
        "update import_batches set categories = $2 where id = $1",
        id,
        write_json(&categories),
    )?;
    Ok(())
}

/// Writes where reading goes on.
pub async fn set_place(tx: &mut Tx, id: ImportId, bytes: i64, line: i64) -> db::Result<()> {
    execute!(
        tx,
        "update import_batches set read_bytes = $2, read_line = $3 where id = $1",
        id,
        bytes,
        line,
    )?;
    Ok(())
}

/// Removes a batch with everything that belongs to it.
pub async fn delete_batch(tx: &mut Tx, id: ImportId) -> db::Result<()> {
    execute!(tx, "delete from import_batches where id = $1", id)?;
    Ok(())
}

/// Keeps rows of the file (line, handle, cells) and notes the products that they belong to.
pub async fn insert_lines(
    tx: &mut Tx,
    id: ImportId,
    lines: &[(i64, String, Vec<String>)],
) -> db::Result<()> {
    for lines in lines.chunks(CHUNK) {
        let mut rows =
            Query::new("insert into import_lines (batch_id, line, handle, cells) values ");
        let mut items =
            Query::new("insert into import_products (batch_id, handle, line, verdict) values ");
        for (index, (line, handle, cells)) in lines.iter().enumerate() {
            let comma = if index == 0 { "(" } else { ", (" };
            rows.push(comma).bind(id).push(", ").bind(*line);
            rows.push(", ")
                .bind(handle)
                .push(", ")
                .bind(write_json(cells))
                .push(")");
            items.push(comma).bind(id).push(", ").bind(handle);
            items.push(", ").bind(*line).push(", 'read')");
        }
        rows.execute(tx).await?;
        items.push(" on conflict (batch_id, handle) do nothing");
        items.execute(tx).await?;
    }
    Ok(())
}

/// The rows of products: handle, line, cells, in the order of the file.
pub async fn lines(
    conn: &mut Conn,
    id: ImportId,
    handles: &[String],
) -> db::Result<Vec<(String, i64, Vec<String>)>> {
    let mut query = Query::new("select handle, line, cells from import_lines where batch_id = ");
    query.bind(id).push(" and handle in ").bind_list(handles);
    query.push(" order by line");
    let rows: Vec<(String, i64, String)> = query.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|(handle, line, cells)| (handle, line, read_json(&cells)))
        .collect())
}

/// Forgets the rows of products.
pub async fn delete_lines(tx: &mut Tx, id: ImportId, handles: &[String]) -> db::Result<()> {
    let mut query = Query::new("delete from import_lines where batch_id = ");
    query.bind(id).push(" and handle in ").bind_list(handles);
    query.execute(tx).await?;
    Ok(())
}

/// Notes what only one product of the file may have; gives what another one had before.
pub async fn claim(tx: &mut Tx, id: ImportId, names: &[String]) -> db::Result<Vec<String>> {
    let mut taken: Vec<String> = names.to_vec();
    for names in names.chunks(CHUNK) {
        let mut query = Query::new("insert into import_claims (batch_id, name) values ");
        for (index, name) in names.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(id).push(", ").bind(name).push(")");
        }
        query.push(" on conflict (batch_id, name) do nothing returning name");
        let new: Vec<(String,)> = query.fetch_all(tx).await?;
        let new: HashSet<String> = new.into_iter().map(|(name,)| name).collect();
        taken.retain(|name| !new.contains(name));
    }
    Ok(taken)
}

/// Forgets what products of the file claimed, once all are compared.
pub async fn delete_claims(tx: &mut Tx, id: ImportId) -> db::Result<()> {
    execute!(tx, "delete from import_claims where batch_id = $1", id)?;
    Ok(())
}

/// Keeps what is wrong with rows of the file.
pub async fn insert_errors(tx: &mut Tx, id: ImportId, problems: &[Problem]) -> db::Result<()> {
    for problems in problems.chunks(CHUNK) {
        let mut query =
            Query::new("insert into import_errors (batch_id, line, field, message) values ");
        for (index, problem) in problems.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(id).push(", ").bind(problem.line);
            query
                .push(", ")
                .bind(&problem.field)
                .push(", ")
                .bind(&problem.message)
                .push(")");
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// What is wrong with the rows of a file, in their order.
pub async fn errors(conn: &mut Conn, id: ImportId, page: PageRequest) -> db::Result<Page<Problem>> {
    let (total,) = fetch_one!(
        conn,
        (i64,),
        "select count(*) from import_errors where batch_id = $1",
        id,
    )?;
    let rows = fetch_all!(
        conn,
        (i64, String, String),
        "select line, field, message
        from import_errors
        where batch_id = $1
        order by line, id
        limit $2 offset $3",
        id,
        page.limit(),
        page.offset(),
    )?;
    let problem = |(line, field, message): (i64, String, String)| Problem {
        line,
        field,
        message,
    };
    Ok(Page {
        items: rows.into_iter().map(problem).collect(),
        total,
        request: page,
    })
}

//! SQL of search: what staff say about words, and searches that found nothing.

use super::model::{Miss, Synonym};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{PageRequest, Timestamp};

#[derive(FromRow)]
struct SynonymRow {
    id: i64,
    words: String,
    targets: String,
    version: i64,
    updated_at: Timestamp,
}

impl From<SynonymRow> for Synonym {
    fn from(row: SynonymRow) -> Self {
        Self {
            id: row.id,
            words: read_list(&row.words),
            targets: read_list(&row.targets),
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// No text of a list has a comma in it.
fn read_list(column: &str) -> Vec<String> {
    let texts = column.split(',').filter(|text| !text.is_empty());
    texts.map(str::to_owned).collect()
}

/// What is different whenever a rule is: how many there are, the newest, all their versions, the
/// last change.
pub async fn synonyms_mark(conn: &mut Conn) -> db::Result<String> {
    let (count, newest, versions, changed) = fetch_one!(
        conn,
        (i64, i64, i64, i64),
        "select count(*), coalesce(max(id), 0), cast(coalesce(sum(version), 0) as bigint),
            coalesce(max(updated_at), 0)
        from search_synonyms"
    )?;
    Ok(format!("{count}.{newest}.{versions}.{changed}"))
}

/// All rules, by their words.
pub async fn synonyms(conn: &mut Conn) -> db::Result<Vec<Synonym>> {
    let rows = fetch_all!(
        conn,
        SynonymRow,
        "select id, words, targets, version, updated_at
        from search_synonyms
        order by words, id"
    )?;
    Ok(rows.into_iter().map(Synonym::from).collect())
}

/// A rule.
pub async fn synonym(conn: &mut Conn, id: i64) -> db::Result<Option<Synonym>> {
    let row = fetch_optional!(
        conn,
        SynonymRow,
        "select id, words, targets, version, updated_at
        from search_synonyms
        where id = $1",
        id,
    )?;
    Ok(row.map(Synonym::from))
}

/// Adds a rule; gives its id.
pub async fn insert_synonym(tx: &mut Tx, synonym: &Synonym) -> db::Result<i64> {
    let (id,) = fetch_one!(
        tx,
        (i64,),
        "insert into search_synonyms (words, targets, created_at, updated_at)
        values ($1, $2, $3, $3)
        returning id",
        synonym.words.join(","),
        synonym.targets.join(","),
        synonym.updated_at,
    )?;
    Ok(id)
}

/// Writes a changed rule where it still has version `before`; tells whether it had.
pub async fn update_synonym(tx: &mut Tx, synonym: &Synonym, before: i64) -> db::Result<bool> {
    let changed = execute!(
        tx,
        "update search_synonyms
        set words = $2, targets = $3, version = $4, updated_at = $5
        where id = $1 and version = $6",
        synonym.id,
        synonym.words.join(","),
        synonym.targets.join(","),
        synonym.version,
        synonym.updated_at,
        before,
    )?;
    Ok(changed == 1)
}

/// Deletes a rule where it still has this version; tells whether it had.
pub async fn delete_synonym(tx: &mut Tx, id: i64, version: i64) -> db::Result<bool> {
    let deleted = execute!(
        tx,
        "delete from search_synonyms
        where id = $1 and version = $2",
        id,
        version,
    )?;
    Ok(deleted == 1)
}

/// Counts searches that found nothing, in one statement.
pub async fn add_misses(tx: &mut Tx, misses: &[Miss]) -> db::Result<()> {
    if misses.is_empty() {
        return Ok(());
    }
    let mut query = Query::new("insert into search_misses (words, count, last_at) values ");
    for (index, miss) in misses.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.bind(&miss.words).push(", ").bind(miss.count);
        query.push(", ").bind(miss.last_at).push(")");
    }
    query.push(
        " on conflict (words) do update set
            count = search_misses.count + excluded.count,
            last_at = excluded.last_at",
    );
    query.execute(tx).await?;
    Ok(())
}

/// How many different searches found nothing.
pub async fn count_misses(conn: &mut Conn) -> db::Result<i64> {
    let (count,) = fetch_one!(conn, (i64,), "select count(*) from search_misses")?;
    Ok(count)
}

/// Searches that found nothing, the most frequent first.
pub async fn misses(conn: &mut Conn, page: PageRequest) -> db::Result<Vec<Miss>> {
    #[derive(FromRow)]
    struct Row {
        words: String,
        count: i64,
        last_at: Timestamp,
    }
    let rows = fetch_all!(
        conn,
        Row,
        "select words, count, last_at
        from search_misses
        order by count desc, last_at desc, words
        limit $1
        offset $2",
        page.limit(),
        page.offset(),
    )?;
    let miss = |row: Row| Miss {
        words: row.words,
        count: row.count,
        last_at: row.last_at,
    };
    Ok(rows.into_iter().map(miss).collect())
}

/// Forgets a search; tells whether it was there.
pub async fn delete_miss(tx: &mut Tx, words: &str) -> db::Result<bool> {
    let deleted = execute!(tx, "delete from search_misses where words = $1", words)?;
    Ok(deleted == 1)
}

/// Forgets what nobody looked for since `before`, and all but the `most` that are most frequent;
/// gives how many.
pub async fn prune_misses(tx: &mut Tx, before: Timestamp, most: i64) -> db::Result<u64> {
    execute!(
        tx,
        "delete from search_misses
        where last_at < $1
            or words not in (
                select words
                from search_misses
                order by count desc, last_at desc, words
                limit $2)",
        before,
        most,
    )
}

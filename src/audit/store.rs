//! SQL of the audit log.

use serde_json::Value;

use super::model::{Chain, Check, Entry, Filter, Head, Who};
use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::{PageRequest, Timestamp, UserId};

/// What is written of one change.
pub struct NewEntry<'a> {
    /// `product.updated`
    pub action: &'a str,
    /// `product 12`
    pub subject: &'a str,
    /// What was before, as JSON; empty for nothing.
    pub before: String,
    /// What is after, as JSON; empty for nothing.
    pub after: String,
    /// Who did it; none for the shop itself.
    pub actor: Option<UserId>,
    /// What they were called then.
    pub actor_name: &'a str,
    /// Where they were; empty where that is not known.
    pub address: &'a str,
    /// Whose personal data stand in before and after.
    pub person: Option<UserId>,
}

/// An entry with all that the chain is made of.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Record {
    pub id: i64,
    pub action: String,
    pub subject: String,
    pub before: String,
    pub after: String,
    pub actor_id: Option<i64>,
    pub actor_name: String,
    pub address: String,
    pub person_id: Option<i64>,
    pub created_at: Timestamp,
    pub erased_at: Option<Timestamp>,
    /// 0 until the chain has come to it.
    pub position: i64,
    pub hash: String,
    pub who_salt: String,
    pub who_hash: String,
    pub what_salt: String,
    pub what_hash: String,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    position: Option<i64>,
    hash: String,
    created_at: Timestamp,
    action: String,
    subject: String,
    before: String,
    after: String,
    actor_id: Option<UserId>,
    actor_name: String,
    address: String,
    erased_at: Option<Timestamp>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        // What is no JSON was not written by us: it is shown as it stands.
        let value = |text: String| match text.as_str() {
            "" => Value::Null,
            _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        };
        Self {
            id: row.id,
            position: row.position,
            hash: row.hash,
            at: row.created_at,
            action: row.action,
            subject: row.subject,
            before: value(row.before),
            after: value(row.after),
            actor: row.actor_id,
            actor_name: row.actor_name,
            address: row.address,
            erased_at: row.erased_at,
        }
    }
}

/// Adds entries in their order.
pub async fn insert(tx: &mut Tx, entries: &[NewEntry<'_>], now: Timestamp) -> db::Result<()> {
    for entries in entries.chunks(1_000) {
        let mut query = Query::new(
            "insert into audit_log
                (action, subject, before, after, actor_id, actor_name, address, person_id, created_at)
            values ",
        );
        for (index, entry) in entries.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(entry.action).push(", ").bind(entry.subject);
            query.push(", ").bind(&entry.before);
            query.push(", ").bind(&entry.after);
            query.push(", ").bind(entry.actor);
            query.push(", ").bind(entry.actor_name);
            query.push(", ").bind(entry.address);
            query.push(", ").bind(entry.person);
            query.push(", ").bind(now).push(")");
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// The end of the chain, held until the transaction ends: whoever adds to the chain, or erases
/// from it, waits for it.
pub async fn lock_head(tx: &mut Tx) -> db::Result<Head> {
    let mut query = Query::new("select position, hash from audit_head where name = 'chain'");
    let (position, hash) = query.lock().fetch_one(tx).await?;
    Ok(Head { position, hash })
}

/// The end of the chain.
pub async fn head(conn: &mut Conn) -> db::Result<Head> {
    let (position, hash) = fetch_one!(
        conn,
        (i64, String),
        "select position, hash
        from audit_head
        where name = 'chain'",
    )?;
    Ok(Head { position, hash })
}

/// Writes the end of the chain.
pub async fn set_head(tx: &mut Tx, head: &Head) -> db::Result<()> {
    execute!(
        tx,
        "update audit_head
        set position = $1, hash = $2
        where name = 'chain'",
        head.position,
        &head.hash,
    )?;
    Ok(())
}

/// Entries that the chain has not come to, the oldest first.
pub async fn unchained(tx: &mut Tx, limit: i64) -> db::Result<Vec<Record>> {
    fetch_all!(
        tx,
        Record,
        "select id, action, subject, before, after, actor_id, actor_name, address, person_id,
            created_at, erased_at, cast(0 as bigint) as position, hash,
            who_salt, who_hash, what_salt, what_hash
        from audit_log
        where position is null
        order by id
        limit $1",
        limit,
    )
}

/// How many entries the chain has not come to.
pub async fn count_unchained(conn: &mut Conn) -> db::Result<i64> {
    let (count,) = fetch_one!(
        conn,
        (i64,),
        "select count(*)
        from audit_log
        where position is null",
    )?;
    Ok(count)
}

/// Gives entries their places, salts and hashes.
pub async fn chain(tx: &mut Tx, records: &[Record]) -> db::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    // Both databases call the columns of a bare list so.
    let mut query = Query::new(
        "update audit_log
        set position = v.column2, hash = v.column3, who_salt = v.column4, who_hash = v.column5,
            what_salt = v.column6, what_hash = v.column7
        from (values ",
    );
    for (index, record) in records.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.bind(record.id).push(", ").bind(record.position);
        query.push(", ").bind(&record.hash);
        query.push(", ").bind(&record.who_salt);
        query.push(", ").bind(&record.who_hash);
        query.push(", ").bind(&record.what_salt);
        query.push(", ").bind(&record.what_hash).push(")");
    }
    query.push(") as v where audit_log.id = v.column1");
    query.execute(tx).await?;
    Ok(())
}

/// Entries of the chain after a place, in their order.
pub async fn chained_after(conn: &mut Conn, position: i64, limit: i64) -> db::Result<Vec<Record>> {
    fetch_all!(
        conn,
        Record,
        "select id, action, subject, before, after, actor_id, actor_name, address, person_id,
            created_at, erased_at, position, hash, who_salt, who_hash, what_salt, what_hash
        from audit_log
        where position > $1
        order by position
        limit $2",
        position,
        limit,
    )
}

/// The lowest and the highest place that any entry has; 1 and 0 for none.
pub async fn bounds(conn: &mut Conn) -> db::Result<(i64, i64)> {
    fetch_one!(
        conn,
        (i64, i64),
        "select coalesce(min(position), 1), coalesce(max(position), 0)
        from audit_log",
    )
}

/// How the chain stands.
pub async fn state(conn: &mut Conn) -> db::Result<Chain> {
    let (position, hash, checked_at, checked, finding) = fetch_one!(
        conn,
        (i64, String, Option<Timestamp>, i64, String),
        "select position, hash, checked_at, checked_position, finding
        from audit_head
        where name = 'chain'",
    )?;
    Ok(Chain {
        head: Head { position, hash },
        waiting: count_unchained(conn).await?,
        check: checked_at.map(|at| Check {
            at,
            position: checked,
            finding,
        }),
    })
}

/// Keeps what a check came to.
pub async fn set_check(tx: &mut Tx, check: &Check) -> db::Result<()> {
    execute!(
        tx,
        "update audit_head
        set checked_at = $1, checked_position = $2, finding = $3
        where name = 'chain'",
        check.at,
        check.position,
        &check.finding,
    )?;
    Ok(())
}

/// Erases a person's name and address from what they did, with their salts; gives of how many
/// entries. All of them must be in the chain.
pub async fn erase_who(tx: &mut Tx, user: UserId, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "update audit_log
        set actor_name = '', address = '', who_salt = '', erased_at = $2
        where actor_id = $1 and who_salt <> '' and (actor_name <> '' or address <> '')",
        user,
        now,
    )
}

/// Erases before and after where they are about a person, with their salts; gives of how many
/// entries. All of them must be in the chain.
pub async fn erase_what(tx: &mut Tx, user: UserId, now: Timestamp) -> db::Result<u64> {
    execute!(
        tx,
        "update audit_log
        set before = '', after = '', what_salt = '', erased_at = $2
        where person_id = $1 and what_salt <> '' and (before <> '' or after <> '')",
        user,
        now,
    )
}

/// Whether there is an entry about this subject with this action.
pub async fn exists(conn: &mut Conn, action: &str, subject: &str) -> db::Result<bool> {
    let (exists,) = fetch_one!(
        conn,
        (bool,),
        "select exists (
            select 1
            from audit_log
            where action = $1 and subject = $2)",
        action,
        subject,
    )?;
    Ok(exists)
}

/// An entry.
pub async fn by_id(conn: &mut Conn, id: i64) -> db::Result<Option<Entry>> {
    let row = fetch_optional!(
        conn,
        Row,
        "select id, position, hash, created_at, action, subject, before, after, actor_id,
            actor_name, address, erased_at
        from audit_log
        where id = $1",
        id,
    )?;
    Ok(row.map(Entry::from))
}

/// A page of entries, the newest first.
pub async fn list(conn: &mut Conn, filter: &Filter, page: PageRequest) -> db::Result<Vec<Entry>> {
    let mut query = entries();
    narrow(&mut query, filter);
    query.push(" order by id desc limit ").bind(page.limit());
    query.push(" offset ").bind(page.offset());
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// How many entries fit.
pub async fn count(conn: &mut Conn, filter: &Filter) -> db::Result<i64> {
    let mut query = Query::new("select count(*) from audit_log where true");
    narrow(&mut query, filter);
    let (count,) = query.fetch_one(conn).await?;
    Ok(count)
}

/// The next entries below an id, the newest first.
pub async fn below(
    conn: &mut Conn,
    filter: &Filter,
    id: i64,
    limit: i64,
) -> db::Result<Vec<Entry>> {
    let mut query = entries();
    narrow(&mut query, filter);
    query.push(" and id < ").bind(id);
    query.push(" order by id desc limit ").bind(limit);
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// The actions that there are, by name: from one to the next, without reading all entries.
pub async fn actions(conn: &mut Conn) -> db::Result<Vec<String>> {
    let rows = fetch_all!(
        conn,
        (String,),
        "with recursive known (action) as (
            select min(action)
            from audit_log
            union all
            select (
                select min(action)
                from audit_log
                where audit_log.action > known.action)
            from known
            where known.action is not null)
        select action
        from known
        where action is not null",
    )?;
    Ok(rows.into_iter().map(|(action,)| action).collect())
}

fn entries() -> Query {
    Query::new(
        "select id, position, hash, created_at, action, subject, before, after, actor_id,
            actor_name, address, erased_at
        from audit_log
        where true",
    )
}

fn narrow(query: &mut Query, filter: &Filter) {
    for word in filter.search.split_whitespace() {
        let pattern = containing(word);
        query
            .push(" and (lower(subject) like lower(")
            .bind(&pattern);
        query
            .push(") escape '!' or lower(actor_name) like lower(")
            .bind(&pattern);
        query
            .push(") escape '!' or lower(action) like lower(")
            .bind(&pattern);
        query
            .push(") escape '!' or lower(address) like lower(")
            .bind(&pattern);
        query.push(") escape '!')");
    }
    if !filter.subject.is_empty() {
        query.push(" and subject = ").bind(&filter.subject);
    }
    if !filter.action.is_empty() {
        query.push(" and action = ").bind(&filter.action);
    }
    match &filter.who {
        Some(Who::Id(id)) => {
            query.push(" and actor_id = ").bind(*id);
        }
        Some(Who::Named(name)) => {
            query
                .push(" and lower(actor_name) like lower(")
                .bind(containing(name));
            query.push(") escape '!'");
        }
        None => {}
    }
    if let Some(from) = filter.from {
        query.push(" and created_at >= ").bind(from);
    }
    if let Some(until) = filter.until {
        query.push(" and created_at < ").bind(until);
    }
}

/// A pattern for texts that have this one in it, whatever signs are in it.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

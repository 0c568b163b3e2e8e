//! SQL of the outbox and the jobs.

use crate::db::{self, Conn, FromRow, Query, Tx, execute, fetch_all, fetch_one, fetch_optional};
use crate::types::Timestamp;

/// Something that happened.
#[derive(FromRow)]
pub struct Event {
    pub id: i64,
    pub topic: String,
    pub payload: String,
}

/// A job that was claimed.
#[derive(FromRow)]
pub struct Job {
    pub id: i64,
    pub kind: String,
    pub payload: String,
    pub attempts: i64,
}

pub async fn insert_event(
    tx: &mut Tx,
    topic: &str,
    payload: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into outbox (topic, payload, created_at)
        values ($1, $2, $3)",
        topic,
        payload,
        now,
    )?;
    Ok(())
}

/// An event that is nobody's to pass on.
pub async fn insert_announcement(
    tx: &mut Tx,
    topic: &str,
    payload: &str,
    now: Timestamp,
) -> db::Result<()> {
    execute!(
        tx,
        "insert into outbox (topic, payload, created_at, dispatched_at)
        values ($1, $2, $3, $3)",
        topic,
        payload,
        now,
    )?;
    Ok(())
}

/// Events that are nobody's to pass on, in their order.
pub async fn insert_announcements(
    tx: &mut Tx,
    topic: &str,
    payloads: &[String],
    now: Timestamp,
) -> db::Result<()> {
    for payloads in payloads.chunks(1_000) {
        let mut query =
            Query::new("insert into outbox (topic, payload, created_at, dispatched_at) values ");
        for (index, payload) in payloads.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            query.bind(topic).push(", ").bind(payload);
            query.push(", ").bind(now).push(", ").bind(now).push(")");
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// The oldest waiting events; locked, so that two workers never pass on the same one.
pub async fn waiting_events(tx: &mut Tx, limit: i64) -> db::Result<Vec<Event>> {
    fetch_all!(
        tx,
        Event,
        {
            sqlite: "select id, topic, payload
                from outbox
                where dispatched_at is null
                order by id
                limit $1",
            postgres: "select id, topic, payload
                from outbox
                where dispatched_at is null
                order by id
                limit $1
                for update skip locked",
        },
        limit,
    )
}

/// How many events of some topics there are after `floor`, and the highest id; 0 for none.
pub async fn progress(conn: &mut Conn, topics: &[&str], floor: i64) -> db::Result<(i64, i64)> {
    let mut query = Query::new("select count(*), coalesce(max(id), 0) from outbox where id > ");
    query
        .bind(floor)
        .push(" and topic in ")
        .bind_list(topics.iter().copied());
    query.fetch_one(conn).await
}

/// Events of some topics after the one with the id `after`, by id.
pub async fn events_after(
    conn: &mut Conn,
    topics: &[&str],
    after: i64,
    limit: i64,
) -> db::Result<Vec<Event>> {
    let mut query = Query::new("select id, topic, payload from outbox where id > ");
    query
        .bind(after)
        .push(" and topic in ")
        .bind_list(topics.iter().copied());
    query.push(" order by id limit ").bind(limit);
    query.fetch_all(conn).await
}

/// The ids of the newest events of some topics, the newest first.
pub async fn newest_events(conn: &mut Conn, topics: &[&str], limit: i64) -> db::Result<Vec<i64>> {
    let mut query = Query::new("select id from outbox where topic in ");
    query.bind_list(topics.iter().copied());
    query.push(" order by id desc limit ").bind(limit);
    let rows: Vec<(i64,)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The highest id of all events.
pub async fn newest_event(conn: &mut Conn) -> db::Result<Option<i64>> {
    let (id,) = fetch_one!(conn, (Option<i64>,), "select max(id) from outbox")?;
    Ok(id)
}

/// Removes some events that were dispatched before `before`; gives how many.
pub async fn delete_events(tx: &mut Tx, before: Timestamp, limit: i64) -> db::Result<u64> {
    execute!(
        tx,
        "delete from outbox
        where id in (
            select id
            from outbox
            where dispatched_at < $1
            order by id
            limit $2)",
        before,
        limit,
    )
}

pub async fn mark_dispatched(tx: &mut Tx, event: i64, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "update outbox set dispatched_at = $1 where id = $2",
        now,
        event
    )?;
    Ok(())
}

pub async fn insert_job(tx: &mut Tx, kind: &str, payload: &str, now: Timestamp) -> db::Result<()> {
    execute!(
        tx,
        "insert into jobs (kind, payload, state, run_at, created_at)
        values ($1, $2, 'queued', $3, $3)",
        kind,
        payload,
        now,
    )?;
    Ok(())
}

/// Claims the next due job until `lease`: if its worker dies, it is due again then.
pub async fn claim(tx: &mut Tx, now: Timestamp, lease: Timestamp) -> db::Result<Option<Job>> {
    fetch_optional!(
        tx,
        Job,
        {
            sqlite: "update jobs
                set run_at = $2, attempts = attempts + 1
                where id = (
                    select id
                    from jobs
                    where state = 'queued' and run_at <= $1
                    order by run_at, id
                    limit 1
                )
                returning id, kind, payload, attempts",
            postgres: "update jobs
                set run_at = $2, attempts = attempts + 1
                where id = (
                    select id
                    from jobs
                    where state = 'queued' and run_at <= $1
                    order by run_at, id
                    limit 1
                    for update skip locked
                )
                returning id, kind, payload, attempts",
        },
        now,
        lease,
    )
}

pub async fn delete_job(tx: &mut Tx, id: i64) -> db::Result<()> {
    execute!(tx, "delete from jobs where id = $1", id)?;
    Ok(())
}

/// Notes a failure; the job is due again at `run_at`, or dead without one.
pub async fn fail_job(
    tx: &mut Tx,
    id: i64,
    error: &str,
    run_at: Option<Timestamp>,
) -> db::Result<()> {
    execute!(
        tx,
        "update jobs
        set last_error = $1,
            state = case when $2 is null then 'dead' else 'queued' end,
            run_at = coalesce($2, run_at)
        where id = $3",
        error,
        run_at,
        id,
    )?;
    Ok(())
}

/// Whether there is anything to do now; asked before a write transaction is begun.
pub async fn has_work(conn: &mut Conn, now: Timestamp) -> db::Result<bool> {
    let (found,): (bool,) = fetch_one!(
        conn,
        (bool,),
        "select exists (select 1 from outbox where dispatched_at is null)
            or exists (select 1 from jobs where state = 'queued' and run_at <= $1)",
        now,
    )?;
    Ok(found)
}

pub async fn backlog(conn: &mut Conn) -> db::Result<(i64, i64)> {
    fetch_one!(
        conn,
        (i64, i64),
        "select (select count(*) from outbox where dispatched_at is null)
                + (select count(*) from jobs where state = 'queued'),
            (select count(*) from jobs where state = 'dead')"
    )
}

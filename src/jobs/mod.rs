//! Work that happens after the request: events of the outbox, and the jobs they lead to.
//!
//! A service calls [`emit`] in the transaction of its change. The worker turns each event into
//! one job for every observer of its topic and runs due jobs, each at least once; so a job must
//! be idempotent. A job that fails is tried again later and less and less often; after
//! [`MAX_ATTEMPTS`] it stays in the table as `dead`.

pub mod store;
mod worker;

use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::ctx::Ctx;
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::types::Timestamp;

pub use store::Event;
pub use worker::{MAX_ATTEMPTS, drain, keep_house, run};

/// What a job's run gives.
pub type JobFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Something that reacts to events of one topic.
#[derive(Clone, Copy)]
pub struct Observer {
    /// The topic: `order.placed`.
    pub topic: &'static str,
    /// The name of the job, unique: `orders.confirmation_mail`.
    pub job: &'static str,
    /// What is done, with the event's payload.
    pub run: fn(App, Value) -> JobFuture,
}

/// What a chore's run gives: how many things it touched.
pub type ChoreFuture = Pin<Box<dyn Future<Output = Result<u64>> + Send>>;

/// Something done again and again, such as removing what has ended.
#[derive(Clone, Copy)]
pub struct Chore {
    /// Its name, for the log.
    pub name: &'static str,
    /// How often it is done.
    pub every: Duration,
    /// What is done; gives how many things it touched.
    pub run: fn(App) -> ChoreFuture,
}

/// Writes an event in the transaction of the change it tells of.
pub async fn emit(tx: &mut Tx, ctx: &Ctx, topic: &str, payload: &impl Serialize) -> Result<()> {
    let payload = serde_json::to_string(payload)?;
    Ok(store::insert_event(tx, topic, &payload, ctx.now).await?)
}

/// Writes an event that no observer waits for: those who follow its topic read on with a cursor
/// of their own.
pub async fn announce(tx: &mut Tx, ctx: &Ctx, topic: &str, payload: &impl Serialize) -> Result<()> {
    let payload = serde_json::to_string(payload)?;
    Ok(store::insert_announcement(tx, topic, &payload, ctx.now).await?)
}

/// Like [`announce`], for many events of a topic, in one statement for a thousand of them.
pub async fn announce_all(
    tx: &mut Tx,
    ctx: &Ctx,
    topic: &str,
    payloads: &[impl Serialize],
) -> Result<()> {
    let payloads: serde_json::Result<Vec<String>> =
        payloads.iter().map(serde_json::to_string).collect();
    Ok(store::insert_announcements(tx, topic, &payloads?, ctx.now).await?)
}

/// Has a job done at a time, written in the transaction of the change that wants it.
pub async fn later(
    tx: &mut Tx,
    job: &str,
    payload: &impl Serialize,
    run_at: Timestamp,
) -> Result<()> {
    let payload = serde_json::to_string(payload)?;
    Ok(store::insert_job(tx, job, &payload, run_at).await?)
}

/// Days for which a dispatched event stays: who follows a topic with a cursor of their own must
/// have read it by then.
pub const KEPT_DAYS: i64 = 7;

/// Removes events that nobody needs any more.
pub const PRUNE: Chore = Chore {
    name: "jobs.prune",
    every: Duration::from_secs(3600),
    run: |app| Box::pin(async move { prune(&app).await }),
};

/// Removes events that were dispatched [`KEPT_DAYS`] ago; gives how many.
pub async fn prune(app: &App) -> Result<u64> {
    let before = app.clock.now().plus_seconds(-KEPT_DAYS * 24 * 3600);
    let mut removed = 0;
    loop {
        // A few at a time, so that nobody who writes waits for long.
        let mut tx = app.db.begin().await?;
        let gone = store::delete_events(&mut tx, before, 5_000).await?;
        tx.commit().await?;
        removed += gone;
        if gone == 0 {
            return Ok(removed);
        }
    }
}

/// How many events of some topics there are after `floor`, and the highest id among them; 0 for
/// none.
pub async fn progress(conn: &mut Conn, topics: &[&str], floor: i64) -> Result<(i64, i64)> {
    Ok(store::progress(conn, topics, floor).await?)
}

/// Events of some topics after the one with the id `after`, by id.
pub async fn events_after(
    conn: &mut Conn,
    topics: &[&str],
    after: i64,
    limit: i64,
) -> Result<Vec<Event>> {
    Ok(store::events_after(conn, topics, after, limit).await?)
}

/// The ids of the newest events of some topics, the newest first.
pub async fn newest_events(conn: &mut Conn, topics: &[&str], limit: i64) -> Result<Vec<i64>> {
    Ok(store::newest_events(conn, topics, limit).await?)
}

/// The highest id of all events; none when there are no events.
pub async fn newest_event(conn: &mut Conn) -> Result<Option<i64>> {
    Ok(store::newest_event(conn).await?)
}

/// Events and jobs that wait, and jobs that are dead.
pub async fn backlog(app: &App) -> Result<(i64, i64)> {
    let mut conn = app.db.conn().await?;
    Ok(store::backlog(&mut conn).await?)
}

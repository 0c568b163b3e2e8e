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
use crate::db::Tx;
use crate::error::Result;

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

/// Events and jobs that wait, and jobs that are dead.
pub async fn backlog(app: &App) -> Result<(i64, i64)> {
    let mut conn = app.db.conn().await?;
    Ok(store::backlog(&mut conn).await?)
}

//! The worker: passes events on and runs due jobs.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Chore, Observer, store};
use crate::app::App;
use crate::error::{Error, Result};

/// Tries before a job is dead.
pub const MAX_ATTEMPTS: i64 = 10;
/// How long a worker may take for one job before another may try.
const LEASE_SECONDS: i64 = 120;
/// How often the worker looks when there was nothing to do.
const PAUSE: Duration = Duration::from_millis(500);

/// Works until `stop`; finishes the job it is at.
pub async fn run(app: App, observers: &'static [Observer], stop: CancellationToken) {
    while !stop.is_cancelled() {
        match step(&app, observers).await {
            Ok(true) => {}
            Ok(false) => pause(&stop, PAUSE).await,
            Err(error) => {
                tracing::error!(%error, "the job worker could not reach the database");
                pause(&stop, PAUSE).await;
            }
        }
    }
}

/// Does each chore at once and then as often as it says, until `stop`.
pub async fn keep_house(app: App, chores: &'static [Chore], stop: CancellationToken) {
    let each = chores.iter().map(|chore| keep_at(&app, chore, &stop));
    futures_util::future::join_all(each).await;
}

async fn keep_at(app: &App, chore: &Chore, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match (chore.run)(app.clone()).await {
            Ok(touched) => tracing::debug!(chore = chore.name, touched, "chore done"),
            Err(error) => tracing::warn!(chore = chore.name, %error, "a chore failed"),
        }
        pause(stop, chore.every).await;
    }
}

async fn pause(stop: &CancellationToken, time: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// Works until nothing is due; gives how many steps that took. For tests and commands.
pub async fn drain(app: &App, observers: &[Observer]) -> Result<usize> {
    let mut steps = 0;
    while step(app, observers).await? {
        steps += 1;
    }
    Ok(steps)
}

/// Passes waiting events on, or runs one job. Gives false when there was nothing to do.
async fn step(app: &App, observers: &[Observer]) -> Result<bool> {
    let now = app.clock.now();
    if !store::has_work(&mut app.db.conn().await?, now).await? {
        return Ok(false);
    }
    Ok(dispatch(app, observers).await? || run_one(app, observers).await?)
}

/// Turns waiting events into jobs.
async fn dispatch(app: &App, observers: &[Observer]) -> Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let events = store::waiting_events(&mut tx, 100).await?;
    for event in &events {
        for observer in observers
            .iter()
            .filter(|observer| observer.topic == event.topic)
        {
            store::insert_job(&mut tx, observer.job, &event.payload, now).await?;
        }
        store::mark_dispatched(&mut tx, event.id, now).await?;
    }
    tx.commit().await?;
    Ok(!events.is_empty())
}

/// Claims and runs one job.
async fn run_one(app: &App, observers: &[Observer]) -> Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let Some(job) = store::claim(&mut tx, now, now.plus_seconds(LEASE_SECONDS)).await? else {
        return Ok(false);
    };
    tx.commit().await?;
    let result = attempt(app, observers, &job).await;
    let mut tx = app.db.begin().await?;
    match result {
        Ok(()) => store::delete_job(&mut tx, job.id).await?,
        Err(error) => {
            tracing::warn!(job = job.kind, attempt = job.attempts, %error, "a job failed");
            metrics::counter!("zoco_jobs_failed_total", "job" => job.kind.clone()).increment(1);
            let retry =
                (job.attempts < MAX_ATTEMPTS).then(|| now.plus_seconds(5 << job.attempts.min(12)));
            store::fail_job(&mut tx, job.id, &format!("{error:#}"), retry).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Runs a job. Errors: what the job says, and a job that cannot be run at all.
async fn attempt(app: &App, observers: &[Observer], job: &store::Job) -> Result<()> {
    if job.attempts > MAX_ATTEMPTS {
        // Its workers died each time: whatever it does, it must not be done again.
        return Err(anyhow::anyhow!("no worker lived to the end of it").into());
    }
    let Some(observer) = observers.iter().find(|observer| observer.job == job.kind) else {
        return Err(anyhow::anyhow!("no observer is called {}", job.kind).into());
    };
    let payload = serde_json::from_str(&job.payload)?;
    // A task of its own, so that a panic fails the job and not the worker.
    tokio::spawn((observer.run)(app.clone(), payload))
        .await
        .unwrap_or_else(|panic| Err(Error::Internal(panic.into())))
}

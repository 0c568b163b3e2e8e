//! Products from a file: it is uploaded, read and compared with the catalog; somebody looks at the
//! differences and has them written; whoever regrets it has them put back.
//!
//! A batch goes on by itself, a few products at a time, each step in a short transaction of its
//! own that also notes how far the batch has come. So a stop of the program loses nothing, memory
//! stays bounded, and nobody waits long for the database.

mod apply;
mod compare;
mod diff;
mod export;
mod fetch;
mod pictures;
mod read;
mod revert;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

pub use export::{CSV, Export, export};
pub use pictures::{FETCH, fetch_due};
pub use upload::{MAX_FILE, MAX_FORM, Upload};

use super::model::{
    Batch, BatchState, Counts, Item, Outcome, Picture, PictureCounts, PictureState, Problem,
    Verdict,
};
use super::store;
use crate::accounts;
use crate::app::App;
use crate::audit;
use crate::ctx::{Actor, Ctx, Permission};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::jobs::Chore;
use crate::types::{ImportId, Page, PageRequest};

/// Days after which a batch at rest is forgotten: from then on it cannot be put back.
pub const KEPT_DAYS: i64 = 90;
/// Steps of one batch before another one has its turn.
const TURN: usize = 20;

/// Goes on with all batches that are not at rest.
pub const WORK: Chore = Chore {
    name: "imports.work",
    every: Duration::from_secs(1),
    run: |app| Box::pin(async move { work(&app).await }),
};

/// Forgets batches of long ago.
pub const PRUNE: Chore = Chore {
    name: "imports.prune",
    every: Duration::from_secs(3600),
    run: |app| Box::pin(async move { prune(&app).await }),
};

/// Where the file of a batch is until it has been read.
fn file_of(app: &App, id: ImportId) -> PathBuf {
    folder(app).join(format!("{id}.csv"))
}

fn folder(app: &App) -> PathBuf {
    app.config.data_dir.join("imports")
}

/// A batch with its figures.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The batch.
    pub batch: Batch,
    /// How many of its products are what.
    pub counts: Counts,
    /// How many rows of the file are wrong.
    pub errors: i64,
    /// How its pictures fare.
    pub pictures: PictureCounts,
}

/// A batch. Errors: `NotFound`.
pub async fn batch(app: &App, ctx: &Ctx, id: ImportId) -> Result<Overview> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    let batch = store::batch(&mut conn, id).await?;
    let batch = batch.ok_or(Error::NotFound)?;
    let one = PageRequest::new(1, 1);
    Ok(Overview {
        batch,
        counts: store::counts(&mut conn, id).await?,
        errors: store::errors(&mut conn, id, one).await?.total,
        pictures: PictureCounts(store::picture_counts(&mut conn, id).await?),
    })
}

/// A page of batches, newest first.
pub async fn batches(app: &App, ctx: &Ctx, page: PageRequest) -> Result<Page<Batch>> {
    ctx.require(Permission::Catalog)?;
    Ok(store::batches(&mut app.db.conn().await?, page).await?)
}

/// A page of a batch's products by line, of a verdict and an outcome. Errors: `NotFound`.
pub async fn items(
    app: &App,
    ctx: &Ctx,
    id: ImportId,
    verdict: Option<Verdict>,
    outcome: Option<Outcome>,
    page: PageRequest,
) -> Result<Page<Item>> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    store::batch(&mut conn, id).await?.ok_or(Error::NotFound)?;
    Ok(store::items(&mut conn, id, verdict, outcome, page).await?)
}

/// What is wrong with the rows of a file, in their order. Errors: `NotFound`.
pub async fn errors(
    app: &App,
    ctx: &Ctx,
    id: ImportId,
    page: PageRequest,
) -> Result<Page<Problem>> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    store::batch(&mut conn, id).await?.ok_or(Error::NotFound)?;
    Ok(store::errors(&mut conn, id, page).await?)
}

/// Pictures of a batch in one state. Errors: `NotFound`.
pub async fn pictures(
    app: &App,
    ctx: &Ctx,
    id: ImportId,
    state: PictureState,
    page: PageRequest,
) -> Result<Page<Picture>> {
    ctx.require(Permission::Catalog)?;
    let mut conn = app.db.conn().await?;
    store::batch(&mut conn, id).await?.ok_or(Error::NotFound)?;
    Ok(store::pictures(&mut conn, id, state, page).await?)
}

/// Has what the dry run found written, in the name of whoever asks. Errors: `NotFound`; `Conflict`
/// for a batch that is not ready.
pub async fn apply(app: &App, ctx: &Ctx, id: ImportId) -> Result<()> {
    let fits = |batch: &Batch| batch.state.may_apply();
    turn(app, ctx, id, BatchState::Applying, fits, "import.started").await
}

/// Has everything put back as it was before, but for what somebody changed since. Errors:
/// `NotFound`; `Conflict` for a batch that was not written.
pub async fn revert(app: &App, ctx: &Ctx, id: ImportId) -> Result<()> {
    let fits = |batch: &Batch| batch.state.may_revert();
    turn(
        app,
        ctx,
        id,
        BatchState::Reverting,
        fits,
        "import.reverting",
    )
    .await
}

/// Stops the writing, or the putting back; what is done stays done. Errors: `NotFound`; `Conflict`
/// for a batch at which nobody writes.
pub async fn stop(app: &App, ctx: &Ctx, id: ImportId) -> Result<()> {
    let fits = |batch: &Batch| batch.state.may_stop();
    turn(app, ctx, id, BatchState::Stopped, fits, "import.stopped").await
}

async fn turn(
    app: &App,
    ctx: &Ctx,
    id: ImportId,
    state: BatchState,
    fits: impl Fn(&Batch) -> bool,
    action: &str,
) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let batch = store::lock_batch(&mut tx, id, ctx.now).await?;
    let batch = batch.ok_or(Error::NotFound)?;
    if !fits(&batch) {
        return Err(not_now(&batch));
    }
    store::set_state(&mut tx, id, state, "").await?;
    store::set_user(&mut tx, id, ctx.user_id()).await?;
    if state == BatchState::Reverting {
        store::drop_pictures(&mut tx, id, "The import is being put back.").await?;
    }
    record(&mut tx, ctx, action, &batch, Value::Null).await?;
    Ok(tx.commit().await?)
}

fn not_now(batch: &Batch) -> Error {
    let state = batch.state.words();
    Error::conflict(
        "import_state",
        format!("This cannot be done now: the import {state}."),
    )
}

/// Has the failed pictures of a batch fetched again; gives how many. Errors: `NotFound`; `Conflict`
/// for a batch that is being, or was, put back.
pub async fn retry_pictures(app: &App, ctx: &Ctx, id: ImportId) -> Result<u64> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let batch = store::lock_batch(&mut tx, id, ctx.now).await?;
    let batch = batch.ok_or(Error::NotFound)?;
    if matches!(batch.state, BatchState::Reverting | BatchState::Reverted) {
        return Err(not_now(&batch));
    }
    let count = store::retry_pictures(&mut tx, id, ctx.now).await?;
    let facts = json!({ "pictures": count });
    record(&mut tx, ctx, "import.pictures_retried", &batch, facts).await?;
    tx.commit().await?;
    Ok(count)
}

/// Forgets a batch; the products stay as they are. Errors: `NotFound`; `Conflict` while products
/// are written or put back.
pub async fn delete(app: &App, ctx: &Ctx, id: ImportId) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let batch = store::lock_batch(&mut tx, id, ctx.now).await?;
    let batch = batch.ok_or(Error::NotFound)?;
    if batch.state.may_stop() {
        return Err(not_now(&batch));
    }
    store::delete_batch(&mut tx, id).await?;
    record(&mut tx, ctx, "import.deleted", &batch, Value::Null).await?;
    tx.commit().await?;
    remove_file(app, id).await;
    Ok(())
}

/// The file is of no use any more; that it may stay lying hurts nobody.
async fn remove_file(app: &App, id: ImportId) {
    if let Err(error) = tokio::fs::remove_file(file_of(app, id)).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, import = %id, "a file could not be removed");
    }
}

async fn record(tx: &mut Tx, ctx: &Ctx, action: &str, batch: &Batch, facts: Value) -> Result<()> {
    let mut after = json!({ "file": batch.file_name, "format": batch.format.as_str() });
    if let (Value::Object(after), Value::Object(facts)) = (&mut after, facts) {
        after.extend(facts);
    }
    audit::record(tx, ctx, action, &batch.subject(), Value::Null, after).await
}

/// Goes on with each batch that is not at rest, some steps of it; gives how many steps.
pub async fn work(app: &App) -> Result<u64> {
    let busy = store::busy_batches(&mut app.db.conn().await?).await?;
    let mut steps = 0;
    for id in busy {
        for _ in 0..TURN {
            if !step(app, id).await? {
                break;
            }
            steps += 1;
        }
    }
    Ok(steps)
}

/// Takes one step with a batch; gives whether another may follow.
pub async fn step(app: &App, id: ImportId) -> Result<bool> {
    let batch = store::batch(&mut app.db.conn().await?, id).await?;
    let Some(batch) = batch.filter(|batch| batch.state.is_busy()) else {
        return Ok(false);
    };
    let Some(ctx) = acting(app, &batch).await? else {
        halt(app, &batch).await?;
        return Ok(false);
    };
    match batch.state {
        BatchState::Reading => read::step(app, &ctx, &batch).await?,
        BatchState::Comparing => compare::step(app, &ctx, &batch).await?,
        BatchState::Applying => apply::step(app, &ctx, &batch).await?,
        _ => revert::step(app, &ctx, &batch).await?,
    }
    Ok(true)
}

/// A batch is worked on in the name of whoever asked for it, as long as they may.
async fn acting(app: &App, batch: &Batch) -> Result<Option<Ctx>> {
    let mut ctx = app.system();
    ctx.request_id = batch.subject();
    if let Some(id) = batch.user_id {
        let Some(user) = accounts::service::current_user(app, id).await? else {
            return Ok(None);
        };
        ctx.actor = Actor::User(user);
    }
    Ok(ctx.may(Permission::Catalog).then_some(ctx))
}

/// Nobody is left in whose name the batch could go on.
async fn halt(app: &App, batch: &Batch) -> Result<()> {
    let ctx = app.system();
    let mut tx = app.db.begin().await?;
    let state = if batch.state.may_stop() {
        BatchState::Stopped
    } else {
        BatchState::Failed
    };
    let why = "Whoever began this may not change products any more.";
    store::set_state(&mut tx, batch.id, state, why).await?;
    record(
        &mut tx,
        &ctx,
        "import.stopped",
        batch,
        json!({ "why": why }),
    )
    .await?;
    Ok(tx.commit().await?)
}

/// Locks a batch for a step. None when somebody else has taken this step meanwhile, or has stopped
/// the batch.
async fn still(tx: &mut Tx, ctx: &Ctx, batch: &Batch) -> Result<bool> {
    let now = store::lock_batch(tx, batch.id, ctx.now).await?;
    Ok(now.is_some_and(|now| now.state == batch.state && now.read_bytes == batch.read_bytes))
}

/// Forgets batches that have been at rest for [`KEPT_DAYS`]; gives how many.
pub async fn prune(app: &App) -> Result<u64> {
    let before = app.clock.now().plus_seconds(-KEPT_DAYS * 24 * 3600);
    let old = store::old_batches(&mut app.db.conn().await?, before).await?;
    let mut count = 0;
    for id in old {
        let mut tx = app.db.begin().await?;
        store::delete_batch(&mut tx, id).await?;
        tx.commit().await?;
        count += 1;
    }
    Ok(count)
}

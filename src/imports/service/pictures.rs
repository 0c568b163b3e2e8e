//! Pictures of a batch are fetched after its products are written, and stand with them when they
//! are there. One that cannot be had leaves its product as it is.

use std::time::Duration;

use futures_util::StreamExt as _;

use super::acting;
use super::apply::reason;
use super::fetch::{Fetcher, Trouble};
use crate::app::App;
use crate::catalog::service::many;
use crate::error::{Error, Result};
use crate::imports::model::{Picture, PictureState};
use crate::imports::store;
use crate::jobs::Chore;
use crate::types::Timestamp;

/// Pictures of one round, of as many products.
const ROUND: i64 = 40;
/// Pictures that are fetched at once.
const AT_ONCE: usize = 4;
/// Tries before a picture is given up.
const MAX_ATTEMPTS: i64 = 4;
/// How long a picture may be on its way before another instance may try.
const LEASE_SECONDS: i64 = 300;

/// Fetches pictures whose time has come.
pub const FETCH: Chore = Chore {
    name: "imports.pictures",
    every: Duration::from_secs(2),
    run: |app| Box::pin(async move { fetch_due(&app).await }),
};

/// Fetches a round of pictures whose time has come; gives how many were tried.
pub async fn fetch_due(app: &App) -> Result<u64> {
    let now = app.clock.now();
    // Nearly always there is none: nobody who writes waits for that.
    if !store::is_picture_due(&mut app.db.conn().await?, now).await? {
        return Ok(0);
    }
    let mut tx = app.db.begin().await?;
    let again = now.plus_seconds(LEASE_SECONDS);
    let taken = store::take_pictures(&mut tx, now, again, ROUND).await?;
    tx.commit().await?;
    if taken.is_empty() {
        return Ok(0);
    }
    let fetcher = Fetcher::new(&app.config.private_picture_hosts)?;
    let count = taken.len() as u64;
    let each = taken
        .into_iter()
        .map(|picture| try_one(app, &fetcher, picture));
    let mut tried = futures_util::stream::iter(each).buffer_unordered(AT_ONCE);
    let mut result = Ok(count);
    // All of them are tried, whatever happens to one.
    while let Some(done) = tried.next().await {
        if let Err(error) = done {
            result = Err(error);
        }
    }
    result
}

async fn try_one(app: &App, fetcher: &Fetcher, picture: Picture) -> Result<()> {
    let trouble = match fetcher.fetch(&picture.url).await {
        Ok(bytes) => match add(app, &picture, bytes).await {
            Ok(()) => {
                count("fetched");
                return Ok(());
            }
            Err(error) => Trouble::Final(reason(error)?),
        },
        Err(trouble) => trouble,
    };
    let mut tx = app.db.begin().await?;
    match trouble {
        Trouble::Passing(words) if picture.attempts < MAX_ATTEMPTS => {
            let due = next_try(app.clock.now(), picture.attempts);
            store::put_off_picture(&mut tx, picture.id, due, &words).await?;
        }
        Trouble::Passing(words) | Trouble::Final(words) => {
            store::set_picture(&mut tx, picture.id, PictureState::Failed, &words, None).await?;
            count("failed");
        }
    }
    Ok(tx.commit().await?)
}

fn count(state: &'static str) {
    metrics::counter!("zoco_import_pictures_total", "state" => state).increment(1);
}

/// After 30 seconds, 2 minutes, 8 minutes.
fn next_try(now: Timestamp, attempts: i64) -> Timestamp {
    now.plus_seconds(30 << (2 * (attempts - 1)).clamp(0, 10))
}

/// Puts a fetched picture where it belongs. Errors: what the catalog says against it; `NotFound`
/// when the product is gone, `Forbidden` when nobody is left in whose name it could be added.
async fn add(app: &App, picture: &Picture, bytes: Vec<u8>) -> Result<()> {
    let batch = store::batch(&mut app.db.conn().await?, picture.batch_id).await?;
    let batch = batch.ok_or(Error::NotFound)?;
    let who = acting(app, &batch).await?;
    let ctx = who.ok_or_else(|| {
        let words = "Whoever began this may not change products any more.";
        Error::conflict("import_user", words)
    })?;
    let stored = many::store_image(app, &ctx, bytes).await?;
    let mut tx = app.db.begin().await?;
    let product = picture.product_id;
    let (alt, value) = (&picture.alt, &picture.option_value);
    let (image, from, to) =
        many::add_stored_image_in(app, &ctx, &mut tx, product, stored, alt, value).await?;
    let state = PictureState::Fetched;
    if !store::set_picture(&mut tx, picture.id, state, "", Some(image)).await? {
        // The batch is being put back: the picture stays away.
        return Ok(());
    }
    store::put_source(&mut tx, product, &picture.url, image).await?;
    store::follow_version(&mut tx, picture.item_id, from, to).await?;
    Ok(tx.commit().await?)
}

//! Keeping the search's index in step with the catalog.
//!
//! Every change of a product or category leaves an event in the outbox. A search first looks
//! whether there is one that the index has not seen, which is one cheap statement, and catches up
//! when it is little: so a change shows in the very next search, on every instance. Greater
//! backlogs, such as an import's, are worked off in the background while the index answers as it
//! is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{CATEGORY_CHANGED, CHANGED};
use crate::app::App;
use crate::catalog::model::{CategoryTree, Document};
use crate::catalog::store;
use crate::db::{self, Conn};
use crate::error::{Error, Result};
use crate::jobs::{self, Event};
use crate::search::{self, Cursor, Found, Index, IndexError, Looking, Position};
use crate::types::{CategoryId, ProductId};

/// The most products that a search finds.
const MOST_FOUND: usize = 100_000;
/// What the index follows.
const TOPICS: [&str; 2] = [CHANGED, CATEGORY_CHANGED];
/// A search itself catches up with so many products at most.
const AT_ONCE: usize = 300;
/// Products read and written together.
const CHUNK: usize = 500;
/// Events read together.
const EVENTS: i64 = 1_000;
/// Whoever makes the index anew remembers so many of the newest events: one of a lower id may
/// still turn up among them.
const REMEMBERED: i64 = 1_000;
/// How often a server looks for a backlog by itself.
const PAUSE: Duration = Duration::from_secs(2);
/// An index that was not written for so many days may have missed events that are removed by
/// now.
const TOO_OLD_DAYS: i64 = jobs::KEPT_DAYS - 1;
/// So an index that nothing happened to is written again each day.
const WRITTEN_DAYS: i64 = 1;
/// The longest text of a product that is looked at, in bytes.
const MAX_TEXT: usize = 20_000;

/// A product of which the index knows something else than the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexDifference {
    /// It is in the catalog only.
    Missing(ProductId),
    /// It is in the index only.
    Surplus(ProductId),
    /// The index has another version of it.
    Stale(ProductId),
}

/// What the index has of some words. Never fails because of the index: without one nothing is
/// found, and the log says why.
pub(super) async fn find(app: &App, looking: &Looking<'_>) -> Result<Found> {
    let Some(index) = current(app).await else {
        return Ok(Found::default());
    };
    let rules = search::service::rules(app, &mut app.db.conn().await?).await?;
    let text = looking.text.to_owned();
    let (for_staff, typing, limit) = (looking.for_staff, looking.typing, looking.limit);
    let search = move || {
        let looking = Looking {
            text: &text,
            for_staff,
            typing,
            limit,
        };
        index.find(&looking, &rules)
    };
    Ok(or_give_up(app, blocking(search).await).unwrap_or_default())
}

/// What staff find, drafts and SKUs too; none without words.
pub(super) async fn find_for_staff(app: &App, text: &str) -> Result<Option<Found>> {
    find_words(app, text, true).await
}

/// What the index has of the words of a filter; none without words.
pub(super) async fn find_words(app: &App, text: &str, for_staff: bool) -> Result<Option<Found>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let looking = Looking {
        text,
        for_staff,
        typing: false,
        limit: MOST_FOUND,
    };
    Ok(Some(find(app, &looking).await?))
}

/// What the last word may become; see [`find`].
pub(super) async fn completions(app: &App, looking: &Looking<'_>) -> Result<Vec<String>> {
    let Some(index) = app.search.index() else {
        return Ok(Vec::new());
    };
    let (text, limit) = (looking.text.to_owned(), looking.limit);
    let search = move || {
        let looking = Looking {
            text: &text,
            for_staff: false,
            typing: true,
            limit,
        };
        index.completions(&looking)
    };
    Ok(or_give_up(app, blocking(search).await).unwrap_or_default())
}

/// Runs work on files and words where it holds nobody up. A panic means a damaged file.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, IndexError> + Send + 'static,
) -> std::result::Result<T, IndexError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => Err(std::io::Error::other(panic).into()),
    }
}

/// The result, or none after an error, which makes the next one make the index anew.
fn or_give_up<T>(app: &App, result: std::result::Result<T, IndexError>) -> Option<T> {
    result
        .inspect_err(|error| {
            tracing::error!(%error, "the search index is of no use");
            app.search.discard();
        })
        .ok()
}

/// The index, in step with the catalog as far as that takes no time.
async fn current(app: &App) -> Option<Arc<Index>> {
    if let Err(error) = refresh(app).await {
        tracing::warn!(%error, "the search index could not catch up");
    }
    let index = app.search.index();
    if index.is_none() {
        tracing::warn!("there is no search index yet: nothing is found");
    }
    index
}

async fn refresh(app: &App) -> Result<()> {
    if app.search.index().is_some() && backlog(app).await? == 0 {
        return Ok(());
    }
    if app.search.is_busy() || catch_up_with(app, Some(AT_ONCE)).await? {
        return Ok(());
    }
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = catch_up(&app).await {
            tracing::warn!(%error, "the search index could not catch up");
        }
    });
    Ok(())
}

/// How many events the index has not seen.
async fn backlog(app: &App) -> Result<i64> {
    let mut conn = app.db.conn().await?;
    let (floor, seen, head) = app
        .search
        .cursor(|cursor| (cursor.floor(), cursor.count(), cursor.head()));
    let (there, newest) = jobs::progress(&mut conn, &TOPICS, floor).await?;
    let newer = i64::from(newest > head);
    Ok((there - seen).max(newer))
}

/// Keeps the index in step with the catalog until `stop`: works off what searches leave, and
/// writes down what was not found.
pub async fn follow_index(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = look_after(&app).await {
            tracing::warn!(%error, "the search index could not be kept in step");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn look_after(app: &App) -> Result<()> {
    if app.search.index().is_none() || backlog(app).await? > 0 {
        catch_up(app).await?;
    }
    metrics::gauge!("zoco_search_backlog_events").set(backlog(app).await? as f64);
    if let Some(index) = app.search.index() {
        metrics::gauge!("zoco_search_documents").set(index.len() as f64);
        stay_young(app, index).await?;
    }
    search::service::write_misses(app).await?;
    Ok(())
}

/// Writes where it stands when that was not done for a day.
async fn stay_young(app: &App, index: Arc<Index>) -> Result<()> {
    let written = index.position().map_err(unusable)?.unwrap_or_default().at;
    if written > app.clock.now().plus_seconds(-WRITTEN_DAYS * 24 * 3600).0 {
        return Ok(());
    }
    let _turn = app.search.turn().await;
    app.search.cursor(|cursor| cursor.mark([], app.clock.now()));
    write(app, &index, Vec::new(), &[]).await
}

/// Brings the index into step with the catalog, however long that takes; makes it anew where it
/// is missing, broken or too old.
pub async fn catch_up(app: &App) -> Result<()> {
    let Some(_busy) = app.search.set_busy() else {
        // Somebody is at it: when they are done, it is done.
        drop(app.search.turn().await);
        return Ok(());
    };
    catch_up_with(app, None).await.map(|_| ())
}

/// Like [`catch_up`], but leaves it, and gives false, when that touches more than `most`
/// products.
async fn catch_up_with(app: &App, most: Option<usize>) -> Result<bool> {
    let _turn = app.search.turn().await;
    let too_many = |count: usize| most.is_some_and(|most| count > most);
    let Some(index) = opened(app).await? else {
        let count = store::count_all(&mut app.db.conn().await?).await?;
        if too_many(usize::try_from(count).unwrap_or(usize::MAX)) {
            return Ok(false);
        }
        remake_index(app).await?;
        return Ok(true);
    };
    loop {
        let events = news(app).await?;
        if events.is_empty() {
            return Ok(true);
        }
        let products = touched(app, &events).await?;
        if too_many(products.len()) {
            return Ok(false);
        }
        let ids: Vec<i64> = events.iter().map(|event| event.id).collect();
        write(app, &index, products, &ids).await?;
    }
}

/// The open index, or the one in the folder if it can go on from where it stands.
async fn opened(app: &App) -> Result<Option<Arc<Index>>> {
    if let Some(index) = app.search.index() {
        return Ok(Some(index));
    }
    let shop = shop(app).await?;
    let newest = jobs::newest_event(&mut app.db.conn().await?).await?;
    let oldest = app.clock.now().plus_seconds(-TOO_OLD_DAYS * 24 * 3600);
    let search = app.search.clone();
    let open = move || {
        search.open(|position| {
            // A database that was put back to an earlier state knows less than its index.
            let ahead = newest.is_some_and(|newest| position.head > newest);
            position.is_of(&shop) && !ahead && position.at >= oldest.0
        })
    };
    Ok(tokio::task::spawn_blocking(open).await.unwrap_or_default())
}

/// What tells this shop's database from others: an index belongs to one.
async fn shop(app: &App) -> Result<String> {
    let name = "search.shop";
    let known = db::settings::get(&mut app.db.conn().await?, name).await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let mut tx = app.db.begin().await?;
    let shop = db::settings::get_or_keep(&mut tx, name, &app.rng.readable(16)).await?;
    tx.commit().await?;
    Ok(shop)
}

/// Some events that the index has not seen.
async fn news(app: &App) -> Result<Vec<Event>> {
    let mut conn = app.db.conn().await?;
    let (floor, head) = app.search.cursor(|cursor| (cursor.floor(), cursor.head()));
    let newer = jobs::events_after(&mut conn, &TOPICS, head, EVENTS).await?;
    if !newer.is_empty() {
        return Ok(newer);
    }
    // One that came late stands somewhere among those that are known.
    let mut after = floor;
    loop {
        let events = jobs::events_after(&mut conn, &TOPICS, after, EVENTS).await?;
        let Some(last) = events.last() else {
            return Ok(Vec::new());
        };
        after = last.id;
        let is_news = |event: &Event| app.search.cursor(|cursor| cursor.is_news(event.id));
        let late: Vec<Event> = events.into_iter().filter(is_news).collect();
        if !late.is_empty() {
            return Ok(late);
        }
    }
}

/// The products whose words may have changed.
async fn touched(app: &App, events: &[Event]) -> Result<Vec<ProductId>> {
    let mut conn = app.db.conn().await?;
    let mut products = BTreeSet::new();
    let mut categories = Vec::new();
    for event in events {
        let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
        let id = payload["id"].as_i64();
        match (event.topic == CHANGED, id) {
            (true, Some(id)) => {
                products.insert(ProductId(id));
            }
            (false, Some(id)) => categories.push(CategoryId(id)),
            // A root is gone: nobody knows any more what stood below it.
            (_, None) => {
                return Ok(store::versions(&mut conn)
                    .await?
                    .into_iter()
                    .map(|(id, _)| id)
                    .collect());
            }
        }
    }
    if !categories.is_empty() {
        let tree = store::category_tree(&mut conn).await?;
        let below = categories.iter().flat_map(|&id| tree.with_descendants(id));
        let below: BTreeSet<CategoryId> = below.collect();
        let below: Vec<CategoryId> = below.into_iter().collect();
        products.extend(store::ids_in(&mut conn, &below).await?);
    }
    Ok(products.into_iter().collect())
}

/// Writes products as they are now into the index; those that are no more are taken out. Then
/// the events are done.
async fn write(
    app: &App,
    index: &Arc<Index>,
    products: Vec<ProductId>,
    events: &[i64],
) -> Result<()> {
    let mut conn = app.db.conn().await?;
    let tree = store::category_tree(&mut conn).await?;
    let index = index.clone();
    let mut writer = blocking(move || index.writer()).await.map_err(unusable)?;
    for chunk in products.chunks(CHUNK) {
        let documents = documents(&mut conn, &tree, chunk).await?;
        let chunk = chunk.to_vec();
        let put = move || {
            // First of all out with them: who is not among the documents is gone.
            chunk.into_iter().for_each(|id| writer.remove(id));
            writer.put(&documents)?;
            Ok(writer)
        };
        writer = blocking(put).await.map_err(unusable)?;
    }
    let now = app.clock.now();
    let mut cursor = app.search.cursor(|cursor| cursor.clone());
    cursor.mark(events.iter().copied(), now);
    let position = Position::new(&shop(app).await?, cursor.floor(), cursor.head(), now);
    blocking(move || writer.commit(&position))
        .await
        .map_err(unusable)?;
    app.search.cursor(|current| *current = cursor);
    Ok(())
}

/// Makes the index from all products, a few at a time, beside the one in use.
pub async fn remake_index(app: &App) -> Result<()> {
    let mut conn = app.db.conn().await?;
    let newest = jobs::newest_events(&mut conn, &TOPICS, REMEMBERED).await?;
    // What changes from here on is done once more.
    let all = i64::try_from(newest.len()).unwrap_or(i64::MAX) < REMEMBERED;
    let floor = newest
        .last()
        .filter(|_| !all)
        .map_or(0, |oldest| oldest - 1);
    let now = app.clock.now();
    let mut cursor = Cursor::new(floor);
    cursor.mark(newest, now);
    let tree = store::category_tree(&mut conn).await?;
    let search = app.search.clone();
    let begin = move || {
        let fresh = search.anew()?;
        let writer = fresh.index.writer()?;
        Ok((fresh, writer))
    };
    let (fresh, mut writer) = blocking(begin).await.map_err(unusable)?;
    let mut last = ProductId(0);
    let mut count = 0;
    loop {
        let ids = store::ids_after(&mut conn, last, None, CHUNK as i64).await?;
        let Some(&newest) = ids.last() else { break };
        last = newest;
        count += ids.len();
        let documents = documents(&mut conn, &tree, &ids).await?;
        let put = move || writer.put(&documents).map(|()| writer);
        writer = blocking(put).await.map_err(unusable)?;
    }
    let position = Position::new(&shop(app).await?, cursor.floor(), cursor.head(), now);
    let search = app.search.clone();
    let finish = move || {
        writer.commit(&position)?;
        search.replace(fresh, cursor).map(|_| ())
    };
    blocking(finish).await.map_err(unusable)?;
    tracing::info!(products = count, "the search index was made anew");
    Ok(())
}

/// An index that another process writes to is no fault of ours.
fn unusable(error: IndexError) -> Error {
    match error {
        IndexError::Busy => Error::Unavailable,
        IndexError::Broken(error) => Error::Internal(error.into()),
    }
}

/// The words of some products, with those of the categories above them.
async fn documents(
    conn: &mut Conn,
    tree: &CategoryTree,
    ids: &[ProductId],
) -> Result<Vec<Document>> {
    let found = store::documents(conn, ids).await?;
    let whole = |(mut document, category): (Document, Option<CategoryId>)| {
        let above = category.map_or_else(Vec::new, |id| tree.path(id));
        document
            .labels
            .extend(above.into_iter().map(|one| one.name.clone()));
        for text in &mut document.text {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
        }
        document
    };
    Ok(found.into_iter().map(whole).collect())
}

/// Brings the index into step and compares it with the catalog, product by product.
pub async fn compare_index(app: &App) -> Result<Vec<IndexDifference>> {
    catch_up(app).await?;
    let index = app.search.index().ok_or(Error::Unavailable)?;
    let kept = blocking(move || index.versions()).await.map_err(unusable)?;
    let there = store::versions(&mut app.db.conn().await?).await?;
    let mut differences = Vec::new();
    let version = |list: &[(ProductId, i64)], id| {
        list.binary_search_by_key(&id, |(id, _)| *id)
            .ok()
            .map(|at| list[at].1)
    };
    for &(id, current) in &there {
        match version(&kept, id) {
            None => differences.push(IndexDifference::Missing(id)),
            Some(kept) if kept != current => differences.push(IndexDifference::Stale(id)),
            Some(_) => {}
        }
    }
    let surplus = kept.iter().filter(|(id, _)| version(&there, *id).is_none());
    differences.extend(surplus.map(|(id, _)| IndexDifference::Surplus(*id)));
    Ok(differences)
}

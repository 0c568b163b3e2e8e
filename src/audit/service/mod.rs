//! Writing the log, chaining it, checking it, looking into it.

mod chain;
mod erase;
mod export;
mod record;
mod verify;

pub use chain::{CHAIN, chain};
pub use erase::erase_person;
pub use export::{CSV, Export, JSONL, export};
pub use record::{Change, record, record_about, record_all};
pub use verify::{VERIFY, verify};

use super::model::{Chain, Entry, Filter};
use super::store;
use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::error::{Error, Result};
use crate::types::{Page, PageRequest};

/// Staff: a page of entries, the newest first.
pub async fn list(app: &App, ctx: &Ctx, filter: &Filter, page: PageRequest) -> Result<Page<Entry>> {
    ctx.require(Permission::Settings)?;
    let mut conn = app.db.conn().await?;
    Ok(Page {
        total: store::count(&mut conn, filter).await?,
        items: store::list(&mut conn, filter, page).await?,
        request: page,
    })
}

/// Staff: an entry.
pub async fn entry(app: &App, ctx: &Ctx, id: i64) -> Result<Entry> {
    ctx.require(Permission::Settings)?;
    let found = store::by_id(&mut app.db.conn().await?, id).await?;
    found.ok_or(Error::NotFound)
}

/// Staff: the actions that there are, by name.
pub async fn actions(app: &App, ctx: &Ctx) -> Result<Vec<String>> {
    ctx.require(Permission::Settings)?;
    Ok(store::actions(&mut app.db.conn().await?).await?)
}

/// Staff: how the chain stands.
pub async fn state(app: &App, ctx: &Ctx) -> Result<Chain> {
    ctx.require(Permission::Settings)?;
    Ok(store::state(&mut app.db.conn().await?).await?)
}

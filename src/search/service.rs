//! What staff say about words, and searches that found nothing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::model::{Miss, Synonym, Synonyms};
use super::{store, words};
use crate::app::App;
use crate::audit;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, FieldErrors, Result};
use crate::jobs::Chore;
use crate::types::{Page, PageRequest};

/// The most texts of one rule.
const MAX_TEXTS: usize = 50;
/// The longest text of a rule, in characters.
const MAX_TEXT: usize = 80;
/// The most rules: all of them are kept in memory.
const MAX_RULES: usize = 2_000;
/// Searches that found nothing are forgotten after so many days.
const KEPT_DAYS: i64 = 180;
/// The most of them that are kept.
const MAX_MISSES: i64 = 10_000;

/// Writes down what was not found since the last time.
pub const COUNT_MISSES: Chore = Chore {
    name: "search.misses",
    every: Duration::from_secs(10),
    run: |app| Box::pin(async move { write_misses(&app).await }),
};

/// Forgets searches of long ago.
pub const PRUNE_MISSES: Chore = Chore {
    name: "search.prune",
    every: Duration::from_secs(3600),
    run: |app| Box::pin(async move { prune_misses(&app).await }),
};

/// A rule about words. What is left out stays; of a new rule it is empty.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SynonymInput {
    /// The words that are searched for. Without `targets` all of them mean the same.
    #[schema(example = json!(["sofa", "couch"]))]
    pub words: Option<Vec<String>>,
    /// What is looked for as well; empty for words that mean the same.
    pub targets: Option<Vec<String>>,
}

/// The rules, as they are now.
pub async fn rules(app: &App, conn: &mut Conn) -> Result<Arc<Synonyms>> {
    let mark = store::synonyms_mark(conn).await?;
    if let Some(known) = app.search.synonyms(&mark) {
        return Ok(known);
    }
    let synonyms = Arc::new(Synonyms::new(&store::synonyms(conn).await?));
    app.search.keep_synonyms(mark, synonyms.clone());
    Ok(synonyms)
}

/// Staff: all rules.
pub async fn synonyms(app: &App, ctx: &Ctx) -> Result<Vec<Synonym>> {
    ctx.require(Permission::Catalog)?;
    Ok(store::synonyms(&mut app.db.conn().await?).await?)
}

/// Staff: a rule.
pub async fn synonym(app: &App, ctx: &Ctx, id: i64) -> Result<Synonym> {
    ctx.require(Permission::Catalog)?;
    let found = store::synonym(&mut app.db.conn().await?, id).await?;
    found.ok_or(Error::NotFound)
}

/// Staff: makes a rule.
pub async fn create_synonym(app: &App, ctx: &Ctx, input: SynonymInput) -> Result<Synonym> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let known = store::synonyms(&mut tx).await?;
    let empty = Synonym {
        id: 0,
        words: Vec::new(),
        targets: Vec::new(),
        version: 1,
        updated_at: ctx.now,
    };
    let mut synonym = resolve(empty, input, &known)?;
    if known.len() >= MAX_RULES {
        let message = format!("There are {MAX_RULES} rules already.");
        return Err(Error::invalid("words", "too_many", message));
    }
    synonym.id = store::insert_synonym(&mut tx, &synonym).await?;
    record(&mut tx, ctx, "synonym.created", None, Some(&synonym)).await?;
    tx.commit().await?;
    Ok(synonym)
}

/// Staff: changes a rule. `version`: from `If-Match`; another one is `Stale`.
pub async fn update_synonym(
    app: &App,
    ctx: &Ctx,
    id: i64,
    version: Option<i64>,
    input: SynonymInput,
) -> Result<Synonym> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let known = store::synonyms(&mut tx).await?;
    let before = current(&known, id, version)?;
    let mut synonym = resolve(before.clone(), input, &known)?;
    synonym.version = before.version + 1;
    synonym.updated_at = ctx.now;
    if !store::update_synonym(&mut tx, &synonym, before.version).await? {
        return Err(Error::Stale);
    }
    record(
        &mut tx,
        ctx,
        "synonym.updated",
        Some(before),
        Some(&synonym),
    )
    .await?;
    tx.commit().await?;
    Ok(synonym)
}

/// Staff: deletes a rule.
pub async fn delete_synonym(app: &App, ctx: &Ctx, id: i64, version: Option<i64>) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    let known = store::synonyms(&mut tx).await?;
    let before = current(&known, id, version)?;
    if !store::delete_synonym(&mut tx, id, before.version).await? {
        return Err(Error::Stale);
    }
    record(&mut tx, ctx, "synonym.deleted", Some(before), None).await?;
    Ok(tx.commit().await?)
}

fn current(known: &[Synonym], id: i64, version: Option<i64>) -> Result<&Synonym> {
    let found = known.iter().find(|one| one.id == id);
    let found = found.ok_or(Error::NotFound)?;
    if version.is_some_and(|version| version != found.version) {
        return Err(Error::Stale);
    }
    Ok(found)
}

/// The rule that `input` makes of `base`.
fn resolve(base: Synonym, input: SynonymInput, known: &[Synonym]) -> Result<Synonym> {
    let mut errors = FieldErrors::default();
    let mut synonym = base;
    if let Some(texts) = input.words {
        synonym.words = list(&mut errors, "words", &texts);
    }
    if let Some(texts) = input.targets {
        synonym.targets = list(&mut errors, "targets", &texts);
    }
    if errors.is_empty() {
        let needed = if synonym.targets.is_empty() { 2 } else { 1 };
        if synonym.words.is_empty() {
            errors.add(
                "words",
                "required",
                "Write the words that are searched for.",
            );
        } else if synonym.words.len() < needed {
            let message = "Write two words that mean the same, or what to look for as well.";
            errors.add("words", "too_few", message);
        }
        let twin = known
            .iter()
            .any(|one| one.id != synonym.id && one.rule() == synonym.rule());
        if twin {
            errors.add("words", "taken", "There is this rule already.");
        }
    }
    errors.into_result()?;
    Ok(synonym)
}

/// Texts as they are kept: folded, each once.
fn list(errors: &mut FieldErrors, field: &str, texts: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let folded = words(text).join(" ");
        if text.chars().count() > MAX_TEXT {
            let message = format!("Each of them may have {MAX_TEXT} characters.");
            errors.add(field, "length", message);
            return kept;
        }
        if !folded.is_empty() && !kept.contains(&folded) {
            kept.push(folded);
        }
    }
    if kept.len() > MAX_TEXTS {
        let message = format!("A rule may have {MAX_TEXTS} of them.");
        errors.add(field, "too_many", message);
    }
    kept
}

async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    action: &str,
    before: Option<&Synonym>,
    after: Option<&Synonym>,
) -> Result<()> {
    let facts = |synonym: Option<&Synonym>| {
        synonym.map_or(Value::Null, |synonym| json!({ "rule": synonym.rule() }))
    };
    let id = before.or(after).map_or(0, |synonym| synonym.id);
    let subject = format!("synonym {id}");
    audit::record(tx, ctx, action, &subject, facts(before), facts(after)).await
}

/// Staff: searches that found nothing, the most frequent first.
pub async fn misses(app: &App, ctx: &Ctx, page: PageRequest) -> Result<Page<Miss>> {
    ctx.require(Permission::Catalog)?;
    write_misses(app).await?;
    let mut conn = app.db.conn().await?;
    Ok(Page {
        items: store::misses(&mut conn, page).await?,
        total: store::count_misses(&mut conn).await?,
        request: page,
    })
}

/// Staff: forgets a search that found nothing.
pub async fn dismiss_miss(app: &App, ctx: &Ctx, words: &str) -> Result<()> {
    ctx.require(Permission::Catalog)?;
    let mut tx = app.db.begin().await?;
    if !store::delete_miss(&mut tx, words).await? {
        return Err(Error::NotFound);
    }
    let (action, before) = ("miss.dismissed", json!({ "words": words }));
    audit::record(&mut tx, ctx, action, "search", before, Value::Null).await?;
    Ok(tx.commit().await?)
}

/// Writes down what this instance did not find since the last time; gives how many searches.
pub async fn write_misses(app: &App) -> Result<u64> {
    let misses = app.search.take_misses();
    if misses.is_empty() {
        return Ok(0);
    }
    let mut tx = app.db.begin().await?;
    store::add_misses(&mut tx, &misses).await?;
    tx.commit().await?;
    Ok(misses.len() as u64)
}

/// Forgets searches of long ago, and the rarest where there are too many; gives how many.
pub async fn prune_misses(app: &App) -> Result<u64> {
    let before = app.clock.now().plus_seconds(-KEPT_DAYS * 24 * 3600);
    let mut tx = app.db.begin().await?;
    let forgotten = store::prune_misses(&mut tx, before, MAX_MISSES).await?;
    tx.commit().await?;
    Ok(forgotten)
}

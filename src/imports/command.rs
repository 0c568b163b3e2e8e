//! `zoco import` and `zoco export`: the same as the pages, for a terminal.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use tokio::io::AsyncReadExt as _;

use super::model::{BatchState, Format, Item, Outcome, PictureState, Problem, Verdict};
use super::service::{self, Overview, Upload};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::types::{ImportId, Page, PageRequest};

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// The most products and mistakes that are printed; the back office shows all of them.
const SHOWN: i64 = 200;

/// Compares a file with the catalog and prints what differs; with `apply` it is written. Errors:
/// a file that cannot be read; when a row is wrong or a product was left alone.
pub async fn file(app: &App, path: &Path, apply: bool) -> anyhow::Result<()> {
    let ctx = app.system();
    let id = upload(app, &ctx, path).await?;
    work(app, &ctx, id).await?;
    let overview = service::batch(app, &ctx, id).await?;
    let batch = &overview.batch;
    anyhow::ensure!(batch.state != BatchState::Failed, "{}", batch.problem);
    if !batch.ignored.is_empty() {
        println!("columns that are not read: {}", batch.ignored.join(", "));
    }
    let mistakes = print_errors(app, &ctx, id).await?;
    print_items(app, &ctx, id, Some(Verdict::New), None).await?;
    print_items(app, &ctx, id, Some(Verdict::Changed), None).await?;
    let counts = &overview.counts;
    println!(
        "import {id}: {} new, {} changed, {} unchanged, {} with mistakes",
        counts.of(Verdict::New),
        counts.of(Verdict::Changed),
        counts.of(Verdict::Unchanged),
        counts.of(Verdict::Error),
    );
    if apply {
        write(app, &ctx, id).await?;
    } else {
        println!("nothing was written: --apply does, and so does the back office");
    }
    anyhow::ensure!(mistakes == 0, "{mistakes} rows are wrong");
    Ok(())
}

/// Puts back what an import wrote, and prints what stays as it is because somebody changed it.
pub async fn revert(app: &App, id: ImportId) -> anyhow::Result<()> {
    let ctx = app.system();
    service::revert(app, &ctx, id).await.map_err(words)?;
    work(app, &ctx, id).await?;
    print_items(app, &ctx, id, None, Some(Outcome::Kept)).await?;
    let counts = service::batch(app, &ctx, id).await?.counts;
    let kept = counts.with(Outcome::Kept);
    println!("{} put back, {kept} kept", counts.with(Outcome::Reverted));
    anyhow::ensure!(kept == 0, "{kept} products were not put back");
    Ok(())
}

/// Prints all products.
pub async fn export(app: &App, format: Format) -> anyhow::Result<()> {
    let mut export = service::export(app, &app.system(), format)?;
    while let Some(piece) = export.next().await? {
        std::io::stdout().lock().write_all(&piece)?;
    }
    Ok(())
}

/// What is wrong, in one line; an error as such says only that something is.
fn words(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(errors) => {
            let messages = errors.iter().map(|(_, error)| error.message.as_str());
            anyhow::anyhow!("{}", messages.collect::<Vec<_>>().join(" "))
        }
        Error::Conflict { detail, .. } => anyhow::anyhow!("{detail}"),
        Error::NotFound => anyhow::anyhow!("there is no such import"),
        other => other.into(),
    }
}

async fn upload(app: &App, ctx: &Ctx, path: &Path) -> anyhow::Result<ImportId> {
    let shown = path.display();
    let file = tokio::fs::File::open(path).await;
    let mut file = file.with_context(|| format!("cannot read {shown}"))?;
    let mut upload = Upload::begin(app, ctx).await?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).await?;
        if count == 0 {
            break;
        }
        upload.write(&piece[..count]).await.map_err(words)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    upload.finish(app, ctx, &name).await.map_err(words)
}

/// Goes on with a batch until it is at rest, and tells how far it is.
async fn work(app: &App, ctx: &Ctx, id: ImportId) -> anyhow::Result<()> {
    let mut steps = 0_u32;
    while service::step(app, id).await? {
        steps += 1;
        if steps.is_multiple_of(100) {
            let Overview { batch, counts, .. } = service::batch(app, ctx, id).await?;
            let done = counts.total() - counts.of(Verdict::Read);
            eprintln!(
                "the file {}: {done} of {}",
                batch.state.words(),
                counts.total()
            );
        }
    }
    Ok(())
}

async fn write(app: &App, ctx: &Ctx, id: ImportId) -> anyhow::Result<()> {
    if service::batch(app, ctx, id).await?.counts.waiting() == 0 {
        println!("there is nothing to write");
        return Ok(());
    }
    service::apply(app, ctx, id).await.map_err(words)?;
    work(app, ctx, id).await?;
    while service::fetch_due(app).await? > 0 {}
    print_items(app, ctx, id, None, Some(Outcome::Conflict)).await?;
    print_items(app, ctx, id, None, Some(Outcome::Refused)).await?;
    let Overview {
        counts, pictures, ..
    } = service::batch(app, ctx, id).await?;
    let left = counts.with(Outcome::Conflict) + counts.with(Outcome::Refused);
    println!(
        "{} written, {left} left alone; pictures: {} fetched, {} failed, {} still to come",
        counts.with(Outcome::Applied),
        pictures.of(PictureState::Fetched),
        pictures.of(PictureState::Failed),
        pictures.of(PictureState::Waiting),
    );
    println!("zoco import --revert {id} puts it back");
    anyhow::ensure!(left == 0, "{left} products were left alone");
    Ok(())
}

/// Prints the products of a verdict and an outcome.
async fn print_items(
    app: &App,
    ctx: &Ctx,
    id: ImportId,
    verdict: Option<Verdict>,
    outcome: Option<Outcome>,
) -> anyhow::Result<()> {
    let mut shown = 0;
    for page in 1.. {
        let request = PageRequest::new(page, PageRequest::MAX_PER_PAGE);
        let items = service::items(app, ctx, id, verdict, outcome, request).await?;
        for item in &items.items {
            print_item(item, outcome.is_none());
        }
        shown += i64::try_from(items.items.len())?;
        if is_enough(&items, shown) {
            break;
        }
    }
    Ok(())
}

fn print_item(item: &Item, with_changes: bool) {
    let state = if with_changes {
        item.verdict.as_str()
    } else {
        item.outcome.as_str()
    };
    println!(
        "line {}: {state}: {} {}",
        item.line, item.name, item.problem
    );
    for change in item.changes.iter().filter(|_| with_changes) {
        println!(
            "    {}: {} -> {}",
            change.field, change.before, change.after
        );
    }
}

/// Whether nothing more is printed; says how much that leaves out.
fn is_enough<T>(page: &Page<T>, shown: i64) -> bool {
    if shown >= SHOWN && shown < page.total {
        println!("... and {} more", page.total - shown);
    }
    shown >= SHOWN || page.next().is_none()
}

/// Prints what is wrong with the rows; gives how much there is.
async fn print_errors(app: &App, ctx: &Ctx, id: ImportId) -> anyhow::Result<i64> {
    let mut shown = 0;
    for page in 1.. {
        let request = PageRequest::new(page, PageRequest::MAX_PER_PAGE);
        let errors: Page<Problem> = service::errors(app, ctx, id, request).await?;
        for problem in &errors.items {
            println!(
                "line {}: {} {}",
                problem.line, problem.field, problem.message
            );
        }
        shown += i64::try_from(errors.items.len())?;
        if is_enough(&errors, shown) {
            return Ok(errors.total);
        }
    }
    Ok(0)
}

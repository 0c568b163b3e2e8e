//! Imports and exports for staff.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{
    Batch, BatchState, Format, Item, Outcome, Picture, PictureState, Problem, Verdict,
};
use super::service::{self, CSV, MAX_FILE, MAX_FORM, Overview, Upload};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::{ImportId, Page, PageRequest, TextEnum};
use crate::web::files::{download, receive};
use crate::web::html::page_with;
use crate::web::{Answer, Failure, Flash, Link, Pager, Shell, Template, Viewer, redirect};

/// The routes of these pages, but for [`uploads`].
pub fn routes() -> Router<App> {
    let import = format!("{}/{{id}}", urls::ADMIN_IMPORTS);
    let action = |name: &str| format!("{import}/{name}");
    Router::new()
        .route(urls::ADMIN_IMPORTS, get(list))
        .route(&import, get(show))
        .route(&action("apply"), post(apply))
        .route(&action("stop"), post(stop))
        .route(&action("revert"), post(revert))
        .route(&action("pictures"), post(retry_pictures))
        .route(&action("delete"), post(delete))
        .route(urls::ADMIN_EXPORT, get(export))
}

/// What takes large files in.
pub fn uploads() -> Router<App> {
    let limit = DefaultBodyLimit::max(MAX_FORM);
    Router::new().route(urls::ADMIN_IMPORTS, post(upload).layer(limit))
}

/// A word that means nothing counts as none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    page: String,
    show: String,
    format: String,
}

impl Asked {
    fn page(&self) -> PageRequest {
        PageRequest::typed(&self.page, PageRequest::DEFAULT_PER_PAGE)
    }
}

#[derive(Template)]
#[template(path = "imports/admin_list.html")]
struct ListPage {
    shell: Shell,
    batches: Page<Batch>,
    pager: Pager,
    errors: FieldErrors,
    formats: &'static [Format],
    megabytes: u64,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(asked): Query<Asked>,
) -> Answer {
    draw_list(&app, viewer, &uri, asked.page(), FieldErrors::default()).await
}

async fn draw_list(
    app: &App,
    viewer: Viewer,
    uri: &Uri,
    request: PageRequest,
    errors: FieldErrors,
) -> Answer {
    let batches = service::batches(app, &viewer.ctx, request).await?;
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let template = ListPage {
        shell: viewer.shell,
        pager: Pager::new(&batches, uri),
        batches,
        errors,
        formats: Format::ALL,
        megabytes: MAX_FILE >> 20,
    };
    page_with(status, &template)
}

async fn upload(State(app): State<App>, viewer: Viewer, uri: Uri, request: Request) -> Answer {
    // Before a byte of the file is read: who may not import sends none.
    let mut upload = Upload::begin(&app, &viewer.ctx).await?;
    let form = Multipart::from_request(request, &app).await;
    let form = form.map_err(|rejection| Failure::of_status(rejection.status()))?;
    let received = receive(form, "file", &mut upload, |upload, piece| {
        Box::pin(async move { upload.write(&piece).await })
    });
    let done = match received.await {
        Ok(Some(name)) => upload.finish(&app, &viewer.ctx, &name).await,
        Ok(None) => Err(Error::invalid("file", "required", "Choose a file first.")),
        Err(failure) if failure.status == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("This file is too large: at most {} MiB.", MAX_FILE >> 20);
            Err(Error::invalid("file", "too_large", message))
        }
        Err(failure) => return Err(failure),
    };
    match done {
        Ok(id) => redirect(&urls::admin_import(id)),
        Err(Error::Invalid(errors)) => {
            draw_list(&app, viewer, &uri, PageRequest::default(), errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What of a batch is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Show {
    Items(Option<Verdict>, Option<Outcome>),
    Errors,
    Pictures(PictureState),
}

/// A tab: its word in the address, its words for people, what it shows and how much that is.
struct Tab {
    word: &'static str,
    label: &'static str,
    show: Show,
    count: i64,
}

fn tabs(overview: &Overview) -> Vec<Tab> {
    let counts = &overview.counts;
    let verdict = |verdict| (Show::Items(Some(verdict), None), counts.of(verdict));
    let outcome = |outcome| (Show::Items(None, Some(outcome)), counts.with(outcome));
    let pictures = |state| (Show::Pictures(state), overview.pictures.of(state));
    let all = [
        ("new", "New", verdict(Verdict::New)),
        ("changed", "Changed", verdict(Verdict::Changed)),
        ("unchanged", "Unchanged", verdict(Verdict::Unchanged)),
        ("errors", "Errors", (Show::Errors, overview.errors)),
        ("conflict", "Changed meanwhile", outcome(Outcome::Conflict)),
        ("refused", "Refused", outcome(Outcome::Refused)),
        ("kept", "Not put back", outcome(Outcome::Kept)),
        (
            "waiting",
            "Pictures to come",
            pictures(PictureState::Waiting),
        ),
        ("fetched", "Pictures", pictures(PictureState::Fetched)),
        ("failed", "Pictures missing", pictures(PictureState::Failed)),
    ];
    let tab = |(word, label, (show, count))| Tab {
        word,
        label,
        show,
        count,
    };
    let shown =
        |tab: &Tab| tab.count > 0 || ["new", "changed", "unchanged", "errors"].contains(&tab.word);
    all.into_iter().map(tab).filter(shown).collect()
}

/// What stands below the tabs.
enum Rows {
    Items(Page<Item>),
    Errors(Page<Problem>),
    Pictures(Page<Picture>),
}

#[derive(Template)]
#[template(path = "imports/admin_import.html")]
struct ImportPage {
    shell: Shell,
    crumbs: Vec<Link>,
    overview: Overview,
    tabs: Vec<Tab>,
    /// The word of the tab that is open.
    open: &'static str,
    rows: Rows,
    pager: Pager,
    kept_days: i64,
}

impl ImportPage {
    fn batch(&self) -> &Batch {
        &self.overview.batch
    }

    fn href(&self, tab: &Tab) -> String {
        format!(
            "{}?show={}#products",
            urls::admin_import(self.batch().id),
            tab.word
        )
    }

    fn action(&self, name: &str) -> String {
        urls::admin_import_action(self.batch().id, name)
    }

    /// How far it is, of what; none when nothing goes on.
    fn progress(&self) -> Option<(i64, i64)> {
        let (batch, counts) = (self.batch(), &self.overview.counts);
        match batch.state {
            BatchState::Reading => Some((batch.read_bytes.min(batch.file_bytes), batch.file_bytes)),
            BatchState::Comparing => {
                Some((counts.total() - counts.of(Verdict::Read), counts.total()))
            }
            BatchState::Applying => Some((counts.writable() - counts.waiting(), counts.writable())),
            BatchState::Reverting => {
                let back = counts.with(Outcome::Reverted) + counts.with(Outcome::Kept);
                Some((back, back + counts.with(Outcome::Applied)))
            }
            _ => None,
        }
    }

    fn apply_label(&self) -> String {
        let begun = if self.applied() > 0 {
            "Go on with"
        } else {
            "Write"
        };
        match self.overview.counts.waiting() {
            1 => format!("{begun} one product"),
            waiting => format!("{begun} {waiting} products"),
        }
    }

    fn pictures(&self, state: &str) -> i64 {
        let state = PictureState::from_word(state);
        state.map_or(0, |state| self.overview.pictures.of(state))
    }

    fn applied(&self) -> i64 {
        self.overview.counts.with(Outcome::Applied)
    }
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ImportId>,
    uri: Uri,
    Query(asked): Query<Asked>,
) -> Answer {
    let ctx = &viewer.ctx;
    let overview = service::batch(&app, ctx, id).await?;
    let tabs = tabs(&overview);
    let asked_for = tabs.iter().find(|tab| tab.word == asked.show);
    let fullest = || tabs.iter().find(|tab| tab.count > 0);
    let Some(tab) = asked_for.or_else(fullest).or(tabs.first()) else {
        return Err(Error::NotFound.into());
    };
    let request = asked.page();
    let (rows, pager) = match tab.show {
        Show::Items(verdict, outcome) => {
            let items = service::items(&app, ctx, id, verdict, outcome, request).await?;
            let pager = Pager::new(&items, &uri);
            (Rows::Items(items), pager)
        }
        Show::Errors => {
            let errors = service::errors(&app, ctx, id, request).await?;
            let pager = Pager::new(&errors, &uri);
            (Rows::Errors(errors), pager)
        }
        Show::Pictures(state) => {
            let pictures = service::pictures(&app, ctx, id, state, request).await?;
            let pager = Pager::new(&pictures, &uri);
            (Rows::Pictures(pictures), pager)
        }
    };
    let goes_on = overview.batch.state.is_busy();
    let template = ImportPage {
        shell: viewer.shell,
        crumbs: vec![Link {
            label: "Import".to_owned(),
            href: urls::ADMIN_IMPORTS.to_owned(),
            current: false,
        }],
        open: tab.word,
        overview,
        tabs,
        rows,
        pager,
        kept_days: service::KEPT_DAYS,
    };
    let mut response = page_with(StatusCode::OK, &template)?;
    if goes_on {
        // It goes on by itself: the page looks again every other second, without a script.
        let again = HeaderValue::from_static("2");
        response.headers_mut().insert(header::REFRESH, again);
    }
    Ok(response)
}

/// Back to the batch; what cannot be done now is told there.
async fn done(viewer: &Viewer, id: ImportId, result: crate::error::Result<()>) -> Answer {
    match result {
        Ok(()) => {}
        Err(Error::Conflict { detail, .. }) => {
            viewer.flash(Flash::warning(detail.to_string())).await?;
        }
        Err(error) => return Err(error.into()),
    }
    redirect(&urls::admin_import(id))
}

async fn apply(State(app): State<App>, viewer: Viewer, Path(id): Path<ImportId>) -> Answer {
    let result = service::apply(&app, &viewer.ctx, id).await;
    done(&viewer, id, result).await
}

async fn stop(State(app): State<App>, viewer: Viewer, Path(id): Path<ImportId>) -> Answer {
    let result = service::stop(&app, &viewer.ctx, id).await;
    done(&viewer, id, result).await
}

async fn revert(State(app): State<App>, viewer: Viewer, Path(id): Path<ImportId>) -> Answer {
    let result = service::revert(&app, &viewer.ctx, id).await;
    done(&viewer, id, result).await
}

async fn retry_pictures(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<ImportId>,
) -> Answer {
    let result = service::retry_pictures(&app, &viewer.ctx, id).await;
    done(&viewer, id, result.map(drop)).await
}

async fn delete(State(app): State<App>, viewer: Viewer, Path(id): Path<ImportId>) -> Answer {
    match service::delete(&app, &viewer.ctx, id).await {
        Ok(()) => {
            let words = "The import was forgotten; its products stay as they are.";
            viewer.flash(Flash::good(words)).await?;
            redirect(urls::ADMIN_IMPORTS)
        }
        Err(error) => done(&viewer, id, Err(error)).await,
    }
}

async fn export(State(app): State<App>, viewer: Viewer, Query(asked): Query<Asked>) -> Answer {
    let format = asked.format.parse().unwrap_or(Format::Zoco);
    let export = service::export(&app, &viewer.ctx, format)?;
    let name = export.file_name();
    Ok(download(&name, CSV, export.pieces()))
}

//! The audit log for staff.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{Chain, Difference, Entry, Filter, Format, When, Who};
use super::{service, urls};
use crate::app::App;
use crate::types::{Page, PageRequest, TextEnum};
use crate::web::files::download;
use crate::web::{Answer, Link, Pager, Shell, Template, Viewer, page};

/// Letters of a value that the list shows; the entry's own page shows all of them.
const SHOWN: usize = 160;
/// Fields of an entry that the list shows.
const SHOWN_FIELDS: usize = 6;

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::ADMIN_AUDIT, get(list))
        .route(urls::ADMIN_EXPORT, get(export))
        .route(&format!("{}/{{id}}", urls::ADMIN_AUDIT), get(show))
}

/// What the list is narrowed by. What cannot be read counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    subject: String,
    action: String,
    actor: String,
    from: String,
    until: String,
    page: String,
    format: String,
}

impl Narrowed {
    fn filter(&self) -> Filter {
        let when = |text: &str| text.parse::<When>().ok();
        Filter {
            search: self.search.clone(),
            subject: self.subject.clone(),
            action: self.action.clone(),
            who: Who::read(&self.actor),
            from: when(&self.from).map(When::begins),
            until: when(&self.until).map(When::ends),
        }
    }

    fn page(&self) -> PageRequest {
        PageRequest::typed(&self.page, PageRequest::DEFAULT_PER_PAGE)
    }

    /// The address of the file of what the list shows.
    fn export(&self, format: Format) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("format", format.as_str());
        for (name, value) in [
            ("search", &self.search),
            ("subject", &self.subject),
            ("action", &self.action),
            ("actor", &self.actor),
            ("from", &self.from),
            ("until", &self.until),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("{}?{}", urls::ADMIN_EXPORT, query.finish())
    }
}

/// An entry as the list shows it.
struct Line {
    entry: Entry,
    differences: Vec<Difference>,
    /// Fields that are left out.
    more: usize,
}

impl Line {
    fn of(entry: Entry) -> Self {
        let mut differences = entry.differences();
        let more = differences.len().saturating_sub(SHOWN_FIELDS);
        differences.truncate(SHOWN_FIELDS);
        for one in &mut differences {
            shorten(&mut one.old);
            shorten(&mut one.new);
        }
        Self {
            entry,
            differences,
            more,
        }
    }
}

fn shorten(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(at);
        text.push('…');
    }
}

#[derive(Template)]
#[template(path = "audit/admin_list.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    actions: Vec<(String, String)>,
    lines: Page<Line>,
    pager: Pager,
    chain: Chain,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let (filter, asked) = (narrowed.filter(), narrowed.page());
    let entries = service::list(&app, &viewer.ctx, &filter, asked).await?;
    let mut actions = vec![(String::new(), "Any action".to_owned())];
    let known = service::actions(&app, &viewer.ctx).await?;
    actions.extend(known.into_iter().map(|action| (action.clone(), action)));
    page(&ListPage {
        chain: service::state(&app, &viewer.ctx).await?,
        shell: viewer.shell,
        narrowed,
        actions,
        pager: Pager::new(&entries, &uri),
        lines: entries.map(Line::of),
    })
}

#[derive(Template)]
#[template(path = "audit/admin_entry.html")]
struct EntryPage {
    shell: Shell,
    crumbs: Vec<Link>,
    /// Where what it is about can be seen, if anywhere.
    leads_to: Option<String>,
    differences: Vec<Difference>,
    entry: Entry,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<i64>) -> Answer {
    let entry = service::entry(&app, &viewer.ctx, id).await?;
    page(&EntryPage {
        shell: viewer.shell,
        crumbs: vec![Link {
            label: "Audit log".to_owned(),
            href: urls::ADMIN_AUDIT.to_owned(),
            current: false,
        }],
        leads_to: page_of(&entry.subject),
        differences: entry.differences(),
        entry,
    })
}

/// The page of a subject: of `product 12`, say.
fn page_of(subject: &str) -> Option<String> {
    let (kind, name) = subject.split_once(' ')?;
    if kind == "order" {
        return Some(crate::orders::urls::admin_order(name));
    }
    let id: i64 = name.parse().ok()?;
    match kind {
        "product" => Some(crate::catalog::urls::admin_product(
            crate::types::ProductId(id),
        )),
        "category" => Some(crate::catalog::urls::admin_category(
            crate::types::CategoryId(id),
        )),
        "review" => Some(crate::reviews::urls::admin_review(crate::types::ReviewId(
            id,
        ))),
        "import" => Some(crate::imports::urls::admin_import(crate::types::ImportId(
            id,
        ))),
        "synonym" => Some(crate::search::urls::admin_synonym(id)),
        _ => None,
    }
}

async fn export(
    State(app): State<App>,
    viewer: Viewer,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let format = Format::from_word(&narrowed.format).unwrap_or_default();
    let export = service::export(&app, &viewer.ctx, narrowed.filter(), format).await?;
    let name = export.file_name().to_owned();
    Ok(download(&name, export.kind(), export.pieces()))
}

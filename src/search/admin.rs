//! Search for staff: words that mean the same, and searches that found nothing.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{Miss, Synonym};
use super::service::{self, SynonymInput};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::{Page, PageRequest};
use crate::web::form::{Form, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Pager, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let synonym = format!("{}/{{id}}", urls::ADMIN_SYNONYMS);
    Router::new()
        .route(urls::ADMIN_SYNONYMS, get(synonyms).post(create))
        .route(&synonym, get(edit).post(save))
        .route(&format!("{synonym}/delete"), post(delete))
        .route(urls::ADMIN_MISSES, get(misses))
        .route(urls::ADMIN_MISS_DISMISS, post(dismiss))
}

/// A rule, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SynonymForm {
    version: String,
    words: String,
    targets: String,
}

impl SynonymForm {
    fn of(synonym: &Synonym) -> Self {
        Self {
            version: synonym.version.to_string(),
            words: synonym.words.join(", "),
            targets: synonym.targets.join(", "),
        }
    }

    fn input(&self) -> SynonymInput {
        let list = |typed: &str| {
            typed
                .split(',')
                .map(|text| text.trim().to_owned())
                .collect()
        };
        SynonymInput {
            words: Some(list(&self.words)),
            targets: Some(list(&self.targets)),
        }
    }
}

#[derive(Template)]
#[template(path = "search/admin_synonyms.html")]
struct SynonymsPage {
    shell: Shell,
    synonyms: Vec<Synonym>,
    form: SynonymForm,
    errors: FieldErrors,
}

/// What the page of searches that found nothing hands over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Begun {
    targets: String,
    words: String,
}

async fn synonyms(State(app): State<App>, viewer: Viewer, Query(begun): Query<Begun>) -> Answer {
    let form = SynonymForm {
        words: begun.words,
        targets: begun.targets,
        ..SynonymForm::default()
    };
    draw_all(&app, viewer, StatusCode::OK, form, FieldErrors::default()).await
}

async fn draw_all(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    form: SynonymForm,
    errors: FieldErrors,
) -> Answer {
    let synonyms = service::synonyms(app, &viewer.ctx).await?;
    let template = SynonymsPage {
        shell: viewer.shell,
        synonyms,
        form,
        errors,
    };
    page_with(status, &template)
}

async fn create(State(app): State<App>, viewer: Viewer, Form(form): Form<SynonymForm>) -> Answer {
    match service::create_synonym(&app, &viewer.ctx, form.input()).await {
        Ok(_) => done(&viewer, "The rule holds from the next search on.").await,
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw_all(&app, viewer, status, form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn done(viewer: &Viewer, words: &str) -> Answer {
    viewer.flash(Flash::good(words)).await?;
    redirect(urls::ADMIN_SYNONYMS)
}

#[derive(Template)]
#[template(path = "search/admin_synonym.html")]
struct SynonymPage {
    shell: Shell,
    synonym: Synonym,
    form: SynonymForm,
    errors: FieldErrors,
    /// Whether somebody else changed it while the form was open.
    conflict: bool,
}

async fn edit(State(app): State<App>, viewer: Viewer, Path(id): Path<i64>) -> Answer {
    let synonym = service::synonym(&app, &viewer.ctx, id).await?;
    page(&SynonymPage {
        shell: viewer.shell,
        form: SynonymForm::of(&synonym),
        synonym,
        errors: FieldErrors::default(),
        conflict: false,
    })
}

async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(mut form): Form<SynonymForm>,
) -> Answer {
    let saved =
        service::update_synonym(&app, &viewer.ctx, id, version(&form.version), form.input()).await;
    let (status, errors) = match saved {
        Ok(_) => return done(&viewer, "The rule was saved.").await,
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default()),
        Err(error) => return Err(error.into()),
    };
    let synonym = service::synonym(&app, &viewer.ctx, id).await?;
    let conflict = status == StatusCode::CONFLICT;
    if conflict {
        // What was typed is kept; saving it again is a decision.
        form.version = synonym.version.to_string();
    }
    let template = SynonymPage {
        shell: viewer.shell,
        synonym,
        form,
        errors,
        conflict,
    };
    page_with(status, &template)
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(form): Form<SynonymForm>,
) -> Answer {
    match service::delete_synonym(&app, &viewer.ctx, id, version(&form.version)).await {
        Ok(()) => done(&viewer, "The rule was deleted.").await,
        Err(Error::Stale) => {
            let words = "Somebody changed this rule meanwhile. Look again before you delete it.";
            viewer.flash(Flash::warning(words)).await?;
            redirect(&urls::admin_synonym(id))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "search/admin_misses.html")]
struct MissesPage {
    shell: Shell,
    misses: Page<Miss>,
    pager: Pager,
}

impl MissesPage {
    /// The form of a new rule that begins with these words.
    fn rule(&self, miss: &Miss) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("words", &miss.words);
        format!("{}?{}", urls::ADMIN_SYNONYMS, query.finish())
    }
}

/// A word that means nothing counts as none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    page: String,
}

async fn misses(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(which): Query<Which>,
) -> Answer {
    let request = PageRequest::typed(&which.page, PageRequest::DEFAULT_PER_PAGE);
    let misses = service::misses(&app, &viewer.ctx, request).await?;
    page(&MissesPage {
        shell: viewer.shell,
        pager: Pager::new(&misses, &uri),
        misses,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dismissed {
    words: String,
}

async fn dismiss(
    State(app): State<App>,
    viewer: Viewer,
    Form(dismissed): Form<Dismissed>,
) -> Answer {
    match service::dismiss_miss(&app, &viewer.ctx, &dismissed.words).await {
        // Somebody else was faster: it is gone.
        Ok(()) | Err(Error::NotFound) => redirect(urls::ADMIN_MISSES),
        Err(error) => Err(error.into()),
    }
}

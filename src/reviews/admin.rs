//! Reviews for staff: the list, hiding and showing, and the page to answer one.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{ReviewOfProduct, ReviewState, StaffFilter};
use super::service::{self, ModerationInput};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::{Page, PageRequest, ReviewId, TextEnum};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Failure, Flash, Link, Pager, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new().route(urls::ADMIN_REVIEWS, get(list)).route(
        &format!("{}/{{id}}", urls::ADMIN_REVIEWS),
        get(show).post(moderate),
    )
}

/// What the list is narrowed by. A word that no state has counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    state: String,
    stars: String,
    page: String,
}

impl Narrowed {
    fn filter(&self) -> StaffFilter {
        StaffFilter {
            search: self.search.clone(),
            state: ReviewState::from_word(&self.state),
            stars: self.stars.parse().ok(),
        }
    }

    fn page(&self) -> PageRequest {
        PageRequest::typed(&self.page, PageRequest::DEFAULT_PER_PAGE)
    }
}

#[derive(Template)]
#[template(path = "reviews/admin_reviews.html")]
struct ListPage {
    shell: Shell,
    narrowed: Narrowed,
    states: Vec<(String, String)>,
    stars: Vec<(String, String)>,
    /// The address of this list, for the way back to it.
    here: String,
    reviews: Page<ReviewOfProduct>,
    pager: Pager,
}

async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let (filter, asked) = (narrowed.filter(), narrowed.page());
    let reviews = service::list_for_staff(&app, &viewer.ctx, &filter, asked).await?;
    page(&ListPage {
        shell: viewer.shell,
        narrowed,
        states: states(),
        stars: stars(),
        here: uri.to_string(),
        pager: Pager::new(&reviews, &uri),
        reviews,
    })
}

fn states() -> Vec<(String, String)> {
    let each = |state: &ReviewState| (state.to_string(), state.label());
    let mut choices = vec![(String::new(), "All".to_owned())];
    choices.extend(ReviewState::ALL.iter().map(each));
    choices
}

fn stars() -> Vec<(String, String)> {
    let each = |stars: i64| {
        let words = if stars == 1 { "star" } else { "stars" };
        (stars.to_string(), format!("{stars} {words}"))
    };
    let mut choices = vec![(String::new(), "Any".to_owned())];
    choices.extend((1..=5).rev().map(each));
    choices
}

/// What staff post: a button says whether to hide it, the form what to answer; a field that is
/// not there changes nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModerationForm {
    hidden: Option<String>,
    reply: Option<String>,
    version: String,
    /// The page to go on to.
    back: String,
}

impl ModerationForm {
    fn input(&self) -> ModerationInput {
        ModerationInput {
            hidden: self.hidden.as_ref().map(|hidden| hidden == "true"),
            // A browser sends line ends as CR LF.
            reply: self.reply.as_ref().map(|text| text.replace("\r\n", "\n")),
        }
    }

    /// Only pages of this part: `redirect` refuses other sites.
    fn back(&self) -> &str {
        if self.back.is_empty() {
            urls::ADMIN_REVIEWS
        } else {
            &self.back
        }
    }
}

#[derive(Template)]
#[template(path = "reviews/admin_review.html")]
struct ReviewPage {
    shell: Shell,
    crumbs: Vec<Link>,
    found: ReviewOfProduct,
    reply: String,
    back: String,
    errors: FieldErrors,
}

impl ReviewPage {
    fn new(viewer: Viewer, found: ReviewOfProduct, back: String) -> Self {
        let said = found.review.reply.as_ref();
        Self {
            crumbs: vec![Link {
                label: "Reviews".to_owned(),
                href: urls::ADMIN_REVIEWS.to_owned(),
                current: false,
            }],
            reply: said.map_or_else(String::new, |reply| reply.text.clone()),
            shell: viewer.shell,
            found,
            back,
            errors: FieldErrors::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Back {
    back: String,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Query(Back { back }): Query<Back>,
) -> Answer {
    let found = service::review_for_staff(&app, &viewer.ctx, review_id(&id)?).await?;
    page(&ReviewPage::new(viewer, found, back))
}

async fn moderate(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(form): Form<ModerationForm>,
) -> Answer {
    let (id, version) = (review_id(&id)?, form.version.parse().ok());
    match service::moderate(&app, &viewer.ctx, id, version, form.input()).await {
        Ok(_) => {
            let news = match form.hidden.as_deref() {
                Some("true") => "The review is hidden. Its author still sees it.",
                Some(_) => "Shoppers see the review again.",
                None => "The answer is saved.",
            };
            viewer.flash(Flash::good(news)).await?;
            redirect(form.back())
        }
        Err(Error::Invalid(errors)) => again(&app, viewer, id, form, errors).await,
        Err(Error::Stale) => {
            let mut errors = FieldErrors::default();
            let message = "Somebody changed this review meanwhile. Look at it again.";
            errors.add("", "stale", message);
            again(&app, viewer, id, form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The review as it is now, and the answer as it was typed.
async fn again(
    app: &App,
    viewer: Viewer,
    id: ReviewId,
    form: ModerationForm,
    errors: FieldErrors,
) -> Answer {
    let found = service::review_for_staff(app, &viewer.ctx, id).await?;
    let mut again = ReviewPage::new(viewer, found, form.back);
    again.reply = form.reply.unwrap_or(again.reply);
    again.errors = errors;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

/// A review's id from the address; what is no number names no review.
fn review_id(text: &str) -> Result<ReviewId, Failure> {
    text.parse().map_err(|_| Failure::from(Error::NotFound))
}

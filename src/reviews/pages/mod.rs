//! The reviews of a product, and pages to write, change and remove one. The first of them stand
//! on the page of their product, too.

mod section;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::ReviewFilter;
use super::service::{self, ReviewInput};
use super::urls;
use crate::app::App;
use crate::catalog::{self, Product, ProductKey};
use crate::ctx::Rule;
use crate::error::{Error, FieldErrors};
use crate::types::ReviewId;
use crate::web::form::Form;
use crate::web::html::{moved, page_with};
use crate::web::{Answer, Failure, Flash, Link, Shell, Template, Viewer, page, redirect};
pub use section::{Bar, Section};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/products/{slug}/reviews/new", get(new))
        .route("/products/{slug}/reviews", get(all).post(create))
        .route("/products/{slug}/reviews/{id}/edit", get(edit).post(update))
        .route("/products/{slug}/reviews/{id}/delete", post(delete))
}

#[derive(Template)]
#[template(path = "reviews/list.html")]
struct AllPage {
    shell: Shell,
    crumbs: Vec<Link>,
    product: Product,
    section: Section,
}

impl AllPage {
    /// The number of this page of the list.
    fn number(&self) -> u32 {
        self.section.page.request.page()
    }

    /// Whether the list is not the usual one.
    fn is_narrowed(&self) -> bool {
        self.section.filter != ReviewFilter::default()
    }
}

async fn all(
    State(app): State<App>,
    viewer: Viewer,
    Path(slug): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let product =
        catalog::service::find_product(&app, &viewer.ctx, &ProductKey::parse(&slug)).await?;
    if product.slug.as_str() != slug {
        return moved(&urls::all(&product.slug));
    }
    page(&AllPage {
        section: Section::on_own_page(&app, &viewer.ctx, &product, &pairs).await?,
        crumbs: vec![Link {
            label: product.name.clone(),
            href: catalog::urls::product(&product.slug),
            current: false,
        }],
        shell: viewer.shell,
        product,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReviewForm {
    rating: String,
    title: String,
    body: String,
}

impl ReviewForm {
    /// Stars that are no number are none, which the service refuses.
    fn input(&self) -> ReviewInput {
        ReviewInput {
            rating: self.rating.trim().parse().unwrap_or(0),
            title: self.title.clone(),
            // A browser sends line ends as CR LF.
            body: self.body.replace("\r\n", "\n"),
        }
    }
}

/// What each number of stars means, best first.
const STARS: [(&str, &str); 5] = [
    ("5", "Great"),
    ("4", "Good"),
    ("3", "Fair"),
    ("2", "Poor"),
    ("1", "Bad"),
];

#[derive(Template)]
#[template(path = "reviews/form.html")]
struct FormPage {
    shell: Shell,
    product: Product,
    /// Where the form goes.
    action: String,
    /// Whether there is a review to change.
    exists: bool,
    form: ReviewForm,
    errors: FieldErrors,
}

async fn new(State(app): State<App>, viewer: Viewer, Path(slug): Path<String>) -> Answer {
    viewer.ctx.check(Rule::SignedIn)?;
    let key = ProductKey::parse(&slug);
    let product = catalog::service::product(&app, &viewer.ctx, &key).await?;
    if let Some(own) = service::own(&app, &viewer.ctx, &key).await? {
        return redirect(&urls::edit(&product.slug, own.id));
    }
    page(&FormPage {
        shell: viewer.shell,
        action: urls::create(&product.slug),
        product,
        exists: false,
        form: ReviewForm::default(),
        errors: FieldErrors::default(),
    })
}

async fn create(
    State(app): State<App>,
    viewer: Viewer,
    Path(slug): Path<String>,
    Form(form): Form<ReviewForm>,
) -> Answer {
    let key = ProductKey::parse(&slug);
    match service::create(&app, &viewer.ctx, &key, form.input()).await {
        Ok(_) => {
            back(
                &app,
                viewer,
                &key,
                Flash::good("Thank you for your review."),
            )
            .await
        }
        Err(Error::Invalid(errors)) => again(&app, viewer, &key, None, form, errors).await,
        // Written before, in another tab: what was typed now can still be saved as a change.
        Err(Error::Conflict { detail, .. }) => {
            let own = service::own(&app, &viewer.ctx, &key).await?;
            let mut errors = FieldErrors::default();
            errors.add("", "already_reviewed", detail);
            again(&app, viewer, &key, own.map(|own| own.id), form, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn edit(
    State(app): State<App>,
    viewer: Viewer,
    Path((slug, id)): Path<(String, String)>,
) -> Answer {
    viewer.ctx.check(Rule::SignedIn)?;
    let (key, id) = (ProductKey::parse(&slug), review_id(&id)?);
    let product = catalog::service::product(&app, &viewer.ctx, &key).await?;
    let own = service::own(&app, &viewer.ctx, &key).await?;
    let own = own.filter(|own| own.id == id).ok_or(Error::NotFound)?;
    page(&FormPage {
        shell: viewer.shell,
        action: urls::edit(&product.slug, id),
        product,
        exists: true,
        form: ReviewForm {
            rating: own.rating.to_string(),
            title: own.title,
            body: own.body,
        },
        errors: FieldErrors::default(),
    })
}

async fn update(
    State(app): State<App>,
    viewer: Viewer,
    Path((slug, id)): Path<(String, String)>,
    Form(form): Form<ReviewForm>,
) -> Answer {
    let (key, id) = (ProductKey::parse(&slug), review_id(&id)?);
    match service::update(&app, &viewer.ctx, &key, id, None, form.input()).await {
        Ok(_) => back(&app, viewer, &key, Flash::good("Your review is changed.")).await,
        Err(Error::Invalid(errors)) => again(&app, viewer, &key, Some(id), form, errors).await,
        Err(error) => Err(error.into()),
    }
}

async fn delete(
    State(app): State<App>,
    viewer: Viewer,
    Path((slug, id)): Path<(String, String)>,
) -> Answer {
    let key = ProductKey::parse(&slug);
    match service::delete(&app, &viewer.ctx, &key, review_id(&id)?).await {
        Ok(()) => back(&app, viewer, &key, Flash::good("The review is gone.")).await,
        Err(Error::Conflict { detail, .. }) => {
            back(&app, viewer, &key, Flash::warning(detail)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// On to the reviews on the product's page.
async fn back(app: &App, viewer: Viewer, key: &ProductKey, news: Flash) -> Answer {
    let product = catalog::service::product(app, &viewer.ctx, key).await?;
    viewer.flash(news).await?;
    redirect(&urls::of_product(&product.slug))
}

/// The form again, as it was typed.
async fn again(
    app: &App,
    viewer: Viewer,
    key: &ProductKey,
    id: Option<ReviewId>,
    form: ReviewForm,
    errors: FieldErrors,
) -> Answer {
    let product = catalog::service::product(app, &viewer.ctx, key).await?;
    let action = match id {
        Some(id) => urls::edit(&product.slug, id),
        None => urls::create(&product.slug),
    };
    let again = FormPage {
        shell: viewer.shell,
        product,
        action,
        exists: id.is_some(),
        form,
        errors,
    };
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

/// A review's id from the address; what is no number names no review.
fn review_id(text: &str) -> Result<ReviewId, Failure> {
    text.parse().map_err(|_| Failure::from(Error::NotFound))
}

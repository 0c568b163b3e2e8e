//! Tax classes and rates for staff: a list of both, and a form for each.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::{STANDARD, TaxClass, TaxRule, write_percent};
use super::service::{self, TaxClassInput, TaxRateInput};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::TaxRateId;
use crate::web::form::{Form, countries, number, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let class = format!("{}/{{code}}", urls::ADMIN_CLASSES);
    let rate = format!("{}/{{id}}", urls::ADMIN_RATES);
    Router::new()
        .route(urls::ADMIN_TAXES, get(list))
        .route(urls::ADMIN_CLASSES, post(create_class))
        .route(&class, get(edit_class).post(save_class))
        .route(&format!("{class}/delete"), post(delete_class))
        .route(urls::ADMIN_RATES, post(create_rate))
        .route(&rate, get(edit_rate).post(save_rate))
        .route(&format!("{rate}/delete"), post(delete_rate))
}

/// A class, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ClassForm {
    version: String,
    code: String,
    name: String,
    position: String,
    for_shipping: String,
}

impl ClassForm {
    fn of(class: &TaxClass) -> Self {
        Self {
            version: class.version.to_string(),
            code: class.code.clone(),
            name: class.name.clone(),
            position: class.position.to_string(),
            for_shipping: if class.for_shipping { "on" } else { "" }.to_owned(),
        }
    }

    fn input(&self) -> TaxClassInput {
        TaxClassInput {
            code: Some(self.code.clone()),
            name: Some(self.name.clone()),
            position: number(&self.position),
            for_shipping: (!self.for_shipping.is_empty()).then_some(true),
        }
    }
}

/// A rate, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RateForm {
    version: String,
    tax_class: String,
    country: String,
    region: String,
    rate_name: String,
    percent: String,
}

impl RateForm {
    fn of(rate: &TaxRule) -> Self {
        Self {
            version: rate.version.to_string(),
            tax_class: rate.tax_class.clone(),
            country: rate.country.clone(),
            region: rate.region.clone(),
            rate_name: rate.name.clone(),
            percent: write_percent(rate.rate),
        }
    }

    fn input(&self) -> TaxRateInput {
        TaxRateInput {
            tax_class: Some(self.tax_class.clone()),
            country: Some(self.country.clone()),
            region: Some(self.region.clone()),
            name: Some(self.rate_name.clone()),
            percent: Some(self.percent.clone()),
        }
    }
}

/// The messages of a rate's form. Both forms of the list have a name; theirs must differ, so that
/// a message leads to the right one.
fn at_fields(errors: FieldErrors) -> FieldErrors {
    let mut moved = FieldErrors::default();
    for (field, error) in errors.iter() {
        let field = if field == "name" { "rate_name" } else { field };
        moved.add(field, error.code, error.message.clone());
    }
    moved
}

/// Code and name of each class, to choose from.
fn class_choices(classes: &[TaxClass]) -> Vec<(String, String)> {
    let choice = |class: &TaxClass| (class.code.clone(), class.name.clone());
    classes.iter().map(choice).collect()
}

#[derive(Template)]
#[template(path = "taxes/admin_list.html")]
struct ListPage {
    shell: Shell,
    classes: Vec<TaxClass>,
    rates: Vec<TaxRule>,
    products: HashMap<String, i64>,
    class_choices: Vec<(String, String)>,
    country_choices: Vec<(String, String)>,
    class_form: ClassForm,
    rate_form: RateForm,
    errors: FieldErrors,
}

impl ListPage {
    /// The rates of a class.
    fn rates_of(&self, class: &TaxClass) -> Vec<&TaxRule> {
        let rates = self.rates.iter();
        rates.filter(|rate| rate.tax_class == class.code).collect()
    }

    fn products_of(&self, class: &TaxClass) -> i64 {
        self.products.get(&class.code).copied().unwrap_or(0)
    }

    fn may_go(&self, class: &TaxClass) -> bool {
        class.code != STANDARD && !class.for_shipping && self.products_of(class) == 0
    }
}

async fn list(State(app): State<App>, viewer: Viewer) -> Answer {
    let forms = (ClassForm::default(), RateForm::default());
    draw_list(&app, viewer, StatusCode::OK, forms, FieldErrors::default()).await
}

async fn draw_list(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    (class_form, mut rate_form): (ClassForm, RateForm),
    errors: FieldErrors,
) -> Answer {
    let rates = service::all_rates(app, &viewer.ctx).await?;
    let classes = service::classes(app, &viewer.ctx).await?;
    if rate_form.tax_class.is_empty() {
        STANDARD.clone_into(&mut rate_form.tax_class);
    }
    let template = ListPage {
        products: service::products_by_class(app, &viewer.ctx).await?,
        shell: viewer.shell,
        class_choices: class_choices(&classes),
        country_choices: countries("Any country"),
        classes,
        rates,
        class_form,
        rate_form,
        errors,
    };
    page_with(status, &template)
}

async fn done(viewer: &Viewer, words: &str) -> Answer {
    viewer.flash(Flash::good(words)).await?;
    redirect(urls::ADMIN_TAXES)
}

async fn create_class(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<ClassForm>,
) -> Answer {
    match service::create_class(&app, &viewer.ctx, form.input()).await {
        Ok(class) => {
            let words = format!("{} was made. Give it rates below.", class.name);
            done(&viewer, &words).await
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let forms = (form, RateForm::default());
            draw_list(&app, viewer, status, forms, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn create_rate(State(app): State<App>, viewer: Viewer, Form(form): Form<RateForm>) -> Answer {
    match service::create_rate(&app, &viewer.ctx, form.input()).await {
        Ok(rate) => {
            let words = format!("{} of {} was added.", rate.name, rate.percent());
            done(&viewer, &words).await
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let forms = (ClassForm::default(), form);
            draw_list(&app, viewer, status, forms, at_fields(errors)).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "taxes/admin_class.html")]
struct ClassPage {
    shell: Shell,
    class: TaxClass,
    form: ClassForm,
    errors: FieldErrors,
    /// Whether somebody else changed it while the form was open.
    conflict: bool,
}

async fn edit_class(State(app): State<App>, viewer: Viewer, Path(code): Path<String>) -> Answer {
    let class = service::class(&app, &viewer.ctx, &code).await?;
    page(&ClassPage {
        shell: viewer.shell,
        form: ClassForm::of(&class),
        class,
        errors: FieldErrors::default(),
        conflict: false,
    })
}

async fn save_class(
    State(app): State<App>,
    viewer: Viewer,
    Path(code): Path<String>,
    Form(mut form): Form<ClassForm>,
) -> Answer {
    let seen = version(&form.version);
    let saved = service::update_class(&app, &viewer.ctx, &code, seen, form.input()).await;
    let (status, errors) = match saved {
        Ok(_) => return done(&viewer, "The tax class was saved.").await,
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default()),
        Err(error) => return Err(error.into()),
    };
    let class = service::class(&app, &viewer.ctx, &code).await?;
    let conflict = status == StatusCode::CONFLICT;
    if conflict {
        // What was typed is kept; saving it again is a decision.
        form.version = class.version.to_string();
    }
    let template = ClassPage {
        shell: viewer.shell,
        class,
        form,
        errors,
        conflict,
    };
    page_with(status, &template)
}

async fn delete_class(
    State(app): State<App>,
    viewer: Viewer,
    Path(code): Path<String>,
    Form(form): Form<ClassForm>,
) -> Answer {
    let seen = version(&form.version);
    let words = match service::delete_class(&app, &viewer.ctx, &code, seen).await {
        Ok(()) => return done(&viewer, "The tax class was deleted.").await,
        Err(Error::Conflict { detail, .. }) => detail,
        Err(Error::Stale) => STALE.to_owned(),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(Flash::warning(words)).await?;
    redirect(urls::ADMIN_TAXES)
}

const STALE: &str = "Somebody changed it meanwhile. Look again before you delete it.";

#[derive(Template)]
#[template(path = "taxes/admin_rate.html")]
struct RatePage {
    shell: Shell,
    rate: TaxRule,
    class_choices: Vec<(String, String)>,
    country_choices: Vec<(String, String)>,
    form: RateForm,
    errors: FieldErrors,
    /// Whether somebody else changed it while the form was open.
    conflict: bool,
}

async fn edit_rate(State(app): State<App>, viewer: Viewer, Path(id): Path<i64>) -> Answer {
    let rate = service::rate(&app, &viewer.ctx, TaxRateId(id)).await?;
    let form = RateForm::of(&rate);
    draw_rate(
        &app,
        viewer,
        StatusCode::OK,
        rate,
        form,
        FieldErrors::default(),
    )
    .await
}

async fn draw_rate(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    rate: TaxRule,
    form: RateForm,
    errors: FieldErrors,
) -> Answer {
    let classes = service::classes(app, &viewer.ctx).await?;
    let template = RatePage {
        shell: viewer.shell,
        rate,
        class_choices: class_choices(&classes),
        country_choices: countries("Any country"),
        form,
        errors,
        conflict: status == StatusCode::CONFLICT,
    };
    page_with(status, &template)
}

async fn save_rate(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(mut form): Form<RateForm>,
) -> Answer {
    let (id, seen) = (TaxRateId(id), version(&form.version));
    let saved = service::update_rate(&app, &viewer.ctx, id, seen, form.input()).await;
    let (status, errors) = match saved {
        Ok(_) => return done(&viewer, "The tax rate was saved.").await,
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, at_fields(errors)),
        Err(Error::Stale) => (StatusCode::CONFLICT, FieldErrors::default()),
        Err(error) => return Err(error.into()),
    };
    let rate = service::rate(&app, &viewer.ctx, id).await?;
    if status == StatusCode::CONFLICT {
        // What was typed is kept; saving it again is a decision.
        form.version = rate.version.to_string();
    }
    draw_rate(&app, viewer, status, rate, form, errors).await
}

async fn delete_rate(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<i64>,
    Form(form): Form<RateForm>,
) -> Answer {
    let seen = version(&form.version);
    match service::delete_rate(&app, &viewer.ctx, TaxRateId(id), seen).await {
        Ok(()) => done(&viewer, "The tax rate was deleted.").await,
        Err(Error::Stale) => {
            viewer.flash(Flash::warning(STALE)).await?;
            redirect(urls::ADMIN_TAXES)
        }
        Err(error) => Err(error.into()),
    }
}

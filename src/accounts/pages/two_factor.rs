//! Pages of the second factor: setting it up, and the second step of a sign-in.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::{get, post};
use serde::Deserialize;

use super::entry::admit;
use crate::accounts::model::{TwoFactor, TwoFactorSetup};
use crate::accounts::service::{self, BothFactors, TurnOn};
use crate::accounts::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::SIGN_IN_CODE, get(code_form).post(sign_in))
        .route(urls::TWO_FACTOR, get(show).post(turn_on))
        .route(urls::TWO_FACTOR_OFF, post(turn_off))
        .route(urls::RECOVERY_CODES, post(new_codes))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CodeForm {
    code: String,
    next: String,
}

#[derive(Template)]
#[template(path = "accounts/sign_in_code.html")]
struct CodePage {
    shell: Shell,
    form: CodeForm,
    errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TwoFactorForm {
    secret: String,
    password: String,
    code: String,
}

/// The page when it is off: how to turn it on.
#[derive(Template)]
#[template(path = "accounts/two_factor_set_up.html")]
struct SetUpPage {
    shell: Shell,
    setup: TwoFactorSetup,
    errors: FieldErrors,
    /// Whether somebody who works here has to.
    needed: bool,
}

/// The page when it is on.
#[derive(Template)]
#[template(path = "accounts/two_factor.html")]
struct TwoFactorPage {
    shell: Shell,
    two_factor: TwoFactor,
    errors: FieldErrors,
}

/// New recovery codes, shown once.
#[derive(Template)]
#[template(path = "accounts/recovery_codes.html")]
struct CodesPage {
    shell: Shell,
    codes: Vec<String>,
}

impl CodesPage {
    /// The codes as a file, in the address of a link.
    fn file(&self) -> String {
        format!(
            "data:text/plain;charset=utf-8,{}%0A",
            self.codes.join("%0A")
        )
    }
}

async fn code_form(viewer: Viewer, Query(form): Query<CodeForm>) -> Answer {
    if viewer.visit.half_signed_in(viewer.ctx.now).await?.is_none() {
        return redirect(&urls::sign_in_then(&form.next));
    }
    page(&CodePage {
        shell: viewer.shell,
        form,
        errors: FieldErrors::default(),
    })
}

async fn sign_in(State(app): State<App>, viewer: Viewer, Form(form): Form<CodeForm>) -> Answer {
    let Some(id) = viewer.visit.half_signed_in(viewer.ctx.now).await? else {
        return redirect(&urls::sign_in_then(&form.next));
    };
    let user = service::user(&app, id).await?;
    let user = user.ok_or(Error::Unauthenticated)?;
    match service::second_step(&app, &viewer.ctx, &user, Some(&form.code)).await {
        Ok(()) => admit(&viewer, &user, &form.next).await,
        Err(Error::Invalid(errors)) => {
            let again = CodePage {
                shell: viewer.shell,
                form: CodeForm {
                    code: String::new(),
                    ..form
                },
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whoever may see the back office only with a second factor, and has none.
fn needed(viewer: &Viewer) -> bool {
    viewer.ctx.user().is_some_and(|user| user.lacks_two_factor)
}

async fn show(State(app): State<App>, viewer: Viewer) -> Answer {
    let two_factor = service::two_factor(&app, &viewer.ctx).await?;
    if two_factor.on {
        return page(&TwoFactorPage {
            shell: viewer.shell,
            two_factor,
            errors: FieldErrors::default(),
        });
    }
    let shown = page(&SetUpPage {
        setup: service::new_two_factor(&app, &viewer.ctx)?,
        needed: needed(&viewer),
        shell: viewer.shell,
        errors: FieldErrors::default(),
    });
    secret(shown)
}

/// Keeps a page out of every store: what it shows, nothing shows again.
fn secret(shown: Answer) -> Answer {
    let mut response = shown?;
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

async fn turn_on(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<TwoFactorForm>,
) -> Answer {
    let input = TurnOn {
        secret: form.secret.clone(),
        code: form.code,
        password: form.password,
    };
    match service::turn_on_two_factor(&app, &viewer.ctx, input).await {
        Ok(codes) => show_codes(viewer, codes).await,
        Err(Error::Invalid(errors)) => {
            // A secret that is none begins again.
            let setup = service::two_factor_with(&app, &viewer.ctx, form.secret)
                .or_else(|_| service::new_two_factor(&app, &viewer.ctx))?;
            let again = SetUpPage {
                needed: needed(&viewer),
                shell: viewer.shell,
                setup,
                errors,
            };
            secret(page_with(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(Error::Conflict { .. }) => redirect(urls::TWO_FACTOR),
        Err(error) => Err(error.into()),
    }
}

/// What protects the account has changed: the session gets a new id.
async fn show_codes(viewer: Viewer, codes: Vec<String>) -> Answer {
    viewer.visit.renew().await?;
    secret(page(&CodesPage {
        shell: viewer.shell,
        codes,
    }))
}

async fn turn_off(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<TwoFactorForm>,
) -> Answer {
    match service::turn_off_two_factor(&app, &viewer.ctx, both(form)).await {
        Ok(()) => {
            viewer.visit.renew().await?;
            let news = "Two-step sign-in is off.";
            viewer.flash(Flash::good(news)).await?;
            redirect(urls::ACCOUNT)
        }
        Err(Error::Invalid(errors)) => again(&app, viewer, errors).await,
        Err(error) => Err(error.into()),
    }
}

async fn new_codes(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<TwoFactorForm>,
) -> Answer {
    match service::new_recovery_codes(&app, &viewer.ctx, both(form)).await {
        Ok(codes) => show_codes(viewer, codes).await,
        Err(Error::Invalid(errors)) => again(&app, viewer, errors).await,
        Err(error) => Err(error.into()),
    }
}

fn both(form: TwoFactorForm) -> BothFactors {
    BothFactors {
        password: form.password,
        code: form.code,
    }
}

async fn again(app: &App, viewer: Viewer, errors: FieldErrors) -> Answer {
    let two_factor = service::two_factor(app, &viewer.ctx).await?;
    let shell = viewer.shell;
    page_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        &TwoFactorPage {
            shell,
            two_factor,
            errors,
        },
    )
}

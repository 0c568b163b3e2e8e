//! Pages to change a password, and to set a new one by the link of a letter.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::Token;
use crate::accounts::service::{self, ChangePassword, ForgotPassword, MIN_PASSWORD, ResetPassword};
use crate::accounts::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::FORGOT_PASSWORD, get(forgot_form).post(forgot))
        .route(urls::RESET_PASSWORD, get(reset_form).post(reset))
        .route(urls::PASSWORD, get(change_form).post(change))
}

/// What the field of a new password says below it.
pub(super) fn password_hint() -> String {
    format!("{MIN_PASSWORD} characters or more. A few words in a row are easy to remember.")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ForgotForm {
    email: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResetForm {
    token: String,
    password: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    current_password: String,
    new_password: String,
}

#[derive(Template)]
#[template(path = "accounts/forgot.html")]
struct ForgotPage {
    shell: Shell,
    form: ForgotForm,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "accounts/reset.html")]
struct ResetPage {
    shell: Shell,
    token: String,
    hint: String,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "accounts/password.html")]
struct ChangePage {
    shell: Shell,
    /// For the programs that keep passwords.
    email: String,
    hint: String,
    errors: FieldErrors,
}

async fn forgot_form(viewer: Viewer) -> Answer {
    page(&ForgotPage {
        form: ForgotForm {
            email: viewer
                .ctx
                .user()
                .map_or_else(String::new, |user| user.email.to_string()),
        },
        shell: viewer.shell,
        errors: FieldErrors::default(),
    })
}

async fn forgot(State(app): State<App>, viewer: Viewer, Form(form): Form<ForgotForm>) -> Answer {
    let input = ForgotPassword {
        email: form.email.clone(),
    };
    match service::forgot_password(&app, &viewer.ctx, input).await {
        Ok(()) => {
            let sent = "If there is an account with this e-mail, a letter is on its way. The link \
                in it is good for 30 minutes.";
            viewer.flash(Flash::good(sent)).await?;
            redirect(super::home_of(&viewer.ctx))
        }
        Err(Error::Invalid(errors)) => {
            let shell = viewer.shell;
            let again = ForgotPage {
                shell,
                form,
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

async fn reset_form(
    State(app): State<App>,
    viewer: Viewer,
    Query(Token { token }): Query<Token>,
) -> Answer {
    let (status, errors) = match service::check_reset(&app, &viewer.ctx, &token).await {
        Ok(()) => (StatusCode::OK, FieldErrors::default()),
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Err(error) => return Err(error.into()),
    };
    draw_reset(viewer.shell, token, status, errors)
}

async fn reset(State(app): State<App>, viewer: Viewer, Form(form): Form<ResetForm>) -> Answer {
    let input = ResetPassword {
        token: form.token.clone(),
        password: form.password,
    };
    match service::reset_password(&app, &viewer.ctx, input).await {
        Ok(_) => {
            let done = "Your new password is set. Sign in with it.";
            viewer.flash(Flash::good(done)).await?;
            redirect(urls::SIGN_IN)
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw_reset(viewer.shell, form.token, status, errors)
        }
        Err(error) => Err(error.into()),
    }
}

fn draw_reset(shell: Shell, token: String, status: StatusCode, errors: FieldErrors) -> Answer {
    let page = ResetPage {
        shell,
        token,
        hint: password_hint(),
        errors,
    };
    Ok(unkept(page_with(status, &page)?))
}

/// A page at an address that holds a secret: links on it do not tell where they were followed.
pub(super) fn unkept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        axum::http::header::REFERRER_POLICY,
        axum::http::HeaderValue::from_static("no-referrer"),
    );
    response
}

async fn change_form(viewer: Viewer) -> Answer {
    draw_change(viewer, StatusCode::OK, FieldErrors::default())
}

async fn change(State(app): State<App>, viewer: Viewer, Form(form): Form<ChangeForm>) -> Answer {
    let input = ChangePassword {
        current_password: form.current_password,
        new_password: form.new_password,
    };
    match service::change_password(&app, &viewer.ctx, input).await {
        Ok(user) => {
            // All sign-ins have ended, this one, too: it begins anew.
            viewer.visit.sign_in(&viewer.ctx, user.id).await?;
            let done = "Your password is changed. All other sign-ins have ended.";
            viewer.flash(Flash::good(done)).await?;
            redirect(urls::ACCOUNT)
        }
        Err(Error::Invalid(errors)) => {
            draw_change(viewer, StatusCode::UNPROCESSABLE_ENTITY, errors)
        }
        Err(error) => Err(error.into()),
    }
}

fn draw_change(viewer: Viewer, status: StatusCode, errors: FieldErrors) -> Answer {
    let email = viewer.ctx.signed_in()?.email.to_string();
    let page = ChangePage {
        shell: viewer.shell,
        email,
        hint: password_hint(),
        errors,
    };
    page_with(status, &page)
}

//! Pages about the e-mail address: confirming it, and moving to another one.
//!
//! Following a link changes nothing yet, since programs that look through mail follow links, too:
//! the page that it leads to has a button.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::password::unkept;
use super::{Token, home_of};
use crate::accounts::service::{self, ChangeEmail, LinkToken};
use crate::accounts::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::VERIFY_EMAIL, get(verify_form).post(verify))
        .route(urls::CONFIRM_EMAIL_CHANGE, get(confirm_form).post(confirm))
        .route(urls::EMAIL, get(change_form).post(change))
        .route(urls::SEND_VERIFICATION, post(send_verification))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    email: String,
    password: String,
}

/// A page with one button.
#[derive(Template)]
#[template(path = "accounts/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    title: &'static str,
    action: &'static str,
    token: String,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "accounts/email.html")]
struct ChangePage {
    shell: Shell,
    now: String,
    form: ChangeForm,
    errors: FieldErrors,
}

impl ConfirmPage {
    fn verify(shell: Shell, token: String, errors: FieldErrors) -> Self {
        Self {
            shell,
            title: "Confirm your e-mail",
            action: urls::VERIFY_EMAIL,
            token,
            errors,
        }
    }

    fn change(shell: Shell, token: String, errors: FieldErrors) -> Self {
        Self {
            shell,
            title: "Confirm the change of your e-mail",
            action: urls::CONFIRM_EMAIL_CHANGE,
            token,
            errors,
        }
    }

    fn draw(&self) -> Answer {
        let status = if self.errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        Ok(unkept(page_with(status, self)?))
    }
}

async fn verify_form(viewer: Viewer, Query(Token { token }): Query<Token>) -> Answer {
    ConfirmPage::verify(viewer.shell, token, FieldErrors::default()).draw()
}

async fn verify(State(app): State<App>, viewer: Viewer, Form(form): Form<Token>) -> Answer {
    let input = LinkToken {
        token: form.token.clone(),
    };
    match service::verify_email(&app, &viewer.ctx, input).await {
        Ok(_) => {
            let done = "Thank you. Your e-mail is confirmed.";
            viewer.flash(Flash::good(done)).await?;
            redirect(home_of(&viewer.ctx))
        }
        Err(Error::Invalid(errors)) => ConfirmPage::verify(viewer.shell, form.token, errors).draw(),
        Err(error) => Err(error.into()),
    }
}

async fn confirm_form(viewer: Viewer, Query(Token { token }): Query<Token>) -> Answer {
    ConfirmPage::change(viewer.shell, token, FieldErrors::default()).draw()
}

async fn confirm(State(app): State<App>, viewer: Viewer, Form(form): Form<Token>) -> Answer {
    let input = LinkToken {
        token: form.token.clone(),
    };
    match service::confirm_email_change(&app, &viewer.ctx, input).await {
        Ok(change) => {
            let email = &change.email;
            let news = if change.done {
                format!("Done. Your account now uses {email}.")
            } else if change.waits_for_new {
                format!("Thank you. Now follow the link in the letter to {email}.")
            } else {
                "Thank you. Now follow the link in the letter to your old address.".to_owned()
            };
            viewer.flash(Flash::good(news)).await?;
            redirect(home_of(&viewer.ctx))
        }
        Err(Error::Invalid(errors)) => ConfirmPage::change(viewer.shell, form.token, errors).draw(),
        Err(Error::Conflict { detail, .. }) => {
            viewer.flash(Flash::warning(detail)).await?;
            redirect(home_of(&viewer.ctx))
        }
        Err(error) => Err(error.into()),
    }
}

async fn change_form(viewer: Viewer) -> Answer {
    draw(
        viewer,
        StatusCode::OK,
        ChangeForm::default(),
        FieldErrors::default(),
    )
}

async fn change(State(app): State<App>, viewer: Viewer, Form(form): Form<ChangeForm>) -> Answer {
    let input = ChangeEmail {
        email: form.email.clone(),
        password: form.password.clone(),
    };
    match service::request_email_change(&app, &viewer.ctx, input).await {
        Ok(()) => {
            let sent = format!(
                "Two letters are on their way, to your address so far and to {}. Confirm the \
                change in both.",
                form.email.trim()
            );
            viewer.flash(Flash::good(sent)).await?;
            redirect(urls::ACCOUNT)
        }
        Err(Error::Invalid(errors)) => draw(viewer, StatusCode::UNPROCESSABLE_ENTITY, form, errors),
        Err(error) => Err(error.into()),
    }
}

fn draw(viewer: Viewer, status: StatusCode, form: ChangeForm, errors: FieldErrors) -> Answer {
    let now = viewer.ctx.signed_in()?.email.to_string();
    let page = ChangePage {
        shell: viewer.shell,
        now,
        form,
        errors,
    };
    page_with(status, &page)
}

async fn send_verification(State(app): State<App>, viewer: Viewer) -> Answer {
    let flash = match service::send_verification(&app, &viewer.ctx).await {
        Ok(()) => Flash::good("A letter with a link is on its way."),
        Err(Error::Conflict { detail, .. }) => Flash::good(detail),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(flash).await?;
    redirect(urls::ACCOUNT)
}

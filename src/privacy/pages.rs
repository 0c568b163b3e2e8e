//! The page about one's own data.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use futures_util::stream;
use serde::Deserialize;

use super::api::MyDataJson;
use super::{service, urls};
use crate::accounts::service::CloseAccount;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::{Money, PageRequest};
use crate::web::files::download;
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, redirect};
use crate::{catalog, credit};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::PRIVACY, get(show))
        .route(urls::EXPORT, get(export))
        .route(urls::CLOSE, post(close))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CloseForm {
    password: String,
    forfeit_credit: String,
}

#[derive(Template)]
#[template(path = "privacy/privacy.html")]
struct PrivacyPage {
    shell: Shell,
    errors: FieldErrors,
    /// Why the account cannot end yet; empty for nothing.
    refusal: String,
    /// Store credit that would be lost.
    credit: Money,
}

async fn show(State(app): State<App>, viewer: Viewer) -> Answer {
    draw(&app, viewer, StatusCode::OK, FieldErrors::default(), "").await
}

async fn export(State(app): State<App>, viewer: Viewer) -> Answer {
    let data = service::my_data(&app, &viewer.ctx).await?;
    let text =
        serde_json::to_vec_pretty(&MyDataJson::new(&viewer.ctx, data)).map_err(Error::from)?;
    let pieces = stream::iter([Ok(text)]);
    Ok(download("my-data.json", "application/json", pieces))
}

async fn close(State(app): State<App>, viewer: Viewer, Form(form): Form<CloseForm>) -> Answer {
    let input = CloseAccount {
        password: form.password,
        forfeit_credit: !form.forfeit_credit.is_empty(),
    };
    match service::close_account(&app, &viewer.ctx, input).await {
        Ok(()) => {
            viewer.visit.sign_out().await?;
            viewer
                .flash(Flash::good("Your account is deleted."))
                .await?;
            redirect(catalog::urls::HOME)
        }
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&app, viewer, status, errors, "").await
        }
        Err(Error::Conflict { detail, .. }) => {
            let status = StatusCode::CONFLICT;
            draw(&app, viewer, status, FieldErrors::default(), &detail).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    errors: FieldErrors,
    refusal: &str,
) -> Answer {
    let credit = credit::service::mine(app, &viewer.ctx, PageRequest::new(1, 1)).await?;
    let page = PrivacyPage {
        shell: viewer.shell,
        credit: credit.balance,
        errors,
        refusal: refusal.to_owned(),
    };
    page_with(status, &page)
}

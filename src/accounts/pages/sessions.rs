//! The page of where one is signed in.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::Deserialize;

use crate::accounts::model::{SignedIn, SignedInBy};
use crate::accounts::{service, urls};
use crate::app::App;
use crate::web::form::Form;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::SIGN_INS, get(sign_ins))
        .route(urls::END_SIGN_IN, post(end))
        .route(urls::END_OTHER_SIGN_INS, post(end_others))
}

#[derive(Template)]
#[template(path = "accounts/sign_ins.html")]
struct SignInsPage {
    shell: Shell,
    browsers: Vec<SignedIn>,
    apps: Vec<SignedIn>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EndForm {
    id: String,
}

async fn sign_ins(State(app): State<App>, viewer: Viewer) -> Answer {
    let sign_ins = service::sign_ins(&app, &viewer.ctx).await?;
    let (browsers, apps) = sign_ins
        .into_iter()
        .partition(|signed_in| signed_in.by == SignedInBy::Browser);
    page(&SignInsPage {
        shell: viewer.shell,
        browsers,
        apps,
    })
}

async fn end(State(app): State<App>, viewer: Viewer, Form(form): Form<EndForm>) -> Answer {
    service::end_sign_in(&app, &viewer.ctx, &form.id).await?;
    viewer.flash(Flash::good("Signed out there.")).await?;
    redirect(urls::SIGN_INS)
}

async fn end_others(State(app): State<App>, viewer: Viewer) -> Answer {
    service::end_other_sign_ins(&app, &viewer.ctx).await?;
    let news = "You are signed out everywhere but here.";
    viewer.flash(Flash::good(news)).await?;
    redirect(urls::SIGN_INS)
}

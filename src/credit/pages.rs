//! For shoppers: what is left on a gift card, and one's own store credit.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{CreditAccount, CreditState, MyCredit};
use super::service;
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::{PageRequest, Timestamp};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Pager, Shell, Template, Viewer, page};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::BALANCE, get(show).post(ask))
        .route(urls::MINE, get(mine))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CodeForm {
    code: String,
}

#[derive(Template)]
#[template(path = "credit/balance.html")]
struct BalancePage {
    shell: Shell,
    /// What was typed and refused.
    code: String,
    errors: FieldErrors,
    card: Option<CreditAccount>,
    now: Timestamp,
}

impl BalancePage {
    fn is_over(&self, card: &CreditAccount) -> bool {
        card.state(self.now) == CreditState::Expired
    }
}

async fn show(viewer: Viewer) -> Answer {
    page(&BalancePage {
        now: viewer.ctx.now,
        shell: viewer.shell,
        code: String::new(),
        errors: FieldErrors::default(),
        card: None,
    })
}

async fn ask(State(app): State<App>, viewer: Viewer, Form(form): Form<CodeForm>) -> Answer {
    let (status, code, errors, card) = match service::balance(&app, &viewer.ctx, &form.code).await {
        Ok(card) => (
            StatusCode::OK,
            String::new(),
            FieldErrors::default(),
            Some(card),
        ),
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, form.code, errors, None),
        Err(error) => return Err(error.into()),
    };
    let template = BalancePage {
        now: viewer.ctx.now,
        shell: viewer.shell,
        code,
        errors,
        card,
    };
    page_with(status, &template)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    page: String,
}

#[derive(Template)]
#[template(path = "credit/mine.html")]
struct MinePage {
    shell: Shell,
    credit: MyCredit,
    pager: Pager,
}

async fn mine(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(which): Query<Which>,
) -> Answer {
    let request = PageRequest::typed(&which.page, PageRequest::DEFAULT_PER_PAGE);
    let credit = service::mine(&app, &viewer.ctx, request).await?;
    page(&MinePage {
        shell: viewer.shell,
        pager: Pager::new(&credit.entries, &uri),
        credit,
    })
}

//! Store credit for staff: all of it, and somebody's with its ledger.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::{AdjustForm, Narrowed, Said, Which, adjusted, asked, crumbs, directions, id_of};
use crate::app::App;
use crate::credit::model::{CreditAccount, CreditEntry, CreditKind};
use crate::credit::service::{self, Grant};
use crate::credit::urls;
use crate::error::{Error, FieldErrors};
use crate::types::{CreditAccountId, Money, MoneyInput, Page, PageRequest};
use crate::web::form::{Form, filled};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, redirect};

/// Store credit to grant, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GrantForm {
    key: String,
    email: String,
    amount: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "credit/admin_credits.html")]
struct CreditsPage {
    shell: Shell,
    narrowed: Narrowed,
    outstanding: Money,
    accounts: Page<CreditAccount>,
    pager: Pager,
    form: GrantForm,
    errors: FieldErrors,
}

async fn draw_list(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    uri: &Uri,
    narrowed: Narrowed,
    (form, errors): (GrantForm, FieldErrors),
) -> Answer {
    let (kind, request) = (CreditKind::StoreCredit, asked(&narrowed.page));
    let found = service::list(app, &viewer.ctx, kind, &narrowed.filter(), request).await?;
    let template = CreditsPage {
        outstanding: service::outstanding(app, &viewer.ctx, kind).await?,
        shell: viewer.shell,
        narrowed,
        pager: Pager::new(&found, uri),
        accounts: found,
        form,
        errors,
    };
    page_with(status, &template)
}

pub(super) async fn list(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let form = GrantForm {
        key: app.rng.token(),
        ..GrantForm::default()
    };
    let nothing = (form, FieldErrors::default());
    draw_list(&app, viewer, StatusCode::OK, &uri, narrowed, nothing).await
}

pub(super) async fn grant(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Form(form): Form<GrantForm>,
) -> Answer {
    let input = Grant {
        email: form.email.clone(),
        amount: filled(&form.amount).map(MoneyInput::new),
        reason: form.reason.clone(),
        form_key: filled(&form.key),
    };
    match service::grant(&app, &viewer.ctx, input).await {
        Ok(account) => {
            let whose = account.user_email.unwrap_or_default();
            let now = format!("{whose} has {} of store credit now.", account.balance);
            viewer.flash(Flash::good(now)).await?;
            redirect(urls::ADMIN_CREDIT)
        }
        Err(Error::Conflict { detail, .. }) => {
            viewer.flash(Flash::warning(detail)).await?;
            redirect(urls::ADMIN_CREDIT)
        }
        Err(Error::Invalid(errors)) => {
            let (status, narrowed) = (StatusCode::UNPROCESSABLE_ENTITY, Narrowed::default());
            draw_list(&app, viewer, status, &uri, narrowed, (form, errors)).await
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "credit/admin_credit.html")]
struct CreditPage {
    shell: Shell,
    crumbs: Vec<Link>,
    account: CreditAccount,
    adjust: AdjustForm,
    directions: Vec<(String, String)>,
    errors: FieldErrors,
    refusal: String,
    entries: Page<CreditEntry>,
    pager: Pager,
}

async fn draw(
    app: &App,
    viewer: Viewer,
    status: StatusCode,
    id: CreditAccountId,
    (uri, request): (&Uri, PageRequest),
    said: Said,
) -> Answer {
    let kind = CreditKind::StoreCredit;
    let account = service::account(app, &viewer.ctx, kind, id).await?;
    let entries = service::entries(app, &viewer.ctx, kind, id, request).await?;
    let template = CreditPage {
        shell: viewer.shell,
        crumbs: crumbs("Store credit", urls::ADMIN_CREDIT),
        adjust: said.adjust.of(&account),
        account,
        directions: directions(),
        errors: said.errors,
        refusal: said.refusal,
        pager: Pager::new(&entries, uri),
        entries,
    };
    page_with(status, &template)
}

pub(super) async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Query(which): Query<Which>,
) -> Answer {
    let place = (&uri, asked(&which.page));
    let id = id_of(&id)?;
    draw(&app, viewer, StatusCode::OK, id, place, Said::default()).await
}

pub(super) async fn adjust(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<AdjustForm>,
) -> Answer {
    let (id, kind) = (id_of(&id)?, CreditKind::StoreCredit);
    let done = |balance| format!("There is {balance} of store credit now.");
    match adjusted(&app, &viewer, kind, id, form, done).await? {
        None => redirect(&urls::admin_credit(id)),
        Some((status, said)) => draw(&app, viewer, status, id, (&uri, asked("")), said).await,
    }
}

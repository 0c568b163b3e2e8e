//! All gift cards for staff, and new ones.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum_extra::extract::Query;
use serde::Deserialize;

use super::{Narrowed, asked, crumbs};
use crate::app::App;
use crate::credit::model::{CreditAccount, CreditKind, CreditState, IssuedCard};
use crate::credit::service::{self, NewCards};
use crate::credit::urls;
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors};
use crate::types::{Money, MoneyInput, Page, Timestamp};
use crate::web::form::{Form, choices, filled, number};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, page, redirect};

#[derive(Template)]
#[template(path = "credit/admin_cards.html")]
struct CardsPage {
    shell: Shell,
    narrowed: Narrowed,
    states: Vec<(String, String)>,
    now: Timestamp,
    outstanding: Money,
    cards: Page<CreditAccount>,
    pager: Pager,
}

pub(super) async fn cards(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let (kind, page_asked) = (CreditKind::GiftCard, asked(&narrowed.page));
    let found = service::list(&app, &viewer.ctx, kind, &narrowed.filter(), page_asked).await?;
    page(&CardsPage {
        outstanding: service::outstanding(&app, &viewer.ctx, kind).await?,
        now: viewer.ctx.now,
        shell: viewer.shell,
        narrowed,
        states: choices::<CreditState>(Some("Any state")),
        pager: Pager::new(&found, &uri),
        cards: found,
    })
}

/// Cards to issue, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CardsForm {
    key: String,
    amount: String,
    count: String,
    expires_at: String,
    recipient_email: String,
    message: String,
    note: String,
    /// `csv` for a file.
    format: String,
}

impl CardsForm {
    fn input(&self) -> NewCards {
        NewCards {
            amount: filled(&self.amount).map(MoneyInput::new),
            // What is no number is refused at that field.
            count: number(&self.count),
            expires_at: filled(&self.expires_at),
            recipient_email: filled(&self.recipient_email),
            message: self.message.clone(),
            note: self.note.clone(),
            form_key: filled(&self.key),
        }
    }
}

#[derive(Template)]
#[template(path = "credit/admin_new.html")]
struct NewPage {
    shell: Shell,
    crumbs: Vec<Link>,
    form: CardsForm,
    errors: FieldErrors,
    /// What was issued just now, with the codes.
    issued: Vec<IssuedCard>,
}

pub(super) async fn new(State(app): State<App>, viewer: Viewer) -> Answer {
    viewer.ctx.require(Permission::Promotions)?;
    let form = CardsForm {
        key: app.rng.token(),
        ..CardsForm::default()
    };
    page(&NewPage {
        shell: viewer.shell,
        crumbs: crumbs("Gift cards", urls::ADMIN_CARDS),
        form,
        errors: FieldErrors::default(),
        issued: Vec::new(),
    })
}

pub(super) async fn issue(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<CardsForm>,
) -> Answer {
    let (status, errors, issued) = match service::issue(&app, &viewer.ctx, form.input()).await {
        Ok(issued) if issued.iter().all(|one| one.code.is_none()) => {
            let sent = format!("The card is on its way to {}.", form.recipient_email.trim());
            viewer.flash(Flash::good(sent)).await?;
            return redirect(urls::ADMIN_CARDS);
        }
        Ok(issued) if form.format == "csv" => return Ok(csv(&issued)),
        Ok(issued) => (StatusCode::OK, FieldErrors::default(), issued),
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, Vec::new()),
        Err(Error::Conflict { detail, .. }) => {
            viewer.flash(Flash::warning(detail)).await?;
            return redirect(urls::ADMIN_CARDS);
        }
        Err(error) => return Err(error.into()),
    };
    let template = NewPage {
        shell: viewer.shell,
        crumbs: crumbs("Gift cards", urls::ADMIN_CARDS),
        form,
        errors,
        issued,
    };
    let mut response = page_with(status, &template)?;
    let no_store = header::HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// Codes, amounts and dates; none of them has a sign that CSV or a spreadsheet minds.
fn csv(issued: &[IssuedCard]) -> axum::response::Response {
    let mut csv = String::from("id,code,amount,currency,expires_at\r\n");
    for one in issued {
        let account = &one.account;
        let code = one.code.as_deref().unwrap_or_default();
        let until = account.expires_at.map(|at| at.rfc3339());
        csv.push_str(&format!(
            "{},{code},{},{},{}\r\n",
            account.id,
            account.initial.amount(),
            account.initial.currency(),
            until.unwrap_or_default(),
        ));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"gift-cards.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, csv).into_response()
}

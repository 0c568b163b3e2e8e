//! One gift card for staff: its ledger, and the forms that change it.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::{AdjustForm, Said, Which, adjusted, asked, crumbs, directions, id_of};
use crate::app::App;
use crate::credit::model::{CreditAccount, CreditEntry, CreditKind};
use crate::credit::service::{self, CardChange};
use crate::credit::urls;
use crate::error::{Error, FieldErrors};
use crate::types::{CreditAccountId, Page, PageRequest, Timestamp};
use crate::web::form::{Form, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, redirect};

/// What to change about a card, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CardForm {
    version: String,
    active: String,
    expires_at: String,
    recipient_email: String,
    note: String,
}

impl CardForm {
    fn of(card: &CreditAccount) -> Self {
        Self {
            version: card.version.to_string(),
            active: if card.active { "on" } else { "" }.to_owned(),
            expires_at: card.expires_at.map(Timestamp::field).unwrap_or_default(),
            recipient_email: card.recipient_email.clone(),
            note: card.note.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "credit/admin_card.html")]
struct CardPage {
    shell: Shell,
    crumbs: Vec<Link>,
    now: Timestamp,
    card: CreditAccount,
    form: CardForm,
    adjust: AdjustForm,
    directions: Vec<(String, String)>,
    errors: FieldErrors,
    /// What stands against a change that no field is to blame for; empty for nothing.
    refusal: String,
    /// A code that was made just now.
    code: Option<String>,
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
    let kind = CreditKind::GiftCard;
    let card = service::account(app, &viewer.ctx, kind, id).await?;
    let entries = service::entries(app, &viewer.ctx, kind, id, request).await?;
    let template = CardPage {
        now: viewer.ctx.now,
        shell: viewer.shell,
        crumbs: crumbs("Gift cards", urls::ADMIN_CARDS),
        form: said.form.unwrap_or_else(|| CardForm::of(&card)),
        adjust: said.adjust.of(&card),
        card,
        directions: directions(),
        errors: said.errors,
        refusal: said.refusal,
        code: said.code,
        pager: Pager::new(&entries, uri),
        entries,
    };
    let mut response = page_with(status, &template)?;
    if template.code.is_some() {
        let no_store = header::HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
    }
    Ok(response)
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

pub(super) async fn save(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(mut form): Form<CardForm>,
) -> Answer {
    let id = id_of(&id)?;
    let input = CardChange {
        active: Some(!form.active.is_empty()),
        expires_at: Some(form.expires_at.clone()),
        recipient_email: Some(form.recipient_email.clone()),
        note: Some(form.note.clone()),
    };
    // Never none: who changes must have seen something.
    let version = version(&form.version);
    let saved = service::change_card(&app, &viewer.ctx, id, version, input).await;
    let (status, errors, refusal) = match saved {
        Ok(_) => {
            viewer.flash(Flash::good("The card was saved.")).await?;
            return redirect(&urls::admin_card(id));
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, ""),
        Err(Error::Stale) => {
            // What was typed is kept; saving it again is a decision.
            let kind = CreditKind::GiftCard;
            let card = service::account(&app, &viewer.ctx, kind, id).await?;
            form.version = card.version.to_string();
            let words = "This card changed while you were editing. What you typed is kept below; \
                         save again to put it in place of what is there now.";
            (StatusCode::CONFLICT, FieldErrors::default(), words)
        }
        Err(error) => return Err(error.into()),
    };
    let said = Said {
        form: Some(form),
        errors,
        refusal: refusal.to_owned(),
        ..Said::default()
    };
    draw(&app, viewer, status, id, (&uri, asked("")), said).await
}

pub(super) async fn adjust(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<AdjustForm>,
) -> Answer {
    let (id, kind) = (id_of(&id)?, CreditKind::GiftCard);
    let done = |balance| format!("There is {balance} on the card now.");
    match adjusted(&app, &viewer, kind, id, form, done).await? {
        None => redirect(&urls::admin_card(id)),
        Some((status, said)) => draw(&app, viewer, status, id, (&uri, asked("")), said).await,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Seen {
    version: String,
}

pub(super) async fn renew_code(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(seen): Form<Seen>,
) -> Answer {
    let id = id_of(&id)?;
    let version = version(&seen.version);
    match service::renew_code(&app, &viewer.ctx, id, version).await {
        Ok(renewed) if renewed.code.is_some() => {
            let said = Said {
                code: renewed.code,
                ..Said::default()
            };
            let place = (&uri, asked(""));
            draw(&app, viewer, StatusCode::OK, id, place, said).await
        }
        Ok(renewed) => {
            let to = &renewed.account.recipient_email;
            let sent = format!("A letter with the new code goes to {to}.");
            viewer.flash(Flash::good(sent)).await?;
            redirect(&urls::admin_card(id))
        }
        Err(Error::Stale) => {
            let words = "This card changed meanwhile. Look again before you make another code.";
            viewer.flash(Flash::warning(words)).await?;
            redirect(&urls::admin_card(id))
        }
        Err(error) => Err(error.into()),
    }
}

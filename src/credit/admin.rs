//! Gift cards and store credit for staff: lists, ledgers, and the forms that move money.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum_extra::extract::Query;
use serde::Deserialize;

use super::model::{CreditAccount, CreditEntry, CreditFilter, CreditKind, CreditState, IssuedCard};
use super::service::{self, Adjustment, CardChange, Grant, NewCards};
use super::urls;
use crate::app::App;
use crate::ctx::Permission;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{CreditAccountId, Money, MoneyInput, Page, PageRequest, TextEnum, Timestamp};
use crate::web::form::{Form, choices, filled, number, version};
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Link, Pager, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let card = format!("{}/{{id}}", urls::ADMIN_CARDS);
    let credit = format!("{}/{{id}}", urls::ADMIN_CREDIT);
    Router::new()
        .route(urls::ADMIN_CARDS, get(cards))
        .route(urls::ADMIN_CARD_NEW, get(new).post(issue))
        .route(&card, get(show_card).post(save_card))
        .route(&format!("{card}/adjust"), post(adjust_card))
        .route(&format!("{card}/code"), post(renew_code))
        .route(urls::ADMIN_CREDIT, get(credits).post(grant))
        .route(&credit, get(show_credit))
        .route(&format!("{credit}/adjust"), post(adjust_credit))
}

/// What a list is narrowed by. A word that no state has counts as none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    search: String,
    state: String,
    page: String,
}

/// The page of a list; what is no number is the first one.
fn asked(page: &str) -> PageRequest {
    PageRequest::typed(page, PageRequest::DEFAULT_PER_PAGE)
}

impl Narrowed {
    fn filter(&self) -> CreditFilter {
        CreditFilter {
            search: self.search.clone(),
            state: CreditState::from_word(&self.state),
        }
    }
}

/// An id from the address; what is no number names nothing.
fn id_of(text: &str) -> Result<CreditAccountId> {
    text.parse().map_err(|_| Error::NotFound)
}

fn crumbs(label: &str, href: &str) -> Vec<Link> {
    vec![Link {
        label: label.to_owned(),
        href: href.to_owned(),
        current: false,
    }]
}

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

async fn cards(
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
struct CardsForm {
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

async fn new(State(app): State<App>, viewer: Viewer) -> Answer {
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

async fn issue(State(app): State<App>, viewer: Viewer, Form(form): Form<CardsForm>) -> Answer {
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

/// What to change about a card, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct CardForm {
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

/// Money to put on or take off, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct AdjustForm {
    amount: String,
    direction: String,
    reason: String,
}

impl AdjustForm {
    fn input(&self) -> Adjustment {
        Adjustment {
            amount: filled(&self.amount).map(MoneyInput::new),
            direction: filled(&self.direction),
            reason: self.reason.clone(),
        }
    }
}

/// Whether money is put on or taken off.
fn directions() -> Vec<(String, String)> {
    let pair = |word: &str, label: &str| (word.to_owned(), label.to_owned());
    vec![pair("add", "Put on"), pair("take", "Take off")]
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

/// What the page of a card says besides the card.
#[derive(Default)]
struct Said {
    form: Option<CardForm>,
    adjust: AdjustForm,
    errors: FieldErrors,
    refusal: String,
    code: Option<String>,
}

async fn draw_card(
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
        card,
        adjust: said.adjust,
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

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    page: String,
}

async fn show_card(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Query(which): Query<Which>,
) -> Answer {
    let place = (&uri, asked(&which.page));
    let id = id_of(&id)?;
    draw_card(&app, viewer, StatusCode::OK, id, place, Said::default()).await
}

async fn save_card(
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
    draw_card(&app, viewer, status, id, (&uri, asked("")), said).await
}

async fn adjust_card(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<AdjustForm>,
) -> Answer {
    let (id, kind) = (id_of(&id)?, CreditKind::GiftCard);
    let adjusted = service::adjust(&app, &viewer.ctx, kind, id, form.input()).await;
    let (status, errors, refusal) = match adjusted {
        Ok(card) => {
            let now = format!("There is {} on the card now.", card.balance);
            viewer.flash(Flash::good(now)).await?;
            return redirect(&urls::admin_card(id));
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, String::new()),
        Err(Error::Conflict { detail, .. }) => {
            (StatusCode::CONFLICT, FieldErrors::default(), detail)
        }
        Err(error) => return Err(error.into()),
    };
    let said = Said {
        adjust: form,
        errors,
        refusal,
        ..Said::default()
    };
    draw_card(&app, viewer, status, id, (&uri, asked("")), said).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Seen {
    version: String,
}

async fn renew_code(
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
            draw_card(&app, viewer, StatusCode::OK, id, place, said).await
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

/// Store credit to grant, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct GrantForm {
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

async fn draw_credits(
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

async fn credits(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Query(narrowed): Query<Narrowed>,
) -> Answer {
    let nothing = (GrantForm::default(), FieldErrors::default());
    draw_credits(&app, viewer, StatusCode::OK, &uri, narrowed, nothing).await
}

async fn grant(
    State(app): State<App>,
    viewer: Viewer,
    uri: Uri,
    Form(form): Form<GrantForm>,
) -> Answer {
    let input = Grant {
        email: form.email.clone(),
        amount: filled(&form.amount).map(MoneyInput::new),
        reason: form.reason.clone(),
    };
    match service::grant(&app, &viewer.ctx, input).await {
        Ok(account) => {
            let whose = account.user_email.unwrap_or_default();
            let now = format!("{whose} has {} of store credit now.", account.balance);
            viewer.flash(Flash::good(now)).await?;
            redirect(urls::ADMIN_CREDIT)
        }
        Err(Error::Invalid(errors)) => {
            let (status, narrowed) = (StatusCode::UNPROCESSABLE_ENTITY, Narrowed::default());
            draw_credits(&app, viewer, status, &uri, narrowed, (form, errors)).await
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

async fn draw_credit(
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
        account,
        adjust: said.adjust,
        directions: directions(),
        errors: said.errors,
        refusal: said.refusal,
        pager: Pager::new(&entries, uri),
        entries,
    };
    page_with(status, &template)
}

async fn show_credit(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Query(which): Query<Which>,
) -> Answer {
    let place = (&uri, asked(&which.page));
    let id = id_of(&id)?;
    draw_credit(&app, viewer, StatusCode::OK, id, place, Said::default()).await
}

async fn adjust_credit(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    uri: Uri,
    Form(form): Form<AdjustForm>,
) -> Answer {
    let (id, kind) = (id_of(&id)?, CreditKind::StoreCredit);
    let adjusted = service::adjust(&app, &viewer.ctx, kind, id, form.input()).await;
    let (status, errors, refusal) = match adjusted {
        Ok(account) => {
            let now = format!("There is {} of store credit now.", account.balance);
            viewer.flash(Flash::good(now)).await?;
            return redirect(&urls::admin_credit(id));
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, String::new()),
        Err(Error::Conflict { detail, .. }) => {
            (StatusCode::CONFLICT, FieldErrors::default(), detail)
        }
        Err(error) => return Err(error.into()),
    };
    let said = Said {
        adjust: form,
        errors,
        refusal,
        ..Said::default()
    };
    draw_credit(&app, viewer, status, id, (&uri, asked("")), said).await
}

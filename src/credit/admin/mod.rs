//! Gift cards and store credit for staff: lists, ledgers, and the forms that move money.

mod card;
mod credits;
mod issue;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::{CreditAccount, CreditFilter, CreditKind, CreditState};
use super::service::{self, Adjustment};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors, Result};
use crate::types::{CreditAccountId, Money, MoneyInput, PageRequest, TextEnum};
use crate::web::form::{filled, version};
use crate::web::{Flash, Link, Viewer};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let card = format!("{}/{{id}}", urls::ADMIN_CARDS);
    let credit = format!("{}/{{id}}", urls::ADMIN_CREDIT);
    Router::new()
        .route(urls::ADMIN_CARDS, get(issue::cards))
        .route(urls::ADMIN_CARD_NEW, get(issue::new).post(issue::issue))
        .route(&card, get(card::show).post(card::save))
        .route(&format!("{card}/adjust"), post(card::adjust))
        .route(&format!("{card}/code"), post(card::renew_code))
        .route(urls::ADMIN_CREDIT, get(credits::list).post(credits::grant))
        .route(&credit, get(credits::show))
        .route(&format!("{credit}/adjust"), post(credits::adjust))
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

/// Money to put on or take off, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct AdjustForm {
    version: String,
    amount: String,
    direction: String,
    reason: String,
}

impl AdjustForm {
    /// A form that was not filled in yet is about the account as it is; one that was stays about
    /// what was seen then.
    fn of(self, account: &CreditAccount) -> Self {
        match self.version.is_empty() {
            true => Self {
                version: account.version.to_string(),
                ..self
            },
            false => self,
        }
    }

    /// What was looked at, so that a form counts once however often it is sent.
    fn version(&self) -> Option<i64> {
        version(&self.version)
    }

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

/// What is said of an adjustment to something that changed meanwhile, or that was made already.
const MOVED_MEANWHILE: &str =
    "The account changed since you looked, so nothing was written. Look again.";

/// What the page of a card says besides the card.
#[derive(Default)]
struct Said {
    form: Option<card::CardForm>,
    adjust: AdjustForm,
    errors: FieldErrors,
    refusal: String,
    code: Option<String>,
}

/// Which page of a ledger.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    page: String,
}

/// Puts money onto an account or takes some off. None when that is done, or came too late, and was
/// told; else what the account's page says of it, and with which status. `done` says what there is
/// now.
async fn adjusted(
    app: &App,
    viewer: &Viewer,
    kind: CreditKind,
    id: CreditAccountId,
    form: AdjustForm,
    done: impl FnOnce(Money) -> String,
) -> Result<Option<(StatusCode, Said)>> {
    let adjusted = service::adjust(app, &viewer.ctx, kind, id, form.version(), form.input()).await;
    let (status, errors, refusal) = match adjusted {
        Ok(account) => {
            viewer.flash(Flash::good(done(account.balance))).await?;
            return Ok(None);
        }
        Err(Error::Stale) => {
            viewer.flash(Flash::warning(MOVED_MEANWHILE)).await?;
            return Ok(None);
        }
        Err(Error::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, errors, String::new()),
        Err(Error::Conflict { detail, .. }) => {
            (StatusCode::CONFLICT, FieldErrors::default(), detail)
        }
        Err(error) => return Err(error),
    };
    let said = Said {
        adjust: form,
        errors,
        refusal,
        ..Said::default()
    };
    Ok(Some((status, said)))
}

//! The page of one's personal tokens.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::accounts::model::{PersonalToken, Scope};
use crate::accounts::service::{self, MAX_TOKEN_DAYS, NewToken};
use crate::accounts::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::TextEnum;
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::TOKENS, get(list).post(make))
        .route(urls::REVOKE_TOKEN, post(revoke))
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct TokenForm {
    name: String,
    scopes: Vec<String>,
    days: String,
    password: String,
}

impl Default for TokenForm {
    fn default() -> Self {
        Self {
            name: String::new(),
            scopes: Vec::new(),
            days: "90".to_owned(),
            password: String::new(),
        }
    }
}

#[derive(Template)]
#[template(path = "accounts/tokens.html")]
struct TokensPage {
    shell: Shell,
    tokens: Vec<PersonalToken>,
    form: TokenForm,
    errors: FieldErrors,
    /// The text of a token that was made just now; empty for none.
    made: String,
}

impl TokensPage {
    async fn new(app: &App, viewer: Viewer) -> crate::error::Result<Self> {
        Ok(Self {
            tokens: service::personal_tokens(app, &viewer.ctx).await?,
            shell: viewer.shell,
            form: TokenForm::default(),
            errors: FieldErrors::default(),
            made: String::new(),
        })
    }

    /// What the viewer can choose from.
    fn scopes(&self) -> impl Iterator<Item = &'static Scope> {
        let is_staff = self.shell.is_staff;
        let all = Scope::ALL.iter();
        all.filter(move |scope| is_staff || !scope.is_for_staff())
    }

    fn is_ticked(&self, scope: &Scope) -> bool {
        self.form.scopes.iter().any(|word| word == scope.as_str())
    }

    fn days_hint(&self) -> String {
        format!("1 to {MAX_TOKEN_DAYS} days.")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RevokeForm {
    id: String,
}

async fn list(State(app): State<App>, viewer: Viewer) -> Answer {
    page(&TokensPage::new(&app, viewer).await?)
}

/// The answer shows the token itself, because nothing may keep it for the next page.
async fn make(State(app): State<App>, viewer: Viewer, Form(form): Form<TokenForm>) -> Answer {
    let input = NewToken {
        name: form.name.clone(),
        scopes: form.scopes.clone(),
        expires_in_days: form.days.trim().parse().unwrap_or_default(),
        password: form.password.clone(),
    };
    match service::make_personal_token(&app, &viewer.ctx, input).await {
        Ok((_, made)) => {
            let mut shown = TokensPage::new(&app, viewer).await?;
            shown.made = made;
            let mut response = page(&shown)?;
            let no_store = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, no_store);
            Ok(response)
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let (status, errors) = match error {
                Error::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
                other => {
                    let mut errors = FieldErrors::default();
                    errors.add("", "conflict", other.to_string());
                    (StatusCode::CONFLICT, errors)
                }
            };
            let mut again = TokensPage::new(&app, viewer).await?;
            again.errors = errors;
            again.form = TokenForm {
                password: String::new(),
                ..form
            };
            page_with(status, &again)
        }
        Err(error) => Err(error.into()),
    }
}

async fn revoke(State(app): State<App>, viewer: Viewer, Form(form): Form<RevokeForm>) -> Answer {
    let id = form.id.parse().map_err(|_| Error::NotFound)?;
    service::revoke_personal_token(&app, &viewer.ctx, id).await?;
    viewer.flash(Flash::good("The token is revoked.")).await?;
    redirect(urls::TOKENS)
}

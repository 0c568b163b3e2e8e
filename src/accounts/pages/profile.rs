//! The page of one's account, and the profile on it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use crate::accounts::model::User;
use crate::accounts::service::{self, UpdateProfile};
use crate::accounts::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::{Locale, TextEnum};
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new().route(urls::ACCOUNT, get(account).post(update))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProfileForm {
    name: String,
    phone: String,
    locale: String,
    /// Ticked or not.
    marketing_consent: String,
}

#[derive(Template)]
#[template(path = "accounts/account.html")]
struct AccountPage {
    shell: Shell,
    user: User,
    form: ProfileForm,
    errors: FieldErrors,
}

impl AccountPage {
    /// The languages to choose from.
    fn locales() -> Vec<(&'static str, &'static str)> {
        let all = Locale::ALL.iter();
        all.map(|locale| (locale.as_str(), locale.name())).collect()
    }
}

async fn account(State(app): State<App>, viewer: Viewer) -> Answer {
    let user = service::me(&app, &viewer.ctx).await?;
    page(&AccountPage {
        shell: viewer.shell,
        form: ProfileForm {
            name: user.name.clone(),
            phone: user.phone.clone(),
            locale: user.locale.to_string(),
            marketing_consent: user.marketing_consent_at.map_or("", |_| "on").to_owned(),
        },
        user,
        errors: FieldErrors::default(),
    })
}

async fn update(State(app): State<App>, viewer: Viewer, Form(form): Form<ProfileForm>) -> Answer {
    let input = UpdateProfile {
        name: Some(form.name.clone()),
        phone: Some(form.phone.clone()),
        // A form of an older page knows no languages.
        locale: Some(form.locale.clone()).filter(|locale| !locale.is_empty()),
        marketing_consent: Some(!form.marketing_consent.is_empty()),
    };
    match service::update_profile(&app, &viewer.ctx, input).await {
        Ok(_) => {
            viewer.flash(Flash::good("Saved.")).await?;
            redirect(urls::ACCOUNT)
        }
        Err(Error::Invalid(errors)) => {
            let user = service::me(&app, &viewer.ctx).await?;
            let shell = viewer.shell;
            let again = AccountPage {
                shell,
                user,
                form,
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

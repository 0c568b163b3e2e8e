//! Pages to register, sign in and out.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::password::password_hint;
use crate::accounts::model::User;
use crate::accounts::service::{self, Register, SignIn};
use crate::accounts::urls;
use crate::app::App;
use crate::ctx::Role;
use crate::error::{Error, FieldErrors};
use crate::web::form::Form;
use crate::web::html::{local_path, page_with};
use crate::web::{Answer, Flash, Shell, SignedIn, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::REGISTER, get(register_form).post(register))
        .route(urls::SIGN_IN, get(sign_in_form).post(sign_in))
        .route(urls::SIGN_OUT, post(sign_out))
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Next {
    next: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RegisterForm {
    email: String,
    name: String,
    password: String,
    next: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SignInForm {
    email: String,
    password: String,
    next: String,
}

#[derive(Template)]
#[template(path = "accounts/register.html")]
struct RegisterPage {
    shell: Shell,
    form: RegisterForm,
    errors: FieldErrors,
}

impl RegisterPage {
    fn password_hint(&self) -> String {
        password_hint()
    }
}

#[derive(Template)]
#[template(path = "accounts/sign_in.html")]
struct SignInPage {
    shell: Shell,
    form: SignInForm,
    errors: FieldErrors,
}

async fn register_form(viewer: Viewer, Query(Next { next }): Query<Next>) -> Answer {
    if viewer.ctx.user().is_some() {
        return redirect(local_path(&next).unwrap_or(urls::ACCOUNT));
    }
    page(&RegisterPage {
        shell: viewer.shell,
        form: RegisterForm {
            next,
            ..RegisterForm::default()
        },
        errors: FieldErrors::default(),
    })
}

async fn register(
    State(app): State<App>,
    viewer: Viewer,
    Form(form): Form<RegisterForm>,
) -> Answer {
    let input = Register {
        email: form.email.clone(),
        password: form.password.clone(),
        name: Some(form.name.clone()),
    };
    match service::register(&app, &viewer.ctx, input).await {
        Ok(user) => {
            let welcome = format!("Welcome, {}! Your account is ready.", user.name);
            let answer = admit(&viewer, &user, &form.next).await?;
            viewer.flash(Flash::good(welcome)).await?;
            Ok(answer)
        }
        Err(Error::Invalid(errors)) => {
            let shell = viewer.shell;
            let form = RegisterForm {
                password: String::new(),
                ..form
            };
            let again = RegisterPage {
                shell,
                form,
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

async fn sign_in_form(viewer: Viewer, Query(Next { next }): Query<Next>) -> Answer {
    if let Some(user) = viewer.ctx.user() {
        return redirect(local_path(&next).unwrap_or(home_of(user.role)));
    }
    page(&SignInPage {
        shell: viewer.shell,
        form: SignInForm {
            next,
            ..SignInForm::default()
        },
        errors: FieldErrors::default(),
    })
}

async fn sign_in(State(app): State<App>, viewer: Viewer, Form(form): Form<SignInForm>) -> Answer {
    let input = SignIn {
        email: form.email.clone(),
        password: form.password.clone(),
        code: None,
    };
    match service::sign_in(&app, &viewer.ctx, input).await {
        Ok(user) if user.two_factor => {
            viewer.visit.begin_sign_in(&viewer.ctx, user.id).await?;
            redirect(&urls::sign_in_code_then(&form.next))
        }
        Ok(user) => admit(&viewer, &user, &form.next).await,
        Err(Error::Invalid(errors)) => {
            let shell = viewer.shell;
            let form = SignInForm {
                password: String::new(),
                ..form
            };
            let again = SignInPage {
                shell,
                form,
                errors,
            };
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Err(error) => Err(error.into()),
    }
}

async fn sign_out(viewer: Viewer) -> Answer {
    viewer.visit.sign_out().await?;
    if viewer.ctx.user().is_some() {
        viewer.flash(Flash::good("You are signed out.")).await?;
    }
    redirect(crate::catalog::urls::HOME)
}

/// Signs the visit in and sends it on: back where it came from, or home.
pub(super) async fn admit(viewer: &Viewer, user: &User, next: &str) -> Answer {
    viewer.visit.sign_in(&viewer.ctx, user.id).await?;
    let mut response = redirect(local_path(next).unwrap_or(home_of(user.role)))?;
    response.extensions_mut().insert(SignedIn(user.current()));
    Ok(response)
}

/// Where somebody goes who came from nowhere in particular.
fn home_of(role: Role) -> &'static str {
    match role {
        Role::Customer => urls::ACCOUNT,
        Role::Staff | Role::Admin => crate::admin::urls::HOME,
    }
}

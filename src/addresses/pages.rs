//! Pages of the address book, and what forms with addresses share.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::{PostalAddress, SavedAddress};
use super::service::{self, AddressChange, AddressFields};
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::types::AddressId;
use crate::web::form::Form;
use crate::web::html::page_with;
use crate::web::{Answer, Flash, Shell, Template, Viewer, page, redirect};

/// The fields of the address in the form of the book.
const PREFIX: &str = "address";

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::BOOK, get(list))
        .route(urls::NEW, get(new_form).post(add))
        .route(urls::ADDRESS, get(form).post(change))
        .route(urls::DELETE, post(remove))
}

/// What was typed into a form, by field.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Typed(BTreeMap<String, String>);

impl Typed {
    /// What was typed into a field; empty for nothing.
    pub fn of(&self, field: &str) -> &str {
        self.0.get(field).map(String::as_str).unwrap_or_default()
    }

    /// Fills a field.
    pub fn set(&mut self, field: &str, value: &str) {
        self.0.insert(field.to_owned(), value.to_owned());
    }

    /// Fills the fields of an address, whose names begin with `prefix` and a dot.
    pub fn set_address(&mut self, prefix: &str, address: &PostalAddress) {
        for (name, value) in [
            ("name", &address.name),
            ("line1", &address.line1),
            ("line2", &address.line2),
            ("city", &address.city),
            ("region", &address.region),
            ("postal_code", &address.postal_code),
            ("country", &address.country),
            ("phone", &address.phone),
        ] {
            self.set(&format!("{prefix}.{name}"), value);
        }
    }

    /// The address whose fields' names begin with `prefix` and a dot.
    pub fn address(&self, prefix: &str) -> AddressFields {
        let field = |name: &str| self.of(&format!("{prefix}.{name}")).to_owned();
        AddressFields {
            name: field("name"),
            line1: field("line1"),
            line2: field("line2"),
            city: field("city"),
            region: field("region"),
            postal_code: field("postal_code"),
            country: field("country"),
            phone: field("phone"),
        }
    }

    /// A field that counts as left out when it is empty.
    pub fn given(&self, field: &str) -> Option<String> {
        Some(self.of(field).trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn is_ticked(&self, field: &str) -> bool {
        !self.of(field).is_empty()
    }
}

#[derive(Template)]
#[template(path = "addresses/list.html")]
struct BookPage {
    shell: Shell,
    book: Vec<SavedAddress>,
}

#[derive(Template)]
#[template(path = "addresses/form.html")]
struct FormPage {
    shell: Shell,
    /// The address that is changed; none for a new one.
    id: Option<AddressId>,
    typed: Typed,
    errors: FieldErrors,
}

impl FormPage {
    fn action(&self) -> String {
        self.id.map_or_else(|| urls::NEW.to_owned(), urls::address)
    }
}

async fn list(State(app): State<App>, viewer: Viewer) -> Answer {
    let book = service::list(&app, &viewer.ctx).await?;
    page(&BookPage {
        shell: viewer.shell,
        book,
    })
}

async fn new_form(State(app): State<App>, viewer: Viewer) -> Answer {
    let book = service::list(&app, &viewer.ctx).await?;
    let mut typed = Typed::default();
    let name = viewer.shell.user_name.clone().unwrap_or_default();
    typed.set("address.name", &name);
    if book.is_empty() {
        typed.set("default_shipping", "on");
        typed.set("default_billing", "on");
    }
    draw(viewer.shell, None, typed, FieldErrors::default())
}

async fn form(State(app): State<App>, viewer: Viewer, Path(id): Path<AddressId>) -> Answer {
    let saved = service::address(&app, &viewer.ctx, id).await?;
    let mut typed = Typed::default();
    typed.set_address(PREFIX, &saved.address);
    for (field, ticked) in [
        ("default_shipping", saved.default_shipping),
        ("default_billing", saved.default_billing),
    ] {
        typed.set(field, if ticked { "on" } else { "" });
    }
    draw(viewer.shell, Some(id), typed, FieldErrors::default())
}

async fn add(State(app): State<App>, viewer: Viewer, Form(typed): Form<Typed>) -> Answer {
    let saved = service::add(&app, &viewer.ctx, read(&typed)).await;
    answer(viewer, None, typed, saved).await
}

async fn change(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<AddressId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let saved = service::change(&app, &viewer.ctx, id, read(&typed)).await;
    answer(viewer, Some(id), typed, saved).await
}

async fn remove(State(app): State<App>, viewer: Viewer, Path(id): Path<AddressId>) -> Answer {
    service::remove(&app, &viewer.ctx, id).await?;
    viewer.flash(Flash::good("The address is removed.")).await?;
    redirect(urls::BOOK)
}

fn read(typed: &Typed) -> AddressChange {
    let address = typed.address(PREFIX);
    AddressChange {
        name: Some(address.name),
        line1: Some(address.line1),
        line2: Some(address.line2),
        city: Some(address.city),
        region: Some(address.region),
        postal_code: Some(address.postal_code),
        country: Some(address.country),
        phone: Some(address.phone),
        default_shipping: Some(typed.is_ticked("default_shipping")),
        default_billing: Some(typed.is_ticked("default_billing")),
    }
}

async fn answer(
    viewer: Viewer,
    id: Option<AddressId>,
    typed: Typed,
    saved: crate::error::Result<SavedAddress>,
) -> Answer {
    match saved {
        Ok(_) => {
            viewer.flash(Flash::good("Saved.")).await?;
            redirect(urls::BOOK)
        }
        Err(Error::Invalid(errors)) => draw(viewer.shell, id, typed, errors.below(PREFIX)),
        Err(Error::Conflict { detail, .. }) => {
            viewer.flash(Flash::warning(detail)).await?;
            redirect(urls::BOOK)
        }
        Err(error) => Err(error.into()),
    }
}

fn draw(shell: Shell, id: Option<AddressId>, typed: Typed, errors: FieldErrors) -> Answer {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = FormPage {
        shell,
        id,
        typed,
        errors,
    };
    page_with(status, &page)
}

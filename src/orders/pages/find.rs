//! The page that sends the link to an order to whoever placed it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::orders::service::FindOrder;
use crate::orders::{service, urls};
use crate::web::form::Form;
use crate::web::{Answer, Flash, Shell, Template, Viewer, html, redirect};

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new().route(urls::FIND, get(show).post(find))
}

#[derive(Template)]
#[template(path = "orders/find.html")]
struct FindPage {
    shell: Shell,
    typed: FindOrder,
    errors: FieldErrors,
}

async fn show(viewer: Viewer) -> Answer {
    html::page(&FindPage {
        shell: viewer.shell,
        typed: FindOrder::default(),
        errors: FieldErrors::default(),
    })
}

async fn find(State(app): State<App>, viewer: Viewer, Form(typed): Form<FindOrder>) -> Answer {
    match service::find_by_email(&app, &viewer.ctx, &typed).await {
        Ok(()) => {
            let words = "If there is such an order, the link to it is on its way to you by mail.";
            viewer.flash(Flash::good(words)).await?;
            redirect(urls::FIND)
        }
        Err(Error::Invalid(errors)) => {
            let page = FindPage {
                shell: viewer.shell,
                typed,
                errors,
            };
            html::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

//! The pages of the test gateway: what stands in for the site of a payment service. They know no
//! order and nobody who signed in; whoever has the address decides about the payment.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use super::model::{Behaviour, PaymentState, TestPayment};
use super::service::test_gateway;
use super::urls;
use crate::app::App;
use crate::error::{Error, FieldErrors};
use crate::orders::urls as orders;
use crate::types::TextEnum;
use crate::web::form::Form;
use crate::web::{Answer, Shell, Template, Viewer, html, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(&urls::test_gateway("{reference}"), get(show).post(decide))
        .route(&urls::test_challenge("{reference}"), get(ask).post(answer))
}

#[derive(Template)]
#[template(path = "payments/test_gateway.html")]
struct GatewayPage {
    shell: Shell,
    payment: TestPayment,
    /// Where the shopper goes back to.
    back: String,
    behaviours: &'static [Behaviour],
    /// Why nothing was decided; empty for none.
    refusal: String,
}

impl GatewayPage {
    fn new(shell: Shell, payment: TestPayment) -> Self {
        Self {
            back: orders::payment_return(&payment.order_number),
            behaviours: Behaviour::ALL,
            refusal: String::new(),
            shell,
            payment,
        }
    }

    /// Whether the shopper can still decide.
    fn is_open(&self) -> bool {
        self.payment.state == PaymentState::Pending && self.payment.next.is_none()
    }
}

async fn show(State(app): State<App>, viewer: Viewer, Path(reference): Path<String>) -> Answer {
    let payment = test_gateway::payment(&app, &reference).await?;
    html::page(&GatewayPage::new(viewer.shell, payment))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Decision {
    behaviour: String,
}

async fn decide(
    State(app): State<App>,
    viewer: Viewer,
    Path(reference): Path<String>,
    Form(form): Form<Decision>,
) -> Answer {
    let payment = test_gateway::payment(&app, &reference).await?;
    let mut page = GatewayPage::new(viewer.shell, payment);
    let Some(behaviour) = Behaviour::from_word(&form.behaviour) else {
        "Choose what happens.".clone_into(&mut page.refusal);
        return html::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    match test_gateway::decide(&app, &reference, behaviour).await {
        Ok(_) if behaviour == Behaviour::Challenge => redirect(&urls::test_challenge(&reference)),
        // Nobody comes back who closes the window.
        Ok(payment) if behaviour == Behaviour::Never => {
            html::page(&GatewayPage::new(page.shell, payment))
        }
        Ok(_) => redirect(&page.back),
        Err(Error::Conflict { detail, .. }) => {
            page.refusal = detail;
            html::page_with(StatusCode::CONFLICT, &page)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "payments/test_challenge.html")]
struct ChallengePage {
    shell: Shell,
    payment: TestPayment,
    typed: String,
    errors: FieldErrors,
}

async fn ask(State(app): State<App>, viewer: Viewer, Path(reference): Path<String>) -> Answer {
    let payment = test_gateway::payment(&app, &reference).await?;
    if payment.state != PaymentState::Pending {
        return redirect(&urls::test_gateway(&reference));
    }
    html::page(&ChallengePage {
        shell: viewer.shell,
        payment,
        typed: String::new(),
        errors: FieldErrors::default(),
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Code {
    code: String,
    /// Which button was pressed.
    action: String,
}

async fn answer(
    State(app): State<App>,
    viewer: Viewer,
    Path(reference): Path<String>,
    Form(form): Form<Code>,
) -> Answer {
    let payment = test_gateway::payment(&app, &reference).await?;
    let back = orders::payment_return(&payment.order_number);
    let decided = match form.action.as_str() {
        "give_up" => test_gateway::decide(&app, &reference, Behaviour::Decline).await,
        _ => test_gateway::answer(&app, &reference, &form.code).await,
    };
    match decided {
        Ok(_) | Err(Error::Conflict { .. }) => redirect(&back),
        Err(Error::Invalid(errors)) => {
            let page = ChallengePage {
                shell: viewer.shell,
                payment,
                typed: form.code,
                errors,
            };
            html::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

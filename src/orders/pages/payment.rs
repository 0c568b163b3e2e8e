//! Paying an order online: the way to the gateway and back, and another try.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;

use super::super::model::{NextStep, Order, OrderStatus, PaymentStatus};
use super::super::service;
use super::super::urls;
use super::opened;
use crate::app::App;
use crate::error::Error;
use crate::payments::PaymentState;
use crate::web::form::Form;
use crate::web::{Answer, Flash, Shell, Template, Viewer, html, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(&urls::payment("{number}"), get(lead_on).post(pay))
        .route(&urls::payment_return("{number}"), get(come_back))
}

/// What the page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The way to the gateway.
    Leading,
    /// The gateway has not said yet where to pay.
    Connecting,
    /// The gateway has not said yet what became of the payment.
    Waiting,
    /// It did not work.
    Failed,
}

/// A way to pay that may be tried.
struct Choice {
    name: &'static str,
    label: &'static str,
    description: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "orders/payment.html")]
struct PaymentPage {
    shell: Shell,
    order: Order,
    step: NextStep,
    stage: Stage,
    choices: Vec<Choice>,
    /// Why nothing was begun; empty for none.
    refusal: String,
}

impl PaymentPage {
    fn new(app: &App, shell: Shell, order: Order, step: NextStep, stage: Stage) -> Self {
        let choices = app.payments.iter().map(|provider| Choice {
            name: provider.name(),
            label: provider.label(),
            description: provider.description(),
            chosen: provider.name() == step.provider,
        });
        Self {
            choices: choices.collect(),
            refusal: String::new(),
            shell,
            order,
            step,
            stage,
        }
    }

    /// What stands in the page's refresh: after how many seconds, and where to; empty for none.
    fn refresh(&self) -> String {
        let number = &self.order.number;
        match self.stage {
            Stage::Leading => format!("0;url={}", self.step.url),
            Stage::Connecting => format!("3;url={}", urls::payment(number)),
            Stage::Waiting => format!("5;url={}", urls::payment_return(number)),
            Stage::Failed => String::new(),
        }
    }
}

/// Leads on to where the order is paid. A form may not lead to another site, by the security policy
/// of the pages, so that this page stands in between.
async fn lead_on(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let order = service::order(&app, &ctx, &number).await?;
    let order = service::start(&app, order).await?;
    let Some(step) = service::next_step(&app, &order) else {
        return redirect(&urls::order(&order.number));
    };
    let waits = step.online && step.state == PaymentState::Pending;
    if !waits || order.status == OrderStatus::Cancelled {
        return redirect(&urls::payment_return(&order.number));
    }
    if step.url.starts_with('/') {
        return redirect(&step.url);
    }
    let stage = match step.url.as_str() {
        "" => Stage::Connecting,
        _ => Stage::Leading,
    };
    html::page(&PaymentPage::new(&app, viewer.shell, order, step, stage))
}

/// The shopper comes back from the gateway, or looks what became of it.
async fn come_back(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let order = service::returned(&app, &ctx, &number).await?;
    let Some(step) = service::next_step(&app, &order) else {
        return redirect(&urls::order(&order.number));
    };
    if order.status == OrderStatus::Cancelled {
        let words = "This order was cancelled. What was paid for it goes back to you.";
        viewer.flash(Flash::warning(words)).await?;
        return redirect(&urls::order(&order.number));
    }
    let pending = step.state == PaymentState::Pending;
    if order.payment_status != PaymentStatus::Unpaid || (pending && !step.online) {
        return redirect(&urls::thanks(&order.number));
    }
    let stage = if pending {
        Stage::Waiting
    } else {
        Stage::Failed
    };
    html::page(&PaymentPage::new(&app, viewer.shell, order, step, stage))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    provider: String,
}

/// Another try, perhaps in another way.
async fn pay(
    State(app): State<App>,
    viewer: Viewer,
    Path(number): Path<String>,
    Form(wish): Form<Wish>,
) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    let (status, words) = match service::pay(&app, &ctx, &number, Some(&wish.provider)).await {
        Ok(order) => return redirect(&urls::payment(&order.number)),
        Err(Error::Conflict { detail, .. }) => (StatusCode::CONFLICT, detail),
        Err(Error::Invalid(errors)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            (status, errors.of("provider").to_owned())
        }
        Err(error) => return Err(error.into()),
    };
    let order = service::order(&app, &ctx, &number).await?;
    let Some(step) = service::next_step(&app, &order) else {
        return redirect(&urls::order(&order.number));
    };
    let mut page = PaymentPage::new(&app, viewer.shell, order, step, Stage::Failed);
    page.refusal = words;
    html::page_with(status, &page)
}

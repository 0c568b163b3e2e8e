//! Invoices of an order, and the packing slips of its parcels.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

use crate::app::App;
use crate::error::Error;
use crate::orders::pages::invoices::file;
use crate::orders::paper::Slip;
use crate::orders::{service, urls};
use crate::web::{Answer, Flash, Template, Viewer, page, redirect};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    let (number, parcel) = ("{number}", "{parcel}");
    Router::new()
        .route(&urls::admin_invoices(number), post(issue))
        .route(&urls::admin_slip(number, parcel), get(slip))
        .route(&urls::admin_slip_pdf(number, parcel), get(slip_pdf))
}

async fn issue(State(app): State<App>, viewer: Viewer, Path(number): Path<String>) -> Answer {
    let flash = match service::issue_invoice(&app, &viewer.ctx, &number).await {
        Ok(invoice) => Flash::good(format!("The invoice is {}.", invoice.number)),
        Err(Error::Conflict { detail, .. }) => Flash::warning(detail),
        Err(error) => return Err(error.into()),
    };
    viewer.flash(flash).await?;
    redirect(&urls::admin_order(&service::tidy_number(&number)))
}

#[derive(Template)]
#[template(path = "orders/admin_slip.html")]
struct SlipPage {
    slip: Slip,
}

async fn slip(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, parcel)): Path<(String, i64)>,
) -> Answer {
    let slip = service::slip(&app, &viewer.ctx, &number, parcel).await?;
    page(&SlipPage { slip })
}

async fn slip_pdf(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, parcel)): Path<(String, i64)>,
) -> Answer {
    let name = format!("packing-slip-{parcel}.pdf");
    let pdf = service::slips_pdf(&app, &viewer.ctx, &[(number, parcel)]).await?;
    Ok(file(&name, pdf))
}

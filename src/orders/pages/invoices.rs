//! Invoices and credit notes, as pages to print and as PDF.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::opened;
use crate::app::App;
use crate::orders::paper::Printed;
use crate::orders::{service, urls};
use crate::web::{Answer, Template, Viewer, html};

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new().route(&urls::invoice("{number}", "{invoice}"), get(show))
}

#[derive(Template)]
#[template(path = "orders/invoice.html")]
struct InvoicePage {
    printed: Printed,
    back: String,
    pdf: String,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path((number, invoice)): Path<(String, String)>,
) -> Answer {
    let ctx = opened(&viewer, &number).await?;
    if let Some(invoice) = invoice.strip_suffix(".pdf") {
        let (name, pdf) = service::invoice_pdf(&app, &ctx, &number, invoice).await?;
        return Ok(file(&name, pdf));
    }
    let printed = service::printed(&app, &ctx, &number, &invoice).await?;
    html::page(&InvoicePage {
        back: urls::order(&printed.order),
        pdf: format!("{}.pdf", urls::invoice(&printed.order, &printed.number)),
        printed,
    })
}

/// A PDF that a browser shows, and calls by this name when it is kept.
pub fn file(name: &str, pdf: Vec<u8>) -> axum::response::Response {
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, pdf).into_response()
}

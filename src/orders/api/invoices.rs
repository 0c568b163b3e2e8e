//! API: invoices and credit notes of an order, and the slip of a parcel.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::orders::model::Invoice;
use crate::orders::paper::Printed;
use crate::orders::service;
use crate::web::json::{Json, MoneyJson, Problem};
use crate::web::{ApiCtx, Failure};

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(invoice))
        .routes(routes!(show))
        .routes(routes!(pdf))
        .routes(routes!(issue))
        .routes(routes!(slip))
}

/// An invoice or a credit note.
#[derive(Serialize, ToSchema)]
pub struct InvoiceJson {
    /// Its number, without gaps within its series.
    #[schema(example = "2026-000123")]
    number: String,
    /// `invoice` or `credit_note`.
    kind: &'static str,
    /// What is paid, or goes back.
    total: MoneyJson,
    /// When it was issued.
    issued_at: String,
}

impl From<&Invoice> for InvoiceJson {
    fn from(invoice: &Invoice) -> Self {
        Self {
            number: invoice.number.clone(),
            kind: invoice.kind.as_str(),
            total: invoice.total.into(),
            issued_at: invoice.issued_at.rfc3339(),
        }
    }
}

/// What was issued for an order.
#[derive(Serialize, ToSchema)]
struct InvoicesJson {
    /// Oldest first.
    items: Vec<InvoiceJson>,
}

/// Everything that is printed on an invoice.
#[derive(Serialize, ToSchema)]
struct PrintedJson {
    /// Its number.
    number: String,
    /// `invoice` or `credit_note`.
    kind: String,
    /// When it was issued.
    issued_at: String,
    /// The order's public number.
    order: String,
    /// The invoice that a credit note takes back from; else null.
    credits: Option<String>,
    /// Who sells, line by line.
    seller: Vec<String>,
    /// The number by which tax offices know the seller.
    seller_tax_id: String,
    /// Who pays, line by line.
    buyer: Vec<String>,
    /// Where it goes, line by line.
    ships_to: Vec<String>,
    /// What was bought, or is given back.
    lines: Vec<PrintedLineJson>,
    /// From the lines to the total.
    sums: Vec<SumJson>,
    /// Taxes by name and rate.
    taxes: Vec<PrintedTaxJson>,
    /// Why this price, step by step; none on a credit note.
    trace: Vec<SumJson>,
    /// What is paid, or goes back.
    total: MoneyJson,
}

/// A line of an invoice.
#[derive(Serialize, ToSchema)]
struct PrintedLineJson {
    /// What.
    label: String,
    /// Its SKU.
    sku: String,
    /// How many.
    quantity: i64,
    /// The price of one.
    unit_price: MoneyJson,
    /// What discounts took off.
    discount: MoneyJson,
    /// Which tax, `21 % VAT`.
    tax_rate: String,
    /// What is left, as prices are written.
    amount: MoneyJson,
}

/// A step from the lines to the total.
#[derive(Serialize, ToSchema)]
struct SumJson {
    /// In words.
    text: String,
    /// How much; a discount is below zero.
    amount: MoneyJson,
}

/// A tax over a whole invoice.
#[derive(Serialize, ToSchema)]
struct PrintedTaxJson {
    /// Name and rate.
    name: String,
    /// What it is taken of.
    net: MoneyJson,
    /// The tax.
    tax: MoneyJson,
}

impl From<Printed> for PrintedJson {
    fn from(printed: Printed) -> Self {
        let money = |minor: i64| MoneyJson::from(printed.money(&minor));
        let lines = printed.lines.iter().map(|line| PrintedLineJson {
            label: line.label.clone(),
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: money(line.unit),
            discount: money(line.discount),
            tax_rate: line.tax.clone(),
            amount: money(line.amount),
        });
        let step = |(text, minor): &(String, i64)| SumJson {
            text: text.clone(),
            amount: money(*minor),
        };
        let sums = printed.sums.iter().map(step);
        let trace = printed.trace.iter().map(step);
        let taxes = printed.taxes.iter().map(|tax| PrintedTaxJson {
            name: tax.name.clone(),
            net: money(tax.net),
            tax: money(tax.tax),
        });
        let mut seller = vec![printed.seller.name.clone()];
        seller.extend(printed.seller.address.iter().cloned());
        Self {
            lines: lines.collect(),
            sums: sums.collect(),
            taxes: taxes.collect(),
            trace: trace.collect(),
            total: money(printed.total),
            issued_at: crate::types::Timestamp(printed.issued_at).rfc3339(),
            credits: Some(printed.credits.clone()).filter(|number| !number.is_empty()),
            seller,
            seller_tax_id: printed.seller.tax_id.clone(),
            number: printed.number,
            kind: printed.kind,
            order: printed.order,
            buyer: printed.buyer,
            ships_to: printed.ships_to,
        }
    }
}

fn file(name: &str, pdf: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, pdf).into_response()
}

/// Invoices and credit notes of an order
#[utoipa::path(get, path = "/orders/{number}/invoices", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = InvoicesJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn list(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<InvoicesJson>, Failure> {
    let issued = service::invoices(&app, &ctx, &number).await?;
    let items = issued.iter().map(InvoiceJson::from).collect();
    Ok(Json(InvoicesJson { items }))
}

/// The invoice of an order
///
/// With all that is printed on it. There is none before it is issued.
#[utoipa::path(get, path = "/orders/{number}/invoice", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = PrintedJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn invoice(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<PrintedJson>, Failure> {
    let printed = service::printed_invoice(&app, &ctx, &number).await?;
    Ok(Json(printed.into()))
}

/// An invoice or a credit note
///
/// With all that is printed on it.
#[utoipa::path(get, path = "/orders/{number}/invoices/{invoice}", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("invoice" = String, Path, description = "The invoice's number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses((status = 200, body = PrintedJson), (status = 404, body = Problem)),
    security((), ("bearer" = [])))]
async fn show(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, invoice)): Path<(String, String)>,
) -> Result<Json<PrintedJson>, Failure> {
    let printed = service::printed(&app, &ctx, &number, &invoice).await?;
    Ok(Json(printed.into()))
}

/// An invoice or a credit note as PDF
#[utoipa::path(get, path = "/orders/{number}/invoices/{invoice}/pdf", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("invoice" = String, Path, description = "The invoice's number"),
        ("Order-Token" = Option<String>, Header, description = "Opens a guest's order"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/pdf"),
        (status = 404, body = Problem),
    ),
    security((), ("bearer" = [])))]
async fn pdf(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, invoice)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (name, pdf) = service::invoice_pdf(&app, &ctx, &number, &invoice).await?;
    Ok(file(&name, pdf))
}

/// Issue the invoice of an order now (staff)
///
/// By itself it is issued when the order is paid or sent, as the shop is set up. Safe to repeat:
/// there is one for each order.
#[utoipa::path(post, path = "/admin/orders/{number}/invoices", tag = "orders",
    params(("number" = String, Path, description = "The public number")),
    responses(
        (status = 200, body = InvoiceJson),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`order_cancelled`"),
    ), security(("bearer" = [])))]
async fn issue(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path(number): Path<String>,
) -> Result<Json<InvoiceJson>, Failure> {
    let invoice = service::issue_invoice(&app, &ctx, &number).await?;
    Ok(Json(InvoiceJson::from(&invoice)))
}

/// The packing slip of a parcel as PDF (staff)
#[utoipa::path(get, path = "/admin/orders/{number}/fulfilments/{fulfilment}/slip", tag = "orders",
    params(
        ("number" = String, Path, description = "The public number"),
        ("fulfilment" = i64, Path, description = "The parcel's number within the order"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/pdf"),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ), security(("bearer" = [])))]
async fn slip(
    State(app): State<App>,
    ApiCtx(ctx): ApiCtx,
    Path((number, fulfilment)): Path<(String, i64)>,
) -> Result<Response, Failure> {
    let pdf = service::slips_pdf(&app, &ctx, &[(number, fulfilment)]).await?;
    Ok(file("packing-slip.pdf", pdf))
}

//! Invoices when an order is paid or sent, credit notes when money went back.

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::error::Result;
use crate::orders::service;

#[derive(Deserialize)]
struct About {
    number: String,
    /// What went back, in the order's currency, and by which refund.
    #[serde(default)]
    amount: String,
    #[serde(default)]
    refund_id: Option<i64>,
}

/// An order was paid.
pub async fn paid(app: App, payload: Value) -> Result<()> {
    let About { number, .. } = serde_json::from_value(payload)?;
    service::invoice_when_due(&app, &app.system(), &number, false).await
}

/// A part of an order was sent.
pub async fn sent(app: App, payload: Value) -> Result<()> {
    let About { number, .. } = serde_json::from_value(payload)?;
    service::invoice_when_due(&app, &app.system(), &number, true).await
}

/// Money went back.
pub async fn refunded(app: App, payload: Value) -> Result<()> {
    let About {
        number,
        amount,
        refund_id,
    } = serde_json::from_value(payload)?;
    service::credit(&app, &app.system(), &number, refund_id, &amount).await
}

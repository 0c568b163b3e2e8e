//! What happens after stock changed: letters that name products.

use serde::Deserialize;
use serde_json::Value;

use super::urls;
use crate::app::App;
use crate::error::{Error, Result};
use crate::inventory::{self, StockRow};
use crate::jobs::Observer;
use crate::mail::Notice;
use crate::types::{Email, Locale, VariantId};

/// The letters about stock.
pub const LETTERS: [Observer; 3] = [
    Observer {
        topic: inventory::service::AVAILABLE,
        job: "catalog.call_waiters",
        run: |app, payload| Box::pin(call_waiters(app, payload)),
    },
    Observer {
        topic: inventory::service::CALLED,
        job: "catalog.back_in_stock_mail",
        run: |app, payload| Box::pin(back_in_stock(app, payload)),
    },
    Observer {
        topic: inventory::service::LOW,
        job: "catalog.low_stock_mail",
        run: |app, payload| Box::pin(low_stock(app, payload)),
    },
];

#[derive(Deserialize)]
struct Available {
    variant_id: VariantId,
}

#[derive(Deserialize)]
struct Called {
    waiter: i64,
}

#[derive(Deserialize)]
struct Low {
    variant_id: VariantId,
    available: i64,
}

async fn call_waiters(app: App, payload: Value) -> Result<()> {
    let Available { variant_id } = serde_json::from_value(payload)?;
    inventory::service::call_waiters(&app, variant_id).await
}

/// Where a variant can be bought.
fn place(row: &StockRow) -> String {
    format!("{}/{}?variant={}", urls::PRODUCTS, row.slug, row.variant_id)
}

async fn back_in_stock(app: App, payload: Value) -> Result<()> {
    let Called { waiter } = serde_json::from_value(payload)?;
    let Some((waiter, row)) = inventory::service::called(&app, waiter).await? else {
        return Ok(());
    };
    let name = row.label();
    let notice = match waiter.locale {
        Locale::English => Notice {
            subject: format!("Back in stock: {name}"),
            title: format!("{name} can be bought again"),
            paragraphs: vec![
                "You asked us to tell you. It is not put aside for you, so be quick if you want \
                it. This is the only letter about it: we have forgotten your address."
                    .to_owned(),
            ],
            action: Some(("Look at it", place(&row))),
            ..Notice::default()
        },
        Locale::Spanish => Notice {
            subject: format!("De nuevo disponible: {name}"),
            title: format!("{name} se puede comprar de nuevo"),
            paragraphs: vec![
                "Nos pediste que te avisáramos. No está apartado para ti, así que date prisa si \
                lo quieres. Este es el único aviso: ya hemos olvidado tu dirección."
                    .to_owned(),
            ],
            action: Some(("Verlo", place(&row))),
            ..Notice::default()
        },
    };
    let key = format!("back in stock {}", waiter.id);
    send(&app, &waiter.email, waiter.locale, notice, key).await?;
    inventory::service::forget_waiter(&app, waiter.id).await
}

async fn low_stock(app: App, payload: Value) -> Result<()> {
    let key = format!("low stock {payload} {}", app.clock.now().date());
    let Low {
        variant_id,
        available,
    } = serde_json::from_value(payload)?;
    let Some(to) = Email::parse(&app.config.alerts_email) else {
        return Ok(());
    };
    let system = app.system();
    let row = match inventory::service::stock_row(&app, &system, variant_id).await {
        Err(Error::NotFound) => return Ok(()),
        found => found?,
    };
    let name = row.label();
    let left = match available {
        ..=0 => "is sold out".to_owned(),
        1 => "is low: 1 piece left".to_owned(),
        some => format!("is low: {some} pieces left"),
    };
    let notice = Notice {
        subject: format!("{name} {left}"),
        title: format!("{name} {left}"),
        paragraphs: vec![format!(
            "SKU {}. You are told when it falls to {} or fewer.",
            row.sku,
            row.threshold()
        )],
        action: Some((
            "Look at its stock",
            inventory::urls::admin_variant(variant_id),
        )),
        ..Notice::default()
    };
    send(&app, &to, Locale::English, notice, key).await
}

/// Sends it. `key` is the same for the same letter, however often its job is tried.
async fn send(app: &App, to: &Email, locale: Locale, notice: Notice, key: String) -> Result<()> {
    let mut letter = notice.letter(app, to, locale)?;
    letter.key = key;
    Ok(app.mailer.send(letter).await?)
}

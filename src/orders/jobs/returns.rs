//! Letters about what is sent back.

use serde::Deserialize;
use serde_json::Value;

use super::letters::{order_of, see, send};
use crate::app::App;
use crate::error::Result;
use crate::mail::Notice;
use crate::orders::model::ReturnState;
use crate::types::Locale;

#[derive(Deserialize)]
struct About {
    number: String,
    /// The return, and what became of it.
    #[serde(rename = "return")]
    position: i64,
    to: String,
}

/// A return was asked for, answered, or came.
pub async fn return_changed(app: App, payload: Value) -> Result<()> {
    let About {
        number,
        position,
        to,
    } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let mut returns = order.returns.iter();
    let Some(one) = returns.find(|one| one.number == position) else {
        return Ok(());
    };
    let Ok(state) = to.parse::<ReturnState>() else {
        return Ok(());
    };
    let number = &order.number;
    let (english, spanish) = match state {
        ReturnState::Requested => (
            (
                "We have your request",
                "We look at it and write to you soon.",
            ),
            ("Tenemos tu solicitud", "La miramos y te escribimos pronto."),
        ),
        ReturnState::Approved => (
            (
                "Please send it back",
                "We agree to the return. Put the order's number into the parcel.",
            ),
            (
                "Envíanoslo, por favor",
                "Aceptamos la devolución. Pon el número del pedido en el paquete.",
            ),
        ),
        ReturnState::Rejected => (
            ("We cannot take it back", "We are sorry, and say why below."),
            ("No podemos aceptarlo", "Lo sentimos, y te decimos por qué."),
        ),
        ReturnState::Cancelled => (
            (
                "Your return is called off",
                "You keep the goods, and nothing else is to be done.",
            ),
            (
                "Tu devolución está anulada",
                "Te quedas con los artículos; no hay que hacer nada más.",
            ),
        ),
        ReturnState::Received => (
            (
                "Your return has arrived",
                "We look at it and send the money back.",
            ),
            (
                "Tu devolución ha llegado",
                "La revisamos y te devolvemos el dinero.",
            ),
        ),
        // The refund has a letter of its own.
        ReturnState::Refunded => return Ok(()),
    };
    let (title, words) = match order.locale {
        Locale::English => english,
        Locale::Spanish => spanish,
    };
    let goods = one.lines.iter().filter_map(|line| {
        let known = order.line(line.order_line_id)?;
        Some(format!("{} × {}", line.quantity, known.label()))
    });
    let mut paragraphs = vec![words.to_owned()];
    let answered = matches!(state, ReturnState::Approved | ReturnState::Rejected);
    if answered && !one.answer.is_empty() {
        paragraphs.push(one.answer.clone());
    }
    let notice = Notice {
        subject: format!("{title} ({number})"),
        title: title.to_owned(),
        paragraphs,
        list: goods.collect(),
        action: see(&app, &order),
    };
    send(
        &app,
        &order,
        notice,
        &format!("order return {position} {to}"),
    )
    .await
}

//! Letters about money that came or went back, and about what is sent back.

use serde::Deserialize;
use serde_json::Value;

use super::letters::{order_of, see, send};
use crate::app::App;
use crate::error::Result;
use crate::mail::Notice;
use crate::orders::model::ReturnState;
use crate::types::{Locale, Money};

#[derive(Deserialize)]
struct About {
    number: String,
    /// What went back, in the order's currency, and by which refund.
    #[serde(default)]
    amount: String,
    #[serde(default)]
    refund_id: Option<i64>,
    /// The return, and what became of it.
    #[serde(default, rename = "return")]
    position: i64,
    #[serde(default)]
    to: String,
}

/// The money came.
pub async fn paid(app: App, payload: Value) -> Result<()> {
    let About { number, .. } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let (number, total) = (&order.number, order.total);
    let notice = match order.locale {
        Locale::English => Notice {
            subject: format!("Your payment for order {number}"),
            title: "Your payment has arrived".to_owned(),
            paragraphs: vec![format!(
                "Thank you: we have {total} for your order {number}. The invoice is on its page."
            )],
            action: see(&app, &order),
            ..Notice::default()
        },
        Locale::Spanish => Notice {
            subject: format!("Tu pago del pedido {number}"),
            title: "Hemos recibido tu pago".to_owned(),
            paragraphs: vec![format!(
                "Gracias: hemos recibido {total} por tu pedido {number}. La factura está en su \
                página."
            )],
            action: see(&app, &order),
            ..Notice::default()
        },
    };
    send(&app, &order, notice, "order paid").await
}

/// Money went back.
pub async fn refunded(app: App, payload: Value) -> Result<()> {
    let About {
        number,
        amount,
        refund_id,
        ..
    } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let Ok(money) = Money::parse(&amount, order.total.currency()) else {
        return Ok(());
    };
    let number = &order.number;
    let notice = match order.locale {
        Locale::English => Notice {
            subject: format!("{money} of your order {number} go back to you"),
            title: "Money goes back to you".to_owned(),
            paragraphs: vec![format!(
                "We sent {money} of your order {number} back the way they came. It may take your \
                bank some days."
            )],
            action: see(&app, &order),
            ..Notice::default()
        },
        Locale::Spanish => Notice {
            subject: format!("Te devolvemos {money} de tu pedido {number}"),
            title: "Te devolvemos dinero".to_owned(),
            paragraphs: vec![format!(
                "Hemos devuelto {money} de tu pedido {number} por donde llegaron. Tu banco puede \
                tardar unos días."
            )],
            action: see(&app, &order),
            ..Notice::default()
        },
    };
    let refund = refund_id.unwrap_or_default();
    send(
        &app,
        &order,
        notice,
        &format!("order refunded {refund} {amount}"),
    )
    .await
}

/// A return was asked for, answered, or came.
pub async fn return_changed(app: App, payload: Value) -> Result<()> {
    let About {
        number,
        position,
        to,
        ..
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

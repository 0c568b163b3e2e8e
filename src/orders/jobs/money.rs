//! Letters about money: it came, it did not, it went back.

use serde::Deserialize;
use serde_json::Value;

use super::letters::{order_of, see, send};
use crate::app::App;
use crate::config::InvoiceAt;
use crate::error::Result;
use crate::mail::Notice;
use crate::orders::model::{Order, OrderStatus, PaymentStatus};
use crate::orders::service;
use crate::payments::{Payment, PaymentState};
use crate::types::{Locale, Money, PaymentId};

/// Whoever tries several cards one after the other is told once: so many seconds.
const ONE_ATTEMPT: i64 = 10 * 60;

#[derive(Deserialize)]
struct Paid {
    number: String,
}

#[derive(Deserialize)]
struct Failed {
    number: String,
    payment_id: PaymentId,
}

#[derive(Deserialize)]
struct Refunded {
    number: String,
    /// What went back, in the order's currency, and by which refund.
    amount: String,
    #[serde(default)]
    refund_id: Option<i64>,
}

/// The money came.
pub async fn paid(app: App, payload: Value) -> Result<()> {
    let Paid { number } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let own = order.payments.iter().filter(|payment| payment.counts());
    let came: i64 = own.map(|payment| payment.captured.minor()).sum();
    if came == 0 {
        // An order of nothing was paid by being placed.
        return Ok(());
    }
    let (number, came) = (&order.number, Money::new(came, order.total.currency()));
    let invoiced = app.config.invoice_at == InvoiceAt::Paid;
    let notice = match order.locale {
        Locale::English => {
            let mut words = format!("Thank you: we have {came} for your order {number}.");
            if invoiced {
                words += " The invoice is on its page.";
            }
            Notice {
                subject: format!("Your payment for order {number}"),
                title: "Your payment has arrived".to_owned(),
                paragraphs: vec![words],
                action: see(&app, &order),
                ..Notice::default()
            }
        }
        Locale::Spanish => {
            let mut words = format!("Gracias: hemos recibido {came} por tu pedido {number}.");
            if invoiced {
                words += " La factura está en su página.";
            }
            Notice {
                subject: format!("Tu pago del pedido {number}"),
                title: "Hemos recibido tu pago".to_owned(),
                paragraphs: vec![words],
                action: see(&app, &order),
                ..Notice::default()
            }
        }
    };
    send(&app, &order, notice, "order paid").await
}

/// A payment did not work: whoever ordered may try again. Not for an order that is called off or
/// paid, nor while another payment of it is under way.
pub async fn failed(app: App, payload: Value) -> Result<()> {
    let Failed { number, payment_id } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let mut payments = order.payments.iter();
    let Some(payment) = payments.find(|one| one.id == payment_id) else {
        return Ok(());
    };
    if !wants_another_try(&order, payment) {
        return Ok(());
    }
    let held = service::held_until(&app, &order).await?;
    let until = held.map(|at| at.date_time_in(order.locale));
    let (number, amount) = (&order.number, payment.amount);
    let link = service::link_to(&app, &order);
    let notice = match order.locale {
        Locale::English => {
            let mut words =
                format!("The payment of {amount} for your order {number} did not work.");
            if !payment.failure.is_empty() {
                words = format!("{words} {}", payment.failure);
            }
            let again = "Nothing was taken. Try again, or pay in another way, on the page of your \
                order.";
            let mut paragraphs = vec![words, again.to_owned()];
            paragraphs.extend(until.map(|at| format!("We hold your things for you until {at}.")));
            Notice {
                subject: format!("The payment for your order {number} did not work"),
                title: "Your payment did not work".to_owned(),
                paragraphs,
                action: Some(("Try again", link)),
                ..Notice::default()
            }
        }
        // What gateways say is English.
        Locale::Spanish => {
            let words = format!("El pago de {amount} por tu pedido {number} no ha funcionado.");
            let again = "No se ha cobrado nada. Inténtalo otra vez, o paga de otra forma, en la \
                página de tu pedido.";
            let mut paragraphs = vec![words, again.to_owned()];
            paragraphs.extend(until.map(|at| format!("Te guardamos los artículos hasta el {at}.")));
            Notice {
                subject: format!("El pago de tu pedido {number} no ha funcionado"),
                title: "Tu pago no ha funcionado".to_owned(),
                paragraphs,
                action: Some(("Intentarlo otra vez", link)),
                ..Notice::default()
            }
        }
    };
    let key = format!("order payment failed {payment_id}");
    send(&app, &order, notice, &key).await
}

/// Whether the customer is to be told that a payment failed, and was not told of another one just
/// before.
fn wants_another_try(order: &Order, payment: &Payment) -> bool {
    let open = order.status != OrderStatus::Cancelled
        && order.payment_status == PaymentStatus::Unpaid
        && payment.state == PaymentState::Failed;
    let others = || order.payments.iter().filter(|one| one.counts());
    let under_way = others().any(|one| one.id > payment.id && one.state.is_open());
    let told = others().any(|one| {
        one.id < payment.id
            && one.state == PaymentState::Failed
            && payment.updated_at < one.updated_at.plus_seconds(ONE_ATTEMPT)
    });
    open && !under_way && !told
}

/// Money went back.
pub async fn refunded(app: App, payload: Value) -> Result<()> {
    let Refunded {
        number,
        amount,
        refund_id,
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

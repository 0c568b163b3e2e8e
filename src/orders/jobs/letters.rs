//! Short letters about what became of an order, in the language that it was placed in.

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::error::Result;
use crate::mail::Notice;
use crate::orders::model::{Order, OrderStatus};
use crate::orders::service::{self, NOT_PAID};
use crate::payments::Unmatched;
use crate::types::{Locale, Money, OrderLineId};

/// What an event says of an order.
#[derive(Deserialize)]
struct About {
    number: String,
    /// The parcel that was sent.
    #[serde(default)]
    fulfilment: i64,
    /// The status that the order moved to.
    #[serde(default)]
    to: String,
    /// Why the order was cancelled, where nobody wanted it: [`NOT_PAID`], or why its money was not
    /// its own.
    #[serde(default)]
    reason: String,
}

/// The order of an event.
pub(super) async fn order_of(app: &App, number: &str) -> Result<Order> {
    service::order(app, &app.system(), number).await
}

/// Sends a letter about an order. `key` sets it apart from the order's other letters.
pub(super) async fn send(app: &App, order: &Order, notice: Notice, key: &str) -> Result<()> {
    let mut letter = notice.letter(app, &order.email, order.locale)?;
    letter.key = format!("{key} {}", order.number);
    Ok(app.mailer.send(letter).await?)
}

/// The link to an order, as the last thing in a letter.
pub(super) fn see(app: &App, order: &Order) -> Option<(&'static str, String)> {
    let words = match order.locale {
        Locale::English => "See your order",
        Locale::Spanish => "Ver tu pedido",
    };
    Some((words, service::link_to(app, order)))
}

/// The link that somebody asked for.
pub async fn link(app: App, payload: Value) -> Result<()> {
    let About { number, .. } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let number = &order.number;
    let notice = match order.locale {
        Locale::English => Notice {
            subject: format!("The link to your order {number}"),
            title: format!("Your order {number}"),
            paragraphs: vec![
                "Somebody, probably you, asked for the link to this order. If it was not you, do \
                nothing: nobody but you got it."
                    .to_owned(),
            ],
            action: see(&app, &order),
            ..Notice::default()
        },
        Locale::Spanish => Notice {
            subject: format!("El enlace a tu pedido {number}"),
            title: format!("Tu pedido {number}"),
            paragraphs: vec![
                "Alguien, probablemente tú, ha pedido el enlace a este pedido. Si no has sido tú, \
                no hagas nada: nadie más lo ha recibido."
                    .to_owned(),
            ],
            action: see(&app, &order),
            ..Notice::default()
        },
    };
    // Asked for again, it comes again.
    let key = format!("order link {}", app.clock.now().rfc3339());
    send(&app, &order, notice, &key).await
}

/// A parcel left the house.
pub async fn sent(app: App, payload: Value) -> Result<()> {
    let About {
        number, fulfilment, ..
    } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let Some(parcel) = order.parcel(fulfilment) else {
        return Ok(());
    };
    let goods = parcel.lines.iter().filter_map(|line| {
        let known = order.line(line.order_line_id)?;
        Some(format!("{} × {}", line.quantity, known.label()))
    });
    let list = goods.collect();
    let (number, url, words) = (
        &order.number,
        &parcel.tracking.url,
        parcel.tracking.in_words(),
    );
    // A later parcel may complete the order; this one is about what was sent with it.
    let sent = |upto: i64| {
        order
            .fulfilments
            .iter()
            .filter(move |one| one.number <= upto)
    };
    let pieces: i64 = sent(fulfilment).map(|one| one.count()).sum();
    let wanted: i64 = order
        .lines
        .iter()
        .map(|line| line.quantity - line.cancelled)
        .sum();
    let whole = pieces >= wanted;
    let notice = match order.locale {
        Locale::English => {
            let mut paragraphs = vec![if whole {
                format!("Your order {number} is on its way, with:")
            } else {
                format!("A part of your order {number} is on its way; the rest follows. With it:")
            }];
            if !words.is_empty() {
                paragraphs.insert(0, format!("Carried by {words}."));
            }
            Notice {
                subject: if whole {
                    format!("Your order {number} is on its way")
                } else {
                    format!("A part of your order {number} is on its way")
                },
                title: "Your parcel is on its way".to_owned(),
                paragraphs,
                list,
                action: if url.is_empty() {
                    see(&app, &order)
                } else {
                    Some(("Follow your parcel", url.clone()))
                },
            }
        }
        Locale::Spanish => {
            let mut paragraphs = vec![if whole {
                format!("Tu pedido {number} está en camino, con:")
            } else {
                format!(
                    "Una parte de tu pedido {number} está en camino; el resto viene después. Lleva:"
                )
            }];
            if !words.is_empty() {
                paragraphs.insert(0, format!("Lo lleva {words}."));
            }
            Notice {
                subject: if whole {
                    format!("Tu pedido {number} está en camino")
                } else {
                    format!("Una parte de tu pedido {number} está en camino")
                },
                title: "Tu paquete está en camino".to_owned(),
                paragraphs,
                list,
                action: if url.is_empty() {
                    see(&app, &order)
                } else {
                    Some(("Seguir tu paquete", url.clone()))
                },
            }
        }
    };
    send(&app, &order, notice, &format!("order sent {fulfilment}")).await
}

/// What of an order was called off.
#[derive(Deserialize)]
struct Pieces {
    number: String,
    lines: Vec<CalledOff>,
    /// What goes back for it, in the order's currency.
    refunded: Option<String>,
    /// Why, in somebody's words; may be empty.
    reason: String,
    /// Pieces that were called off of the order by then.
    cancelled_in_all: i64,
}

#[derive(Deserialize)]
struct CalledOff {
    line_id: i64,
    quantity: i64,
}

/// A part of the order will not be sent.
pub async fn pieces_cancelled(app: App, payload: Value) -> Result<()> {
    let told: Pieces = serde_json::from_value(payload)?;
    let order = order_of(&app, &told.number).await?;
    let number = &order.number;
    let goods = told.lines.iter().filter_map(|line| {
        let known = order.line(OrderLineId(line.line_id))?;
        Some(format!("{} × {}", line.quantity, known.label()))
    });
    let refunded = told.refunded.as_deref();
    let refunded = refunded.and_then(|text| Money::parse(text, order.total.currency()).ok());
    let (subject, title, words, money) = match order.locale {
        Locale::English => (
            format!("A part of your order {number} will not be sent"),
            "A part of your order is cancelled",
            format!("We are sorry: of your order {number}, what is listed below will not be sent."),
            refunded.map(|amount| format!("What you paid for it, {amount}, goes back to you.")),
        ),
        Locale::Spanish => (
            format!("Una parte de tu pedido {number} no se enviará"),
            "Una parte de tu pedido está cancelada",
            format!("Lo sentimos: de tu pedido {number}, no se enviará lo que ves abajo."),
            refunded.map(|amount| format!("Te devolvemos lo que has pagado por ello, {amount}.")),
        ),
    };
    let reason = Some(told.reason).filter(|reason| !reason.is_empty());
    let notice = Notice {
        subject,
        title: title.to_owned(),
        paragraphs: [Some(words), reason, money].into_iter().flatten().collect(),
        list: goods.collect(),
        action: see(&app, &order),
    };
    let key = format!("order pieces cancelled {}", told.cancelled_in_all);
    send(&app, &order, notice, &key).await
}

/// All of an order arrived; the steps before have no letter of their own.
pub async fn delivered(app: App, payload: Value) -> Result<()> {
    let About { number, to, .. } = serde_json::from_value(payload)?;
    if to != OrderStatus::Delivered.as_str() {
        return Ok(());
    }
    let order = order_of(&app, &number).await?;
    let number = &order.number;
    let notice = match order.locale {
        Locale::English => Notice {
            subject: format!("Your order {number} was delivered"),
            title: "Your order was delivered".to_owned(),
            paragraphs: vec![format!(
                "Everything of your order {number} has arrived. If something is missing or not as \
                it should be, tell us on its page."
            )],
            action: see(&app, &order),
            ..Notice::default()
        },
        Locale::Spanish => Notice {
            subject: format!("Tu pedido {number} ha llegado"),
            title: "Tu pedido ha llegado".to_owned(),
            paragraphs: vec![format!(
                "Ha llegado todo lo de tu pedido {number}. Si falta algo o no está bien, dínoslo \
                en su página."
            )],
            action: see(&app, &order),
            ..Notice::default()
        },
    };
    send(&app, &order, notice, "order delivered").await
}

/// The order was called off, by somebody or because the shop could not go on with it.
pub async fn cancelled(app: App, payload: Value) -> Result<()> {
    let About { number, reason, .. } = serde_json::from_value(payload)?;
    let order = order_of(&app, &number).await?;
    let (number, currency) = (&order.number, order.total.currency());
    // All that came goes back, also what came too late to be the order's.
    let came = order.payments.iter().map(|payment| payment.captured);
    let came = came.filter(|amount| amount.currency() == currency);
    let came = Money::new(came.map(Money::minor).sum(), currency);
    let gone = reason == Unmatched::CannotFill.as_str();
    let (subject, title, why, money) = match order.locale {
        Locale::English => (
            format!("Your order {number} is cancelled"),
            "Your order is cancelled",
            match reason.as_str() {
                NOT_PAID => format!(
                    "Your order {number} was not paid in time. It is cancelled, and nothing of it \
                    will be sent."
                ),
                _ if gone => format!(
                    "We are sorry: what you ordered was sold out before your payment came. Your \
                    order {number} is cancelled, and nothing of it will be sent."
                ),
                _ => format!("Your order {number} is cancelled, and nothing of it will be sent."),
            },
            match came.is_zero() {
                true => "Nothing is to be paid.".to_owned(),
                false => format!("What you paid, {came}, goes back to you."),
            },
        ),
        Locale::Spanish => (
            format!("Tu pedido {number} está cancelado"),
            "Tu pedido está cancelado",
            match reason.as_str() {
                NOT_PAID => format!(
                    "Tu pedido {number} no se ha pagado a tiempo. Está cancelado, y no se enviará \
                    nada."
                ),
                _ if gone => format!(
                    "Lo sentimos: lo que has pedido se agotó antes de que llegara tu pago. Tu \
                    pedido {number} está cancelado, y no se enviará nada."
                ),
                _ => format!("Tu pedido {number} está cancelado, y no se enviará nada."),
            },
            match came.is_zero() {
                true => "No hay nada que pagar.".to_owned(),
                false => format!("Te devolvemos lo que has pagado, {came}."),
            },
        ),
    };
    let notice = Notice {
        subject,
        title: title.to_owned(),
        paragraphs: vec![why, money],
        action: see(&app, &order),
        ..Notice::default()
    };
    send(&app, &order, notice, "order cancelled").await
}

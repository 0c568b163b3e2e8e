//! What the test gateway does on its own side: shoppers decide on its page, it sends events.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::inbox;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::{Tx, settings};
use crate::error::{Error, Result};
use crate::jobs::{self, Observer};
use crate::payments::model::{Behaviour, PaymentState, TestPayment};
use crate::payments::provider::{Headers, TEST_SIGNATURE};
use crate::payments::{signature, store};
use crate::types::{Currency, Money, Timestamp};

/// The code that the bank's page asks for; the page tells it.
pub const CODE: &str = "123456";
/// How long a payment takes that is late, in seconds.
const LATE_SECONDS: i64 = 120;
/// Of a sum that differs, so many hundredths are paid.
const DIFFERING_PERCENT: i64 = 90;

/// Sends an event of the test gateway to the shop.
pub const SEND: Observer = Observer {
    topic: "test_gateway.event",
    job: "payments.test_gateway_event",
    run: |app, payload| Box::pin(send(app, payload)),
};

/// An event that waits to be sent.
#[derive(Serialize, Deserialize)]
struct Waiting {
    id: String,
    kind: String,
    payment: String,
    order: String,
}

/// A payment as it stands now. Errors: `NotFound`, also while the test gateway is switched off.
pub async fn payment(app: &App, reference: &str) -> Result<TestPayment> {
    app.payments.gateway("test").ok_or(Error::NotFound)?;
    let known = store::test_payment(&mut app.db.conn().await?, reference).await?;
    let known = known.ok_or(Error::NotFound)?;
    match known.next {
        Some((_, at)) if at <= app.clock.now() => come_due(app, reference).await,
        _ => Ok(known),
    }
}

/// What was to become of a payment by now becomes of it.
async fn come_due(app: &App, reference: &str) -> Result<TestPayment> {
    let mut tx = app.db.begin().await?;
    let mut known = lock(&mut tx, reference).await?;
    if let Some((state, _)) = known.next.take() {
        turn(&mut known, state);
        store::save_test_payment(&mut tx, &known).await?;
    }
    tx.commit().await?;
    Ok(known)
}

/// The shopper decided. Gives what the gateway knows then. A [`Behaviour::Challenge`] changes
/// nothing: the code does. Errors: `NotFound`; conflict `payment_over`.
pub async fn decide(app: &App, reference: &str, behaviour: Behaviour) -> Result<TestPayment> {
    payment(app, reference).await?;
    let ctx = app.system();
    let mut tx = app.db.begin().await?;
    let mut known = lock(&mut tx, reference).await?;
    if known.state != PaymentState::Pending || known.next.is_some() {
        let detail = "This payment was decided already.";
        return Err(Error::conflict("payment_over", detail));
    }
    let paid = match known.takes_at_once {
        true => PaymentState::Captured,
        false => PaymentState::Authorized,
    };
    known.approved = Some(approved(behaviour, known.amount));
    let name = format!("evt_{}", hex::encode(app.rng.bytes::<8>()));
    let succeeded = "payment.succeeded";
    // What is sent: kind and name of each event, in the order in which they arrive.
    let events: Vec<(&str, String)> = match behaviour {
        Behaviour::Challenge => return Ok(known),
        Behaviour::Decline => {
            known.approved = None;
            "The bank declined the payment.".clone_into(&mut known.failure);
            vec![("payment.failed", name)]
        }
        Behaviour::Never => Vec::new(),
        Behaviour::Twice => {
            let other = format!("{name}_again");
            vec![
                (succeeded, name.clone()),
                (succeeded, name),
                (succeeded, other),
            ]
        }
        Behaviour::OutOfOrder => {
            let begun = format!("{name}_begun");
            vec![(succeeded, name), ("payment.created", begun)]
        }
        _ => vec![(succeeded, name)],
    };
    let at = match behaviour {
        Behaviour::Late => ctx.now.plus_seconds(LATE_SECONDS),
        _ => ctx.now,
    };
    match behaviour {
        Behaviour::Decline => known.state = PaymentState::Failed,
        Behaviour::Late => known.next = Some((paid, at)),
        _ => turn(&mut known, paid),
    }
    store::save_test_payment(&mut tx, &known).await?;
    for (kind, name) in events {
        tell(&mut tx, &ctx, &known, kind, &name, at).await?;
    }
    tx.commit().await?;
    Ok(known)
}

/// The shopper gave the bank's code. Errors: `Invalid` at `code`; as [`decide`].
pub async fn answer(app: &App, reference: &str, code: &str) -> Result<TestPayment> {
    if code.trim() != CODE {
        let message = "This is not the code.";
        return Err(Error::invalid("code", "wrong", message));
    }
    decide(app, reference, Behaviour::Approve).await
}

/// What is paid of an amount.
fn approved(behaviour: Behaviour, amount: Money) -> Money {
    match behaviour {
        Behaviour::AmountDiffers => {
            let less = amount.minor() * DIFFERING_PERCENT / 100;
            Money::new(less.max(1), amount.currency())
        }
        Behaviour::CurrencyDiffers => {
            let euro = Currency::eur();
            let other = "USD".parse().unwrap_or(euro);
            let other = if amount.currency() == euro {
                other
            } else {
                euro
            };
            Money::new(amount.minor(), other)
        }
        _ => amount,
    }
}

fn turn(known: &mut TestPayment, state: PaymentState) {
    known.state = state;
    if state == PaymentState::Captured {
        known.captured = known.approved.unwrap_or(known.amount).minor();
    }
}

async fn lock(tx: &mut Tx, reference: &str) -> Result<TestPayment> {
    let known = store::lock_test_payment(tx, reference).await?;
    known.ok_or(Error::NotFound)
}

/// Has an event sent at a time.
pub(in crate::payments) async fn tell(
    tx: &mut Tx,
    ctx: &Ctx,
    known: &TestPayment,
    kind: &str,
    name: &str,
    at: Timestamp,
) -> Result<()> {
    let event = Waiting {
        id: name.to_owned(),
        kind: kind.to_owned(),
        payment: known.reference.clone(),
        order: known.order_number.clone(),
    };
    if at <= ctx.now {
        jobs::emit(tx, ctx, SEND.topic, &event).await
    } else {
        jobs::later(tx, SEND.job, &event, at).await
    }
}

/// What events are signed with: made once and kept.
pub(in crate::payments) async fn events_key(app: &App) -> Result<String> {
    const NAME: &str = "test_gateway_key";
    if let Some(key) = settings::get(&mut app.db.conn().await?, NAME).await? {
        return Ok(key);
    }
    let mut tx = app.db.begin().await?;
    let key = settings::get_or_keep(&mut tx, NAME, &app.rng.token()).await?;
    tx.commit().await?;
    Ok(key)
}

/// Sends an event through the shop's front door: signed, with headers.
async fn send(app: App, payload: Value) -> Result<()> {
    let event: Waiting = serde_json::from_value(payload)?;
    if app.payments.gateway("test").is_none() {
        // Switched off meanwhile: nobody listens.
        return Ok(());
    }
    let body = json!({
        "id": event.id,
        "kind": event.kind,
        "payment": event.payment,
        "order": event.order,
    })
    .to_string();
    let key = events_key(&app).await?;
    let signature = signature::header(&key, app.clock.now(), &body);
    let headers = Headers::from([(TEST_SIGNATURE.to_owned(), signature)]);
    inbox::receive(&app, &app.system(), "test", &headers, &body).await
}

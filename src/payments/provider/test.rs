//! The test gateway: a gateway inside of the program, with books and pages of its own, that moves
//! no money and misbehaves when it is asked to. The shop deals with it as with any other: it asks
//! under keys, and is told of changes by signed events that come through the inbox.

use async_trait::async_trait;
use serde::Deserialize;

use super::{Answer, Call, Expected, Gateway, Headers, PaymentProvider, Trouble};
use crate::app::App;
use crate::config::Capture;
use crate::error::{Error, Result};
use crate::payments::model::{
    Begun, GatewayEvent, OperationKind, Payment, PaymentState, Sight, TestPayment,
};
use crate::payments::service::test_gateway::{self, events_key, tell};
use crate::payments::store;
use crate::payments::{signature, urls};
use crate::types::Money;

/// The header of its events.
pub const SIGNATURE: &str = "test-gateway-signature";

/// The test gateway as a way to pay.
pub struct TestGateway;

impl PaymentProvider for TestGateway {
    fn name(&self) -> &'static str {
        "test"
    }
    fn label(&self) -> &'static str {
        "Test payment"
    }
    fn description(&self) -> &'static str {
        "Pay on a page that moves no money, for trying things out."
    }
    fn instructions(&self, _reference: &str) -> String {
        "Please finish the payment on the page of the test gateway.".to_owned()
    }
    fn gateway(&self) -> Option<&dyn Gateway> {
        Some(self)
    }
}

/// What an event says. The state in it is what the sender believes; nobody relies on it.
#[derive(Deserialize)]
struct Event {
    id: String,
    kind: String,
    payment: String,
    order: String,
}

/// A fault of the database is no answer: whoever asked asks again.
fn broken(error: impl Into<Error>) -> Trouble {
    Trouble::Passing(error.into().to_string())
}

fn refused<T>(words: impl Into<String>) -> Answer<T> {
    Err(Trouble::Refused(words.into()))
}

#[async_trait]
impl Gateway for TestGateway {
    async fn begin(&self, app: &App, expected: &Expected) -> Answer<Begun> {
        let new = TestPayment {
            reference: format!("test_{}", hex::encode(app.rng.bytes::<16>())),
            order_number: expected.order_number.clone(),
            amount: expected.amount,
            approved: None,
            captured: 0,
            refunded: 0,
            takes_at_once: expected.capture == Capture::Automatic,
            state: PaymentState::Pending,
            next: None,
            failure: String::new(),
        };
        let known = keep(app, &expected.key, &new).await.map_err(broken)?;
        if known.amount != new.amount || known.order_number != new.order_number {
            return refused("This key was used for another payment.");
        }
        Ok(Begun {
            pay_url: urls::test_gateway(&known.reference),
            reference: known.reference,
        })
    }

    async fn capture(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String> {
        change(app, payment, OperationKind::Capture, call, |known| {
            let promised = known.approved.map_or(0, Money::minor);
            if known.state != PaymentState::Authorized {
                return refused("Nothing is promised that could be taken.");
            }
            if call.amount.minor() > promised {
                return refused("No more can be taken than was promised.");
            }
            known.state = PaymentState::Captured;
            known.captured = call.amount.minor();
            Ok(())
        })
        .await
    }

    async fn void(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String> {
        change(app, payment, OperationKind::Void, call, |known| {
            if !known.state.is_open() && known.state != PaymentState::Voided {
                return refused("This payment is over.");
            }
            known.state = PaymentState::Voided;
            known.next = None;
            Ok(())
        })
        .await
    }

    async fn refund(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String> {
        change(app, payment, OperationKind::Refund, call, |known| {
            if call.amount.minor() > known.captured - known.refunded {
                return refused("No more can go back than came.");
            }
            known.refunded += call.amount.minor();
            Ok(())
        })
        .await
    }

    async fn fetch(&self, app: &App, payment: &Payment) -> Answer<Sight> {
        let reference = payment.gateway_reference.as_deref().unwrap_or_default();
        let known = test_gateway::payment(app, reference).await;
        let known = match known {
            Ok(known) => known,
            Err(Error::NotFound) => return refused("There is no such payment."),
            Err(error) => return Err(broken(error)),
        };
        let amount = known.approved.unwrap_or(known.amount);
        let paid = |minor| Money::new(minor, amount.currency());
        Ok(Sight {
            state: known.state,
            amount,
            captured: paid(known.captured),
            refunded: paid(known.refunded),
            charge_reference: None,
            failure: known.failure,
        })
    }

    async fn verify(&self, app: &App, headers: &Headers, body: &str) -> Answer<()> {
        let key = events_key(app).await.map_err(broken)?;
        let header = headers.get(SIGNATURE).map_or("", String::as_str);
        signature::check(&key, header, body, app.clock.now())
    }

    fn read(&self, body: &str) -> Answer<GatewayEvent> {
        let Ok(event) = serde_json::from_str::<Event>(body) else {
            return refused("This is no event.");
        };
        Ok(GatewayEvent {
            id: event.id,
            kind: event.kind,
            references: vec![event.payment],
            begun_as: None,
            payment_id: None,
            order_number: event.order,
        })
    }
}

async fn keep(app: &App, key: &str, new: &TestPayment) -> Result<TestPayment> {
    let mut tx = app.db.begin().await?;
    let known = store::expect_test_payment(&mut tx, key, new, app.clock.now()).await?;
    tx.commit().await?;
    Ok(known)
}

/// Changes a payment, once for a key, and tells the shop of it.
async fn change(
    app: &App,
    payment: &Payment,
    kind: OperationKind,
    call: Call<'_>,
    by: impl FnOnce(&mut TestPayment) -> Answer<()> + Send,
) -> Answer<String> {
    let reference = payment.gateway_reference.as_deref().unwrap_or_default();
    let name = format!("{kind}_{}", call.key);
    let mut tx = app.db.begin().await.map_err(broken)?;
    let known = store::lock_test_payment(&mut tx, reference).await;
    let Some(mut known) = known.map_err(broken)? else {
        return refused("There is no such payment.");
    };
    let asked = (reference.to_owned(), kind.to_string(), call.amount.minor());
    let earlier = store::test_call(&mut tx, call.key).await.map_err(broken)?;
    if let Some(earlier) = earlier {
        return if earlier == asked {
            Ok(name)
        } else {
            refused("This key was used for something else.")
        };
    }
    by(&mut known)?;
    let ctx = app.system();
    let noted = async {
        store::note_test_call(&mut tx, call.key, reference, &asked.1, asked.2, ctx.now).await?;
        store::save_test_payment(&mut tx, &known).await?;
        tell(
            &mut tx,
            &ctx,
            &known,
            &format!("payment.{kind}"),
            &name,
            ctx.now,
        )
        .await?;
        tx.commit().await?;
        Result::Ok(())
    };
    noted.await.map_err(broken)?;
    Ok(name)
}

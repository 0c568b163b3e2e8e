//! The inbox: an event is checked, kept, and answered; a job acts on it. What the gateway says in
//! it is a hint that something changed. What changed is asked, so that events may come twice, late
//! and in any order.

use serde_json::json;

use crate::app::App;
use crate::ctx::{Ctx, Permission};
use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::faults;
use crate::jobs;
use crate::payments::model::{EventState, GatewayEvent, OperationKind, Payment, PaymentEvent};
use crate::payments::provider::{Headers, Trouble};
use crate::payments::store;
use crate::types::{PageRequest, PaymentEventId, PaymentId, Timestamp};

/// The topic of events that came.
pub const RECEIVED: &str = "payment.event_received";

/// Takes an event in. Errors: `NotFound` for a provider without events, `Invalid` at `signature`
/// for what the gateway did not sign.
pub async fn receive(
    app: &App,
    ctx: &Ctx,
    provider: &str,
    headers: &Headers,
    body: &str,
) -> Result<()> {
    let gateway = app.payments.gateway(provider).ok_or(Error::NotFound)?;
    let read = match gateway.verify(app, headers, body).await {
        Ok(()) => gateway.read(body),
        Err(trouble) => Err(trouble),
    };
    let event = match read {
        Ok(event) => event,
        Err(Trouble::Passing(_)) => return Err(Error::Unavailable),
        Err(Trouble::Refused(words)) => {
            let labels = [("provider", provider.to_owned())];
            metrics::counter!("zoco_payment_events_refused_total", &labels).increment(1);
            tracing::warn!(provider, words, "an event was refused");
            return Err(Error::invalid("signature", "bad_signature", words));
        }
    };
    let mut tx = app.db.begin().await?;
    let new = store::insert_event(&mut tx, provider, &event, body, ctx.now).await?;
    if let Some(id) = new {
        jobs::emit(&mut tx, ctx, RECEIVED, &json!({ "event_id": id })).await?;
    }
    faults::reach("webhook.kept");
    tx.commit().await?;
    faults::reach("webhook.committed");
    let repeated = if new.is_none() { "yes" } else { "no" };
    let labels = [
        ("provider", provider.to_owned()),
        ("repeated", repeated.to_owned()),
    ];
    metrics::counter!("zoco_payment_events_total", &labels).increment(1);
    Ok(())
}

/// An event. Errors: `NotFound`.
pub async fn event(conn: &mut Conn, id: PaymentEventId) -> Result<PaymentEvent> {
    store::event_by_id(conn, id).await?.ok_or(Error::NotFound)
}

/// Events that came before a time and were not acted on: their jobs died.
pub async fn waiting(conn: &mut Conn, before: Timestamp) -> Result<Vec<PaymentEvent>> {
    Ok(store::waiting_events(conn, before, 100).await?)
}

/// Which payment an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// This one; what its gateway calls it, where the event tells.
    Payment(PaymentId, Option<String>),
    /// Something that is not ours.
    Nothing,
    /// A payment of ours that is not there.
    Unknown,
    /// A payment that the gateway is just being told of: look again.
    TooEarly,
}

/// Finds the payment that an event is about.
pub async fn about(app: &App, conn: &mut Conn, event: &PaymentEvent) -> Result<About> {
    let Some(gateway) = app.payments.gateway(&event.provider) else {
        return Ok(About::Nothing);
    };
    let Ok(said) = gateway.read(&event.payload) else {
        return Ok(About::Nothing);
    };
    if let Some(payment) = find(conn, &event.provider, &said).await? {
        return Ok(About::Payment(payment.id, said.begun_as));
    }
    if said.order_number.is_empty() {
        return Ok(About::Nothing);
    }
    let of_order = super::PaymentFilter {
        provider: event.provider.clone(),
        reference: said.order_number,
        ..super::PaymentFilter::default()
    };
    let page = PageRequest::new(1, PageRequest::MAX_PER_PAGE);
    let payments = store::list(conn, &of_order, page).await?.items;
    let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    let operations = store::operations_of(conn, &ids).await?;
    let begins = |id: &PaymentId| super::is_asked(&operations, *id, OperationKind::Begin);
    Ok(match ids.iter().any(begins) {
        true => About::TooEarly,
        false => About::Unknown,
    })
}

/// By what the gateway calls it, or by the id and the number that the shop wrote there.
async fn find(conn: &mut Conn, provider: &str, said: &GatewayEvent) -> Result<Option<Payment>> {
    let known = store::by_reference(conn, provider, &said.references).await?;
    if known.is_some() {
        return Ok(known);
    }
    let Some(id) = said.payment_id else {
        return Ok(None);
    };
    let payment = store::by_id(conn, id).await?;
    Ok(payment.filter(|one| one.provider == provider && one.reference == said.order_number))
}

/// Notes what became of an event.
pub async fn finish(
    tx: &mut Tx,
    ctx: &Ctx,
    event: &PaymentEvent,
    payment: Option<PaymentId>,
    state: EventState,
    outcome: &str,
) -> Result<()> {
    Ok(store::finish_event(tx, event.id, payment, state, outcome, ctx.now).await?)
}

/// Staff: an event about a payment that the shop does not know was looked into. Errors:
/// `NotFound` for any other.
pub async fn dismiss(app: &App, ctx: &Ctx, id: PaymentEventId) -> Result<()> {
    ctx.require(Permission::Orders)?;
    let mut tx = app.db.begin().await?;
    let event = event(&mut tx, id).await?;
    if event.state != EventState::Unknown {
        return Err(Error::NotFound);
    }
    let outcome = format!("Looked into by {}", ctx.actor_name());
    finish(&mut tx, ctx, &event, None, EventState::Ignored, &outcome).await?;
    let subject = format!("payment event {id}");
    let nothing = serde_json::Value::Null;
    let after = json!({ "provider": event.provider, "event": event.event_id });
    crate::audit::record(
        &mut tx,
        ctx,
        "payment.event_dismissed",
        &subject,
        nothing,
        after,
    )
    .await?;
    Ok(tx.commit().await?)
}

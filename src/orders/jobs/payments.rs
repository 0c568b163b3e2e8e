//! What happens after the shop wrote something down for a gateway, or a gateway told something.

use serde::Deserialize;

use crate::jobs::Observer;
use crate::orders::service;
use crate::payments::service::{self as payments, inbox};
use crate::types::{OperationId, PaymentEventId};

/// Asks gateways what the shop wrote down for them.
pub const ASK_GATEWAY: Observer = Observer {
    topic: payments::REQUESTED,
    job: "orders.ask_gateway",
    run: |app, payload| {
        Box::pin(async move {
            let Asked { operation_id } = serde_json::from_value(payload)?;
            service::perform(&app, operation_id).await
        })
    },
};

/// Acts on what gateways told.
pub const PAYMENT_EVENT: Observer = Observer {
    topic: inbox::RECEIVED,
    job: "orders.payment_event",
    run: |app, payload| {
        Box::pin(async move {
            let Told { event_id } = serde_json::from_value(payload)?;
            service::act_on_event(&app, event_id).await
        })
    },
};

#[derive(Deserialize)]
struct Asked {
    operation_id: OperationId,
}

#[derive(Deserialize)]
struct Told {
    event_id: PaymentEventId,
}

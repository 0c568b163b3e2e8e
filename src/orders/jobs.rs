//! What happens after an order changed: letters.

use crate::jobs::Observer;

/// Sends the confirmation of a new order.
pub const CONFIRMATION_MAIL: Observer = Observer {
    topic: "order.placed",
    job: "orders.confirmation_mail",
    run: |_app, _payload| Box::pin(async move { todo!() }),
};

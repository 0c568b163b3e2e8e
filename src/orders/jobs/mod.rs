//! What happens after an order changed: letters to whoever ordered, and what gateways are asked.

mod books;
mod confirmation;
mod letters;
mod money;
mod payments;
mod returns;

use crate::jobs::Observer;

pub use payments::{ASK_GATEWAY, PAYMENT_EVENT};

/// Invoices and credit notes, issued after the fact: each once, however often its job runs.
pub const BOOKS: [Observer; 3] = [
    Observer {
        topic: "order.paid",
        job: "orders.invoice_when_paid",
        run: |app, payload| Box::pin(books::paid(app, payload)),
    },
    Observer {
        topic: "order.fulfilled",
        job: "orders.invoice_when_sent",
        run: |app, payload| Box::pin(books::sent(app, payload)),
    },
    Observer {
        topic: "order.refunded",
        job: "orders.credit_note",
        run: |app, payload| Box::pin(books::refunded(app, payload)),
    },
];

/// The letters about orders. Each is the same however often its job runs.
pub const LETTERS: [Observer; 10] = [
    Observer {
        topic: "order.placed",
        job: "orders.confirmation_mail",
        run: |app, payload| Box::pin(confirmation::send(app, payload)),
    },
    Observer {
        topic: "order.link_wanted",
        job: "orders.link_mail",
        run: |app, payload| Box::pin(letters::link(app, payload)),
    },
    Observer {
        topic: "order.fulfilled",
        job: "orders.sent_mail",
        run: |app, payload| Box::pin(letters::sent(app, payload)),
    },
    Observer {
        topic: "order.status_changed",
        job: "orders.delivered_mail",
        run: |app, payload| Box::pin(letters::delivered(app, payload)),
    },
    Observer {
        topic: "order.cancelled",
        job: "orders.cancelled_mail",
        run: |app, payload| Box::pin(letters::cancelled(app, payload)),
    },
    Observer {
        topic: "order.pieces_cancelled",
        job: "orders.pieces_cancelled_mail",
        run: |app, payload| Box::pin(letters::pieces_cancelled(app, payload)),
    },
    Observer {
        topic: "order.paid",
        job: "orders.paid_mail",
        run: |app, payload| Box::pin(money::paid(app, payload)),
    },
    Observer {
        topic: "order.payment_failed",
        job: "orders.payment_failed_mail",
        run: |app, payload| Box::pin(money::failed(app, payload)),
    },
    Observer {
        topic: "order.refunded",
        job: "orders.refunded_mail",
        run: |app, payload| Box::pin(money::refunded(app, payload)),
    },
    Observer {
        topic: "order.return_changed",
        job: "orders.return_mail",
        run: |app, payload| Box::pin(returns::return_changed(app, payload)),
    },
];

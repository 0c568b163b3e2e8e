//! Payments of orders, what is asked of their gateways, and what gateways say.

use crate::types::{
    CreditAccountId, Money, OperationId, OrderId, PaymentEventId, PaymentId, RefundId, Timestamp,
    text_enum,
};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Asked for, nothing has come.
    Pending,
    /// Promised by a gateway, not yet taken.
    Authorized,
    /// The money is here.
    Captured,
    /// It will not come.
    Failed,
    /// Called off.
    Voided,
}
text_enum!(PaymentState {
    Pending => "pending",
    Authorized => "authorized",
    Captured => "captured",
    Failed => "failed",
    Voided => "voided",
});

impl PaymentState {
    /// As a shopper reads it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Pending => "Waiting for it",
            Self::Authorized => "Promised",
            Self::Captured => "Received",
            Self::Failed => "Failed",
            Self::Voided => "Called off",
        }
    }

    /// Whether money is held or may still come.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Authorized)
    }

    /// Whether a gateway's word may bring a payment from here to there. Money that is here stays
    /// here, and what was called off may come after all.
    pub fn may_turn_into(self, to: Self) -> bool {
        match (self, to) {
            (Self::Captured, _) | (_, Self::Pending) => false,
            (Self::Failed, Self::Voided) | (Self::Voided, Self::Failed) => false,
            (from, to) => from != to,
        }
    }
}

/// Why the money of a payment belongs to no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// Its order was cancelled before it came.
    OrderCancelled,
    /// The goods were gone before it came.
    CannotFill,
    /// Another sum was paid than was asked for.
    AmountDiffers,
    /// It was paid in another currency.
    CurrencyDiffers,
    /// The order is paid otherwise.
    PaidTwice,
}
text_enum!(Unmatched {
    OrderCancelled => "order_cancelled",
    CannotFill => "cannot_fill",
    AmountDiffers => "amount_differs",
    CurrencyDiffers => "currency_differs",
    PaidTwice => "paid_twice",
});

impl Unmatched {
    /// For people, in a sentence without its end.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::OrderCancelled => "the order was cancelled before it came",
            Self::CannotFill => "the goods were gone before it came",
            Self::AmountDiffers => "another sum was paid than was asked for",
            Self::CurrencyDiffers => "it was paid in another currency",
            Self::PaidTwice => "the order was paid already",
        }
    }
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// The provider's name, `bank_transfer`.
    pub provider: String,
    /// Where it stands.
    pub state: PaymentState,
    /// What is to be paid.
    pub amount: Money,
    /// What came.
    pub captured: Money,
    /// What went back.
    pub refunded: Money,
    /// What the payer writes: the order's number.
    pub reference: String,
    /// What the gateway calls it; none before it knows it.
    pub gateway_reference: Option<String>,
    /// What the gateway calls the money itself, where that is something else.
    pub charge_reference: Option<String>,
    /// Where the shopper pays; empty while that is not possible.
    pub pay_url: String,
    /// Why it did not work, for the shopper; empty when nothing is known.
    pub failure: String,
    /// Why its money belongs to no order; none where it does.
    pub unmatched: Option<Unmatched>,
    /// Since when the order's stock is taken because of it.
    pub settled_at: Option<Timestamp>,
    /// The gift card or store credit that it was taken from, and goes back to.
    pub credit_account: Option<CreditAccountId>,
    /// Counts its changes.
    pub version: i64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Payment {
    /// What came and did not go back.
    pub fn kept(&self) -> Money {
        Money::new(
            self.captured.minor() - self.refunded.minor(),
            self.captured.currency(),
        )
    }

    /// Whether its money is, or will be, the order's.
    pub fn counts(&self) -> bool {
        self.unmatched.is_none()
    }

    /// Whether its money belongs to no order and has not gone back yet.
    pub fn is_stray(&self) -> bool {
        let held = match self.state {
            PaymentState::Authorized => true,
            PaymentState::Captured => !self.kept().is_zero(),
            PaymentState::Pending | PaymentState::Failed | PaymentState::Voided => false,
        };
        self.unmatched.is_some() && held
    }
}

/// A payment to be begun.
#[derive(Clone, Debug)]
pub struct NewPayment<'a> {
    /// For which order.
    pub order_id: OrderId,
    /// The provider's name.
    pub provider: &'a str,
    /// What is to be paid.
    pub amount: Money,
    /// What the payer writes: the order's number.
    pub reference: &'a str,
    /// Whether the order's stock is taken with it, and not only when the money comes.
    pub settles: bool,
    /// When its gateway is asked first; none for those without one.
    pub next_check_at: Option<Timestamp>,
    /// The gift card or store credit that it is taken from.
    pub credit_account: Option<CreditAccountId>,
}

/// What can be asked of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// To expect the payment, and to tell where the shopper pays.
    Begin,
    /// To take what was promised.
    Capture,
    /// To expect nothing any more, and to give free what was promised.
    Void,
    /// To send money back.
    Refund,
}
text_enum!(OperationKind {
    Begin => "begin",
    Capture => "capture",
    Void => "void",
    Refund => "refund",
});

/// How far something is that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// Asked for; it is not known whether it was done.
    Requested,
    /// Done.
    Succeeded,
    /// Refused, and not done.
    Failed,
}
text_enum!(OperationState {
    Requested => "requested",
    Succeeded => "succeeded",
    Failed => "failed",
});

/// Something that is asked of a gateway, once, however often it has to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// What.
    pub kind: OperationKind,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub state: OperationState,
    /// The key under which it is asked, the same each time.
    pub idempotency_key: String,
    /// Of which refund it is a part.
    pub refund_id: Option<RefundId>,
    /// What the gateway calls it; empty for nothing.
    pub gateway_reference: String,
    /// What the gateway said last against it.
    pub error: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When it was last tried, or ended.
    pub updated_at: Timestamp,
}

/// What a gateway says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Where it stands there.
    pub state: PaymentState,
    /// What the shopper agreed to pay.
    pub amount: Money,
    /// What was taken.
    pub captured: Money,
    /// What went back.
    pub refunded: Money,
    /// What the gateway calls the money itself, where that is something else.
    pub charge_reference: Option<String>,
    /// Why it did not work, for the shopper; empty when nothing is known.
    pub failure: String,
}

/// What a gateway says when it is told to expect a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What the gateway calls it.
    pub reference: String,
    /// Where the shopper pays: a path of the shop, or an address elsewhere.
    pub pay_url: String,
}

/// A signed message of a gateway. It is a hint that something changed; what changed is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayEvent {
    /// What the gateway calls it.
    pub id: String,
    /// What it is about, `checkout.session.completed`.
    pub kind: String,
    /// What the gateway calls the payment, by any of its names; empty for events about
    /// something else.
    pub references: Vec<String>,
    /// What the gateway calls the payment as it was begun, where the event is about just that.
    pub begun_as: Option<String>,
    /// The payment's id, where the shop wrote it there.
    pub payment_id: Option<PaymentId>,
    /// The order's number, where the shop wrote it there.
    pub order_number: String,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    /// It came.
    Received,
    /// It was acted on.
    Done,
    /// It is about nothing of ours.
    Ignored,
    /// It names a payment of ours that is not there.
    Unknown,
}
text_enum!(EventState {
    Received => "received",
    Done => "done",
    Ignored => "ignored",
    Unknown => "unknown",
});

/// An event in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentEvent {
    /// Its id.
    pub id: PaymentEventId,
    /// Whose it is.
    pub provider: String,
    /// What the gateway calls it.
    pub event_id: String,
    /// What it is about.
    pub kind: String,
    /// About which payment.
    pub payment_id: Option<PaymentId>,
    /// What it calls the payment.
    pub reference: String,
    /// As it came.
    pub payload: String,
    /// What became of it.
    pub state: EventState,
    /// The same in words.
    pub outcome: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// Which payments a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// In this state.
    pub state: Option<PaymentState>,
    /// By this provider; empty for any.
    pub provider: String,
    /// Of the order with this number; empty for any.
    pub reference: String,
}

/// Money that is not where it belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// Payments whose money belongs to no order and has not gone back yet.
    pub payments: Vec<Payment>,
    /// Events about payments that the shop does not know.
    pub events: Vec<PaymentEvent>,
    /// What a gateway refused, with its payment: money that did not go back, or was not taken.
    pub refused: Vec<(Payment, Operation)>,
    /// Payments whose money belonged to no order and went back, the newest first.
    pub returned: Vec<Payment>,
}

/// What the books of a payment say against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imbalance {
    /// Which payment.
    pub payment_id: PaymentId,
    /// What went back by its own count, in minor units.
    pub refunded: i64,
    /// What went back by its operations.
    pub operations: i64,
}

/// How the test gateway is to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The payment works.
    Approve,
    /// It is declined.
    Decline,
    /// The bank asks for a code first.
    Challenge,
    /// It works, but a while later.
    Late,
    /// It works, and is told twice, once under another name.
    Twice,
    /// It works, and what comes first is told last.
    OutOfOrder,
    /// It works, and nobody is told.
    Never,
    /// Another sum is paid than was asked for.
    AmountDiffers,
    /// It is paid in another currency.
    CurrencyDiffers,
}
text_enum!(Behaviour {
    Approve => "approve",
    Decline => "decline",
    Challenge => "challenge",
    Late => "late",
    Twice => "twice",
    OutOfOrder => "out_of_order",
    Never => "never",
    AmountDiffers => "amount_differs",
    CurrencyDiffers => "currency_differs",
});

impl Behaviour {
    /// What happens then, for the page of the test gateway.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Approve => "The payment works, and the shop is told at once.",
            Self::Decline => "The bank says no.",
            Self::Challenge => "The bank asks for a code before it says yes.",
            Self::Late => "The payment works, but only after two minutes.",
            Self::Twice => "The shop is told three times of one payment.",
            Self::OutOfOrder => {
                "The shop is told of the payment before it is told of its beginning."
            }
            Self::Never => "The payment works, and the shop is never told.",
            Self::AmountDiffers => "A smaller sum is paid than the shop asked for.",
            Self::CurrencyDiffers => "The sum is paid in another currency.",
        }
    }
}

/// What the test gateway knows of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestPayment {
    /// What it is called, unguessable.
    pub reference: String,
    /// The order's number.
    pub order_number: String,
    /// What is to be paid.
    pub amount: Money,
    /// What the shopper agreed to pay.
    pub approved: Option<Money>,
    /// What was taken, in minor units.
    pub captured: i64,
    /// What went back, in minor units.
    pub refunded: i64,
    /// Whether the money is taken as soon as the shopper agrees.
    pub takes_at_once: bool,
    /// Where it stands.
    pub state: PaymentState,
    /// What becomes of it by itself, and when.
    pub next: Option<(PaymentState, Timestamp)>,
    /// Why it did not work.
    pub failure: String,
}

#[cfg(test)]
mod tests {
    use super::PaymentState::{self, *};
    use crate::types::TextEnum;

    #[test]
    fn money_that_came_stays_and_nothing_becomes_pending_again() {
        for from in PaymentState::ALL {
            for to in PaymentState::ALL {
                let allowed = matches!(
                    (from, to),
                    (Pending, Authorized | Captured | Failed | Voided)
                        | (Authorized, Captured | Failed | Voided)
                        | (Failed | Voided, Authorized | Captured)
                );
                assert_eq!(from.may_turn_into(*to), allowed, "{from} to {to}");
            }
        }
    }
}

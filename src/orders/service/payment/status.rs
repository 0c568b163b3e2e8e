//! What an order's payments make of it: one function, and nothing else decides it.

use crate::orders::model::PaymentStatus;
use crate::payments::{Payment, PaymentState};
use crate::types::Money;

/// Whether an order of this total is paid, by all of its payments together. Money that belongs to
/// no order counts nothing. A payment that was taken counts for what was asked by it: of one that
/// staff took in part, they let the rest go.
pub fn payment_status(total: Money, payments: &[Payment]) -> PaymentStatus {
    let counted = || {
        let own = payments.iter().filter(|payment| payment.counts());
        own.filter(|payment| payment.captured.currency() == total.currency())
    };
    let of = |state| counted().filter(move |payment| payment.state == state);
    let sum = |state, part: fn(&Payment) -> Money| -> i64 {
        of(state).map(|payment| part(payment).minor()).sum()
    };
    let came = sum(PaymentState::Captured, |payment| payment.captured);
    let returned = sum(PaymentState::Captured, |payment| payment.refunded);
    let covered = sum(PaymentState::Captured, |payment| payment.amount);
    let promised = sum(PaymentState::Authorized, |payment| payment.amount);
    if returned > 0 && returned >= came {
        PaymentStatus::Refunded
    } else if returned > 0 {
        PaymentStatus::PartiallyRefunded
    } else if covered >= total.minor() && of(PaymentState::Captured).next().is_some() {
        PaymentStatus::Paid
    } else if promised > 0 && covered + promised >= total.minor() {
        PaymentStatus::Authorized
    } else {
        PaymentStatus::Unpaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::Unmatched;
    use crate::types::{Currency, OrderId, PaymentId, Timestamp};

    fn payment(state: PaymentState, amount: i64, captured: i64, refunded: i64) -> Payment {
        let money = |minor| Money::new(minor, Currency::eur());
        Payment {
            id: PaymentId(1),
            order_id: OrderId(1),
            provider: "test".to_owned(),
            state,
            amount: money(amount),
            captured: money(captured),
            refunded: money(refunded),
            reference: String::new(),
            gateway_reference: None,
            charge_reference: None,
            pay_url: String::new(),
            failure: String::new(),
            unmatched: None,
            settled_at: None,
            credit_account: None,
            version: 0,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    #[test]
    fn an_order_is_what_its_payments_make_of_it() {
        use PaymentState::{Authorized, Captured, Failed, Pending, Voided};
        use PaymentStatus::{PartiallyRefunded, Refunded, Unpaid};
        let stray = |mut payment: Payment| {
            payment.unmatched = Some(Unmatched::PaidTwice);
            payment
        };
        let dollars = |mut payment: Payment| {
            payment.captured = Money::new(payment.captured.minor(), "USD".parse().unwrap());
            payment
        };
        let paid = || payment(Captured, 100, 100, 0);
        for (total, payments, expected) in [
            (100, vec![], Unpaid),
            (0, vec![], Unpaid),
            (0, vec![payment(Captured, 0, 0, 0)], PaymentStatus::Paid),
            (100, vec![payment(Pending, 100, 0, 0)], Unpaid),
            (100, vec![payment(Failed, 100, 0, 0)], Unpaid),
            (100, vec![payment(Voided, 100, 0, 0)], Unpaid),
            (
                100,
                vec![payment(Authorized, 100, 0, 0)],
                PaymentStatus::Authorized,
            ),
            (100, vec![payment(Authorized, 60, 0, 0)], Unpaid),
            (
                100,
                vec![payment(Captured, 60, 60, 0), payment(Authorized, 40, 0, 0)],
                PaymentStatus::Authorized,
            ),
            (
                100,
                vec![payment(Captured, 60, 60, 0), payment(Pending, 40, 0, 0)],
                Unpaid,
            ),
            (
                100,
                vec![payment(Captured, 60, 60, 0), payment(Captured, 40, 40, 0)],
                PaymentStatus::Paid,
            ),
            (100, vec![paid()], PaymentStatus::Paid),
            (
                100,
                vec![payment(Failed, 100, 0, 0), paid()],
                PaymentStatus::Paid,
            ),
            // Staff took a part and let the rest go.
            (
                100,
                vec![payment(Captured, 100, 60, 0)],
                PaymentStatus::Paid,
            ),
            (100, vec![payment(Captured, 100, 100, 1)], PartiallyRefunded),
            (
                100,
                vec![payment(Captured, 100, 100, 99)],
                PartiallyRefunded,
            ),
            (100, vec![payment(Captured, 100, 100, 100)], Refunded),
            (100, vec![payment(Captured, 100, 60, 60)], Refunded),
            (
                100,
                vec![payment(Captured, 60, 60, 60), payment(Captured, 40, 40, 0)],
                PartiallyRefunded,
            ),
            (100, vec![stray(paid())], Unpaid),
            (100, vec![stray(payment(Captured, 100, 100, 100))], Unpaid),
            (
                100,
                vec![paid(), stray(payment(Captured, 100, 100, 100))],
                PaymentStatus::Paid,
            ),
            (100, vec![dollars(paid())], Unpaid),
        ] {
            let total = Money::new(total, Currency::eur());
            assert_eq!(payment_status(total, &payments), expected, "{payments:?}");
        }
    }
}

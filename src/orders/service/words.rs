//! Parts of an order in words, for pages and letters.

use super::super::model::Order;
use crate::app::App;
use crate::payments::PaymentState;

/// What the shopper has to do to pay; none when nothing is left to do.
pub fn how_to_pay(app: &App, order: &Order) -> Option<String> {
    let mut payments = order.payments.iter();
    let pending = payments.find(|payment| payment.state == PaymentState::Pending)?;
    let provider = app.payments.get(&pending.provider)?;
    let words = provider.instructions(&pending.reference);
    let rest = order.to_pay();
    if rest == order.total {
        return Some(words);
    }
    let paid = format!("{rest} of {} remain to be paid.", order.total);
    Some(format!("{paid} {words}"))
}

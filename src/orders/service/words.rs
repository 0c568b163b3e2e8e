//! Parts of an order in words, for pages and letters.

use super::super::model::{Address, Order};
use crate::app::App;
use crate::payments::PaymentState;
use crate::shipping;

/// What the shopper has to do to pay; none when nothing is left to do.
pub fn how_to_pay(app: &App, order: &Order) -> Option<String> {
    let mut payments = order.payments.iter();
    let pending = payments.find(|payment| payment.state == PaymentState::Pending)?;
    let provider = app.payments.get(&pending.provider)?;
    Some(provider.instructions(&pending.reference))
}

/// The lines of a label, with the country's name in place of its code.
pub fn address_lines(address: &Address) -> Vec<String> {
    let mut lines = address.lines();
    if let Address::Fields(fields) = address
        && let Some(name) = shipping::country_name(&fields.country)
        && let Some(country) = lines.last_mut()
    {
        name.clone_into(country);
    }
    lines
}

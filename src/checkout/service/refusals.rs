//! What to answer when nothing is placed.

use serde_json::json;

use super::super::model::Requirement;
use crate::cart::Cart;
use crate::credit::{CreditKind, CreditState, Settlement};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::inventory::Shortfall;
use crate::orders::NewOrderLine;
use crate::pricing::Refusal;
use crate::pricing::api::QuoteJson;
use crate::shipping::country_name;
use crate::types::{Destination, Money, VariantId};

pub(super) fn promotion_refused(name: &str, code: Option<&str>, reason: &Refusal) -> Error {
    Error::Conflict {
        code: "code_refused",
        detail: format!("{}: {}", code.unwrap_or(name), reason.in_words()),
        data: json!({ "name": name, "code": code, "reason": reason.code() }),
    }
}

/// What to answer when something is needed that no field of the input is to blame for.
pub(super) fn refusal(missing: Requirement) -> Error {
    match missing {
        Requirement::Items => Error::conflict("cart_empty", "There is nothing in the cart."),
        Requirement::Stock => {
            let detail = "Some of it cannot be bought as it stands. Look at your cart.";
            Error::conflict("out_of_stock", detail)
        }
        Requirement::Email => Error::invalid("email", "required", "We need an e-mail address."),
        Requirement::ShippingAddress | Requirement::PickupName => {
            Error::invalid("shipping_address", "required", "We need an address.")
        }
        Requirement::ShippingMethod => Error::invalid(
            "shipping_method",
            "required",
            "There is no way to ship this yet.",
        ),
        Requirement::Payment => {
            Error::invalid("payment.provider", "required", "Choose how to pay.")
        }
    }
}

/// What to answer when no zone serves the destination.
pub(super) fn no_delivery(destination: &Destination) -> Error {
    let country = country_name(&destination.country).unwrap_or(&destination.country);
    let place = match destination.postal_code.trim() {
        "" => country.to_owned(),
        code => format!("{code}, {country}"),
    };
    let message = format!("We do not deliver to {place}.");
    Error::invalid("shipping_method", "no_delivery", message)
}

/// A line that falls short: name, variant, wanted and available.
type Short = (String, VariantId, i64, i64);

pub(super) fn cart_out_of_stock(cart: &Cart) -> Error {
    let short = cart.items.iter().filter(|item| !item.is_buyable());
    let short = short.map(|item| {
        let available = if item.for_sale { item.available } else { 0 };
        (item.label(), item.variant_id, item.quantity, available)
    });
    short_of(short.collect())
}

pub(super) fn out_of_stock(short: &[Shortfall], lines: &[NewOrderLine]) -> Error {
    let name = |id: VariantId| {
        let line = lines.iter().find(|line| line.priced.variant_id == id);
        line.map(NewOrderLine::label).unwrap_or_default()
    };
    let short = short.iter().map(|line| {
        (
            name(line.variant_id),
            line.variant_id,
            line.wanted,
            line.available,
        )
    });
    short_of(short.collect())
}

fn short_of(short: Vec<Short>) -> Error {
    let sentences: Vec<String> = short
        .iter()
        .map(|(name, _, wanted, available)| match available {
            0 => format!("{name} is sold out."),
            _ => format!("Only {available} of {name} left; you chose {wanted}."),
        })
        .collect();
    let lines: Vec<serde_json::Value> = short
        .iter()
        .map(|(name, variant_id, wanted, available)| {
            json!({
                "variant_id": variant_id,
                "name": name,
                "wanted": wanted,
                "available": available,
            })
        })
        .collect();
    Error::Conflict {
        code: "out_of_stock",
        detail: sentences.join(" "),
        data: json!({ "lines": lines }),
    }
}

/// What to answer when cards or credit pay another sum than was confirmed, with the new figures.
pub(super) fn remaining_changed(
    ctx: &Ctx,
    cart: &Cart,
    settlement: &Settlement,
    expected: Option<Money>,
) -> Error {
    let remaining = settlement.remaining;
    let mut detail = match expected {
        Some(expected) => format!("There is now {remaining} to pay instead of {expected}."),
        None => format!("There is now {remaining} to pay."),
    };
    for card in &cart.gift_cards {
        let words = match card.state(ctx.now) {
            CreditState::Usable => continue,
            CreditState::Empty => "is empty",
            CreditState::Expired => "is good no more",
            CreditState::Off => "cannot be used",
        };
        detail.push_str(&format!(" {} {words}.", card.label()));
    }
    let cards = cart.gift_cards.iter().map(|card| {
        json!({
            "id": card.id,
            "last_four": card.last_four,
            "amount": settlement.of(card.id).amount(),
        })
    });
    let cards: Vec<serde_json::Value> = cards.collect();
    Error::Conflict {
        code: "remaining_changed",
        detail,
        data: json!({
            "total": settlement.total.amount(),
            "gift_cards": cards,
            "store_credit": settlement.by(CreditKind::StoreCredit).amount(),
            "remaining": remaining.amount(),
        }),
    }
}

pub(super) fn total_changed(cart: &Cart, expected: Money) -> Error {
    let total = cart.quote.total;
    let mut changes: Vec<String> = cart.notices.iter().map(|notice| notice.message()).collect();
    let refused = cart.quote.refused.iter();
    changes.extend(refused.filter_map(|one| {
        let code = one.code.as_ref()?;
        Some(format!("{code}: {}", one.reason.in_words()))
    }));
    let mut detail = format!("The total is now {total} instead of {expected}.");
    for change in &changes {
        detail.push(' ');
        detail.push_str(change);
    }
    Error::Conflict {
        code: "total_changed",
        detail,
        data: json!({
            "expected_total": expected.amount(),
            "changes": changes,
            "quote": QuoteJson::from(&cart.quote),
        }),
    }
}

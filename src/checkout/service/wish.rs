//! What the shopper wants, as a form or an API client gives it, and how it is read.

use serde::{Deserialize, Serialize};

use super::super::address;
use crate::addresses::service::AddressFields;
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::orders::Address;
use crate::payments::Providers;
use crate::types::{Email, Locale, Money, MoneyInput, Timestamp, UserId};

/// The longest note, in characters.
const MAX_NOTE: usize = 1_000;

/// An address as a form or an API client gives it. An API client may give one free text
/// instead, which is kept as it is.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AddressInput {
    /// Field by field.
    Fields(AddressFields),
    /// One free text.
    Text(String),
}

/// How to pay.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentInput {
    /// The provider's name; left out: `cash_on_delivery`.
    pub provider: Option<String>,
    /// What some gateways need.
    pub token: Option<String>,
}

/// What is needed to place the cart.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceOrder {
    /// Where it goes.
    pub shipping_address: Option<AddressInput>,
    /// Where the bill goes, when elsewhere.
    pub billing_address: Option<AddressInput>,
    /// Guests: where letters about it go.
    pub email: Option<String>,
    /// Code of the method; left out: the first one.
    pub shipping_method: Option<String>,
    /// How to pay.
    pub payment: Option<PaymentInput>,
    /// The total that the shopper confirmed; another one is the conflict `total_changed`.
    #[schema(value_type = Option<String>)]
    pub expected_total: Option<MoneyInput>,
    /// Whether the asker's store credit is to pay, after the cart's gift cards.
    pub store_credit: bool,
    /// What the shopper expects to remain after gift cards and store credit; another sum is the
    /// conflict `remaining_changed`.
    #[schema(value_type = Option<String>)]
    pub expected_remaining: Option<MoneyInput>,
    /// A note to the shop.
    pub note: Option<String>,
}

/// Whose an order becomes, who need not be the asker: staff make orders for others.
#[derive(Clone, Debug, Default)]
pub(super) struct Owner {
    /// Their account; none for guests.
    pub(super) user_id: Option<UserId>,
    /// Their own address for letters.
    pub(super) email: Option<Email>,
    /// Their own name.
    pub(super) name: Option<String>,
    /// The language of their letters.
    pub(super) locale: Locale,
    /// Whether staff make it for them.
    pub(super) by_staff: bool,
    /// Until when they may pay, where that is longer than usual.
    pub(super) pay_until: Option<Timestamp>,
}

impl Owner {
    /// Whoever asks buys for themselves.
    pub(super) fn asker(ctx: &Ctx) -> Self {
        let user = ctx.user();
        Self {
            user_id: ctx.user_id(),
            email: user.map(|user| user.email.clone()),
            name: user.map(|user| user.name.clone()),
            locale: ctx.locale,
            by_staff: false,
            pay_until: None,
        }
    }
}

/// What the shopper wants, read from the input.
pub(super) struct Wish {
    pub(super) email: Email,
    pub(super) shipping_address: Address,
    pub(super) billing_address: Option<Address>,
    pub(super) shipping_method: Option<String>,
    pub(super) provider: String,
    pub(super) expected_total: Option<Money>,
    pub(super) store_credit: bool,
    pub(super) expected_remaining: Option<Money>,
    pub(super) note: String,
}

impl Wish {
    /// `pickup`: whether the shopper comes for the goods, so that a name is address enough.
    pub(super) fn read(app: &App, owner: &Owner, input: PlaceOrder, pickup: bool) -> Result<Self> {
        let mut errors = FieldErrors::default();
        let email = read_email(owner, input.email.as_deref(), &mut errors);
        let shipping = input.shipping_address;
        let field = "shipping_address";
        let shipping_address = if pickup {
            let own = owner.name.as_deref();
            address::read_name(shipping, own, field, &mut errors)
        } else {
            address::read(shipping, field, &mut errors)
        };
        // A form whose fields of another bill address stay empty wants none.
        let billing = input
            .billing_address
            .filter(|input| !address::is_blank(input));
        let billing_address =
            billing.and_then(|input| address::read(Some(input), "billing_address", &mut errors));
        let provider = input.payment.unwrap_or_default().provider;
        let provider = provider.filter(|name| !name.is_empty());
        let provider = provider.unwrap_or_else(|| Providers::DEFAULT.to_owned());
        if app.payments.get(&provider).is_none() {
            let message = "There is no such way to pay.";
            errors.add("payment.provider", "unknown", message);
        }
        let expected_total = input
            .expected_total
            .and_then(|total| errors.keep("expected_total", "money", total.read(app.currency())));
        let expected_remaining = input.expected_remaining.and_then(|remaining| {
            errors.keep(
                "expected_remaining",
                "money",
                remaining.read(app.currency()),
            )
        });
        let note = input.note.unwrap_or_default().trim().to_owned();
        if note.chars().count() > MAX_NOTE {
            let message = format!("At most {MAX_NOTE} characters.");
            errors.add("note", "length", message);
        }
        errors.clone().into_result()?;
        match (email, shipping_address) {
            (Some(email), Some(shipping_address)) => Ok(Self {
                email,
                shipping_address,
                billing_address,
                shipping_method: input.shipping_method,
                provider,
                expected_total,
                store_credit: input.store_credit,
                expected_remaining,
                note,
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// The address for letters: the one given, or the owner's own.
fn read_email(owner: &Owner, given: Option<&str>, errors: &mut FieldErrors) -> Option<Email> {
    match given.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => {
            let email = Email::parse(text);
            if email.is_none() {
                let message = "Write an e-mail address like name@example.com.";
                errors.add("email", "email", message);
            }
            email
        }
        None => {
            let own = owner.email.clone();
            if own.is_none() {
                let message = "We need an e-mail address for the confirmation.";
                errors.add("email", "required", message);
            }
            own
        }
    }
}

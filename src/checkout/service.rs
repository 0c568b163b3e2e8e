//! Turning a cart into an order, exactly once.

use serde::{Deserialize, Serialize};

use super::model::{Checkout, Placed};
use crate::app::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::types::MoneyInput;

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

/// The fields of an address.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressFields {
    /// Who lives there.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// More of it.
    pub line2: String,
    /// City.
    pub city: String,
    /// Region or state.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Phone.
    pub phone: String,
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
    /// A note to the shop.
    pub note: Option<String>,
}

/// What the checkout page shows. `shipping_method`: the chosen code, if one is chosen.
pub async fn checkout(_app: &App, _ctx: &Ctx, _shipping_method: Option<&str>) -> Result<Checkout> {
    todo!()
}

/// Turns the cart into an order. Safe to call twice: the second call returns the first order.
/// `cart_token` names the cart when it is no longer the asker's active one (a repeated form).
/// Errors: fields; conflicts `cart_empty`, `out_of_stock`, `total_changed`.
pub async fn place_order(
    _app: &App,
    _ctx: &Ctx,
    _cart_token: Option<&str>,
    _input: PlaceOrder,
) -> Result<Placed> {
    todo!()
}

//! What the checkout page shows, and what is still needed there.

use super::super::model::{Checkout, Given, PaymentChoice, Requirement, requirements};
use super::wish::{Owner, PlaceOrder, Wish};
use crate::addresses::service as addresses;
use crate::addresses::{PostalAddress, SavedAddress};
use crate::app::App;
use crate::cart::{self, Cart};
use crate::credit::Settlement;
use crate::ctx::Ctx;
use crate::error::{Error, FieldErrors, Result};
use crate::orders::{self, Address};
use crate::shipping::ShippingMethod;
use crate::types::country::is_country;
use crate::types::{AddressId, Destination, Email};

/// What is chosen on the checkout page so far.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Where it goes, as it is typed; none: to the address that the form begins with.
    pub destination: Option<Destination>,
    /// The address in the asker's book that the form begins with; none, or an unknown one: the
    /// default.
    pub address: Option<AddressId>,
    /// What a guest has typed so far, which limits of promotions look at.
    pub email: Option<String>,
    /// The code of the way to ship; none, or one that does not serve the destination: the first.
    pub shipping_method: Option<String>,
    /// Whether the asker's store credit is to pay.
    pub store_credit: bool,
}

/// What the checkout page shows.
pub async fn checkout(app: &App, ctx: &Ctx, choice: Choice) -> Result<Checkout> {
    let saved_addresses = match ctx.user() {
        Some(_) => addresses::list(app, ctx).await?,
        None => Vec::new(),
    };
    let chosen = saved_addresses
        .iter()
        .find(|saved| Some(saved.id) == choice.address);
    let address = match chosen {
        Some(saved) => saved.address.clone(),
        None => first_address(app, ctx, &saved_addresses).await?,
    };
    let destination = choice.destination.unwrap_or_else(|| address.destination());
    let destination = served(app, destination);
    let shipping_method = choice.shipping_method.as_deref();
    let email = choice.email.as_deref().and_then(Email::parse);
    let with = |method| cart::service::with_shipping(app, ctx, &destination, method, email.clone());
    let (cart, offers) = match with(shipping_method).await {
        Err(Error::Invalid(_)) => with(None).await?,
        shown => shown?,
    };
    let methods: Vec<ShippingMethod> = offers.iter().map(|offer| offer.method.clone()).collect();
    let (chosen, dropped) = match cart::service::choose_method(&methods, shipping_method) {
        Ok(chosen) => (chosen, false),
        Err(_) => (cart::service::choose_method(&methods, None)?, true),
    };
    let email = ctx.user().map(|user| user.email.to_string());
    let settlement = settlement(ctx, &cart, choice.store_credit)?;
    let pickup = chosen.is_some_and(ShippingMethod::is_pickup);
    let given = Given {
        email: email.is_some(),
        shipping_address: addresses::is_complete(&address) || (pickup && !address.name.is_empty()),
        pickup,
        shipping_method: chosen.is_some() || !cart.ships(),
        payment: app.payments.iter().next().is_some() || settlement.remaining.is_zero(),
    };
    let choices = app.payments.iter().map(|provider| PaymentChoice {
        name: provider.name(),
        label: provider.label(),
        description: provider.description(),
    });
    Ok(Checkout {
        requirements: requirements(&cart, given),
        settlement,
        cart,
        shipping_method: chosen.map(|method| method.code.clone()).unwrap_or_default(),
        dropped,
        offers,
        payment_choices: choices.collect(),
        email: email.unwrap_or_default(),
        destination,
        address,
        saved_addresses,
    })
}

/// How a cart is paid by its gift cards and, where that is wanted, by store credit.
pub(super) fn settlement(ctx: &Ctx, cart: &Cart, store_credit: bool) -> Result<Settlement> {
    let settled = cart.settlement(ctx.now, store_credit);
    settled.map_err(|error| Error::Internal(error.into()))
}

/// The destination that prices are for: the shop's own country until another one is known.
pub(super) fn served(app: &App, destination: Destination) -> Destination {
    if is_country(&destination.country) {
        destination
    } else {
        app.config.home()
    }
}

/// What the form begins with: the default of the asker's book, or where their newest order went.
async fn first_address(app: &App, ctx: &Ctx, book: &[SavedAddress]) -> Result<PostalAddress> {
    if let Some(saved) = book.iter().find(|saved| saved.default_shipping) {
        return Ok(saved.address.clone());
    }
    Ok(match orders::service::last_address(app, ctx).await? {
        Some(Address::Fields(address)) => address,
        // A free text does not fit into the fields of the form.
        Some(Address::Text(_)) | None => PostalAddress {
            name: ctx.user().map(|user| user.name.clone()).unwrap_or_default(),
            ..PostalAddress::default()
        },
    })
}

/// What is still needed before the cart can become an order with what was typed so far.
pub fn still_needed(app: &App, ctx: &Ctx, shown: &Checkout, typed: PlaceOrder) -> Vec<Requirement> {
    let pickup = shown.is_pickup();
    let errors = match Wish::read(app, &Owner::asker(ctx), typed, pickup) {
        Err(Error::Invalid(errors)) => errors,
        Ok(_) | Err(_) => FieldErrors::default(),
    };
    let is_fine = |field: &str| !errors.iter().any(|(name, _)| name.starts_with(field));
    let given = Given {
        email: is_fine("email"),
        shipping_address: is_fine("shipping_address"),
        pickup,
        shipping_method: !shown.shipping_method.is_empty() || !shown.cart.ships(),
        payment: is_fine("payment") || shown.settlement.remaining.is_zero(),
    };
    requirements(&shown.cart, given)
}

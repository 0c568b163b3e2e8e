//! What is still needed before a cart can become an order.

use crate::addresses::{PostalAddress, SavedAddress};
use crate::cart::{Cart, Offer};
use crate::credit::{CreditKind, Settlement};
use crate::orders::{NextStep, Order};
use crate::shipping::{ShippingMethod, country_name};
use crate::types::Destination;

/// Something that the checkout page still needs; draws the page and is the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Something in the cart.
    Items,
    /// Enough stock of every line.
    Stock,
    /// An e-mail address.
    Email,
    /// A complete shipping address.
    ShippingAddress,
    /// The name of who comes for the goods.
    PickupName,
    /// A way to ship.
    ShippingMethod,
    /// A way to pay.
    Payment,
}

impl Requirement {
    /// In words, for the list of what is still needed.
    pub fn words(self) -> &'static str {
        match self {
            Self::Items => "Something in the cart",
            Self::Stock => "Articles that are in stock",
            Self::Email => "Your e-mail address",
            Self::ShippingAddress => "The delivery address",
            Self::PickupName => "The name of who comes for it",
            Self::ShippingMethod => "A way to deliver",
            Self::Payment => "A way to pay",
        }
    }
}

/// What was given so far, besides the cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// An e-mail address.
    pub email: bool,
    /// A complete shipping address; for a pickup, a name.
    pub shipping_address: bool,
    /// Whether the shopper comes for the goods.
    pub pickup: bool,
    /// A way to ship.
    pub shipping_method: bool,
    /// A way to pay.
    pub payment: bool,
}

/// What is still needed before the cart can become an order, in the order of the page; nothing
/// when it can.
pub fn requirements(cart: &Cart, given: Given) -> Vec<Requirement> {
    let address = if given.pickup {
        Requirement::PickupName
    } else {
        Requirement::ShippingAddress
    };
    [
        (!cart.is_empty(), Requirement::Items),
        (cart.is_empty() || cart.is_buyable(), Requirement::Stock),
        (given.email, Requirement::Email),
        (given.shipping_address, address),
        (given.shipping_method, Requirement::ShippingMethod),
        (given.payment, Requirement::Payment),
    ]
    .into_iter()
    .filter(|(met, _)| !met)
    .map(|(_, requirement)| requirement)
    .collect()
}

/// A way to pay, as the page offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentChoice {
    /// For the form.
    pub name: &'static str,
    /// For the shopper.
    pub label: &'static str,
    /// One sentence.
    pub description: &'static str,
}

/// Everything that the checkout page shows.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The cart, priced with the chosen shipping method.
    pub cart: Cart,
    /// How it is paid by gift cards and store credit, and what remains.
    pub settlement: Settlement,
    /// Ways to ship there, with their prices for this cart.
    pub offers: Vec<Offer>,
    /// The chosen one's code; empty where there is none.
    pub shipping_method: String,
    /// Whether another one was chosen that does not serve the destination.
    pub dropped: bool,
    /// Ways to pay.
    pub payment_choices: Vec<PaymentChoice>,
    /// What to fill the form with: from the account and the last order.
    pub email: String,
    /// Where it would go: prices are for there.
    pub destination: Destination,
    /// What to fill the fields of the address with.
    pub address: PostalAddress,
    /// The asker's book, to choose from.
    pub saved_addresses: Vec<SavedAddress>,
    /// What is still needed.
    pub requirements: Vec<Requirement>,
}

impl Checkout {
    /// Whether gift cards or store credit pay some of it.
    pub fn is_settled(&self) -> bool {
        !self.settlement.parts.is_empty()
    }

    /// Whether store credit pays some of it.
    pub fn uses_credit(&self) -> bool {
        !self.settlement.by(CreditKind::StoreCredit).is_zero()
    }

    /// The chosen way to ship.
    pub fn method(&self) -> Option<&ShippingMethod> {
        let mut methods = self.offers.iter().map(|offer| &offer.method);
        methods.find(|method| method.code == self.shipping_method)
    }

    /// Whether the shopper comes for the goods.
    pub fn is_pickup(&self) -> bool {
        self.method().is_some_and(ShippingMethod::is_pickup)
    }

    /// The country that prices are for, in words.
    pub fn country(&self) -> &str {
        let code = &self.destination.country;
        country_name(code).unwrap_or(code)
    }

    /// Whether the address is still wanted, so that the price is an estimate.
    pub fn is_estimated(&self) -> bool {
        self.requirements.contains(&Requirement::ShippingAddress)
    }
}

/// An order that was placed, now or by an earlier call.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The order.
    pub order: Order,
    /// What opens a guest's order. The call that finds it placed already tells it, too: it knew
    /// the cart, and the answer of the first call may have been lost.
    pub guest_token: Option<String>,
    /// What comes next of its payment.
    pub payment: Option<NextStep>,
    /// Whether an earlier call had placed it already.
    pub replayed: bool,
}

/// What an order costs that staff are about to make, on the terms typed so far.
#[derive(Clone, Debug)]
pub struct PricedOrder {
    /// What is ordered, priced.
    pub cart: Cart,
    /// How it is paid by gift cards and store credit, and what remains.
    pub settlement: Settlement,
    /// The way to ship; none where nothing serves the destination.
    pub method: Option<ShippingMethod>,
    /// Where it goes.
    pub destination: Destination,
    /// The name of the account that it goes into; none for a guest's.
    pub account: Option<String>,
}

impl PricedOrder {
    /// The country that prices are for, in words.
    pub fn country(&self) -> &str {
        let code = &self.destination.country;
        country_name(code).unwrap_or(code)
    }
}

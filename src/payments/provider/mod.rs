//! Ways to pay, as a strategy: what each must be able to tell shoppers, and what those can be
//! asked that have a gateway behind them.

mod offline;
mod stripe;
mod test;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::model::{Begun, GatewayEvent, Payment, Sight};
use crate::app::App;
use crate::config::{Capture, Config};
use crate::credit::CreditKind;
use crate::types::{Money, PaymentId, TextEnum, Timestamp};

use offline::{BankTransfer, CashOnDelivery};
use stripe::Stripe;
pub use test::{SIGNATURE as TEST_SIGNATURE, TestGateway};

/// A way to pay.
pub trait PaymentProvider: Send + Sync {
    /// Its name for programs, `bank_transfer`.
    fn name(&self) -> &'static str;
    /// Its name for shoppers.
    fn label(&self) -> &'static str;
    /// One sentence for the checkout page.
    fn description(&self) -> &'static str;
    /// What the shopper has to do after placing the order, for the thank-you page and the mail;
    /// `reference` is the order's number.
    fn instructions(&self, reference: &str) -> String;
    /// Who takes the money online; none where people do.
    fn gateway(&self) -> Option<&dyn Gateway> {
        None
    }
    /// Whether the money moves online, after the order is placed.
    fn takes_money_online(&self) -> bool {
        self.gateway().is_some()
    }
}

/// Why a gateway did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It may be better another time, and perhaps it was done: ask again under the same key.
    #[error("{0}")]
    Passing(String),
    /// It was not done and will not be.
    #[error("{0}")]
    Refused(String),
}

/// What a gateway's answer is.
pub type Answer<T> = std::result::Result<T, Trouble>;

/// A payment that a gateway is told to expect. Everything in it is the same each time it is told.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The key under which it is asked.
    pub key: String,
    /// The payment, for the gateway's books.
    pub payment_id: PaymentId,
    /// The order's number, for the gateway's books and its page.
    pub order_number: String,
    /// What is to be paid.
    pub amount: Money,
    /// The shopper's e-mail address.
    pub email: String,
    /// Where the shopper comes back to, in full.
    pub return_url: String,
    /// When the money is taken.
    pub capture: Capture,
    /// Since when it is expected.
    pub since: Timestamp,
    /// Until when it can be paid.
    pub until: Timestamp,
}

/// Something that a gateway is asked of a payment that it knows.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The key under which it is asked.
    pub key: &'a str,
    /// How much.
    pub amount: Money,
    /// Since when it is asked: gateways forget keys.
    pub since: Timestamp,
}

/// Headers of a request, by their names in small letters.
pub type Headers = BTreeMap<String, String>;

/// Who takes money online. None of this is called while a transaction is open; everything that
/// moves money carries a key, and is done once however often it is called.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Expects a payment.
    async fn begin(&self, app: &App, expected: &Expected) -> Answer<Begun>;
    /// Takes what was promised, or a part of it; the rest is given free.
    async fn capture(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String>;
    /// Expects nothing any more and gives free what was promised.
    async fn void(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String>;
    /// Sends money back. Gives what the gateway calls it.
    async fn refund(&self, app: &App, payment: &Payment, call: Call<'_>) -> Answer<String>;
    /// Where a payment stands now.
    async fn fetch(&self, app: &App, payment: &Payment) -> Answer<Sight>;
    /// Whether the gateway signed an event, lately. Errors: `Refused` when it did not.
    async fn verify(&self, app: &App, headers: &Headers, body: &str) -> Answer<()>;
    /// What an event says. Errors: `Refused` for what is none.
    fn read(&self, body: &str) -> Answer<GatewayEvent>;
}

/// The ways to pay that this shop offers.
#[derive(Clone)]
pub struct Providers(pub Vec<Arc<dyn PaymentProvider>>);

impl Providers {
    /// The name of the one that is taken when a request names none.
    pub const DEFAULT: &'static str = "cash_on_delivery";

    /// Those that the settings allow.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let account = config.bank_account.clone();
        let mut providers: Vec<Arc<dyn PaymentProvider>> =
            vec![Arc::new(CashOnDelivery), Arc::new(BankTransfer { account })];
        if let Some(stripe) = Stripe::from_config(config)? {
            providers.push(Arc::new(stripe));
        }
        if config.offers_test_payments() {
            providers.push(Arc::new(TestGateway));
        }
        Ok(Self(providers))
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&dyn PaymentProvider> {
        self.0
            .iter()
            .find(|provider| provider.name() == name)
            .map(AsRef::as_ref)
    }

    /// The gateway behind the one of this name; none where people take the money, and where the
    /// shop has it no more.
    pub fn gateway(&self, name: &str) -> Option<&dyn Gateway> {
        self.get(name)?.gateway()
    }

    /// The name for people of the one of this name; the name for programs when the shop has it
    /// no more.
    pub fn label<'n>(&self, name: &'n str) -> &'n str {
        match (self.get(name), CreditKind::from_word(name)) {
            (Some(provider), _) => provider.label(),
            (None, Some(CreditKind::GiftCard)) => "Gift card",
            (None, Some(CreditKind::StoreCredit)) => "Store credit",
            (None, None) => name,
        }
    }

    /// All, in the order the checkout page shows them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn PaymentProvider> {
        self.0.iter().map(AsRef::as_ref)
    }
}

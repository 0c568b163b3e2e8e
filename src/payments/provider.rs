//! What a way to pay must be able to do, and the two that need no gateway.

use std::sync::Arc;

use crate::config::Config;

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
}

/// The courier takes the money at the door.
struct CashOnDelivery;

impl PaymentProvider for CashOnDelivery {
    fn name(&self) -> &'static str {
        "cash_on_delivery"
    }
    fn label(&self) -> &'static str {
        "Cash on delivery"
    }
    fn description(&self) -> &'static str {
        "Pay at your door when the parcel arrives."
    }
    fn instructions(&self, _reference: &str) -> String {
        "Please have the total ready when the parcel arrives.".to_owned()
    }
}

/// The shopper sends the money; staff record that it came.
struct BankTransfer {
    /// The shop's account, as it is written on a transfer; empty: told by staff.
    account: String,
}

impl PaymentProvider for BankTransfer {
    fn name(&self) -> &'static str {
        "bank_transfer"
    }
    fn label(&self) -> &'static str {
        "Bank transfer"
    }
    fn description(&self) -> &'static str {
        "Transfer the total; we send the parcel when it has arrived."
    }
    fn instructions(&self, reference: &str) -> String {
        if self.account.is_empty() {
            format!("We will write to you where to transfer the total. Reference: {reference}.")
        } else {
            let account = &self.account;
            format!("Please transfer the total to {account}. Reference: {reference}.")
        }
    }
}

/// The ways to pay that this shop offers.
#[derive(Clone)]
pub struct Providers(pub Vec<Arc<dyn PaymentProvider>>);

impl Providers {
    /// The name of the one that is taken when a request names none.
    pub const DEFAULT: &'static str = "cash_on_delivery";

    /// Those that the settings allow.
    pub fn from_config(config: &Config) -> Self {
        let account = config.bank_account.clone();
        Self(vec![
            Arc::new(CashOnDelivery),
            Arc::new(BankTransfer { account }),
        ])
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&dyn PaymentProvider> {
        self.0
            .iter()
            .find(|provider| provider.name() == name)
            .map(AsRef::as_ref)
    }

    /// The name for people of the one of this name; the name for programs when the shop has it
    /// no more.
    pub fn label<'n>(&self, name: &'n str) -> &'n str {
        self.get(name).map_or(name, |provider| provider.label())
    }

    /// All, in the order the checkout page shows them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn PaymentProvider> {
        self.0.iter().map(AsRef::as_ref)
    }
}

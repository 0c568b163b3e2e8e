//! What a way to pay must be able to do.

use std::sync::Arc;

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

/// The ways to pay that this shop offers.
#[derive(Clone, Default)]
pub struct Providers(pub Vec<Arc<dyn PaymentProvider>>);

impl Providers {
    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&dyn PaymentProvider> {
        self.0
            .iter()
            .find(|provider| provider.name() == name)
            .map(AsRef::as_ref)
    }

    /// All, in the order the checkout page shows them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn PaymentProvider> {
        self.0.iter().map(AsRef::as_ref)
    }
}

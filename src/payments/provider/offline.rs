//! The ways to pay that need no gateway: people hand the money over, and staff record that it came.

use super::PaymentProvider;

/// The courier takes the money at the door.
pub(super) struct CashOnDelivery;

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
pub(super) struct BankTransfer {
    /// The shop's account, as it is written on a transfer; empty: told by staff.
    pub account: String,
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

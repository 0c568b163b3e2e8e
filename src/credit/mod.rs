//! Gift cards and store credit: money that shoppers have with the shop, with a ledger of its own.

pub mod admin;
pub mod api;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{
    CreditAccount, CreditEntry, CreditFilter, CreditImbalance, CreditKind, CreditPart,
    CreditReason, CreditState, IssuedCard, MyCredit, Settlement, code_of, settle,
};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::CreditAccountId;

    /// What is left on a gift card (GET), asks it (POST).
    pub const BALANCE: &str = "/gift-cards";

    /// One's own store credit.
    pub const MINE: &str = "/account/store-credit";

    /// Staff: all gift cards.
    pub const ADMIN_CARDS: &str = "/admin/gift-cards";

    /// Staff: the form of new ones (GET), issues them (POST).
    pub const ADMIN_CARD_NEW: &str = "/admin/gift-cards/new";

    /// Staff: all store credit (GET), grants some (POST).
    pub const ADMIN_CREDIT: &str = "/admin/store-credit";

    /// Staff: a card with its ledger (GET), changes it (POST).
    pub fn admin_card(id: CreditAccountId) -> String {
        format!("{ADMIN_CARDS}/{id}")
    }

    /// Staff: puts money onto a card, or takes some off (POST).
    pub fn admin_card_adjust(id: CreditAccountId) -> String {
        format!("{ADMIN_CARDS}/{id}/adjust")
    }

    /// Staff: gives a card another code (POST).
    pub fn admin_card_code(id: CreditAccountId) -> String {
        format!("{ADMIN_CARDS}/{id}/code")
    }

    /// Staff: somebody's store credit with its ledger.
    pub fn admin_credit(id: CreditAccountId) -> String {
        format!("{ADMIN_CREDIT}/{id}")
    }

    /// Staff: grants more of it, or takes some back (POST).
    pub fn admin_credit_adjust(id: CreditAccountId) -> String {
        format!("{ADMIN_CREDIT}/{id}/adjust")
    }
}

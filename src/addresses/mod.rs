//! Postal addresses: what one must have, and the address books of people with an account.

pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{PostalAddress, SavedAddress};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::AddressId;

    /// The address book.
    pub const BOOK: &str = "/account/addresses";
    /// The form for another address.
    pub const NEW: &str = "/account/addresses/new";
    /// The pattern of [`address`].
    pub const ADDRESS: &str = "/account/addresses/{id}";
    /// The pattern of [`delete`].
    pub const DELETE: &str = "/account/addresses/{id}/delete";

    /// The form to change an address.
    pub fn address(id: AddressId) -> String {
        format!("{BOOK}/{id}")
    }

    /// Removes an address (POST).
    pub fn delete(id: AddressId) -> String {
        format!("{BOOK}/{id}/delete")
    }
}

//! The cart.

pub mod admin;
pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{Cart, CartItem, CartNotice, CartState, Offer};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::CartItemId;

    /// The cart.
    pub const CART: &str = "/cart";
    /// Adds something (POST).
    pub const ITEMS: &str = "/cart/items";
    /// Adds a promotion's code, or takes one away (POST).
    pub const CODES: &str = "/cart/codes";

    /// Changes how many of a line (POST).
    pub fn item(id: CartItemId) -> String {
        format!("/cart/items/{id}")
    }
}

//! The cart.

pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{Cart, CartItem, CartNotice, CartState};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::CartItemId;

    /// The cart.
    pub const CART: &str = "/cart";
    /// Adds something (POST).
    pub const ITEMS: &str = "/cart/items";

    /// Changes how many of a line (POST).
    pub fn item(id: CartItemId) -> String {
        format!("/cart/items/{id}")
    }
}

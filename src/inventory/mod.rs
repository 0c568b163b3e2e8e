//! Stock: what is where, what is held for whom, and the ledger of every change.

pub mod admin;
pub mod api;
pub mod model;
pub mod service;
pub mod store;

pub use model::{
    Count, Counted, Imbalance, Location, MovementEntry, MovementFilter, Piece, Reason,
    ReservedImbalance, Shelf, Shortfall, StockFilter, StockLevel, StockRow, StockShow, Transfer,
    Waiter,
};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::VariantId;

    /// Staff: what is where of each variant.
    pub const ADMIN_STOCK: &str = "/admin/stock";
    /// Staff: all places (GET), makes one (POST).
    pub const ADMIN_LOCATIONS: &str = "/admin/stock/locations";

    /// Staff: the variants that a list is narrowed to, such as `low`.
    pub fn admin_stock_show(show: &str) -> String {
        format!("{ADMIN_STOCK}?show={show}")
    }

    /// Staff: the form of a place (GET), changes it (POST).
    pub fn admin_location(code: &str) -> String {
        format!("{ADMIN_LOCATIONS}/{code}")
    }

    /// Staff: the stock of a variant and its history.
    pub fn admin_variant(id: VariantId) -> String {
        format!("{ADMIN_STOCK}/variants/{id}")
    }

    /// Staff: changes the stock of a variant, with a reason (POST).
    pub fn admin_adjust(id: VariantId) -> String {
        format!("{ADMIN_STOCK}/variants/{id}/adjust")
    }

    /// Staff: says what holds for the stock of a variant (POST).
    pub fn admin_rules(id: VariantId) -> String {
        format!("{ADMIN_STOCK}/variants/{id}/rules")
    }

    /// Staff: moves pieces of a variant from one place to another (POST).
    pub fn admin_transfer(id: VariantId) -> String {
        format!("{ADMIN_STOCK}/variants/{id}/transfer")
    }
}

//! Promotions: what the shop takes off, by itself or for a code, and how often it was used.

pub mod admin;
pub mod api;
pub mod model;
pub mod service;
pub mod store;

pub use model::{
    Code, Customer, Kind, Offers, Promotion, PromotionFilter, PromotionState, Redemption, Scope,
    Trigger, UseImbalance, code_of,
};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::PromotionId;

    /// Staff: all promotions (GET), makes one (POST).
    pub const ADMIN_PROMOTIONS: &str = "/admin/promotions";

    /// Staff: the form of a new one.
    pub const ADMIN_PROMOTION_NEW: &str = "/admin/promotions/new";

    /// Staff: what a cart would cost.
    pub const ADMIN_SIMULATOR: &str = "/admin/promotions/simulator";

    /// Staff: a promotion (GET), changes it (POST).
    pub fn admin_promotion(id: PromotionId) -> String {
        format!("{ADMIN_PROMOTIONS}/{id}")
    }

    /// Staff: deletes it (POST).
    pub fn admin_promotion_delete(id: PromotionId) -> String {
        format!("{ADMIN_PROMOTIONS}/{id}/delete")
    }

    /// Staff: its codes (GET), makes some (POST).
    pub fn admin_promotion_codes(id: PromotionId) -> String {
        format!("{ADMIN_PROMOTIONS}/{id}/codes")
    }

    /// Staff: removes one of its codes (POST).
    pub fn admin_promotion_code_delete(id: PromotionId) -> String {
        format!("{ADMIN_PROMOTIONS}/{id}/codes/delete")
    }

    /// Staff: its codes as CSV.
    pub fn admin_promotion_codes_csv(id: PromotionId) -> String {
        format!("{ADMIN_PROMOTIONS}/{id}/codes.csv")
    }
}

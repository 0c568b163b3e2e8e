//! Ways to ship an order, where, and what they cost.
//!
//! A zone names countries, and postal codes within them; one without countries is the rest of the
//! world. The first zone by position that serves a destination is the one whose methods are
//! offered there. A method costs the same always, by weight or by what the goods cost, and may be
//! free from some sum on; or the goods are picked up.

pub mod admin;
pub mod api;
pub mod model;
pub mod service;
pub mod store;

pub use crate::types::country::{countries, country_name, is_country};
pub use model::{MethodKind, PostalPattern, ShippingMethod, ShippingZone};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::ShippingZoneId;

    /// Staff: zones with their methods; makes a zone (POST).
    pub const ADMIN_ZONES: &str = "/admin/shipping";

    /// Staff: the form of a zone.
    pub fn admin_zone(id: ShippingZoneId) -> String {
        format!("{ADMIN_ZONES}/{id}")
    }

    /// Staff: deletes a zone with its methods (POST).
    pub fn admin_zone_delete(id: ShippingZoneId) -> String {
        format!("{ADMIN_ZONES}/{id}/delete")
    }

    /// Staff: the form of a new method of a zone.
    pub fn admin_method_new(id: ShippingZoneId) -> String {
        format!("{ADMIN_ZONES}/{id}/methods/new")
    }

    /// Staff: the form of a method.
    pub fn admin_method(code: &str) -> String {
        format!("{ADMIN_ZONES}/methods/{code}")
    }

    /// Staff: deletes a method (POST).
    pub fn admin_method_delete(code: &str) -> String {
        format!("{ADMIN_ZONES}/methods/{code}/delete")
    }
}

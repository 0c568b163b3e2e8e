//! Taxes: how much tax is on what, where.
//!
//! Each product has a tax class. A rate says how much tax is on a class in a country, or in a
//! region of it; where several fit a destination, the most specific one counts: country and
//! region, then the country, then the rate of any country. Where none fits there is no tax.
//!
//! A new shop has the class `standard`, and one rate for any country, which the setting
//! `tax_rate` gives. From then on the tables say what holds, and the setting says nothing.

pub mod admin;
pub mod api;
pub mod model;
pub mod service;
pub mod store;

pub use model::{Rates, STANDARD, TaxClass, TaxRule};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::TaxRateId;

    /// Staff: classes and rates.
    pub const ADMIN_TAXES: &str = "/admin/taxes";
    /// Staff: makes a class (POST).
    pub const ADMIN_CLASSES: &str = "/admin/taxes/classes";
    /// Staff: makes a rate (POST).
    pub const ADMIN_RATES: &str = "/admin/taxes/rates";

    /// Staff: the form of a class.
    pub fn admin_class(code: &str) -> String {
        format!("{ADMIN_CLASSES}/{code}")
    }

    /// Staff: deletes a class (POST).
    pub fn admin_class_delete(code: &str) -> String {
        format!("{ADMIN_CLASSES}/{code}/delete")
    }

    /// Staff: the form of a rate.
    pub fn admin_rate(id: TaxRateId) -> String {
        format!("{ADMIN_RATES}/{id}")
    }

    /// Staff: deletes a rate (POST).
    pub fn admin_rate_delete(id: TaxRateId) -> String {
        format!("{ADMIN_RATES}/{id}/delete")
    }
}

//! Products from files and into files: the CSV of Shopify, of WooCommerce and our own.

pub mod admin;
pub mod api;
pub mod command;
mod csv;
mod formats;
mod html;
pub mod model;
pub mod service;
pub mod store;

pub use model::{Batch, BatchState, Change, Format, Outcome, PictureState, Problem, Verdict};

/// Addresses of this feature's pages.
pub mod urls {
    use super::Format;
    use crate::types::ImportId;

    /// Staff: all imports, and the form of a new one (GET); uploads a file (POST).
    pub const ADMIN_IMPORTS: &str = "/admin/imports";
    /// Staff: all products as a file.
    pub const ADMIN_EXPORT: &str = "/admin/exports/products";

    /// Staff: an import.
    pub fn admin_import(id: ImportId) -> String {
        format!("{ADMIN_IMPORTS}/{id}")
    }

    /// Staff: does something with an import (POST): `apply`, `stop`, `revert`, `pictures`,
    /// `delete`.
    pub fn admin_import_action(id: ImportId, action: &str) -> String {
        format!("{ADMIN_IMPORTS}/{id}/{action}")
    }

    /// Staff: all products as a file in a format.
    pub fn admin_export(format: Format) -> String {
        format!("{ADMIN_EXPORT}?format={format}")
    }
}

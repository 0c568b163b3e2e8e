//! What the shop knows of a person: handing it out, and forgetting it.

pub mod api;
pub mod model;
pub mod pages;
pub mod service;

pub use model::MyData;

/// Addresses of this feature's pages.
pub mod urls {
    /// What one can do with one's own data.
    pub const PRIVACY: &str = "/account/privacy";
    /// The file with all of it.
    pub const EXPORT: &str = "/account/privacy/my-data.json";
    /// Ends the account (POST).
    pub const CLOSE: &str = "/account/privacy/close";
}

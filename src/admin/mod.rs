//! The back office: its start page and what its pages share.

pub mod pages;
pub mod service;

/// Addresses of this feature's pages.
pub mod urls {
    /// The start page for staff.
    pub const HOME: &str = "/admin";
}

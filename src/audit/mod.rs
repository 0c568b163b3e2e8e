//! The audit log: who changed what, written in the transaction of the change, and sealed into a
//! chain afterwards, so that nobody changes it unseen.

pub mod admin;
pub mod api;
pub mod command;
mod json;
pub mod model;
pub mod seal;
pub mod service;
pub mod store;

pub use model::{Check, Difference, Entry, Filter, Format, Head, Verdict, When, Who};
pub use service::{Change, erase_person, record, record_about, record_all};

/// Addresses of this feature's pages.
pub mod urls {
    /// Staff: the log.
    pub const ADMIN_AUDIT: &str = "/admin/audit";
    /// Staff: the log as a file.
    pub const ADMIN_EXPORT: &str = "/admin/audit/export";

    /// Staff: an entry.
    pub fn admin_entry(id: i64) -> String {
        format!("{ADMIN_AUDIT}/{id}")
    }

    /// Staff: all entries about one thing, such as `product 12`.
    pub fn admin_about(subject: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("subject", subject);
        format!("{ADMIN_AUDIT}?{}", query.finish())
    }
}

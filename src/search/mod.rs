//! Search: which products match some words, and how well.
//!
//! An index of each instance's own, kept by `tantivy` in the data folder, knows nothing but
//! words. It answers with product ids, the best first; prices, stock, status and every count
//! come from the rows of the database, which the catalog asks next. So a list is right even a
//! moment after a sale, and lists with and without words are one and the same.
//!
//! The index is a cache. It follows the outbox (see [`Cursor`]) and is made anew when it is
//! missing, broken, of another version, or too old to catch up.

pub mod admin;
pub mod api;
mod cursor;
mod index;
pub mod model;
pub mod service;
mod state;
pub mod store;
mod words;

pub use cursor::Cursor;
pub use index::{Index, IndexError, Position, Writer};
pub use model::{Document, Found, Looking, Matched, Miss, Synonym, Synonyms};
pub use state::Search;
pub use words::{stems, words};

/// Addresses of this feature's pages.
pub mod urls {
    /// Staff: words that mean the same.
    pub const ADMIN_SYNONYMS: &str = "/admin/search/synonyms";
    /// Staff: searches that found nothing.
    pub const ADMIN_MISSES: &str = "/admin/search/misses";
    /// Staff: forgets a search that found nothing (POST).
    pub const ADMIN_MISS_DISMISS: &str = "/admin/search/misses/dismiss";

    /// Staff: the form of a rule.
    pub fn admin_synonym(id: i64) -> String {
        format!("{ADMIN_SYNONYMS}/{id}")
    }

    /// Staff: deletes a rule (POST).
    pub fn admin_synonym_delete(id: i64) -> String {
        format!("{ADMIN_SYNONYMS}/{id}/delete")
    }
}

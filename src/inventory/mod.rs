//! Stock: what is where, and the ledger of every change.

pub mod model;
pub mod service;
pub mod store;

pub use model::{Count, Counted, Imbalance, Reason, Shortfall, StockLevel};

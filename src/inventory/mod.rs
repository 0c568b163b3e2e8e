//! Stock: what is where, what is held for whom, and the ledger of every change.

pub mod model;
pub mod service;
pub mod store;

pub use model::{
    Count, Counted, Imbalance, Piece, Reason, ReservedImbalance, Shelf, Shortfall, StockLevel,
};

//! What shoppers say about products.

pub mod api;
pub mod model;
pub mod service;
pub mod store;

pub use model::{Histogram, Review};

//! Ways to ship an order, and what they cost.

pub mod model;
pub mod service;
pub mod store;

pub use crate::types::country::{countries, country_name, is_country};
pub use model::ShippingMethod;

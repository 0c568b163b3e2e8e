//! Ways to ship an order, and what they cost.

pub mod model;
pub mod service;
pub mod store;

pub use model::{ShippingMethod, countries, country_name, is_country};

//! The price: one pure function from lines to a quote with its trace. No I/O.

pub mod api;
mod kernel;
pub mod model;

pub use kernel::quote;
pub use model::{PriceInput, PriceLine, Quote, QuoteLine, ShippingPrice, TraceStep};

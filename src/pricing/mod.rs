//! The price: one pure function from lines to a quote with its trace. No I/O.

pub mod api;
mod kernel;
pub mod model;

pub use kernel::quote;
pub use model::{
    Applied, Benefit, PriceInput, PriceLine, Promotion, Quote, QuoteLine, RateStep, Refusal,
    Refused, ShippingPrice, ShippingRate, Target, TaxShare, TraceStep,
};

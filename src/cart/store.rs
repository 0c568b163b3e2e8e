//! SQL of cart.

//! SQL of shipping.

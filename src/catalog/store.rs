//! SQL of catalog.

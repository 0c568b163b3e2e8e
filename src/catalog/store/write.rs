//! SQL that writes products.

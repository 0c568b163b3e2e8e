//! SQL of inventory.

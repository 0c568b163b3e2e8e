//! Products from files and into files: the CSV of Shopify, of WooCommerce and our own.

pub mod csv;
pub mod formats;
pub mod html;
pub mod model;

pub use model::{Change, Format, Problem};

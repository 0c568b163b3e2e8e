//! The catalog: writing and reading products and categories, through services and API.

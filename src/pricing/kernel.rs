//! The pricing kernel.

use super::model::{PriceInput, Quote};
use crate::types::MoneyError;

/// Prices an order. The same input gives the same quote. Errors: overflow.
pub fn quote(_input: &PriceInput) -> Result<Quote, MoneyError> {
    todo!()
}

//! Turning a cart into an order, exactly once.

mod place;
mod refusals;
mod show;
mod staff;
mod wish;

pub use place::place_order;
pub use show::{Choice, checkout, still_needed};
pub use staff::{MakeOrder, make_order, price_order};
pub use wish::{AddressInput, PaymentInput, PlaceOrder};

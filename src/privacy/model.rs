//! What the shop knows of a person.

use crate::accounts::model::User;
use crate::addresses::SavedAddress;
use crate::cart::Cart;
use crate::orders::Order;
use crate::reviews::ReviewOfProduct;

/// What the shop knows of somebody with an account.
#[derive(Clone, Debug)]
pub struct MyData {
    /// The account.
    pub user: User,
    /// The address book.
    pub addresses: Vec<SavedAddress>,
    /// All orders, the oldest first.
    pub orders: Vec<Order>,
    /// All reviews.
    pub reviews: Vec<ReviewOfProduct>,
    /// The cart.
    pub cart: Cart,
}

//! What the shop knows of a person.

use crate::accounts::model::{PersonalToken, SignedIn, User};
use crate::addresses::SavedAddress;
use crate::cart::Cart;
use crate::credit::MyCredit;
use crate::inventory::Waiter;
use crate::orders::Order;
use crate::reviews::ReviewOfProduct;

/// What the shop knows of somebody with an account.
#[derive(Clone, Debug)]
pub struct MyData {
    /// The account.
    pub user: User,
    /// Where they are signed in.
    pub sign_ins: Vec<SignedIn>,
    /// The tokens of their scripts.
    pub tokens: Vec<PersonalToken>,
    /// The address book.
    pub addresses: Vec<SavedAddress>,
    /// All orders, the oldest first.
    pub orders: Vec<Order>,
    /// All reviews.
    pub reviews: Vec<ReviewOfProduct>,
    /// What they want a letter about when it can be bought again.
    pub waits: Vec<Waiter>,
    /// The cart.
    pub cart: Cart,
    /// The store credit.
    pub credit: MyCredit,
}

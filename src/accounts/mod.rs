//! People: accounts, sign-in, tokens, profiles.

pub mod api;
pub mod model;
pub mod pages;
pub mod service;
pub mod store;

pub use model::{Tokens, User};

/// Addresses of this feature's pages.
pub mod urls {
    /// The form to make an account.
    pub const REGISTER: &str = "/register";
    /// The form to sign in.
    pub const SIGN_IN: &str = "/sign-in";
    /// Signs out (POST).
    pub const SIGN_OUT: &str = "/sign-out";
    /// The profile.
    pub const ACCOUNT: &str = "/account";
}

/// Hashes passwords, a bounded number at a time. (To be filled in.)
pub struct Passwords;
/// Signs and checks access tokens. (To be filled in.)
pub struct TokenKeys;

//! People with an account.

use crate::ctx::CurrentUser;
pub use crate::ctx::{Permission, Role};
use crate::types::{Email, Timestamp, UserId};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address, unique without case.
    pub email: Email,
    /// How they want to be called.
    pub name: String,
    /// Phone, or empty.
    pub phone: String,
    /// What they are.
    pub role: Role,
    /// What staff may work on.
    pub permissions: Vec<Permission>,
    /// When they joined.
    pub created_at: Timestamp,
}

impl User {
    /// The same person as the asker of a request.
    pub fn current(&self) -> CurrentUser {
        CurrentUser {
            id: self.id,
            email: self.email.clone(),
            name: self.name.clone(),
            role: self.role,
            permissions: self.permissions.clone(),
        }
    }
}

/// Somebody who works here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// Their account.
    pub user: User,
    /// Counts the changes of role and permissions.
    pub version: i64,
    /// The newest of their sign-ins that is remembered.
    pub signed_in_at: Option<Timestamp>,
}

/// What an API client gets at sign-in.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// A JWT, good for [`Tokens::ACCESS_SECONDS`].
    pub access_token: String,
    /// Opaque; good for one use within [`Tokens::REFRESH_SECONDS`].
    pub refresh_token: String,
}

impl Tokens {
    /// How long an access token is good for.
    pub const ACCESS_SECONDS: i64 = 15 * 60;
    /// How long a refresh token is good for.
    pub const REFRESH_SECONDS: i64 = 30 * 24 * 3600;
}

//! People with an account.

use crate::ctx::CurrentUser;
pub use crate::ctx::{Permission, Role};
use crate::types::{Email, Locale, Timestamp, UserId, text_enum};

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
    /// When they showed that the address is theirs; none before.
    pub email_verified_at: Option<Timestamp>,
    /// The language they want to be written in.
    pub locale: Locale,
    /// When they agreed to letters with offers; none when they did not.
    pub marketing_consent_at: Option<Timestamp>,
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
            locale: self.locale,
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

/// What the link in a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Shows that an account's address is its owner's.
    Verify,
    /// Sets a new password.
    Reset,
    /// Agrees, from the account's address, to another one.
    ChangeOld,
    /// Shows that the other address is the owner's, too.
    ChangeNew,
}
text_enum!(Purpose {
    Verify => "verify",
    Reset => "reset",
    ChangeOld => "change_old",
    ChangeNew => "change_new",
});

impl Purpose {
    /// How long its links are good, in seconds.
    pub fn lifetime(self) -> i64 {
        match self {
            Self::Reset => 30 * 60,
            Self::Verify => 3 * 24 * 3600,
            Self::ChangeOld | Self::ChangeNew => 24 * 3600,
        }
    }

    /// What has to be confirmed, too, before anything changes.
    pub fn counterpart(self) -> Option<Self> {
        match self {
            Self::ChangeOld => Some(Self::ChangeNew),
            Self::ChangeNew => Some(Self::ChangeOld),
            Self::Verify | Self::Reset => None,
        }
    }
}

/// How far a change of address has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    /// The new address.
    pub email: Email,
    /// Whether both addresses have confirmed it, so that it is done.
    pub done: bool,
    /// Whether the new address has still to confirm it; otherwise the old one, if not done.
    pub waits_for_new: bool,
}

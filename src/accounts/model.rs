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
    /// Whether their sign-in takes a code, too.
    pub two_factor: bool,
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
            lacks_two_factor: false,
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
    /// Opaque; good for one use, within the settings' limits of a sign-in.
    pub refresh_token: String,
}

impl Tokens {
    /// How long an access token is good for.
    pub const ACCESS_SECONDS: i64 = 15 * 60;
}

/// How somebody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedInBy {
    /// With a browser.
    Browser,
    /// Through the API: an app.
    Api,
}
text_enum!(SignedInBy { Browser => "browser", Api => "api" });

/// Where somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Names it, to end it; opens nothing.
    pub id: String,
    /// How.
    pub by: SignedInBy,
    /// With what: `Firefox on Linux`.
    pub device: String,
    /// The network address; may be empty.
    pub address: String,
    /// When they signed in.
    pub since: Timestamp,
    /// When it was last used, within minutes.
    pub last_used_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// How somebody's second factor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoFactor {
    /// Whether their sign-in takes a code.
    pub on: bool,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: i64,
}

/// What an app for codes needs to reckon somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoFactorSetup {
    /// In base 32.
    pub secret: String,
    /// The same as an address: `otpauth://totp/…`.
    pub url: String,
    /// The address as a QR code: an SVG element.
    pub qr: String,
}

/// A token that somebody made for their scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalToken {
    /// Its id.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// What it opens, as far as its owner may go there.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
    /// When it was last used, within minutes.
    pub last_used_at: Option<Timestamp>,
}

/// What a personal token may open: a part of the API, to read or to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Who the owner is.
    AccountRead,
    /// The owner's name and addresses; never what protects the account.
    AccountWrite,
    /// The owner's cart.
    CartRead,
    /// The owner's cart.
    CartWrite,
    /// Products and categories, searches, imports.
    CatalogRead,
    /// Products and categories, searches, imports.
    CatalogWrite,
    /// People's accounts.
    CustomersRead,
    /// People's accounts.
    CustomersWrite,
    /// Stock and its ledger.
    InventoryRead,
    /// Stock and its ledger.
    InventoryWrite,
    /// Orders and their payments.
    OrdersRead,
    /// Orders and their payments.
    OrdersWrite,
    /// Discounts and coupons.
    PromotionsRead,
    /// Discounts and coupons.
    PromotionsWrite,
    /// Figures.
    ReportsRead,
    /// Reviews.
    ReviewsRead,
    /// Reviews.
    ReviewsWrite,
    /// The shop's settings, staff, taxes, shipping, audit log and webhooks.
    SettingsRead,
    /// The shop's settings, staff, taxes, shipping, audit log and webhooks.
    SettingsWrite,
}
text_enum!(Scope {
    AccountRead => "account:read",
    AccountWrite => "account:write",
    CartRead => "cart:read",
    CartWrite => "cart:write",
    CatalogRead => "catalog:read",
    CatalogWrite => "catalog:write",
    CustomersRead => "customers:read",
    CustomersWrite => "customers:write",
    InventoryRead => "inventory:read",
    InventoryWrite => "inventory:write",
    OrdersRead => "orders:read",
    OrdersWrite => "orders:write",
    PromotionsRead => "promotions:read",
    PromotionsWrite => "promotions:write",
    ReportsRead => "reports:read",
    ReviewsRead => "reviews:read",
    ReviewsWrite => "reviews:write",
    SettingsRead => "settings:read",
    SettingsWrite => "settings:write",
});

impl Scope {
    /// The scope that a route of the API asks for: by its part of the OpenAPI document, its path
    /// without the prefix of the API, and its method. None for routes that are not for personal
    /// tokens, which is what a new part is until it is named here.
    pub fn needed(tag: &str, path: &str, method: &str) -> Option<Self> {
        let area = match tag {
            // Of what belongs to signing in, who one is and nothing else.
            "auth" if path == "/auth/me" && method != "DELETE" => "account",
            "auth" if path == "/auth/me/store-credit" => "account",
            "auth" if path.starts_with("/addresses") => "account",
            "imports" | "search" => "catalog",
            "wishlist" => "cart",
            "payments" => "orders",
            "audit" | "shipping" | "staff" | "taxes" | "webhooks" => "settings",
            "auth" => return None,
            other => other,
        };
        let access = match method {
            "GET" | "HEAD" => "read",
            _ => "write",
        };
        format!("{area}:{access}").parse().ok()
    }

    /// Whether only people who work here have anything in it.
    pub fn is_for_staff(self) -> bool {
        let area = self.as_str().split(':').next().unwrap_or_default();
        [
            "customers",
            "inventory",
            "promotions",
            "reports",
            "settings",
        ]
        .contains(&area)
    }
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

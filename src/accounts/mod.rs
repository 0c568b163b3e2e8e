//! People: accounts, sign-in, tokens, profiles.

pub mod admin;
pub mod api;
mod codes;
mod devices;
pub mod jobs;
pub mod model;
pub mod pages;
mod passwords;
pub mod service;
pub mod store;
mod tokens;

pub use model::{Scope, StaffMember, Tokens, User};
pub use passwords::Passwords;
pub use tokens::{Bearer, TokenKeys};

/// Addresses of this feature's pages.
pub mod urls {
    use crate::types::UserId;

    /// The form to make an account.
    pub const REGISTER: &str = "/register";
    /// The form to sign in.
    pub const SIGN_IN: &str = "/sign-in";
    /// The form to sign in that leads to a path of this shop afterwards.
    pub fn sign_in_then(next: &str) -> String {
        format!("{SIGN_IN}?{}", next_query(next))
    }

    /// The form to make an account that leads to a path of this shop afterwards.
    pub fn register_then(next: &str) -> String {
        format!("{REGISTER}?{}", next_query(next))
    }

    fn next_query(next: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", next).finish()
    }

    /// The second step of a sign-in: a code.
    pub const SIGN_IN_CODE: &str = "/sign-in/code";
    /// The second step that leads to a path of this shop afterwards.
    pub fn sign_in_code_then(next: &str) -> String {
        format!("{SIGN_IN_CODE}?{}", next_query(next))
    }

    /// Signs out (POST).
    pub const SIGN_OUT: &str = "/sign-out";
    /// The profile.
    pub const ACCOUNT: &str = "/account";
    /// The second factor.
    pub const TWO_FACTOR: &str = "/account/two-factor";
    /// Turns the second factor off (POST).
    pub const TWO_FACTOR_OFF: &str = "/account/two-factor/off";
    /// Makes new recovery codes (POST).
    pub const RECOVERY_CODES: &str = "/account/two-factor/recovery-codes";
    /// Where one is signed in.
    pub const SIGN_INS: &str = "/account/sign-ins";
    /// Ends one sign-in (POST).
    pub const END_SIGN_IN: &str = "/account/sign-ins/end";
    /// Ends all sign-ins but the one that asks (POST).
    pub const END_OTHER_SIGN_INS: &str = "/account/sign-ins/end-others";
    /// Personal tokens.
    pub const TOKENS: &str = "/account/tokens";
    /// Revokes a personal token (POST).
    pub const REVOKE_TOKEN: &str = "/account/tokens/revoke";

    /// Staff: who works here.
    pub const ADMIN_STAFF: &str = "/admin/staff";
    /// Admins: the form that makes a customer staff.
    pub const ADMIN_STAFF_NEW: &str = "/admin/staff/new";
    /// Staff: somebody who works here.
    pub fn admin_staff_member(id: UserId) -> String {
        format!("{ADMIN_STAFF}/{id}")
    }

    /// The form to ask for a letter with a link to set a new password.
    pub const FORGOT_PASSWORD: &str = "/forgot-password";
    /// The form to set a new password, by the link of a letter.
    pub const RESET_PASSWORD: &str = "/reset-password";
    /// Confirms an address, by the link of a letter.
    pub const VERIFY_EMAIL: &str = "/verify-email";
    /// Confirms a change of address, by the link of a letter.
    pub const CONFIRM_EMAIL_CHANGE: &str = "/confirm-email-change";
    /// The form to change the password.
    pub const PASSWORD: &str = "/account/password";
    /// The form to change the address.
    pub const EMAIL: &str = "/account/email";
    /// Sends the letter that verifies the address once more (POST).
    pub const SEND_VERIFICATION: &str = "/account/email/verification";

    /// The link of a letter to set a new password.
    pub fn reset_password(token: &str) -> String {
        format!("{RESET_PASSWORD}?token={token}")
    }

    /// The link of a letter that verifies an address.
    pub fn verify_email(token: &str) -> String {
        format!("{VERIFY_EMAIL}?token={token}")
    }

    /// The link of a letter that confirms a change of address.
    pub fn confirm_email_change(token: &str) -> String {
        format!("{CONFIRM_EMAIL_CHANGE}?token={token}")
    }
}

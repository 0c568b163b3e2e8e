//! What people give, and its rules.

use serde::{Deserialize, Serialize};

use crate::error::FieldErrors;
use crate::types::{Email, Locale};

const MAX_NAME: usize = 100;
const MAX_PHONE: usize = 40;

/// What a new customer gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Register {
    /// Their address.
    pub email: String,
    /// 8 to 256 characters, any, and not easy to guess.
    pub password: String,
    /// How they want to be called; left out: the part of the e-mail before the @.
    pub name: Option<String>,
}

/// What somebody gives to sign in.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
    /// The code of their app, or a recovery code, where their sign-in takes one.
    pub code: Option<String>,
}

/// What a user may change of themselves; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateProfile {
    /// How they want to be called.
    pub name: Option<String>,
    /// Phone, or empty.
    pub phone: Option<String>,
    /// The language to be written in: `en` or `es`.
    pub locale: Option<String>,
    /// Whether letters with offers are welcome.
    pub marketing_consent: Option<bool>,
}

/// A change of the password.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangePassword {
    /// The password so far.
    pub current_password: String,
    /// 8 to 256 characters, any, and not easy to guess.
    pub new_password: String,
}

/// Who forgot their password.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForgotPassword {
    /// Their address.
    pub email: String,
}

/// A new password for the account of a link.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResetPassword {
    /// What the link in the letter carries.
    pub token: String,
    /// 8 to 256 characters, any, and not easy to guess.
    pub password: String,
}

/// A change of the address.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeEmail {
    /// The new address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The link of a letter.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinkToken {
    /// What the link in the letter carries.
    pub token: String,
}

/// The address, or a message at `email`.
pub(super) fn email(errors: &mut FieldErrors, given: &str) -> Option<Email> {
    let email = Email::parse(given);
    if given.trim().is_empty() {
        errors.add("email", "required", "Write your e-mail.");
    } else if email.is_none() {
        errors.add("email", "email", "This is no e-mail address.");
    }
    email
}

/// A name without the space around it.
pub(super) fn name(errors: &mut FieldErrors, given: &str) -> String {
    if given.trim().is_empty() {
        errors.add("name", "required", "Write your name.");
    }
    line(errors, "name", given, MAX_NAME)
}

/// A phone number without the space around it; may be empty.
pub(super) fn phone(errors: &mut FieldErrors, given: &str) -> String {
    let of_numbers = |sign: char| sign.is_ascii_digit() || " +-./()#x".contains(sign);
    if !given.trim().chars().all(of_numbers) {
        errors.add("phone", "invalid", "Write digits, spaces and + - . / ( ).");
    }
    line(errors, "phone", given, MAX_PHONE)
}

/// The language of a word.
pub(super) fn locale(errors: &mut FieldErrors, given: &str) -> Option<Locale> {
    errors.keep("locale", "unknown", given.parse::<Locale>())
}

/// The name of somebody who gave none.
pub(super) fn name_from(email: &Email) -> String {
    let local = email.as_str().split('@').next().unwrap_or_default();
    local.chars().take(MAX_NAME).collect()
}

fn line(errors: &mut FieldErrors, field: &str, given: &str, max: usize) -> String {
    let given = given.trim();
    if given.chars().count() > max {
        errors.add(field, "length", format!("At most {max} characters."));
    }
    if given.contains(char::is_control) {
        errors.add(field, "invalid", "Write it in one line.");
    }
    given.to_owned()
}

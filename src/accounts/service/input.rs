//! What people give, and its rules.

use serde::{Deserialize, Serialize};

use crate::error::FieldErrors;
use crate::types::Email;

/// The fewest characters of a password. The first request in the documentation of the original
/// demo registers with `demo123`, and clients rely on it.
pub const MIN_PASSWORD: usize = 7;
/// The most characters of a password.
pub const MAX_PASSWORD: usize = 256;
const MAX_NAME: usize = 100;
const MAX_PHONE: usize = 40;

/// What a new customer gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Register {
    /// Their address.
    pub email: String,
    /// 7 to 256 characters.
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
}

/// What a user may change of themselves; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateProfile {
    /// How they want to be called.
    pub name: Option<String>,
    /// Phone, or empty.
    pub phone: Option<String>,
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

/// Any characters are fine, and none is cut off: what was typed is the password.
pub(super) fn check_password(errors: &mut FieldErrors, given: &str) {
    let length = given.chars().count();
    if length == 0 {
        errors.add("password", "required", "Choose a password.");
    } else if length < MIN_PASSWORD {
        let message = format!("Use at least {MIN_PASSWORD} characters.");
        errors.add("password", "length", message);
    } else if length > MAX_PASSWORD {
        let message = format!("Use at most {MAX_PASSWORD} characters.");
        errors.add("password", "length", message);
    }
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

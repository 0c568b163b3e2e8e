//! Registering, signing in and out, tokens, profiles.

use serde::{Deserialize, Serialize};
use validator::Validate;

use super::model::{Tokens, User};
use crate::app::App;
use crate::ctx::{Ctx, CurrentUser};
use crate::error::Result;
use crate::types::UserId;

/// What a new customer gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Register {
    /// Their address.
    pub email: String,
    /// 8 to 256 characters.
    pub password: String,
    /// How they want to be called; left out: the part of the e-mail before the @.
    pub name: Option<String>,
}

/// What somebody gives to sign in.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
}

/// What a user may change of themselves.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Validate, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateProfile {
    /// How they want to be called.
    pub name: Option<String>,
    /// Phone, or empty.
    pub phone: Option<String>,
}

/// Makes a customer's account. Errors: fields; throttled.
pub async fn register(_app: &App, _ctx: &Ctx, _input: Register) -> Result<User> {
    todo!()
}

/// Checks e-mail and password. Unknown e-mail and wrong password are one error, in one time.
/// Errors: `Invalid` at `password`; throttled by account and by address.
pub async fn sign_in(_app: &App, _ctx: &Ctx, _input: SignIn) -> Result<User> {
    todo!()
}

/// The user of a session; none when they are gone.
pub async fn current_user(_app: &App, _id: UserId) -> Result<Option<CurrentUser>> {
    todo!()
}

/// The user of an API access token. Errors: `Unauthenticated`.
pub async fn authenticate(_app: &App, _access_token: &str) -> Result<CurrentUser> {
    todo!()
}

/// New tokens for somebody who just signed in: a new family.
pub async fn issue_tokens(_app: &App, _ctx: &Ctx, _user: UserId) -> Result<Tokens> {
    todo!()
}

/// Trades a refresh token for new tokens. A second use revokes the whole family.
/// Errors: `Unauthenticated`.
pub async fn refresh(_app: &App, _ctx: &Ctx, _refresh_token: &str) -> Result<(User, Tokens)> {
    todo!()
}

/// Ends the family of a refresh token; an unknown one is no error.
pub async fn revoke(_app: &App, _ctx: &Ctx, _refresh_token: &str) -> Result<()> {
    todo!()
}

/// The signed-in user. Errors: `Unauthenticated`.
pub async fn me(_app: &App, _ctx: &Ctx) -> Result<User> {
    todo!()
}

/// Changes the signed-in user's own profile.
pub async fn update_profile(_app: &App, _ctx: &Ctx, _input: UpdateProfile) -> Result<User> {
    todo!()
}

/// Makes the first admin when there is none, from the settings or with a random password.
/// Gives e-mail and password when a random one was made, to be printed once.
pub async fn ensure_admin(_app: &App) -> Result<Option<(String, String)>> {
    todo!()
}

/// Makes an admin, or makes an admin of an existing user, with this password.
pub async fn create_admin(_app: &App, _email: &str, _password: &str) -> Result<User> {
    todo!()
}

//! API of accounts.

mod email;
mod entry;
mod password;
mod personal;
mod profile;
mod sessions;
mod staff;
mod two_factor;

pub use personal::PersonalTokenJson;
pub use sessions::SignInJson;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::model::User;
use crate::app::App;

/// The routes of this part of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(entry::routes())
        .merge(password::routes())
        .merge(email::routes())
        .merge(profile::routes())
        .merge(staff::routes())
        .merge(sessions::routes())
        .merge(personal::routes())
        .merge(two_factor::routes())
}

/// A person with an account.
#[derive(Serialize, ToSchema)]
pub struct UserJson {
    /// Their id.
    pub id: i64,
    /// Their address, in lower case.
    pub email: String,
    /// How they want to be called.
    pub name: String,
    /// Phone, or empty.
    pub phone: String,
    /// `customer`, `staff` or `admin`.
    pub role: &'static str,
    /// What staff may work on; admins may do everything.
    pub permissions: Vec<&'static str>,
    /// RFC 3339.
    pub created_at: String,
    /// Whether they have shown that the address is theirs.
    pub email_verified: bool,
    /// The language they want to be written in: `en` or `es`.
    pub locale: &'static str,
    /// Whether letters with offers are welcome.
    pub marketing_consent: bool,
}

impl From<&User> for UserJson {
    fn from(user: &User) -> Self {
        let permissions = user.permissions.iter();
        Self {
            id: user.id.0,
            email: user.email.to_string(),
            name: user.name.clone(),
            phone: user.phone.clone(),
            role: user.role.as_str(),
            permissions: permissions.map(|permission| permission.as_str()).collect(),
            created_at: user.created_at.rfc3339(),
            email_verified: user.email_verified_at.is_some(),
            locale: user.locale.as_str(),
            marketing_consent: user.marketing_consent_at.is_some(),
        }
    }
}

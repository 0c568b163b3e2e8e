//! Who looks at a page, and the frame around what they see.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::session::Visit;
use crate::ctx::{Ctx, CurrentUser};

/// A link with words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The words.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is the page that is shown, or leads to it.
    pub current: bool,
}

/// An entry of the menu for staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// The words.
    pub label: &'static str,
    /// Where it leads.
    pub href: &'static str,
    /// The name of its icon in `layout/admin.html`.
    pub icon: &'static str,
    /// How many things wait there; 0 shows nothing.
    pub waiting: i64,
    /// Whether the page that is shown belongs to it.
    pub current: bool,
}

/// A message on top of the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// Good news or bad.
    pub kind: FlashKind,
    /// The words.
    pub text: String,
}

/// Good news or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlashKind {
    /// It worked.
    Good,
    /// Look at this.
    Warning,
}

impl FlashKind {
    /// Whether it is something to look at.
    pub fn is_warning(self) -> bool {
        self == Self::Warning
    }
}

impl Flash {
    /// It worked.
    pub fn good(text: impl Into<String>) -> Self {
        Self {
            kind: FlashKind::Good,
            text: text.into(),
        }
    }

    /// Look at this.
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            kind: FlashKind::Warning,
            text: text.into(),
        }
    }
}

/// What every page's skeleton shows, whatever the page is about.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// The shop's name.
    pub shop_name: String,
    /// What canonical URLs start with.
    pub base_url: String,
    /// The path of this page, without the query.
    pub path: String,
    /// Names this request in the log.
    pub request_id: String,
    /// The signed-in user's name, if somebody signed in.
    pub user_name: Option<String>,
    /// Whether the viewer works here, so that the header links to the admin pages.
    pub is_staff: bool,
    /// The number at the bag in the header.
    pub badge: i64,
    /// The main navigation.
    pub nav: Vec<Link>,
    /// The menu of the pages for staff, as far as the viewer may open them; empty elsewhere.
    pub menu: Vec<MenuItem>,
    /// Messages from the page before.
    pub flashes: Vec<Flash>,
    /// The line above the header; empty for none.
    pub notice: String,
    /// Whether prices contain tax, for the footer.
    pub prices_include_tax: bool,
    /// For the footer.
    pub year: i32,
}

impl Shell {
    /// The full address of this page, without the query.
    pub fn canonical(&self) -> String {
        format!("{}{}", self.base_url, self.path)
    }
}

/// The viewer of a page: extract it in every page handler.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who asks; hand it to the service.
    pub ctx: Ctx,
    /// The frame; put it into the template as `shell`.
    pub shell: Shell,
    /// What the browser's visit remembers.
    pub visit: Visit,
}

impl Viewer {
    /// A message for the next page.
    pub async fn flash(&self, flash: Flash) -> crate::error::Result<()> {
        self.visit.flash(flash).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Failure::of_status(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// Who asks through the API: extract it in every API handler.
#[derive(Clone, Debug)]
pub struct ApiCtx(pub Ctx);

impl<S: Send + Sync> FromRequestParts<S> for ApiCtx {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Failure::of_status(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// Marks an answer, as an extension: by this request somebody signed in. What waited for them as
/// a guest can be brought to them.
#[derive(Clone, Debug)]
pub struct SignedIn(pub CurrentUser);

//! HTTP plumbing without shop words: who views, sessions, forms, JSON, assets, layers.

pub mod assets;
pub mod docs;
pub mod failure;
pub mod files;
pub mod form;
pub mod forwarded;
pub mod health;
pub mod html;
pub mod idempotency;
pub mod intake;
pub mod json;
pub mod layers;
pub mod limits;
pub mod openapi;
mod pace;
pub mod pager;
pub mod server;
pub mod session;
mod strict;
pub mod viewer;

pub use failure::Failure;
pub use html::{Answer, Template, page, redirect};
pub use pager::Pager;
pub use session::Visit;
pub use viewer::{ApiCtx, Flash, FlashKind, Link, MenuItem, Shell, SignedIn, Viewer};

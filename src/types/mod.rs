//! Values without I/O: money, tax rates, ids, text, time, languages, countries, pages of a list.

pub mod address;
pub mod country;
mod destination;
pub mod ids;
mod locale;
pub mod money;
pub mod page;
mod tax;
pub mod text;
pub mod time;
mod words;

pub use destination::Destination;
pub use ids::*;
pub use locale::Locale;
pub use money::{Currency, Money, MoneyError, MoneyInput};
pub use page::{Page, PageRequest};
pub use tax::{TaxRate, percent, read_percent};
pub use text::{Email, Slug};
pub use time::{Clock, Timestamp};
pub use words::TextEnum;
pub(crate) use words::text_enum;

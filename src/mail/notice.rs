//! Short letters: a title, some paragraphs, and at most one thing to do.

use askama::Template;

use super::Letter;
use crate::app::App;
use crate::error::{Error, Result};
use crate::types::{Email, Locale};

/// A short letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The subject.
    pub subject: String,
    /// The first line.
    pub title: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// Things in a list, such as what is in a parcel; may be empty.
    pub list: Vec<String>,
    /// What to do, and where: a path of the shop, or a whole address.
    pub action: Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "emails/notice.txt")]
struct Text<'a> {
    shop: &'a str,
    title: &'a str,
    paragraphs: &'a [String],
    list: &'a [String],
    action: &'a Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "emails/notice.html")]
struct Html<'a> {
    locale: Locale,
    shop: &'a str,
    title: &'a str,
    paragraphs: &'a [String],
    list: &'a [String],
    action: &'a Option<(&'static str, String)>,
}

impl Notice {
    /// The letter. Its key is its text; whoever sends the same text twice on purpose gives it
    /// another.
    pub fn letter(self, app: &App, to: &Email, locale: Locale) -> Result<Letter> {
        let action = self.action.map(|(label, place)| {
            let whole = place.starts_with("https://") || place.starts_with("http://");
            let link = if whole {
                place
            } else {
                app.config.absolute(&place)
            };
            (label, link)
        });
        let (shop, title) = (&app.config.shop_name, &self.title);
        let (paragraphs, list) = (&self.paragraphs, &self.list);
        let text = Text {
            shop,
            title,
            paragraphs,
            list,
            action: &action,
        };
        let html = Html {
            locale,
            shop,
            title,
            paragraphs,
            list,
            action: &action,
        };
        let failed = |error: askama::Error| Error::Internal(error.into());
        let (text, html) = (
            text.render().map_err(failed)?,
            html.render().map_err(failed)?,
        );
        Ok(Letter {
            to: to.clone(),
            subject: self.subject,
            key: format!("{to} {text}"),
            text,
            html,
        })
    }
}

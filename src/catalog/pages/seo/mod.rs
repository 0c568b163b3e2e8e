//! What search engines and price comparisons read: structured data in pages, sitemaps, a feed.

mod feed;
mod sitemap;
pub mod structured;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::urls;
use crate::app::App;
use crate::ctx::{Actor, Ctx};

pub use sitemap::robots;

/// The routes of these files.
pub fn routes() -> Router<App> {
    Router::new()
        .route(urls::SITEMAP, get(sitemap::index))
        .route("/sitemaps/{name}", get(sitemap::part))
        .route(urls::FEED, get(feed::products))
}

/// Whoever asks: these files tell what every shopper may see, and nothing else.
fn as_shopper(app: &App) -> Ctx {
    Ctx {
        actor: Actor::Guest,
        ..app.system()
    }
}

/// A text for XML: what XML 1.0 (section 2.2) cannot hold is left out, what has a meaning of its
/// own is written as an entity.
fn xml(text: &str) -> String {
    let known = |&sign: &char| matches!(sign, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().filter(known).collect();
    quick_xml::escape::escape(text.as_str()).into_owned()
}

/// An XML file, or 304 to a client that has it.
fn answer(headers: &HeaderMap, body: String) -> Response {
    let etag = format!("\"{}\"", &hex::encode(Sha256::digest(&body))[..24]);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| {
            known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == etag)
        });
    let fields = [
        (
            header::CONTENT_TYPE,
            "application/xml; charset=utf-8".to_owned(),
        ),
        (header::CACHE_CONTROL, "public, max-age=300".to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, fields).into_response()
    } else {
        (fields, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::xml;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(xml("a\u{0}b\u{1f}\u{fffe}c"), "abc");
        assert_eq!(xml("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
        assert_eq!(xml("camión \u{1f600}"), "camión \u{1f600}");
    }
}

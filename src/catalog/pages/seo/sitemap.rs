//! The sitemap, in parts of at most so many products, and robots.txt.
//!
//! The form is that of sitemaps.org, with the images of
//! `http://www.google.com/schemas/sitemap-image/1.1`. Of both limits of a part, 50 000 addresses
//! and 50 MB, [`PART`] keeps far away.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::{answer, as_shopper, xml};
use crate::app::App;
use crate::catalog::service::{self, sitemap_parts, sitemap_products};
use crate::catalog::{image_url, urls};
use crate::error::Error;
use crate::types::Timestamp;
use crate::web::Failure;

/// Ids of products that a part spans.
const PART: i64 = 10_000;
const XMLNS: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
const XMLNS_IMAGE: &str = "http://www.google.com/schemas/sitemap-image/1.1";

/// GET /sitemap.xml
pub async fn index(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    let parts = sitemap_parts(&app, &as_shopper(&app), PART).await?;
    let base = &app.config.base_url;
    let newest = parts.iter().map(|part| part.updated_at).max();
    let mut body = format!("{XML}<sitemapindex xmlns=\"{XMLNS}\">\n");
    sitemap(&mut body, &format!("{base}/sitemaps/pages.xml"), newest);
    for part in &parts {
        let address = format!("{base}/sitemaps/products-{}.xml", part.number);
        sitemap(&mut body, &address, Some(part.updated_at));
    }
    body.push_str("</sitemapindex>\n");
    Ok(answer(&headers, body))
}

/// GET /sitemaps/{name}
pub async fn part(
    State(app): State<App>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let body = match name.strip_suffix(".xml") {
        Some("pages") => pages(&app).await?,
        Some(name) => products(&app, name).await?,
        None => return Err(Error::NotFound.into()),
    };
    Ok(answer(&headers, body))
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

fn sitemap(body: &mut String, address: &str, changed: Option<Timestamp>) {
    let _ = writeln!(
        body,
        "<sitemap><loc>{}</loc>{}</sitemap>",
        xml(address),
        last_modified(changed)
    );
}

fn last_modified(changed: Option<Timestamp>) -> String {
    changed.map_or(String::new(), |at| {
        format!("<lastmod>{}</lastmod>", at.rfc3339())
    })
}

/// The front page, the list of everything and the categories.
async fn pages(app: &App) -> Result<String, Error> {
    let base = &app.config.base_url;
    let parts = sitemap_parts(app, &as_shopper(app), PART).await?;
    let newest = parts.iter().map(|part| part.updated_at).max();
    let mut body = format!("{XML}<urlset xmlns=\"{XMLNS}\">\n");
    let mut add = |path: &str, changed: Option<Timestamp>| {
        let address = xml(&format!("{base}{path}"));
        let _ = writeln!(
            body,
            "<url><loc>{address}</loc>{}</url>",
            last_modified(changed)
        );
    };
    add(urls::HOME, newest);
    add(urls::PRODUCTS, newest);
    for category in &service::categories(app).await?.0 {
        add(&urls::category(&category.slug), Some(category.updated_at));
    }
    body.push_str("</urlset>\n");
    Ok(body)
}

/// `products-3`: the third part.
async fn products(app: &App, name: &str) -> Result<String, Error> {
    let number = name
        .strip_prefix("products-")
        .and_then(|text| text.parse::<i64>().ok());
    let number = number.filter(|number| (1..=i64::MAX / PART).contains(number));
    let number = number.ok_or(Error::NotFound)?;
    let rows = sitemap_products(app, &as_shopper(app), PART, number).await?;
    if rows.is_empty() {
        return Err(Error::NotFound);
    }
    let base = &app.config.base_url;
    let mut body = format!("{XML}<urlset xmlns=\"{XMLNS}\" xmlns:image=\"{XMLNS_IMAGE}\">\n");
    for row in rows {
        let address = xml(&format!("{base}{}", urls::product(&row.slug)));
        let changed = last_modified(Some(row.updated_at));
        let picture = row.cover.map_or(String::new(), |(key, width)| {
            let address = xml(&format!("{base}{}", image_url(&key, width)));
            format!("<image:image><image:loc>{address}</image:loc></image:image>")
        });
        let _ = writeln!(body, "<url><loc>{address}</loc>{changed}{picture}</url>");
    }
    body.push_str("</urlset>\n");
    Ok(body)
}

/// GET /robots.txt: everything may be read but what stands in `private`, paths of pages that are
/// about one visitor or only for staff.
pub fn robots(base_url: &str, private: &[&str]) -> Response {
    let mut body = "User-agent: *\n".to_owned();
    for path in private {
        let _ = writeln!(body, "Disallow: {path}");
    }
    let _ = writeln!(body, "\nSitemap: {base_url}{}", urls::SITEMAP);
    let fields = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (fields, body).into_response()
}

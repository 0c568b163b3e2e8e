//! Pages: rendering a template, redirecting after a form.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

pub use askama::Template;

use super::failure::Failure;
use crate::error::Error;

/// What a page handler gives.
pub type Answer = Result<Response, Failure>;

/// A page with status 200.
pub fn page(template: &impl Template) -> Answer {
    page_with(StatusCode::OK, template)
}

/// A page with another status, such as 422 for a form that comes back.
pub fn page_with(status: StatusCode, template: &impl Template) -> Answer {
    let html = template
        .render()
        .map_err(|error| Error::Internal(error.into()))?;
    let mut response = (status, html).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Ok(response)
}

/// 303: the browser goes on to `path` with GET. Only paths of this shop.
pub fn redirect(path: &str) -> Answer {
    Ok(lead_on(StatusCode::SEE_OTHER, path))
}

/// 301: this address is old. Only paths of this shop.
pub fn moved(path: &str) -> Answer {
    Ok(lead_on(StatusCode::MOVED_PERMANENTLY, path))
}

/// The one place that names another address to go to.
fn lead_on(status: StatusCode, path: &str) -> Response {
    let path = local_path(path).and_then(|path| HeaderValue::from_str(path).ok());
    let location = path.unwrap_or(HeaderValue::from_static("/"));
    (status, [(header::LOCATION, location)]).into_response()
}

/// The longest path that is led on to, in bytes.
const MAX_PATH: usize = 2000;

/// A path of this shop, as `next=` may carry it; none for another site's address in any guise.
pub fn local_path(text: &str) -> Option<&str> {
    let local = text.len() <= MAX_PATH
        && text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains('\\')
        && !text.chars().any(char::is_control);
    local.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn next_never_leaves_the_shop() {
        assert_eq!(local_path("/cart?a=1"), Some("/cart?a=1"));
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "evil",
            "",
            "/a\r\nb",
        ] {
            assert_eq!(local_path(elsewhere), None, "{elsewhere}");
        }
    }
}

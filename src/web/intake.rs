//! What is refused of a request before any handler sees it: an unclear host, a NUL in its address,
//! a packed body, and a body that comes too slowly.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use super::pace::paced;
use crate::app::App;

/// The layer of pages and API. It must lie inside the one that draws failures.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Err(failure) = check(&request) {
        return failure.into_response();
    }
    let (parts, body) = request.into_parts();
    let (body, late) = paced(body, Duration::from_secs(app.config.stall_timeout));
    let response = next.run(Request::from_parts(parts, body)).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if !(failed && late.is_late()) {
        return response;
    }
    // Whatever the handler made of half a body, that is what happened.
    Failure::of_status(StatusCode::REQUEST_TIMEOUT).into_response()
}

fn check(request: &Request) -> Result<(), Failure> {
    if !is_host_clear(request.version(), request.headers()) {
        let detail = "This request does not say clearly which host it is for.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "bad_host", detail));
    }
    if has_nul(request.uri()) {
        let detail = "An address cannot hold the NUL character.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "bad_request", detail));
    }
    if is_packed(request.headers()) {
        let detail = "Bodies are taken as they are, without Content-Encoding.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Failure::new(status, "unsupported_media_type", detail));
    }
    Ok(())
}

/// Whether there is one host (RFC 9112): with two, the shop and a proxy could each see another.
fn is_host_clear(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes())
            .is_ok_and(|authority| !authority.as_str().contains('@')),
        (None, _) => version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// No text of the shop has one, and PostgreSQL cannot keep it.
fn has_nul(uri: &Uri) -> bool {
    uri.path().contains("%00") || uri.query().is_some_and(|query| query.contains("%00"))
}

/// Whether a body would have to be unpacked; what it then grows to, nobody knows.
fn is_packed(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn there_is_one_host() {
        let clear = |version, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            is_host_clear(version, &headers)
        };
        for host in [
            "shop.example",
            "shop.example:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
        ] {
            assert!(clear(Version::HTTP_11, &[host]), "{host}");
        }
        for host in [
            "",
            "a b",
            "shop.example/path",
            "me@shop.example",
            "a, b",
            "http://a",
        ] {
            assert!(!clear(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(!clear(Version::HTTP_11, &[]));
        assert!(clear(Version::HTTP_10, &[]));
        assert!(!clear(Version::HTTP_10, &["shop.example", "shop.example"]));
    }
}

//! Layers around every route: who and when, the log, panics, headers, limits.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use super::failure::Failure;
use super::forwarded;
use super::json::Problem;
use crate::app::App;
use crate::error::Error;
use crate::types::Timestamp;

/// The largest body of a request that is no upload.
pub const MAX_BODY: usize = 1024 * 1024;
/// The largest body of an upload.
pub const MAX_UPLOAD: usize = 10 * 1024 * 1024;

const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";
/// How long a handler may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a handler may take that takes a large file in.
const FILE_PATIENCE: Duration = Duration::from_secs(600);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before anybody looks at who sent it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Names the request in the log and in error pages.
    pub request_id: String,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// When it came.
    pub now: Timestamp,
}

/// Lays all common layers around the whole shop.
pub fn around(router: Router<App>, app: &App) -> Router<App> {
    router.layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state(app.clone(), entry))
            .layer(CompressionLayer::new())
            .layer(CatchPanicLayer::custom(panicked))
            .layer(DefaultBodyLimit::max(MAX_BODY)),
    )
}

/// Bounds what handlers may do: their time, and a panic costs one answer. Lies inside the layer
/// that draws failures, so that these, too, are drawn.
pub fn guard(router: Router<App>) -> Router<App> {
    guard_for(router, PATIENCE)
}

/// Like [`guard`], for routes that take large files in.
pub fn guard_files(router: Router<App>) -> Router<App> {
    guard_for(router, FILE_PATIENCE)
}

fn guard_for(router: Router<App>, patience: Duration) -> Router<App> {
    router.layer(
        ServiceBuilder::new()
            .layer(CatchPanicLayer::custom(panicked))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::REQUEST_TIMEOUT,
                patience,
            )),
    )
}

/// Refuses what another site makes a browser send: by `Sec-Fetch-Site`, else by `Origin`
/// against the host that was asked, or the shop's own address: a proxy may ask for another host
/// than the browser did. Programs send neither and pass. Lies inside the layer that draws failures.
///
/// A host name of somebody else's that leads here (DNS rebinding) passes, but gets nothing: the
/// browser keeps the shop's cookies for the shop's own name.
pub fn same_site(router: Router<App>, base_url: &str) -> Router<App> {
    let origin = Url::parse(base_url).map(|url| url.origin().ascii_serialization());
    let layer = origin
        .ok()
        .and_then(|origin| CsrfLayer::new().add_trusted_origin(origin).ok());
    router.layer(layer.unwrap_or_default())
}

/// The failure that a panic becomes; the log keeps what it said.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words");
    let error = Error::Internal(anyhow::anyhow!("a handler panicked: {said}"));
    let mut failure = Failure::of_status(StatusCode::INTERNAL_SERVER_ERROR);
    failure.cause = Some(Arc::new(error));
    failure.into_response()
}

/// Gives the request its id, writes the log line and the metric, sets the common headers.
async fn entry(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let facts = Facts {
        request_id: hex::encode(app.rng.bytes::<8>()),
        address: forwarded::address(&request, app.config.trusted_proxies),
        now: app.clock.now(),
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let request_id = facts.request_id.clone();
    request.extensions_mut().insert(facts);

    let mut response = next.run(request).await;

    if let Some(failure) = take_failure(&mut response, "") {
        log(&failure, &request_id);
        let text = format!("{} (request {request_id})\n", failure.detail);
        replace_body(&mut response, "text/plain; charset=utf-8", text);
    }
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    tracing::info!(request_id, %method, path, status, seconds, "request");
    let labels = [
        ("method", known_method(&method).to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("zoco_http_requests_total", &labels).increment(1);
    metrics::histogram!("zoco_http_request_seconds", &labels[..2]).record(seconds);
    common_headers(response.headers_mut(), &request_id, app.config.is_https());
    response
}

/// A method as a label: senders make up their own, and every new one would cost memory.
fn known_method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

fn common_headers(headers: &mut HeaderMap, request_id: &str, https: bool) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    // What does not say otherwise is for its asker, and asked for anew each time.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-cache"));
    if https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The most that is kept of a `User-Agent`.
const MAX_USER_AGENT: usize = 300;

/// With what a request was sent, as it says itself; cut short.
pub fn user_agent(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT);
    let said = said.and_then(|value| value.to_str().ok());
    said.unwrap_or_default()
        .chars()
        .take(MAX_USER_AGENT)
        .collect()
}

/// Lets browsers keep what never changes under its address.
pub async fn keep_for_ever(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_success() {
        let year = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, year);
    }
    response
}

/// Draws failures of the API as problem+json.
pub async fn draw_problems(request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    let mut response = next.run(request).await;
    let Some(failure) = take_failure(&mut response, "json") else {
        return response;
    };
    log(&failure, &request_id);
    let body = serde_json::to_string(&Problem::new(&failure, &request_id)).unwrap_or_default();
    replace_body(&mut response, "application/problem+json", body);
    response
}

/// The failure that an answer carries and nobody has drawn yet; a bare error status counts, an
/// error that already has a body of the content type wanted does not.
pub fn take_failure(response: &mut Response, drawn: &str) -> Option<Failure> {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        return Some(failure);
    }
    let status = response.status();
    let content_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let bare = (status.is_client_error() || status.is_server_error())
        && !content_type.is_some_and(|content_type| content_type.contains(drawn));
    bare.then(|| Failure::of_status(status))
}

/// Puts the drawn body into an answer.
pub fn replace_body(response: &mut Response, content_type: &'static str, body: String) {
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = body.into();
}

/// Logs a fault of ours, once, with the id that the visitor sees.
pub fn log(failure: &Failure, request_id: &str) {
    if let Some(cause) = &failure.cause {
        tracing::error!(request_id, %cause, "internal error");
    }
}

/// The id of a request.
pub fn request_id(request: &Request) -> String {
    request
        .extensions()
        .get::<Facts>()
        .map(|facts| facts.request_id.clone())
        .unwrap_or_default()
}

//! `Idempotency-Key`: a repeated API write is answered with the first answer.
//!
//! The key belongs to its sender (user, guest cart or address). The same key with the same
//! request replays the stored answer; with another request it is 422; while the first is still
//! under way it is 409. What failed for a passing reason is not kept, so it can be tried again.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::layers::MAX_BODY;
use super::viewer::ApiCtx;
use crate::app::App;
use crate::ctx::Ctx;
use crate::db::{self, FromRow, execute, fetch_optional};
use crate::error::{Error, Result};
use crate::types::Timestamp;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The largest request of staff that is kept in memory for its fingerprint: a picture's. Others
/// send none.
const MAX_STAFF_BODY: usize = 11 * 1024 * 1024;
/// After so long a request without an answer counts as dead, and the key is free again.
const ABANDONED_SECONDS: i64 = 60;
/// How long answers are kept.
const KEPT_SECONDS: i64 = 24 * 3600;

/// The layer of the API. It must lie inside the one that knows the sender.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    match handle(&app, request, next).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

async fn handle(app: &App, request: Request, next: Next) -> std::result::Result<Response, Failure> {
    // No route takes another method; that is said of it, key or no key.
    let writes = matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    );
    // Tokens are never stored, so sign-in cannot be replayed.
    let secret = request.uri().path().split('/').any(|part| part == "auth");
    let Some(key) = request.headers().get(KEY).filter(|_| writes && !secret) else {
        return Ok(next.run(request).await);
    };
    let key = read_key(key)?;
    let ctx = request.extensions().get::<ApiCtx>();
    let scope = ctx.map(|ApiCtx(ctx)| scope(ctx)).unwrap_or_default();
    let is_staff = ctx.is_some_and(|ApiCtx(ctx)| ctx.is_staff());
    let most = if is_staff { MAX_STAFF_BODY } else { MAX_BODY };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, most)
        .await
        .map_err(|_| Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let fingerprint = fingerprint(&parts.method, &parts.uri.to_string(), &parts.headers, &body);
    let now = app.clock.now();
    if let Some(earlier) = reserve(app, &scope, &key, &fingerprint, now).await? {
        return replay(earlier, &fingerprint);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    Ok(keep(app, &scope, &key, response).await)
}

fn read_key(value: &HeaderValue) -> std::result::Result<String, Failure> {
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > 255 || key.contains(char::is_control) {
        let detail = "Idempotency-Key takes 1 to 255 visible ASCII characters.";
        return Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "bad_idempotency_key",
            detail,
        ));
    }
    Ok(key.to_owned())
}

/// Whose key it is.
fn scope(ctx: &Ctx) -> String {
    match (ctx.user_id(), &ctx.cart_token, ctx.address) {
        (Some(user), _, _) => format!("user {user}"),
        (None, Some(token), _) => format!("cart {}", hex::encode(Sha256::digest(token.as_bytes()))),
        (None, None, Some(address)) => format!("address {address}"),
        (None, None, None) => "nobody".to_owned(),
    }
}

fn fingerprint(method: &Method, uri: &str, headers: &HeaderMap, body: &[u8]) -> String {
    let named = |name| headers.get(name).map_or(&[][..], HeaderValue::as_bytes);
    let mut hasher = Sha256::new();
    for part in [
        method.as_str().as_bytes(),
        uri.as_bytes(),
        named(header::CONTENT_TYPE),
        // What opens a guest's order: without it, nobody gets the answer that it opened.
        named(HeaderName::from_static("order-token")),
        body,
    ] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}

#[derive(FromRow)]
struct Kept {
    fingerprint: String,
    status: Option<i64>,
    headers: String,
    body: String,
}

/// Takes the key, or gives what an earlier request left under it. Errors: `Unavailable` when the
/// key is taken and freed again each time we look.
async fn reserve(
    app: &App,
    scope: &str,
    key: &str,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Option<Kept>> {
    for _ in 0..3 {
        match try_reserve(app, scope, key, fingerprint, now).await? {
            Reserved::Ours => return Ok(None),
            Reserved::Theirs(kept) => return Ok(Some(kept)),
            Reserved::JustFreed => {}
        }
    }
    Err(Error::Unavailable)
}

/// Whose a key is.
enum Reserved {
    Ours,
    Theirs(Kept),
    /// It was taken a moment ago, and is free by now because the request failed.
    JustFreed,
}

async fn try_reserve(
    app: &App,
    scope: &str,
    key: &str,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Reserved> {
    let mut tx = app.db.begin().await?;
    execute!(
        &mut tx,
        "delete from idempotency_keys
        where created_at < $1 or (status is null and created_at < $2)",
        now.plus_seconds(-KEPT_SECONDS),
        now.plus_seconds(-ABANDONED_SECONDS),
    )?;
    let taken = execute!(
        &mut tx,
        "insert into idempotency_keys (scope, name, fingerprint, created_at)
        values ($1, $2, $3, $4)
        on conflict (scope, name) do nothing",
        scope,
        key,
        fingerprint,
        now,
    )?;
    let reserved = if taken == 1 {
        Reserved::Ours
    } else {
        let kept = fetch_optional!(
            &mut tx,
            Kept,
            "select fingerprint, status, headers, body
            from idempotency_keys
            where scope = $1 and name = $2",
            scope,
            key,
        )?;
        kept.map_or(Reserved::JustFreed, Reserved::Theirs)
    };
    tx.commit().await?;
    Ok(reserved)
}

fn replay(kept: Kept, fingerprint: &str) -> std::result::Result<Response, Failure> {
    if kept.fingerprint != fingerprint {
        let detail = "This Idempotency-Key was used with another request.";
        return Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            detail,
        ));
    }
    let status = kept.status.and_then(|status| u16::try_from(status).ok());
    let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) else {
        let detail = "The first request with this Idempotency-Key is still under way.";
        return Err(Failure::new(
            StatusCode::CONFLICT,
            "request_in_progress",
            detail,
        ));
    };
    let mut response = (status, kept.body).into_response();
    let headers: Vec<(String, String)> = serde_json::from_str(&kept.headers).unwrap_or_default();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps the answer, or frees the key when the failure may pass. What was done is done: an answer
/// that cannot be kept is given all the same.
async fn keep(app: &App, scope: &str, key: &str, response: Response) -> Response {
    let status = response.status();
    let passing = status.is_server_error() || matches!(status.as_u16(), 401 | 408 | 409 | 429);
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX)
        .await
        .unwrap_or_else(|_| Bytes::new());
    let text = std::str::from_utf8(&bytes).ok().filter(|_| !passing);
    let kept = finish(app, scope, key, status, &parts.headers, text).await;
    if let Err(error) = kept {
        tracing::warn!(%error, "the answer to an Idempotency-Key could not be kept");
    }
    Response::from_parts(parts, Body::from(bytes))
}

async fn finish(
    app: &App,
    scope: &str,
    key: &str,
    status: StatusCode,
    headers: &HeaderMap,
    text: Option<&str>,
) -> db::Result<()> {
    let mut tx = app.db.begin().await?;
    let Some(text) = text else {
        execute!(
            &mut tx,
            "delete from idempotency_keys where scope = $1 and name = $2",
            scope,
            key
        )?;
        return tx.commit().await;
    };
    let told = [
        "content-type",
        "location",
        "etag",
        "cart-token",
        "order-token",
    ];
    let headers: Vec<(&str, &str)> = told
        .into_iter()
        .filter_map(|name| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(|value| (name, value))
        })
        .collect();
    execute!(
        &mut tx,
        "update idempotency_keys
        set status = $1, headers = $2, body = $3
        where scope = $4 and name = $5",
        i64::from(status.as_u16()),
        serde_json::to_string(&headers).unwrap_or_default(),
        text,
        scope,
        key,
    )?;
    tx.commit().await
}

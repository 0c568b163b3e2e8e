//! Whether the program lives, whether it can work, and its figures.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use axum::extract::{ConnectInfo, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use crate::app::App;
use crate::db::fetch_one;

/// What a proxy adds: a request with one of these does not come from this machine.
const PASSED_ON: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// The one recorder of this process.
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| match PrometheusBuilder::new().install_recorder() {
        Ok(handle) => handle,
        // Somebody else installed one: ours records nothing, and that is no reason to stop.
        Err(_) => PrometheusBuilder::new().build_recorder().handle(),
    })
}

/// The process answers.
pub async fn live() -> &'static str {
    "ok"
}

/// The database answers, too.
pub async fn ready(State(app): State<App>) -> Result<&'static str, Failure> {
    let ask = async {
        let mut conn = app.db.conn().await?;
        fetch_one!(&mut conn, (i64,), "select cast(1 as bigint)")
    };
    match tokio::time::timeout(std::time::Duration::from_secs(2), ask).await {
        Ok(Ok(_)) => Ok("ok"),
        Ok(Err(_)) | Err(_) => Err(Failure::of_status(StatusCode::SERVICE_UNAVAILABLE)),
    }
}

/// Whether two secrets are the same, told by their hashes: how long that takes says nothing
/// about where they differ.
fn same(one: &str, other: &str) -> bool {
    Sha256::digest(one.as_bytes()) == Sha256::digest(other.as_bytes())
}

/// Whether this machine was asked for by its number, or as `localhost`: a page of somebody else's
/// whose name leads here (DNS rebinding) asks for that name.
fn is_own_name(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return host.is_none();
    };
    let name = authority.host();
    let number = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || number.parse::<IpAddr>().is_ok()
}

/// Figures in Prometheus' text form: from loopback, or with the token of the settings.
pub async fn metrics(
    State(app): State<App>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let local = peer.is_some_and(|axum::Extension(ConnectInfo(peer))| peer.ip().is_loopback())
        && is_own_name(&headers)
        && !PASSED_ON.iter().any(|name| headers.contains_key(*name));
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = app
        .config
        .metrics_token
        .as_ref()
        .map(ExposeSecret::expose_secret);
    let opened = given
        .zip(token)
        .is_some_and(|(given, token)| same(given, token));
    if !local && !opened {
        return Err(Failure::of_status(StatusCode::NOT_FOUND));
    }
    let (waiting, dead) = crate::jobs::backlog(&app).await?;
    // First of all somebody must listen: a gauge that is set before is set for nobody.
    let recorder = recorder();
    metrics::gauge!("zoco_jobs_waiting").set(waiting as f64);
    metrics::gauge!("zoco_jobs_dead").set(dead as f64);
    let text = recorder.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

//! Style sheets, scripts and pictures of the pages, inside the binary.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::failure::Failure;

/// Everything under `static/`.
#[derive(RustEmbed)]
#[folder = "static/"]
pub struct Assets;

static VERSIONS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let version =
        |name: &str| Assets::get(name).map(|file| hex::encode(&file.metadata.sha256_hash()[..6]));
    Assets::iter()
        .filter_map(|name| version(&name).map(|version| (name.to_string(), version)))
        .collect()
});

/// The URL of a file of `static/`. It changes with the contents, so browsers may keep it for
/// ever.
pub fn url(name: &str) -> String {
    match VERSIONS.get(name) {
        Some(version) => format!("/static/{name}?v={version}"),
        None => format!("/static/{name}"),
    }
}

/// Serves a file of `static/`.
pub async fn serve(Path(name): Path<String>) -> Result<Response, Failure> {
    let file = Assets::get(&name).ok_or_else(|| Failure::of_status(StatusCode::NOT_FOUND))?;
    let content_type = HeaderValue::from_str(file.metadata.mimetype())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    Ok((headers, file.data.into_owned()).into_response())
}

//! The OpenAPI document, and the pages that show it, from files inside the binary.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use super::failure::Failure;
use crate::app::App;

/// Where the document is.
const DOCUMENT: &str = "/api/openapi.json";
/// Where a browser sees it. The files name each other relative to this.
const PAGE: &str = "/api/docs/index.html";

/// The routes; `document` is made once, as JSON.
pub fn routes(document: &'static LazyLock<String>) -> Router<App> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    Router::new()
        .route(
            DOCUMENT,
            get(move || async move { (json, document.as_str()) }),
        )
        .route("/api/docs", get(|| async { Redirect::to(PAGE) }))
        .route("/api/docs/{*file}", get(file))
}

async fn file(Path(name): Path<String>) -> Result<Response, Failure> {
    let config = Arc::new(Config::from(DOCUMENT));
    let file = utoipa_swagger_ui::serve(&name, config)
        .map_err(|error| crate::error::Error::Internal(anyhow::anyhow!("{error}")))?
        .ok_or_else(|| Failure::of_status(StatusCode::NOT_FOUND))?;
    let content_type = [(header::CONTENT_TYPE, file.content_type)];
    let mut response = (content_type, file.bytes.into_owned()).into_response();
    if file.gzpipped {
        let gzip = HeaderValue::from_static("gzip");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(response)
}

//! Large files: they come in as a form, and go out, piece by piece.

use std::future::Future;
use std::pin::Pin;

use axum::body::{Body, Bytes};
use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;

use super::failure::Failure;
use crate::error::{Error, Result};

/// What takes a piece of a file in.
pub type Take<'t> = Pin<Box<dyn Future<Output = Result<()>> + Send + 't>>;

/// Hands the pieces of the form's file called `field` on, one by one, so that its size does not
/// matter. Gives what the file is called; none when no file was chosen. Errors: what `take` says,
/// a form that breaks off or is too large.
pub async fn receive<T>(
    mut form: Multipart,
    field: &str,
    target: &mut T,
    take: impl for<'t> Fn(&'t mut T, Bytes) -> Take<'t>,
) -> std::result::Result<Option<String>, Failure> {
    let broken = |error: MultipartError| Failure::of_status(error.status());
    while let Some(mut part) = form.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name != field {
            let message = "There is no such field.";
            return Err(Error::invalid(&name, "unknown_field", message).into());
        }
        let file = part.file_name().unwrap_or_default().to_owned();
        let mut empty = true;
        while let Some(piece) = part.chunk().await.map_err(broken)? {
            empty &= piece.is_empty();
            take(target, piece).await?;
        }
        if !(empty && file.is_empty()) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// A file to be kept, made of pieces as they come. `name`: letters, digits, hyphens and points. On
/// an error the connection breaks off, so that nobody takes half a file for a whole one.
pub fn download(
    name: &str,
    kind: &'static str,
    pieces: impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static,
) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

//! Large files: they come in as a form, and go out, piece by piece.

use std::future::Future;
use std::pin::Pin;

use axum::body::{Body, Bytes};
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};

use super::failure::Failure;
use crate::error::{Error, Result};

/// What takes a piece of a file in.
pub type Take<'t> = Pin<Box<dyn Future<Output = Result<()>> + Send + 't>>;

/// The most parts of a form with files: a product's pictures, and some fields.
const MAX_PARTS: usize = 64;
/// The longest head of a part, in bytes.
const MAX_PART_HEAD: usize = 4096;
/// The longest field of a form with files that is no file, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// A form with files, part by part. What its sender makes of it is bounded: how many parts, how
/// long their heads, how long a field.
pub struct Parts {
    form: Multipart,
    left: usize,
}

impl Parts {
    /// The parts of a form.
    pub fn new(form: Multipart) -> Self {
        Self {
            form,
            left: MAX_PARTS,
        }
    }

    /// The next one. Errors: a form that breaks off or is too large, a part that is one too many
    /// or has too long a head.
    pub async fn next(&mut self) -> std::result::Result<Option<Field<'_>>, Failure> {
        let Some(part) = self.form.next_field().await.map_err(broken)? else {
            return Ok(None);
        };
        let heads = part.headers().iter();
        let head: usize = heads
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        let Some(left) = self.left.checked_sub(1).filter(|_| head <= MAX_PART_HEAD) else {
            let detail = "This form has too many parts, or too long a head on one of them.";
            return Err(Failure::new(StatusCode::BAD_REQUEST, "bad_form", detail));
        };
        self.left = left;
        Ok(Some(part))
    }
}

/// A part that is a file, of at most so many bytes. Errors: 413.
pub async fn bytes(mut part: Field<'_>, most: usize) -> std::result::Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        if bytes.len() + piece.len() > most {
            return Err(Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// A part that is a text. Errors: 413; 400 for what is no UTF-8.
pub async fn text(part: Field<'_>) -> std::result::Result<String, Failure> {
    let bytes = bytes(part, MAX_TEXT).await?;
    String::from_utf8(bytes).map_err(|_| Failure::of_status(StatusCode::BAD_REQUEST))
}

fn broken(error: MultipartError) -> Failure {
    Failure::of_status(error.status())
}

/// Hands the pieces of the form's file called `field` on, one by one, so that its size does not
/// matter. Gives what the file is called; none when no file was chosen. Errors: what `take` says,
/// a form that breaks off or is too large.
pub async fn receive<T>(
    form: Multipart,
    field: &str,
    target: &mut T,
    take: impl for<'t> Fn(&'t mut T, Bytes) -> Take<'t>,
) -> std::result::Result<Option<String>, Failure> {
    let mut parts = Parts::new(form);
    while let Some(mut part) = parts.next().await? {
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
    // Who compresses asks once more after the end.
    (headers, Body::from_stream(pieces.fuse())).into_response()
}

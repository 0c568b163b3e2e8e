//! Forms of pages.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// A posted form, without the NUL characters that no text of the shop has; repeated names become lists. Fields are texts, so that what was typed can be
/// shown again: a form's struct holds `String`s and is read by the service.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(whole, state)
            .await
            .map_err(|rejection| Failure::of_status(rejection.status()))?;
        if bytes.contains(&0) || bytes.windows(3).any(|code| code == b"%00") {
            let detail = "A form cannot hold the NUL character.";
            return Err(Failure::new(StatusCode::BAD_REQUEST, "bad_request", detail));
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        match axum_extra::extract::Form::<T>::from_request(request, state).await {
            Ok(axum_extra::extract::Form(form)) => Ok(Self(form)),
            Err(rejection) => {
                let status = rejection.status();
                let status = if status == StatusCode::UNPROCESSABLE_ENTITY {
                    StatusCode::BAD_REQUEST
                } else {
                    status
                };
                Err(Failure::of_status(status))
            }
        }
    }
}

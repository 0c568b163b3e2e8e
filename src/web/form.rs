//! Forms of pages.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use crate::types::{TextEnum, country};

/// What is typed into a field, without blanks around it; none for nothing.
pub fn filled(typed: &str) -> Option<String> {
    Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty())
}

/// A number as typed; none for nothing. What is no number becomes -1, which services refuse with a
/// message at that field.
pub fn number(typed: &str) -> Option<i64> {
    filled(typed).map(|typed| typed.parse().unwrap_or(-1))
}

/// The version that a form was drawn from. Never none: who changes must have seen something; what
/// is no number is a version that nothing has.
pub fn version(typed: &str) -> Option<i64> {
    Some(typed.parse().unwrap_or(-1))
}

/// The choices of a select: no matter which, where that is one, then each word of the enum.
pub fn choices<T: TextEnum>(any: Option<&str>) -> Vec<(String, String)> {
    let any = any.map(|any| (String::new(), any.to_owned()));
    let each = T::ALL
        .iter()
        .map(|value| (value.as_str().to_owned(), value.label()));
    any.into_iter().chain(each).collect()
}

/// The choices of a select of countries: none of them, then each by its code.
pub fn countries(none: &str) -> Vec<(String, String)> {
    let none = (String::new(), none.to_owned());
    let each = |(code, name): &(&str, String)| ((*code).to_owned(), name.clone());
    let all = country::countries().iter().map(each);
    std::iter::once(none).chain(all).collect()
}

/// A posted form, without the NUL characters that no text of the shop has; repeated names become
/// lists. Fields are texts, so that what was typed can be shown again: a form's struct holds
/// `String`s and is read by the service.
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

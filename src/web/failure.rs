//! What went wrong with a request. A handler returns it; the layers of the pages and of the API
//! each draw it in one place, as an error page or as problem+json.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::limits;
use crate::error::{Error, FieldErrors};

/// A request that failed. Boxed, because every handler's result has room for one.
#[derive(Clone, Debug)]
pub struct Failure(Box<Details>);

/// What is known of a [`Failure`].
#[derive(Clone, Debug)]
pub struct Details {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable code: `not_found`, `out_of_stock`.
    pub code: &'static str,
    /// For people; says nothing of the inside.
    pub detail: String,
    /// Messages by field, for 422.
    pub fields: FieldErrors,
    /// What a program needs to go on, or null.
    pub data: serde_json::Value,
    /// Seconds, for 429 and 503.
    pub retry_after: Option<u64>,
    /// How many there may be, for 429.
    pub limit: Option<u64>,
    /// What really happened, for the log only.
    pub cause: Option<Arc<Error>>,
}

impl Deref for Failure {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl Failure {
    /// A failure that no service knows of: a body of the wrong type, a bad query.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            status,
            code,
            detail: detail.into(),
            fields: FieldErrors::default(),
            data: serde_json::Value::Null,
            retry_after: None,
            limit: None,
            cause: None,
        }))
    }

    /// The failure of an input whose fields are wrong.
    pub fn of_fields(fields: FieldErrors) -> Self {
        let mut failure = Self::of_status(StatusCode::UNPROCESSABLE_ENTITY);
        failure.fields = fields;
        failure
    }

    /// The same failure, worth another try in so many seconds.
    fn retry_in(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// 429: there may be `limit` of these, and there are more; the next can succeed in `seconds`.
    pub fn of_too_many(limit: u64, seconds: u64) -> Self {
        let mut failure = Self::of_status(StatusCode::TOO_MANY_REQUESTS).retry_in(seconds);
        failure.limit = Some(limit);
        failure
    }

    /// Writes what programs need to know into the headers of an answer.
    pub fn tell(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // Half a request may still be on its way.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some((limit, seconds)) = self.limit.zip(self.retry_after) {
            headers.insert(limits::LIMIT, HeaderValue::from(limit));
            headers.insert(limits::REMAINING, HeaderValue::from(0));
            headers.insert(limits::RESET, HeaderValue::from(seconds));
        }
    }

    /// The failure that a bare status stands for, such as a route that does not exist.
    pub fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => ("bad_request", "This request cannot be understood."),
            StatusCode::UNAUTHORIZED => ("unauthenticated", "Sign in first."),
            StatusCode::FORBIDDEN => ("forbidden", "You may not do this."),
            StatusCode::NOT_FOUND => ("not_found", "There is nothing here."),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "This address does not take that method.",
            ),
            StatusCode::REQUEST_TIMEOUT => ("timeout", "This took too long."),
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "This is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported_media_type",
                "This content type is not taken here.",
            ),
            StatusCode::UNPROCESSABLE_ENTITY => ("invalid", "Something in it is not valid."),
            StatusCode::TOO_MANY_REQUESTS => {
                ("too_many_requests", "That was too often. Wait a little.")
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                ("unavailable", "The shop is busy. Please try again.")
            }
            status if status.is_server_error() => ("internal", "Something went wrong on our side."),
            _ => ("error", "This did not work."),
        };
        Self::new(status, code, detail)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::of_status(StatusCode::NOT_FOUND),
            Error::Unauthenticated => Self::of_status(StatusCode::UNAUTHORIZED),
            Error::Forbidden => Self::of_status(StatusCode::FORBIDDEN),
            Error::Invalid(fields) => Self::of_fields(fields),
            Error::Conflict { code, detail, data } => {
                let mut failure = Self::new(StatusCode::CONFLICT, code, detail);
                failure.data = data;
                failure
            }
            Error::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "Somebody else changed this meanwhile.",
            ),
            Error::TooMany { limit, retry_after } => Self::of_too_many(limit, retry_after),
            Error::Unavailable => Self::of_status(StatusCode::SERVICE_UNAVAILABLE).retry_in(1),
            Error::Internal(_) => {
                let mut failure = Self::of_status(StatusCode::INTERNAL_SERVER_ERROR);
                failure.cause = Some(Arc::new(error));
                failure
            }
        }
    }
}

/// An empty answer that carries the failure to the layer that draws it.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        self.tell(response.headers_mut());
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

//! JSON in and out: bodies, queries, lists, money, versions.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::failure::Failure;
use super::strict::Strict;
use crate::error::FieldErrors;
use crate::types::{Currency, Money, Page, PageRequest};

/// A JSON body. In: 415 for another content type, 400 for what is no JSON, 422 with the field
/// for what has the wrong shape, unknown fields and arrays for objects included, and for a NUL
/// character in a text. Out: as it is.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| too_large(&rejection))?;
        parse(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(content_type)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn too_large(rejection: &BytesRejection) -> Failure {
    Failure::of_status(rejection.status())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| {
        let path = dotted(&error.path().to_string());
        let inner = error.into_inner();
        if inner.is_data() {
            let mut fields = FieldErrors::default();
            let (field, code, message) = explain(&path, &inner.to_string());
            fields.add(&field, code, message);
            Failure::of_fields(fields)
        } else {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "bad_json",
                format!("This is not JSON: {inner}."),
            )
        }
    })?;
    deserializer.end().map_err(|error| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "bad_json",
            format!("This is not JSON: {error}."),
        )
    })?;
    if has_nul(bytes) {
        let mut fields = FieldErrors::default();
        let message = "A text cannot hold the NUL character.";
        fields.add("", "nul", message);
        return Err(Failure::of_fields(fields));
    }
    Ok(parsed)
}

/// Whether a text of a JSON document has a NUL, which stands there as `\u0000`.
fn has_nul(json: &[u8]) -> bool {
    let mut rest = json;
    // Each backslash belongs together with what follows it: `\\u0000` has none.
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        rest = &rest[at + 1..];
        if rest.starts_with(b"u0000") {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// A path as fields are named everywhere: `variants.3.price`, not `variants[3].price`.
fn dotted(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

/// Field, code and message of a shape that does not fit.
fn explain(path: &str, error: &str) -> (String, &'static str, String) {
    let message = error.split(" at line ").next().unwrap_or(error);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let name = rest.split('`').next().unwrap_or_default();
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let field = if parent.is_empty() {
            name.to_owned()
        } else {
            format!("{parent}.{name}")
        };
        return (field, "unknown_field", "There is no such field.".to_owned());
    }
    let field = if path == "." {
        String::new()
    } else {
        path.to_owned()
    };
    if message.starts_with("missing field `") {
        let name = message.split('`').nth(1).unwrap_or_default();
        let parent = if field.is_empty() { field } else { field + "." };
        return (
            format!("{parent}{name}"),
            "required",
            "This is required.".to_owned(),
        );
    }
    // Names of Rust types say nothing to a client.
    let wanted = message.split_once(", expected ").map_or("", |(_, wanted)| {
        if wanted.starts_with("struct ") {
            "an object"
        } else if wanted.contains("enum ") {
            ""
        } else {
            wanted
        }
    });
    let message = match wanted {
        "" => "This has the wrong type.".to_owned(),
        wanted => format!("This has the wrong type; expected {wanted}."),
    };
    (field, "wrong_type", message)
}

/// The query of a list; unknown names are refused with 400, so that a typo never returns
/// everything. `T` must `deny_unknown_fields`; repeated names become lists.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let axum_extra::extract::Query(query) =
            axum_extra::extract::Query::<T>::from_request_parts(parts, state)
                .await
                .map_err(|rejection| {
                    Failure::new(StatusCode::BAD_REQUEST, "bad_query", rejection.body_text())
                })?;
        Ok(Self(query))
    }
}

/// Reads an optional query value; 400 with its name when it cannot be read.
pub fn query_value<T: std::str::FromStr>(
    name: &str,
    value: Option<&str>,
) -> Result<Option<T>, Failure> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "bad_query",
            format!("{name}: this value cannot be read."),
        )
    })
}

/// An amount in a query, in the shop's currency. Errors: 400.
pub fn query_money(name: &str, text: &str, currency: Currency) -> Result<Option<Money>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = Money::parse(text, currency);
    read.map(Some).map_err(|error| {
        let detail = format!("{name}: {error}");
        Failure::new(StatusCode::BAD_REQUEST, "bad_query", detail)
    })
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    /// What stands on this page.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: i64,
    /// The address of the next page, or null.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// The list of a page; `uri` is the address it was asked at.
    pub fn new<U>(page: Page<U>, uri: &axum::http::Uri, present: impl FnMut(U) -> T) -> Self {
        let next = page.next().map(|next| {
            let others = uri.query().unwrap_or_default().split('&');
            let others = others.filter(|pair| !pair.is_empty() && !pair.starts_with("page="));
            let mut pairs: Vec<String> = others.map(str::to_owned).collect();
            pairs.push(format!("page={next}"));
            format!("{}?{}", uri.path(), pairs.join("&"))
        });
        Self {
            total: page.total,
            items: page.items.into_iter().map(present).collect(),
            next,
        }
    }
}

/// Which page of a list, for routes whose query has nothing else.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 1.
    pub page: String,
    /// 1 to 100; left out: 24.
    pub per_page: String,
}

impl PageQuery {
    /// Errors: 400 for what is no number or out of bounds.
    pub fn read(&self) -> Result<PageRequest, Failure> {
        page_request(Some(&self.page), Some(&self.per_page))
    }
}

/// Reads `page` and `per_page`: 400 for what is no number or out of bounds.
pub fn page_request(page: Option<&str>, per_page: Option<&str>) -> Result<PageRequest, Failure> {
    let page = query_value::<u32>("page", page)?.unwrap_or(1);
    let per_page =
        query_value::<u32>("per_page", per_page)?.unwrap_or(PageRequest::DEFAULT_PER_PAGE);
    if page == 0 || per_page == 0 || per_page > PageRequest::MAX_PER_PAGE {
        return Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "bad_query",
            format!(
                "page starts at 1; per_page is 1 to {}.",
                PageRequest::MAX_PER_PAGE
            ),
        ));
    }
    Ok(PageRequest::new(page, per_page))
}

/// Money as the API writes it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MoneyJson {
    /// `19.99`
    #[schema(example = "19.99")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: String,
}

impl From<Money> for MoneyJson {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount(),
            currency: money.currency().code().to_owned(),
        }
    }
}

/// A failure as RFC 9457 writes it; for the OpenAPI document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`, or a name of the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable code: `out_of_stock`.
    pub code: String,
    /// What happened, for people.
    pub detail: String,
    /// Messages by field, on 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// What a program needs to go on, such as the new quote.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// Names the request in the shop's log.
    pub request_id: String,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// Its name; empty for the input as a whole.
    pub field: String,
    /// A stable code.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Problem {
    /// The problem of a failure.
    pub fn new(failure: &Failure, request_id: &str) -> Self {
        let errors = failure.fields.iter().map(|(field, error)| ProblemField {
            field: field.to_owned(),
            code: error.code.to_owned(),
            message: error.message.clone(),
        });
        Self {
            kind: "about:blank".to_owned(),
            title: failure
                .status
                .canonical_reason()
                .unwrap_or("Error")
                .to_owned(),
            status: failure.status.as_u16(),
            code: failure.code.to_owned(),
            detail: failure.detail.clone(),
            errors: errors.collect(),
            data: failure.data.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

/// A single resource with its `ETag`.
pub struct Versioned<T>(pub T, pub i64);

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        if let Ok(etag) = HeaderValue::from_str(&etag(self.1)) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// The `ETag` of a version.
pub fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// `If-Match`: the version that the client last saw; none without the header or for `*`.
pub struct IfMatch(pub Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        // A tag that is none of ours matches no version.
        let version = text
            .strip_prefix("\"v")
            .and_then(|rest| rest.strip_suffix('"'));
        Ok(Self(Some(
            version.and_then(|digits| digits.parse().ok()).unwrap_or(-1),
        )))
    }
}

/// 201 with the new thing and where it is.
pub fn created<T: Serialize>(location: &str, body: T) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::has_nul;

    #[test]
    fn a_nul_is_found_in_any_text() {
        for text in [
            r#""\u0000""#,
            r#"{"a\u0000": 1}"#,
            r#"["\\\u0000"]"#,
            r#""\u0001\u0000""#,
        ] {
            assert!(has_nul(text.as_bytes()), "{text}");
        }
        for text in [
            r#""\\u0000""#,
            r#""u0000""#,
            r#""\u00000""#,
            r#""\u0001""#,
            "\\",
            "",
        ] {
            let expected = text.contains("00000");
            assert_eq!(has_nul(text.as_bytes()), expected, "{text}");
        }
    }
}

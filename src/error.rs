//! What a service can answer instead of a result.

use std::collections::BTreeMap;

use crate::db::DbError;

/// What services return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a service did not do what it was asked. Pages and API turn it into an answer in one
/// place each.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the asker may not know that there is.
    #[error("not found")]
    NotFound,
    /// The asker must sign in first.
    #[error("sign in first")]
    Unauthenticated,
    /// The asker is known and may not do this.
    #[error("not allowed")]
    Forbidden,
    /// The input breaks a rule; messages by field.
    #[error("the input is not valid")]
    Invalid(FieldErrors),
    /// The input is fine, but the state of the shop stands against it.
    #[error("{code}: {detail}")]
    Conflict {
        /// A stable code, such as `out_of_stock`.
        code: &'static str,
        /// For people: what stands against it.
        detail: String,
        /// For programs: what is needed to go on, such as the new quote. An object or null.
        data: serde_json::Value,
    },
    /// The copy that the asker changed is no longer the newest (`If-Match`).
    #[error("somebody else changed this meanwhile")]
    Stale,
    /// Too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// How many there may be.
        limit: u64,
        /// Seconds until the next attempt can succeed.
        retry_after: u64,
    },
    /// The shop cannot answer now; trying again may help.
    #[error("not available now")]
    Unavailable,
    /// A fault of ours.
    #[error("internal error: {0:#}")]
    Internal(anyhow::Error),
}

impl Error {
    /// A conflict without data.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
            data: serde_json::Value::Null,
        }
    }

    /// One message at one field.
    pub fn invalid(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        let mut errors = FieldErrors::default();
        errors.add(field, code, message);
        Self::Invalid(errors)
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        if error.is_busy() {
            tracing::warn!(%error, "the database is not available");
            Self::Unavailable
        } else {
            Self::Internal(error.into())
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// A stable code, such as `required`.
    pub code: &'static str,
    /// What to tell the person who typed it.
    pub message: String,
}

/// Messages by field name; the names are those of the form and the API. The empty name stands
/// for the input as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<String, Vec<FieldError>>);

impl FieldErrors {
    /// Adds a message.
    pub fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.0
            .entry(field.to_owned())
            .or_default()
            .push(FieldError { code, message });
    }

    /// Keeps the value of `result`, or adds its error at `field` and gives `None`.
    pub fn keep<T, E: ToString>(
        &mut self,
        field: &str,
        code: &'static str,
        result: std::result::Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.add(field, code, error.to_string()))
            .ok()
    }

    /// The first message at a field, or an empty text.
    pub fn of(&self, field: &str) -> &str {
        self.0
            .get(field)
            .and_then(|errors| errors.first())
            .map_or("", |error| &error.message)
    }

    /// Adds the messages of others.
    pub fn merge(&mut self, others: Self) {
        for (field, found) in others.0 {
            self.0.entry(field).or_default().extend(found);
        }
    }

    /// The same messages, at fields below `prefix`: `city` becomes `address.city`.
    pub fn below(self, prefix: &str) -> Self {
        let fields = self.0.into_iter();
        Self(
            fields
                .map(|(field, errors)| (format!("{prefix}.{field}"), errors))
                .collect(),
        )
    }

    /// Whether there is no message at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All messages with their fields, in the order of the fields' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FieldError)> {
        self.0
            .iter()
            .flat_map(|(field, errors)| errors.iter().map(move |error| (field.as_str(), error)))
    }

    /// `Ok` when there is no message, else `Error::Invalid`.
    pub fn into_result(self) -> Result<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self))
        }
    }

    /// The messages that `validator` found; code and text come from the attributes on the input.
    pub fn from_validator(errors: &validator::ValidationErrors) -> Self {
        let mut found = Self::default();
        found.collect("", errors);
        found
    }

    fn collect(&mut self, prefix: &str, errors: &validator::ValidationErrors) {
        use validator::ValidationErrorsKind::{Field, List, Struct};
        for (name, kind) in errors.errors() {
            let path = if prefix.is_empty() {
                name.to_string()
            } else {
                format!("{prefix}.{name}")
            };
            match kind {
                Field(errors) => {
                    for error in errors {
                        let message = error.message.as_deref().unwrap_or("This is not valid.");
                        self.add(&path, stable_code(&error.code), message);
                    }
                }
                Struct(errors) => self.collect(&path, errors),
                List(items) => {
                    for (index, errors) in items {
                        self.collect(&format!("{path}.{index}"), errors);
                    }
                }
            }
        }
    }
}

/// `validator`'s codes, as ours.
fn stable_code(code: &str) -> &'static str {
    match code {
        "length" => "length",
        "range" => "range",
        "email" => "email",
        "required" => "required",
        _ => "invalid",
    }
}

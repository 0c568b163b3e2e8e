//! What can go wrong in a database, and how a broken unique rule becomes a field's message.

/// A failed database call.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DbError(#[from] sqlx::Error);

impl DbError {
    /// Whether a unique rule was broken.
    pub fn is_unique(&self) -> bool {
        self.database()
            .is_some_and(|error| error.is_unique_violation())
    }

    /// Whether a row that is referred to is missing, or a row still referred to was to go.
    pub fn is_foreign_key(&self) -> bool {
        self.database()
            .is_some_and(|error| error.is_foreign_key_violation())
    }

    /// Whether the database could not be reached, or had no connection free in time: the caller
    /// may try again.
    pub fn is_busy(&self) -> bool {
        let unreachable = matches!(
            self.0,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)
        );
        unreachable
            || self.database().is_some_and(|error| {
                // SQLITE_BUSY; PostgreSQL's deadlock, serialization failure, too many
                // connections, and being shut down.
                matches!(
                    error.code().as_deref(),
                    Some("5" | "517" | "40P01" | "40001" | "53300" | "57P01")
                )
            })
    }

    fn database(&self) -> Option<&dyn sqlx::error::DatabaseError> {
        self.0.as_database_error()
    }
}

impl From<sqlx::migrate::MigrateError> for DbError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self(sqlx::Error::from(error))
    }
}

/// Turns a broken unique rule into what `otherwise` says, such as a field error; other errors
/// stay what they are. SQLite does not name the rule, so the caller knows which one it can be.
pub fn on_unique<T>(
    result: super::Result<T>,
    otherwise: impl FnOnce() -> crate::error::Error,
) -> crate::error::Result<T> {
    result.map_err(|error| {
        if error.is_unique() {
            otherwise()
        } else {
            error.into()
        }
    })
}

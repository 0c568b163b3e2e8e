//! The only place that knows which database it is: SQLite or PostgreSQL, by the URL.
//!
//! Stores write each SQL text once, with `$1` placeholders, and run it through the macros of
//! [`query`]. Reads take `&mut Conn`, writes `&mut Tx`; a `Tx` can be read from, too.

pub mod copy;
pub mod error;
mod migrate;
pub mod query;
pub mod settings;
mod values;

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

pub use error::DbError;
pub(crate) use query::macros::{execute, fetch_all, fetch_one, fetch_optional};
pub use query::{Query, count_statements};
pub use sqlx::FromRow;
pub use values::Value;

/// What a database call gives.
pub type Result<T> = std::result::Result<T, DbError>;

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Db(Pools);

#[derive(Clone, Debug)]
enum Pools {
    /// One connection that writes, several that only read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A connection to read from.
pub struct Conn(Inner);

enum Inner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    SqliteTx(Transaction<'static, Sqlite>),
    PostgresTx(Transaction<'static, Postgres>),
}

/// A transaction. Dropped without [`Tx::commit`], it is rolled back.
pub struct Tx(Conn);

/// A borrowed connection of one kind or the other; what [`query`] matches on.
enum Handle<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Conn {
    fn handle(&mut self) -> Handle<'_> {
        match &mut self.0 {
            Inner::Sqlite(conn) => Handle::Sqlite(conn),
            Inner::SqliteTx(tx) => Handle::Sqlite(tx),
            Inner::Postgres(conn) => Handle::Postgres(conn),
            Inner::PostgresTx(tx) => Handle::Postgres(tx),
        }
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl Tx {
    /// Makes everything that was written in it last.
    pub async fn commit(self) -> Result<()> {
        match self.0.0 {
            Inner::SqliteTx(tx) => Ok(tx.commit().await?),
            Inner::PostgresTx(tx) => Ok(tx.commit().await?),
            Inner::Sqlite(_) | Inner::Postgres(_) => unreachable!("a Tx is made by begin() only"),
        }
    }
}

impl Db {
    /// Opens `sqlite:PATH` (made when missing, its folder too) or `postgres://…`, without
    /// migrating. `max_connections` bounds the PostgreSQL pool and the SQLite readers.
    pub async fn open(url: &str, max_connections: u32) -> Result<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)?;
            let pool = PgPoolOptions::new()
                .max_connections(max_connections)
                .acquire_timeout(Duration::from_secs(15))
                .connect_with(options)
                .await?;
            return Ok(Self(Pools::Postgres(pool)));
        }
        let options = SqliteConnectOptions::from_str(url)?;
        if let Some(folder) = options.get_filename().parent()
            && folder != Path::new("")
        {
            std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
        }
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(15))
            .pragma("cache_size", "-16000")
            .optimize_on_close(true, None);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone().create_if_missing(true))
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(15))
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        Ok(Self(Pools::Sqlite { writer, readers }))
    }

    /// A connection to read from.
    pub async fn conn(&self) -> Result<Conn> {
        Ok(Conn(match &self.0 {
            Pools::Sqlite { readers, .. } => Inner::Sqlite(readers.acquire().await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.acquire().await?),
        }))
    }

    /// Begins a transaction that writes: on SQLite the only one at that time.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx(Conn(match &self.0 {
            Pools::Sqlite { writer, .. } => {
                Inner::SqliteTx(writer.begin_with("begin immediate").await?)
            }
            Pools::Postgres(pool) => Inner::PostgresTx(pool.begin().await?),
        })))
    }

    /// `sqlite` or `postgres`, for people to read; no code may decide by it.
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres(_) => "postgres",
        }
    }

    /// Closes all connections, so that a SQLite file can be copied or removed.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

//! One SQL text for both databases.
//!
//! ```ignore
//! let user = fetch_optional!(conn, UserRow, "select id, name from users where id = $1", id)?;
//! execute!(tx, { sqlite: "…", postgres: "…" }, id)?;
//! let rows: Vec<UserRow> = Query::new("select … where true").push(" and id > ").bind(5).fetch_all(conn).await?;
//! ```

use std::cell::Cell;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, FromRow, PgConnection, SqliteConnection};

use super::{Conn, Handle, Result, Value};

/// A row that both databases can give.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// A SQL text: the same for both, or one for each where they really differ.
#[derive(Clone, Debug)]
pub struct Sql {
    sqlite: String,
    postgres: Option<String>,
}

impl Sql {
    /// One text for both.
    pub fn same(text: &'static str) -> Self {
        Self {
            sqlite: text.to_owned(),
            postgres: None,
        }
    }

    /// A real difference.
    pub fn fork(sqlite: &'static str, postgres: &'static str) -> Self {
        Self {
            sqlite: sqlite.to_owned(),
            postgres: Some(postgres.to_owned()),
        }
    }

    fn postgres(self) -> String {
        self.postgres.unwrap_or(self.sqlite)
    }
}

tokio::task_local! {
    static STATEMENTS: Cell<u64>;
}

/// Runs `work` and tells how many statements it sent. For tests that look for N+1.
pub async fn count_statements<T>(work: impl Future<Output = T>) -> (T, u64) {
    STATEMENTS
        .scope(Cell::new(0), async {
            let result = work.await;
            (result, STATEMENTS.with(Cell::get))
        })
        .await
}

fn count() {
    let _ = STATEMENTS.try_with(|count| count.set(count.get() + 1));
}

fn sqlite_arguments(values: Vec<Value>) -> Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        arguments.add(value).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: Vec<Value>) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        arguments.add(value).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

async fn execute_sqlite(
    conn: &mut SqliteConnection,
    sql: String,
    values: Vec<Value>,
) -> Result<u64> {
    let arguments = sqlite_arguments(values)?;
    let done = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

async fn execute_postgres(conn: &mut PgConnection, sql: String, values: Vec<Value>) -> Result<u64> {
    let arguments = postgres_arguments(values)?;
    let done = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Runs a statement; gives the number of rows it touched. Use [`execute!`](crate::db::execute).
pub async fn execute(conn: &mut Conn, sql: Sql, values: Vec<Value>) -> Result<u64> {
    count();
    match conn.handle() {
        Handle::Sqlite(conn) => execute_sqlite(conn, sql.sqlite, values).await,
        Handle::Postgres(conn) => execute_postgres(conn, sql.postgres(), values).await,
    }
}

/// All rows of a query. Use [`fetch_all!`](crate::db::fetch_all).
pub async fn fetch_all<T: Row>(conn: &mut Conn, sql: Sql, values: Vec<Value>) -> Result<Vec<T>> {
    count();
    Ok(match conn.handle() {
        Handle::Sqlite(conn) => {
            let arguments = sqlite_arguments(values)?;
            sqlx::query_as_with(AssertSqlSafe(sql.sqlite), arguments)
                .fetch_all(conn)
                .await?
        }
        Handle::Postgres(conn) => {
            let arguments = postgres_arguments(values)?;
            sqlx::query_as_with(AssertSqlSafe(sql.postgres()), arguments)
                .fetch_all(conn)
                .await?
        }
    })
}

/// The first row of a query, if there is one. Use [`fetch_optional!`](crate::db::fetch_optional).
pub async fn fetch_optional<T: Row>(
    conn: &mut Conn,
    sql: Sql,
    values: Vec<Value>,
) -> Result<Option<T>> {
    Ok(fetch_all(conn, sql, values).await?.into_iter().next())
}

/// The only row of a query; an error when there is none. Use [`fetch_one!`](crate::db::fetch_one).
pub async fn fetch_one<T: Row>(conn: &mut Conn, sql: Sql, values: Vec<Value>) -> Result<T> {
    match fetch_optional(conn, sql, values).await? {
        Some(row) => Ok(row),
        None => Err(sqlx::Error::RowNotFound.into()),
    }
}

/// A query put together at run time. Only literals become SQL; everything else is bound.
#[derive(Clone, Debug)]
pub struct Query {
    sqlite: String,
    postgres: String,
    values: Vec<Value>,
    locks: bool,
}

impl Query {
    /// Begins with a literal.
    pub fn new(sql: &'static str) -> Self {
        Self {
            sqlite: sql.to_owned(),
            postgres: sql.to_owned(),
            values: Vec::new(),
            locks: false,
        }
    }

    /// Locks the rows that it reads until the transaction ends, in their order: on SQLite whoever
    /// writes is alone anyway.
    pub fn lock(&mut self) -> &mut Self {
        self.locks = true;
        self
    }

    /// Adds a literal.
    pub fn push(&mut self, sql: &'static str) -> &mut Self {
        self.push_fork(sql, sql)
    }

    /// Adds a real difference.
    pub fn push_fork(&mut self, sqlite: &'static str, postgres: &'static str) -> &mut Self {
        self.sqlite.push_str(sqlite);
        self.postgres.push_str(postgres);
        self
    }

    /// Adds a placeholder with its value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let placeholder = format!("${}", self.values.len());
        self.sqlite.push_str(&placeholder);
        self.postgres.push_str(&placeholder);
        self
    }

    /// Adds `($1, $2, …)`; for an empty list `(null)`, which nothing is in.
    pub fn bind_list(&mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> &mut Self {
        self.push("(");
        let before = self.values.len();
        for value in values {
            if self.values.len() > before {
                self.push(", ");
            }
            self.bind(value);
        }
        if self.values.len() == before {
            self.push("null");
        }
        self.push(")")
    }

    /// All rows.
    pub async fn fetch_all<T: Row>(&self, conn: &mut Conn) -> Result<Vec<T>> {
        fetch_all(conn, self.sql(), self.values.clone()).await
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Row>(&self, conn: &mut Conn) -> Result<Option<T>> {
        fetch_optional(conn, self.sql(), self.values.clone()).await
    }

    /// The only row.
    pub async fn fetch_one<T: Row>(&self, conn: &mut Conn) -> Result<T> {
        fetch_one(conn, self.sql(), self.values.clone()).await
    }

    /// Runs it; gives the number of rows it touched.
    pub async fn execute(&self, conn: &mut Conn) -> Result<u64> {
        execute(conn, self.sql(), self.values.clone()).await
    }

    fn sql(&self) -> Sql {
        Sql {
            sqlite: self.sqlite.clone(),
            postgres: Some(if self.locks {
                format!("{} for update", self.postgres)
            } else {
                self.postgres.clone()
            }),
        }
    }
}

/// The macros, in a module of their own because functions have the same names.
pub(crate) mod macros {
    /// A SQL text, or `{ sqlite: "…", postgres: "…" }`.
    macro_rules! sql {
        ({ sqlite: $sqlite:literal, postgres: $postgres:literal $(,)? }) => {
            $crate::db::query::Sql::fork($sqlite, $postgres)
        };
        ($text:literal) => {
            $crate::db::query::Sql::same($text)
        };
    }

    /// Runs a statement in a transaction: `execute!(tx, "…", a, b)?` gives the rows touched.
    macro_rules! execute {
        ($conn:expr, $sql:tt $(, $value:expr)* $(,)?) => {
            $crate::db::query::execute($conn, $crate::db::query::macros::sql!($sql), vec![$($crate::db::Value::from($value)),*]).await
        };
    }

    /// All rows: `fetch_all!(conn, UserRow, "…", a)?`. For one column: `(i64,)`.
    macro_rules! fetch_all {
        ($conn:expr, $row:ty, $sql:tt $(, $value:expr)* $(,)?) => {
            $crate::db::query::fetch_all::<$row>($conn, $crate::db::query::macros::sql!($sql), vec![$($crate::db::Value::from($value)),*]).await
        };
    }

    /// The first row or none.
    macro_rules! fetch_optional {
        ($conn:expr, $row:ty, $sql:tt $(, $value:expr)* $(,)?) => {
            $crate::db::query::fetch_optional::<$row>($conn, $crate::db::query::macros::sql!($sql), vec![$($crate::db::Value::from($value)),*]).await
        };
    }

    /// The only row; a missing one is an error.
    macro_rules! fetch_one {
        ($conn:expr, $row:ty, $sql:tt $(, $value:expr)* $(,)?) => {
            $crate::db::query::fetch_one::<$row>($conn, $crate::db::query::macros::sql!($sql), vec![$($crate::db::Value::from($value)),*]).await
        };
    }

    pub(crate) use {execute, fetch_all, fetch_one, fetch_optional, sql};
}

//! Migrations, which travel inside the binary.

use sqlx::migrate::Migrator;

use super::{Db, Pools, Result};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Db {
    /// Brings the schema up to date. Several instances may call it at once.
    pub async fn migrate(&self) -> Result<()> {
        match &self.0 {
            Pools::Sqlite { writer, .. } => SQLITE.run(writer).await?,
            Pools::Postgres(pool) => POSTGRES.run(pool).await?,
        }
        Ok(())
    }
}

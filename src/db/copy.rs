//! A copy of a whole database, to try something out on.

use std::path::Path;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use super::{Db, Pools, Result};

/// Copies the database at `url` and gives the URL of the copy. SQLite: into `folder`, also while
/// the shop is open. PostgreSQL: beside it on the same server, as `name` (letters, digits and
/// underscores); its role must be allowed to make databases, and nobody else may be connected.
pub async fn copy(url: &str, folder: &Path, name: &str) -> Result<String> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        let options = PgConnectOptions::from_str(url)?;
        let source = options.get_database().unwrap_or_default().to_owned();
        let mut server = PgConnection::connect_with(&options.clone().database("postgres")).await?;
        let quoted = source.replace('"', "\"\"");
        let sql = format!("create database \"{name}\" template \"{quoted}\"");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut server).await?;
        server.close().await?;
        return Ok(options.database(name).to_url_lossy().to_string());
    }
    let db = Db::open(url, 1).await?;
    let file = folder.join(format!("{name}.db"));
    if let Pools::Sqlite { writer, .. } = &db.0 {
        sqlx::query("vacuum into $1")
            .bind(file.to_string_lossy().into_owned())
            .execute(writer)
            .await?;
    }
    db.close().await;
    let options = SqliteConnectOptions::new().filename(&file);
    Ok(format!("sqlite:{}", options.get_filename().display()))
}

/// Drops a copy on a PostgreSQL server; the file of a SQLite copy goes with its folder.
pub async fn drop_copy(url: &str) -> Result<()> {
    if !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
        return Ok(());
    }
    let options = PgConnectOptions::from_str(url)?;
    let name = options
        .get_database()
        .unwrap_or_default()
        .replace('"', "\"\"");
    let mut server = PgConnection::connect_with(&options.database("postgres")).await?;
    let sql = format!("drop database if exists \"{name}\" with (force)");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut server).await?;
    Ok(server.close().await?)
}

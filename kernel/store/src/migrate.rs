//! Migrations, with a history for each capability, applied by sqlx when a store is opened.
//! A released migration never changes: its checksum stands in the history.

use std::path::Path;

use sqlx::migrate::{Migrate, Migration as SqlxMigration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Acquire, ConnectOptions as _, Connection as _, SqlSafeStr as _};

use crate::error::StoreError;
use crate::store::Durability;

/// One step of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place in the history: 1, 2, 3, ...
    pub version: i64,
    /// What it does.
    pub description: &'static str,
    /// The text for SQLite, by `include_str!`.
    pub sqlite: &'static str,
    /// The text for PostgreSQL, by `include_str!`: the same tables and columns. Integers are `BIGINT`, texts `TEXT COLLATE
    /// "C"`, which orders them by their bytes as SQLite does.
    pub postgres: &'static str,
}

/// The history of one capability's schema.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The capability, or `engine`.
    pub owner: &'static str,
    /// In order.
    pub steps: &'static [Migration],
}

/// Applies to a file what it lacks, owner by owner; nothing is opened for no migrations.
pub(crate) async fn sqlite(
    database: &Path,
    all: &[Migrations],
    durability: Durability,
) -> Result<(), StoreError> {
    if all.is_empty() {
        return Ok(());
    }
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::Power => SqliteSynchronous::Full,
            Durability::Process => SqliteSynchronous::Off,
        });
    let connection = options.connect().await.map_err(|e| failed("store", e.into()))?;
    apply(connection, all, |step| step.sqlite).await
}

/// Applies to a server's database what it lacks. Of several processes that start at a time one does; the others wait for it.
pub(crate) async fn postgres(server: &PgConnectOptions, all: &[Migrations]) -> Result<(), StoreError> {
    let connection =
        server.connect().await.map_err(|e| StoreError::Postgres { statement: "connect", source: e })?;
    apply(connection, all, |step| step.postgres).await
}

/// Whether a server's database has exactly what these histories say; nothing is changed.
pub(crate) async fn postgres_is_current(
    server: &PgConnectOptions,
    all: &[Migrations],
) -> Result<(), StoreError> {
    let refused = |source| StoreError::Postgres { statement: "connect", source };
    let mut connection = server.connect().await.map_err(refused)?;
    for Migrations { owner, steps } in all {
        let applied = connection.list_applied_migrations(&table(owner)).await;
        let versions: Vec<i64> = applied.unwrap_or_default().iter().map(|applied| applied.version).collect();
        if !versions.iter().copied().eq(steps.iter().map(|step| step.version)) {
            return Err(StoreError::OtherTables((*owner).to_owned()));
        }
    }
    connection.close().await.map_err(refused)
}

/// The table of a history.
fn table(owner: &str) -> String {
    format!("migration_{owner}")
}

async fn apply<C: Migrate + sqlx::Connection>(
    mut connection: C,
    all: &[Migrations],
    text: impl Fn(&Migration) -> &'static str,
) -> Result<(), StoreError>
where
    for<'c> &'c mut C: Acquire<'c>,
    for<'c> <&'c mut C as Acquire<'c>>::Connection: std::ops::Deref<Target: Migrate>,
{
    for Migrations { owner, steps } in all {
        let steps = steps.iter().map(|step| {
            let (version, description) = (step.version, step.description.into());
            SqlxMigration::new(version, description, MigrationType::Simple, text(step).into_sql_str(), false)
        });
        let mut migrator = Migrator::with_migrations(steps.collect());
        migrator.dangerous_set_table_name(table(owner));
        migrator.run(&mut connection).await.map_err(|e| failed(owner, e))?;
    }
    connection.close().await.map_err(|e| failed("store", e.into()))
}

fn failed(owner: &str, source: sqlx::migrate::MigrateError) -> StoreError {
    StoreError::Migration { capability: owner.to_owned(), source }
}

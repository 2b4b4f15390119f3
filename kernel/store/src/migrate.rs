//! Migrations, with a history for each capability, applied by sqlx when a store is opened.
//! A released migration never changes: its checksum stands in the history.

use std::path::Path;

use sqlx::migrate::{Migration as SqlxMigration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqlSafeStr as _};

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
}

/// The history of one capability's schema.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The capability, or `engine`.
    pub owner: &'static str,
    /// In order.
    pub steps: &'static [Migration],
}

/// Applies what is missing, owner by owner.
pub(crate) async fn apply(
    database: &Path,
    all: &[Migrations],
    durability: Durability,
) -> Result<(), StoreError> {
    let failed = |owner: &str, source| StoreError::Migration { capability: owner.to_owned(), source };
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::Power => SqliteSynchronous::Full,
            Durability::Process => SqliteSynchronous::Off,
        });
    let mut connection = options.connect().await.map_err(|e| failed("store", e.into()))?;
    for Migrations { owner, steps } in all {
        let steps = steps.iter().map(|step| {
            SqlxMigration::new(
                step.version,
                step.description.into(),
                MigrationType::Simple,
                step.sqlite.into_sql_str(),
                false,
            )
        });
        let mut migrator = Migrator::with_migrations(steps.collect());
        migrator.dangerous_set_table_name(format!("migration_{owner}"));
        migrator.run(&mut connection).await.map_err(|e| failed(owner, e))?;
    }
    sqlx::Connection::close(connection).await.map_err(|e| failed("store", e.into()))
}

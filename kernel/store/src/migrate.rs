//! Migrations, with a history for each capability, applied by sqlx when a store is opened.
//! A released migration never changes: its checksum stands in the history.

use std::path::Path;

use sqlx::migrate::{Migrate, Migration as SqlxMigration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Acquire, ConnectOptions as _, Connection as _, SqlSafeStr as _};

use crate::error::StoreError;
use crate::postgres::{Hosts, Roles, isolation};
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

/// The role that statements on a table run under, on PostgreSQL; SQLite knows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The platform's own: it sees all tenants. Capabilities have no way to such a table.
    Engine,
    /// Capabilities': a call sees its own tenant's rows. The engine only reads, as verifying does.
    Capability,
}

/// The history of one capability's schema.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The capability, or `engine`.
    pub owner: &'static str,
    /// Who reads and writes the tables that it creates. Each `CREATE TABLE` of a step is followed by the table's bare name.
    pub role: Role,
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

/// Applies to a server's database what it lacks, as the tables' owner. Of several processes that start at a time one does;
/// the others wait for it.
pub(crate) async fn postgres(server: &Hosts, all: &[Migrations]) -> Result<Roles, StoreError> {
    let refused = |source| StoreError::Postgres { statement: "connect", source };
    let mut connection = server.connect().await?;
    let roles = Roles::of(&mut connection).await?;
    roles.ensure(&mut connection).await?;
    if !is_current(&mut connection, all).await {
        isolation::loosen(&mut connection).await?;
        apply(server.connect().await?, all, |step| step.postgres).await?;
    }
    isolation::apply(&mut connection, all, &roles).await?;
    connection.close().await.map_err(refused)?;
    Ok(roles)
}

/// Whether a server's database has exactly what these histories say, and the roles to read it; nothing is changed.
pub(crate) async fn postgres_is_current(server: &Hosts, all: &[Migrations]) -> Result<Roles, StoreError> {
    let refused = |source| StoreError::Postgres { statement: "connect", source };
    let mut connection = server.connect().await?;
    for one in all {
        if versions(&mut connection, one.owner).await != expected(one) {
            return Err(StoreError::OtherTables(one.owner.to_owned()));
        }
    }
    let roles = Roles::of(&mut connection).await?;
    if !roles.are_there(&mut connection).await? {
        return Err(StoreError::Roles(
            "the roles that keep tenants apart are not there, or not this user's to use; a server of this version makes them \
             when it starts"
                .to_owned(),
        ));
    }
    connection.close().await.map_err(refused)?;
    Ok(roles)
}

/// Whether nothing is left to apply. What stands there otherwise is looked at by whoever applies.
async fn is_current(connection: &mut PgConnection, all: &[Migrations]) -> bool {
    for one in all {
        if versions(connection, one.owner).await != expected(one) {
            return false;
        }
    }
    true
}

fn expected(one: &Migrations) -> Vec<(i64, Vec<u8>)> {
    one.steps.iter().map(|step| (step.version, sqlx_step(step, step.postgres).checksum.to_vec())).collect()
}

async fn versions(connection: &mut PgConnection, owner: &str) -> Vec<(i64, Vec<u8>)> {
    let applied = connection.list_applied_migrations(&table(owner)).await.unwrap_or_default();
    applied.into_iter().map(|applied| (applied.version, applied.checksum.to_vec())).collect()
}

fn sqlx_step(step: &Migration, text: &'static str) -> SqlxMigration {
    let (version, description) = (step.version, step.description.into());
    SqlxMigration::new(version, description, MigrationType::Simple, text.into_sql_str(), false)
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
    for Migrations { owner, steps, .. } in all {
        let steps = steps.iter().map(|step| sqlx_step(step, text(step)));
        let mut migrator = Migrator::with_migrations(steps.collect());
        migrator.dangerous_set_table_name(table(owner));
        migrator.run(&mut connection).await.map_err(|e| failed(owner, e))?;
    }
    connection.close().await.map_err(|e| failed("store", e.into()))
}

fn failed(owner: &str, source: sqlx::migrate::MigrateError) -> StoreError {
    if is_of_damage(&source) {
        return StoreError::Damaged(source);
    }
    StoreError::Migration { capability: owner.to_owned(), source }
}

/// SQLite finds no database in the file, or one that contradicts itself.
fn is_of_damage(error: &sqlx::migrate::MigrateError) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    let (Execute(error) | ExecuteMigration(error, _)) = error else {
        return false;
    };
    let of_sqlite = |error: &dyn sqlx::error::DatabaseError| {
        error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
    };
    let code = error.as_database_error().filter(|error| of_sqlite(*error)).and_then(|error| error.code());
    // SQLITE_CORRUPT and SQLITE_NOTADB; an extended code has more above the lowest byte.
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

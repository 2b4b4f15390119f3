//! A database of a test's own: SQLite in a temporary directory, or one of a PostgreSQL server. Tests that do not say which
//! are run on either: on SQLite as they are, on PostgreSQL where `MORTISE_TEST_DATABASE` is `postgres`.

use mortise_store::{Access, Migrations, Options, Store, StoreError};
use tempfile::TempDir;

use crate::postgres;

/// A database that outlives the stores that are opened on it, and is gone when it is dropped.
#[derive(Debug)]
pub struct TestDatabase(Kind);

#[derive(Debug)]
enum Kind {
    Sqlite(TempDir),
    Postgres(Box<postgres::Database>),
}

impl TestDatabase {
    /// On what the run of the tests says.
    ///
    /// # Panics
    /// When there can be none: the test has failed.
    pub async fn new() -> Self {
        match std::env::var("MORTISE_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::postgres().await,
            Err(_) | Ok("" | "sqlite") => Self::sqlite(),
            Ok(other) => panic!("MORTISE_TEST_DATABASE is `sqlite` or `postgres`, not `{other}`"),
        }
    }

    /// SQLite, whatever the run says.
    ///
    /// # Panics
    /// When there is no temporary directory.
    pub fn sqlite() -> Self {
        Self(Kind::Sqlite(tempfile::tempdir().expect("a temporary directory")))
    }

    /// PostgreSQL, whatever the run says.
    ///
    /// # Panics
    /// When there is no server and none can be started.
    pub async fn postgres() -> Self {
        Self(Kind::Postgres(Box::new(postgres::Database::new().await)))
    }

    /// A store on it.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, migrations: &[Migrations]) -> Result<Store, StoreError> {
        match &self.0 {
            Kind::Sqlite(directory) => Store::open(directory.path(), migrations, Options::default()).await,
            // Lives of one platform follow each other closely, and some tests open a database twice.
            Kind::Postgres(database) => {
                let options = Options { access: Access::Shared, ..Options::default() };
                Store::connect(database.url(), migrations, options).await
            }
        }
    }

    /// Where it is, for what is not written with a store.
    pub fn url(&self) -> String {
        match &self.0 {
            Kind::Sqlite(directory) => format!("sqlite:{}", directory.path().join("mortise.db").display()),
            Kind::Postgres(database) => database.url().to_owned(),
        }
    }
}

//! The database behind one transaction type, SQLite in a data directory or PostgreSQL by its address: statements as named
//! pairs of texts that run on all items of a batch, migrations by capability. It knows no table but its own history.

mod error;
mod file_system;
mod flush;
mod log_file;
mod merge;
mod migrate;
mod pace;
mod pool;
mod position;
mod postgres;
mod row;
mod session;
mod sqlite;
mod statement;
mod store;
mod tenants;

pub use error::{StoreError, StoreErrorKind};
pub use flush::Flush;
pub use migrate::{Migration, Migrations, Role};
pub use position::{NoPosition, Position};
pub use postgres::{Ear, FellBack, Lag, ReplicaFigures};
pub use row::{AsDatum, Datum, DatumType, FromDatum, FromRow, Params, ReadColumn, TakeDatum};
pub use session::{Reader, Tx};
pub use statement::Statement;
pub use store::{Access, Cost, Durability, Options, Store};
pub use tenants::Tenants;

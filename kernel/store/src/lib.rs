//! The database behind one transaction type: statements as named texts that run on all items of a batch, one writer
//! thread, reader threads, migrations by capability, a locked data directory. It knows no table but its own history.

mod error;
mod migrate;
mod row;
mod session;
mod store;

pub use error::{StoreError, StoreErrorKind};
pub use migrate::{Migration, Migrations};
pub use row::{AsDatum, Datum, FromDatum, FromRow, Params, ReadColumn, TakeDatum};
pub use session::{Reader, Statement, Tx};
pub use store::{Cost, Durability, Options, Store};

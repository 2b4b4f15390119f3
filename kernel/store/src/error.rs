//! What can go wrong with a database. A business "no" is not here: that is a reply.

/// What a caller may do about a store error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The statement itself is at fault (a constraint, a type): the item, not the database.
    Statement,
    /// The database cannot be reached or written just now: the same call may go through later.
    Unavailable,
    /// The file is damaged, or not a Mortise database.
    Corrupt,
    /// The program is at fault: a panic, or an await that is not the transaction's.
    Program,
}

/// An error of the database or of what ran in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("statement `{statement}`: {source}")]
    Sqlite {
        /// The statement's name.
        statement: &'static str,
        /// SQLite's own words, for the log.
        source: rusqlite::Error,
    },
    /// A column does not hold what its reader expects.
    #[error("statement `{statement}`, column {column}: {problem}")]
    Column {
        /// The statement's name.
        statement: &'static str,
        /// Counted from 0.
        column: usize,
        /// What stands there.
        problem: String,
    },
    /// A migration does not apply.
    #[error("migration of `{capability}`: {source}")]
    Migration {
        /// Whose history.
        capability: String,
        /// The cause, for the log.
        source: sqlx::migrate::MigrateError,
    },
    /// Another process has the data directory.
    #[error("the data directory `{0}` is in use by another process")]
    Locked(std::path::PathBuf),
    /// The data directory cannot be used.
    #[error("the data directory `{path}`: {source}")]
    Directory {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What an operation stored cannot be read back, or the other way round.
    #[error("{0}")]
    Value(String),
    /// An operation waited for something that is not its transaction.
    #[error("an operation awaited something other than its transaction")]
    Awaited,
    /// An operation panicked.
    #[error("panic: {0}")]
    Panic(String),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What a caller may do about it.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(
                    rusqlite::ErrorCode::DatabaseBusy
                    | rusqlite::ErrorCode::DatabaseLocked
                    | rusqlite::ErrorCode::DiskFull
                    | rusqlite::ErrorCode::ReadOnly
                    | rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::CannotOpen
                    | rusqlite::ErrorCode::OutOfMemory,
                ) => StoreErrorKind::Unavailable,
                Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                    StoreErrorKind::Corrupt
                }
                _ => StoreErrorKind::Statement,
            },
            Self::Column { .. } | Self::Value(_) => StoreErrorKind::Statement,
            Self::Migration { .. } => StoreErrorKind::Corrupt,
            Self::Locked(_) | Self::Directory { .. } | Self::Closed => StoreErrorKind::Unavailable,
            Self::Awaited | Self::Panic(_) => StoreErrorKind::Program,
        }
    }
}

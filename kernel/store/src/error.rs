//! What can go wrong with a database. A business "no" is not here: that is a reply.

use rusqlite::ffi;

use crate::statement::Statement;

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
    /// PostgreSQL refused, or could not be asked.
    #[error("statement `{statement}`: {source}")]
    Postgres {
        /// The statement's name.
        statement: &'static str,
        /// The server's own words, or the network's, for the log.
        source: sqlx::Error,
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
    /// What a call names is not there, or is not in a state that the operation begins from.
    #[error("{0}")]
    Conflict(String),
    /// What a call gives contradicts itself, such as a price that is not the sum of its parts.
    #[error("{0}")]
    Contradiction(String),
    /// The file of the database is none, or is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(sqlx::migrate::MigrateError),
    /// Another process has the data: `the data directory ...`, `the database ...`.
    #[error("{0} is in use by another process")]
    Locked(String),
    /// Another process has taken the database over while this one had lost its connections.
    #[error("another process has taken the database over; this one writes nothing more to it")]
    TakenOver,
    /// What a job was to be written under is not its process's any more.
    #[error("another process has taken over what this one drove; nothing was written")]
    Fenced,
    /// A store that only reads was asked to write.
    #[error("the database was opened for reading")]
    ReadingOnly,
    /// A store that only reads found other tables than it knows.
    #[error("the tables of `{0}` are not those of this version of mortise")]
    OtherTables(String),
    /// The roles that keep tenants apart are not there and cannot be made; the text says what to do.
    #[error("{0}")]
    Roles(String),
    /// A replica is none of the primary's, or its address none of one; the text says which, and what to do.
    #[error("{0}")]
    Replica(String),
    /// None of the servers that the address names takes writes: one has to be promoted.
    #[error("no primary: no server that answers for {0} takes writes; promote one")]
    NoPrimary(String),
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
    /// An operation went on behind a statement that had failed.
    #[error("an operation went on behind a statement that had failed")]
    WentOn,
    /// An operation panicked.
    #[error("panic: {0}")]
    Panic(String),
    /// The machine gives no thread to work on.
    #[error("no thread for the database: {0}")]
    Thread(std::io::Error),
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
            Self::Postgres { source, .. } => kind_of(source),
            Self::Column { .. } | Self::Value(_) | Self::Conflict(_) | Self::Contradiction(_) => {
                StoreErrorKind::Statement
            }
            Self::Migration { .. } | Self::Damaged(_) => StoreErrorKind::Corrupt,
            Self::OtherTables(_) => StoreErrorKind::Corrupt,
            Self::Roles(_)
            | Self::Replica(_)
            | Self::NoPrimary(_)
            | Self::Locked(_)
            | Self::TakenOver
            | Self::Fenced
            | Self::Directory { .. }
            | Self::Thread(_)
            | Self::Closed => StoreErrorKind::Unavailable,
            Self::Awaited | Self::WentOn | Self::ReadingOnly | Self::Panic(_) => StoreErrorKind::Program,
        }
    }

    /// Whether another transaction was in the way: the same one, run again, finds it gone.
    pub(crate) fn is_collision(&self) -> bool {
        let code = match self {
            Self::Postgres { source, .. } => source.as_database_error().and_then(|error| error.code()),
            _ => None,
        };
        // Serialization failure, deadlock, lock not available.
        matches!(code.as_deref(), Some("40001" | "40P01" | "55P03"))
    }

    /// Whether the disk had no room for what was written.
    pub(crate) fn is_no_room(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if is_no_room(source))
    }

    /// Whether the server takes no writes.
    pub(crate) fn is_read_only(&self) -> bool {
        let code = match self {
            Self::Postgres { source, .. } => source.as_database_error().and_then(|error| error.code()),
            _ => None,
        };
        code.as_deref() == Some(READ_ONLY)
    }

    /// Whether the connection is gone.
    pub(crate) fn is_disconnect(&self) -> bool {
        match self {
            Self::Postgres { source: sqlx::Error::Database(error), .. } => {
                let ended =
                    |code: &str| code.starts_with("57P") || code.starts_with("08") || code == STOOD_STILL;
                error.code().is_some_and(|code| ended(&code))
            }
            Self::Postgres { source, .. } => kind_of(source) == StoreErrorKind::Unavailable,
            _ => false,
        }
    }

    /// What a column holds instead of what its reader or the statement expects.
    pub(crate) fn column(statement: &Statement, (column, problem): (usize, String)) -> Self {
        Self::Column { statement: statement.name, column, problem }
    }
}

/// Whether the disk has no room for what is to be written. The log's index says it in its own way, and where a quota ends a write fails.
pub(crate) fn is_no_room(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(error, _) => {
            let others = [ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_WRITE];
            error.code == rusqlite::ErrorCode::DiskFull || others.contains(&error.extended_code)
        }
        _ => false,
    }
}

/// The server ended a session that stood still in the middle of a transaction.
const STOOD_STILL: &str = "25P03";

/// The server writes nothing just now: it is a standby, or somebody has made it read-only.
const READ_ONLY: &str = "25006";

/// By the server's class of the error: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn kind_of(source: &sqlx::Error) -> StoreErrorKind {
    let code = match source {
        sqlx::Error::Database(error) => error.code(),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
            return StoreErrorKind::Unavailable;
        }
        _ => return StoreErrorKind::Statement,
    };
    match code.as_deref().unwrap_or_default() {
        // Connections, who may connect, transactions in each other's way, resources, operators, the system.
        code if ["08", "28", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreErrorKind::Unavailable
        }
        STOOD_STILL | READ_ONLY => StoreErrorKind::Unavailable,
        code if code.starts_with("XX") => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Statement,
    }
}

//! Why a benchmark has no result. A measurement whose orders were not all placed, or whose data is not whole, is none.

use std::path::Path;

/// A benchmark without a result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A process, a file or a connection.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The database of a run, read or written from outside.
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
    /// An answer that is no JSON.
    #[error("an answer is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// What has gone wrong, in words.
    #[error("{0}")]
    Words(String),
}

impl Failure {
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }

    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::Words(format!("{}: {error}", path.display()))
    }
}

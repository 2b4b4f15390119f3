//! Runs flows as they would run: the real capabilities, the real engine, a database that is thrown away and a clock that
//! jumps. A world script says what happens, a transcript what came of it. It decides nothing about trades, and reaches nobody:
//! peers are given to it.

mod books;
mod explore;
mod house;
mod names;
mod platform;
mod play;
mod raise;
mod row;
pub mod script;
mod simulate;
mod stage;
mod transcript;
mod watch;
mod words;
mod wrap;

use std::path::{Path, PathBuf};

use mortise_engine::PublishError;
use mortise_flow::diagnostic::Severity;
use mortise_store::StoreError;

pub use explore::{DeedName, Explored, NoWay, Nth, Off, Seeded, SeededOff, Silence, Way};
pub use platform::{Act, Composition, Message, Peers, Wired};
pub use script::World;
pub use simulate::{Flows, Simulated, Simulator, name_of};

/// Why a world could not be run. What goes wrong within a world is its transcript's.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A script or a file that it names.
    #[error("{path}: {problem}")]
    Script {
        /// The file.
        path: PathBuf,
        /// What is off.
        problem: String,
    },
    /// Something that happens in the world and cannot.
    #[error("{deed}: {problem}")]
    Deed {
        /// `entry-3`, `paying-1`.
        deed: String,
        /// What is off.
        problem: String,
    },
    /// The shop could not be set up.
    #[error("the shop: {operation}: {problem}")]
    Seed {
        /// The operation that takes the rows.
        operation: String,
        /// What is off.
        problem: String,
    },
    /// A flow that the checker refuses.
    #[error("{file} is refused, line {line}: {problem}")]
    Refused {
        /// The flow's file.
        file: String,
        /// The first finding's line.
        line: u32,
        /// The first finding.
        problem: String,
    },
    /// The parts do not fit together, or do not run.
    #[error("{0}")]
    Platform(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine: no directory, no thread.
    #[error(transparent)]
    Machine(std::io::Error),
}

impl Failure {
    pub(crate) fn script(path: &Path, problem: impl Into<String>) -> Self {
        Self::Script { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn deed(deed: &play::DeedId, problem: impl Into<String>) -> Self {
        Self::Deed { deed: deed.to_string(), problem: problem.into() }
    }

    pub(crate) fn machine(error: std::io::Error) -> Self {
        Self::Machine(error)
    }

    pub(crate) fn published(file: &str, error: PublishError) -> Self {
        match error {
            PublishError::Refused(diagnostics) => {
                let first = diagnostics.into_iter().find(|found| found.severity == Severity::Error);
                let (line, problem) = first.map_or((0, String::new()), |found| (found.line, found.message));
                Self::Refused { file: file.to_owned(), line, problem }
            }
            PublishError::NumberTaken { .. } => {
                Self::Refused { file: file.to_owned(), line: 0, problem: error.to_string() }
            }
            PublishError::Store(error) => Self::Store(error),
        }
    }
}

/// The world scripts of a folder, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn worlds_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

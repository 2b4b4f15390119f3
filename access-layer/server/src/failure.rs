//! Why a command did not do what it was asked, as a person reads it: a sentence, what would mend it, and an exit code.

use std::path::Path;
use std::process::ExitCode;

use mortise_store::StoreError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and nothing is off.
    Clean,
    /// Refused, or something is off.
    Refused,
    /// It could not be tried.
    Unusable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Refused => 1,
            Exit::Unusable => 2,
        })
    }
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Refused or unusable.
    pub(crate) exit: Exit,
    /// What happened.
    pub(crate) sentence: String,
    /// What would mend it.
    pub(crate) mend: Option<String>,
    /// Another process has the data directory.
    pub(crate) is_locked: bool,
}

impl Failure {
    /// The platform or a rule of business says no.
    pub(crate) fn refused(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, sentence: sentence.into(), mend: None, is_locked: false }
    }

    /// It could not even be tried.
    pub(crate) fn unusable(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::Unusable, sentence: sentence.into(), mend: None, is_locked: false }
    }

    /// With what would mend it.
    #[must_use]
    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// A file that cannot be read.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::unusable(format!("{}: {error}", path.display()))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::unusable(error.to_string());
        match error {
            StoreError::Locked(_) => Self { is_locked: true, ..failure }
                .mend("stop the process that has it, a server as a rule, or name other data with --data"),
            StoreError::Replica(_) => failure.mend("mend what --replica says, or leave it out"),
            StoreError::TakenOver => failure.mend("see which other process was started on this database"),
            StoreError::OtherTables(_) => failure.mend(
                "a server of this version makes the tables when it starts; or use the version that made them",
            ),
            StoreError::Migration { .. } => {
                failure.mend("its data was written by another version of mortise; use that one")
            }
            StoreError::Damaged(_) => {
                failure.mend("put back a copy of it that is whole; what this one holds can no longer be told")
            }
            _ => failure,
        }
    }
}

//! What went wrong on an author's machine, as he reads it: a sentence, and what would mend it.

use std::path::Path;

/// A fault of a project, a toolchain or a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Fault {
    /// What happened.
    pub sentence: String,
    /// What would mend it.
    pub mend: Option<String>,
}

impl Fault {
    pub(crate) fn new(sentence: impl Into<String>) -> Fault {
        Fault { sentence: sentence.into(), mend: None }
    }

    #[must_use]
    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Fault {
        self.mend = Some(mend.into());
        self
    }

    /// A file or folder that cannot be used.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Fault {
        Fault::new(format!("{}: {error}", path.display()))
    }
}

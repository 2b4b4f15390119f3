//! Has the data fetched and prepared by prepare.py, which does nothing where that is done.
//! Knows nothing of what is in the data.

use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The data could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    /// No Python under any of its usual names.
    #[error("no Python 3 found (tried python3, python); it prepares the data")]
    NoPython,
    /// The script said no; its own words are above.
    #[error("prepare.py ended with {0}")]
    Failed(std::process::ExitStatus),
    /// It could not be waited for.
    #[error("prepare.py: {0}")]
    Io(#[from] std::io::Error),
}

/// This example's folder in the source tree.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the data is kept unless told otherwise: in the project, ignored by version control.
pub(crate) fn default_cache() -> PathBuf {
    here().join("../../.cache/grocery-year")
}

/// Prepares the data below `cache` and returns its folder.
pub(crate) async fn prepare(cache: &Path) -> Result<PathBuf, PrepareError> {
    for python in ["python3", "python"] {
        let mut script = tokio::process::Command::new(python);
        script.arg(here().join("prepare.py")).arg("--cache").arg(cache).stdin(Stdio::null());
        match script.status().await {
            Ok(status) if status.success() => return Ok(cache.join("data")),
            Ok(status) => return Err(PrepareError::Failed(status)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PrepareError::NoPython)
}

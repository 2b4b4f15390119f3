//! The operator's policy, `grants.toml` in the data directory. What it means is the deployments' own.

use std::path::Path;

use mortise_deployments::Grants;

use crate::failure::Failure;

/// What the operator grants; everything where there is no policy.
///
/// # Errors
/// A policy that cannot be read.
pub(crate) fn grants(data: &Path) -> Result<Grants, Failure> {
    let file = data.join("grants.toml");
    match std::fs::read_to_string(&file) {
        Ok(text) => Grants::from_toml(&text)
            .map_err(|error| Failure::unusable(format!("{}: {error}", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Grants::default()),
        Err(error) => Err(Failure::file(&file, &error)),
    }
}

//! The operator's policy, `grants.toml` in the data directory, or the file that `MORTISE_GRANTS` names. What it means is the
//! deployments' own.

use std::path::{Path, PathBuf};

use mortise_deployments::Grants;

use crate::failure::Failure;
use crate::place::Place;

/// Where the policy is; none for a database without a file that is named.
pub(crate) fn file(data: &Place) -> Option<PathBuf> {
    let named = std::env::var_os("MORTISE_GRANTS").filter(|name| !name.is_empty()).map(PathBuf::from);
    named.or_else(|| match data {
        Place::Directory(directory) => Some(directory.join("grants.toml")),
        Place::Postgres(_) => None,
    })
}

/// What the operator grants; everything where there is no policy.
///
/// # Errors
/// A policy that cannot be read.
pub(crate) fn grants(file: Option<&Path>) -> Result<Grants, Failure> {
    let Some(file) = file else { return Ok(Grants::default()) };
    match std::fs::read_to_string(file) {
        Ok(text) => Grants::from_toml(&text)
            .map_err(|error| Failure::unusable(format!("{}: {error}", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Grants::default()),
        Err(error) => Err(Failure::file(file, &error)),
    }
}

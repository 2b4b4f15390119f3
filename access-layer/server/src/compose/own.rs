//! The operations of one's own that a platform has: the extensions of its folder that are one, with code where trades run,
//! and by their contracts alone where flows are only checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mortise_capability::Registry;
use mortise_custom::Registering;
use mortise_host::{Extension, Manifest, Runtime};

use super::{ComposeError, runtime};
use crate::cli;
use crate::failure::Failure;
use crate::place::Place;

/// Which there are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Own {
    /// None.
    #[default]
    None,
    /// These contracts.
    Described(Vec<Manifest>),
    /// These, to be run.
    Loaded(Arc<Runtime>, Vec<Arc<Extension>>),
}

impl Own {
    /// The contracts of the command line's folder of extensions.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub(crate) fn described(extensions: &cli::Extensions) -> Result<Self, Failure> {
        let Some(folder) = &extensions.extensions else { return Ok(Self::None) };
        Ok(Self::Described(own_in(folder)?.into_iter().map(|(_, manifest)| manifest).collect()))
    }

    /// Those of `MORTISE_EXTENSIONS`, ready to be run: for commands on data at rest, which are not told of a folder and may
    /// retrace what trades called.
    ///
    /// # Errors
    /// A folder that cannot be read, an engine that does not start.
    pub(super) fn of_environment(data: &Place) -> Result<Self, Failure> {
        let folder = std::env::var_os("MORTISE_EXTENSIONS").filter(|folder| !folder.is_empty());
        let Some(folder) = folder.map(PathBuf::from) else { return Ok(Self::None) };
        if own_in(&folder)?.is_empty() { Ok(Self::None) } else { Self::loaded(&folder, &runtime(data)?) }
    }

    /// Those of the command line's folder, ready to be run. One that cannot be loaded is left out.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub(super) fn loaded(folder: &Path, runtime: &Arc<Runtime>) -> Result<Self, Failure> {
        let mut extensions = Vec::new();
        for (folder, _) in own_in(folder)? {
            match Extension::load(runtime, &folder) {
                Ok(extension) => extensions.push(Arc::new(extension)),
                Err(error) => tracing::error!(%error, "an operation of one's own is left out"),
            }
        }
        Ok(Self::Loaded(Arc::clone(runtime), extensions))
    }

    /// A registry with them. One that does not fit is left out, and nothing else is touched.
    ///
    /// # Errors
    /// Parts that do not fit together.
    pub(super) fn join(&self, registry: Registry) -> Result<Registry, ComposeError> {
        let platform = registry.contracts().clone();
        let registering = Registering { platform: &platform, check: &mortise_flow::check_contracts };
        let (capability, left_out) = match self {
            Self::None => return Ok(registry),
            Self::Described(manifests) => registering.contracts(manifests.iter().cloned()),
            Self::Loaded(runtime, extensions) => registering.capability(runtime, extensions.iter().cloned()),
        };
        for error in &left_out {
            tracing::error!(%error, "an operation of one's own is left out");
        }
        if capability.contracts().operations.is_empty() {
            return Ok(registry);
        }
        Ok(registry.with(capability)?)
    }
}

/// The folders inside of this one whose extension is an operation, by name.
fn own_in(folder: &Path) -> Result<Vec<(PathBuf, Manifest)>, Failure> {
    let unreadable = |error: std::io::Error| Failure::file(folder, &error);
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unreadable)?;
    folders.sort();
    // What is wrong with a manifest is told where extensions are loaded.
    let own = folders.into_iter().filter_map(|folder| {
        let text = std::fs::read_to_string(folder.join("extension.toml")).ok()?;
        let manifest = Manifest::from_toml(&text).ok()?;
        manifest.operation.is_some().then_some((folder, manifest))
    });
    Ok(own.collect())
}

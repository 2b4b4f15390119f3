//! A folder of extensions with its bindings, with which a shop is started: imported as a revision, and again when the files
//! have changed, as long as nobody has deployed anything by hand.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use mortise_bindings::{Binding, Bindings};
use mortise_deployments::{Change, Kind, LiveError, LiveHost, Registry};
use mortise_host::{Extension, Package};
use mortise_types::{Clock as _, Span, SystemClock};

use super::grants::grants;
use crate::cli;
use crate::failure::Failure;
use crate::place::Place;

/// A folder and what its bindings say.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    file: PathBuf,
    pub(crate) bindings: Vec<Binding>,
}

impl Files {
    /// Those of the command line, if it names some.
    ///
    /// # Errors
    /// The file of bindings cannot be read.
    pub(crate) fn of(extensions: &cli::Extensions) -> Result<Option<Self>, Failure> {
        let Some(folder) = extensions.extensions.clone() else { return Ok(None) };
        let file = extensions.bindings.clone().unwrap_or_else(|| folder.join("bindings.toml"));
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::file(&file, &error).mend("name the file of bindings with --bindings")
        })?;
        let mut files = Self { folder, file, bindings: Vec::new() };
        let bindings = Bindings::from_toml(&text).map_err(|error| files.wrong(&error))?;
        files.bindings = bindings.all().iter().map(|binding| Binding::clone(binding)).collect();
        Ok(Some(files))
    }

    /// Something is wrong with the bindings.
    pub(crate) fn wrong(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::unusable(format!("{}: {error}", self.file.display()))
    }

    /// The extensions of the folder that are bound. A broken one is left out: its bindings say what that means.
    fn packages(&self, ceilings: &mortise_host::Ceilings) -> Result<Vec<Package>, Failure> {
        let unreadable = |error: std::io::Error| Failure::file(&self.folder, &error);
        let wanted: BTreeSet<String> = self.bindings.iter().map(|binding| binding.id().to_string()).collect();
        let mut packages = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(unreadable)? {
            let folder = entry.map_err(unreadable)?.path();
            if !folder.join("extension.toml").is_file() {
                continue;
            }
            let read = Package::read(&folder, ceilings).map_err(|error| error.to_string());
            match read.and_then(|package| Ok((package.describe().map_err(|e| e.to_string())?, package))) {
                Ok((manifest, package))
                    if wanted.contains(&format!("{}@{}", manifest.name, manifest.version)) =>
                {
                    packages.push(package);
                }
                Ok(_) => {}
                Err(error) => tracing::error!(error, "an extension is left out"),
            }
        }
        Ok(packages)
    }
}

/// Makes the files a revision, unless they are the newest one already or somebody has deployed since.
///
/// # Errors
/// Files that cannot be read, bindings that cannot be true, the database's.
pub(crate) async fn import(
    live: &LiveHost,
    registry: &Registry,
    files: &Files,
    data: &Place,
) -> Result<(), Failure> {
    let newest = registry.revisions(1).await?.into_iter().next();
    if newest.as_ref().is_some_and(|newest| newest.change.kind != Kind::Import) {
        tracing::warn!(
            "{} is not looked at: this data has deployments of its own; change them by `mortise ext deploy`",
            files.folder.display()
        );
        return Ok(());
    }
    let grants = grants(super::grants::file(data).as_deref())?;
    let mut loaded: Vec<Arc<Extension>> = Vec::new();
    let now = SystemClock.now();
    for package in files.packages(&mortise_host::Ceilings::default())? {
        let manifest = package.describe().map_err(|problem| Failure::refused(problem.to_string()))?;
        let granted = grants.check(&manifest).map_err(|error| Failure::refused(error.to_string()))?;
        match live.load(package.clone(), granted).await {
            Ok(extension) => loaded.push(extension),
            Err(error @ LiveError::Extension { .. }) => {
                tracing::error!(%error, "an extension is left out");
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        registry
            .replace(&package, granted, ("import", now))
            .await
            .map_err(|error| Failure::unusable(error.to_string()))?;
    }
    live.try_out(&files.bindings, &loaded).await.map_err(|error| files.wrong(&error))?;
    let there = newest.map(|newest| newest.change.bindings).unwrap_or_default();
    let same = there.len() == files.bindings.len()
        && there
            .iter()
            .zip(&files.bindings)
            .all(|(there, file)| *there == Binding { since: there.since, ..file.clone() });
    if same {
        return Ok(());
    }
    let (bindings, reason) = (files.bindings.clone(), format!("imported from {}", files.folder.display()));
    let change = move |history: &[mortise_deployments::Revision]| {
        let since = history.first().map_or(0, |newest| newest.number) + 1;
        let bindings = bindings.iter().map(|binding| Binding { since, ..binding.clone() }).collect();
        let (kind, reason, restores) = (Kind::Import, reason.clone(), None);
        Ok(Change { kind, reason, restores, withdrawn: BTreeSet::new(), bindings })
    };
    let made = registry.revise("import", now, Span::ZERO, change).await;
    made.map(drop).map_err(|error| Failure::unusable(error.to_string()))
}

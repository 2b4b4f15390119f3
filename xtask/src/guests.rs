//! Guests: the extensions of this repository and what they are written with. Each of their workspaces is another target
//! and a build of its own, so that one `cargo build` of the platform never meets WebAssembly. Runs no extension.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::source;
use crate::tools::GUEST_TARGET;
use crate::workshop::Workshop;

/// A workspace of guests: a folder whose manifest opens a workspace of its own.
#[derive(Debug)]
pub(crate) struct GuestWorkspace {
    folder: PathBuf,
    /// Its manifests, its own included.
    manifests: Vec<String>,
    /// Its Rust files.
    sources: Vec<String>,
}

/// All guest workspaces below `examples/` and `extensions/`, in order of their paths.
///
/// # Errors
/// When a folder or a manifest cannot be read.
pub(crate) fn find(workshop: &Workshop) -> Result<Vec<GuestWorkspace>, Failure> {
    let mut found = Vec::new();
    for part in ["examples", "extensions"] {
        for manifest in source::files(&workshop.root().join(part), &|name| name == "Cargo.toml")? {
            if opens_a_workspace(&source::read(&manifest)?) {
                found.push(GuestWorkspace::read(manifest.with_file_name(""))?);
            }
        }
    }
    Ok(found)
}

impl GuestWorkspace {
    fn read(folder: PathBuf) -> Result<Self, Failure> {
        let texts = |ending: &str| -> Result<Vec<String>, Failure> {
            let files = source::files(&folder, &|name| name.to_string_lossy().ends_with(ending))?;
            Ok(files.iter().map(|file| source::read(file)).collect::<Result<_, _>>()?)
        };
        Ok(Self { manifests: texts("Cargo.toml")?, sources: texts(".rs")?, folder })
    }

    /// The folder, as a person names it: from the project's root.
    pub(crate) fn name(&self, workshop: &Workshop) -> String {
        let folder = self.folder.strip_prefix(workshop.root()).unwrap_or(&self.folder);
        folder.display().to_string().trim_end_matches(std::path::MAIN_SEPARATOR).to_owned()
    }

    /// Whether it holds components; a library for them is compiled with each of its users.
    pub(crate) fn has_components(&self) -> bool {
        self.manifests.iter().any(|manifest| manifest.contains("\"cdylib\""))
    }

    /// Whether it has tests of its own, which run on this machine's target.
    pub(crate) fn has_tests(&self) -> bool {
        self.sources.iter().any(|source| source.contains("#[test]"))
    }

    /// Compiles every component, in the release profile: that is what is deployed, and its size and fuel are tested.
    ///
    /// # Errors
    /// When one does not compile.
    pub(crate) fn build(&self, workshop: &Workshop) -> Result<(), Failure> {
        workshop
            .cargo_in(&self.folder)
            .args(["build", "--workspace", "--locked", "--release", "--target", GUEST_TARGET])
            // Manifests of extensions name their components there, wherever the platform is built.
            .variable("CARGO_TARGET_DIR", self.folder.join("target"))
            .run()
    }

    pub(crate) fn test(&self, workshop: &Workshop) -> Result<(), Failure> {
        workshop.cargo_in(&self.folder).args(["test", "--workspace", "--locked"]).run()
    }

    pub(crate) fn check_format(&self, workshop: &Workshop) -> Result<(), Failure> {
        workshop.cargo_in(&self.folder).args(["fmt", "--check"]).run()
    }

    /// Clippy, for the guests' target; its products are shared by all of them.
    pub(crate) fn clippy(&self, workshop: &Workshop) -> Result<(), Failure> {
        workshop
            .cargo_in(&self.folder)
            .args(["clippy", "--workspace", "--locked", "--target", GUEST_TARGET, "--target-dir"])
            .args([workshop.root().join("target").join("guests")])
            .args(["--", "--deny", "warnings"])
            .run()
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }
}

fn opens_a_workspace(manifest: &str) -> bool {
    manifest.lines().any(|line| line.trim() == "[workspace]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_not_a_workspace() {
        assert!(opens_a_workspace("[package]\nname = \"guest\"\n\n[workspace]\n"));
        assert!(!opens_a_workspace("[package]\nversion.workspace = true\n[lints]\nworkspace = true\n"));
        assert!(!opens_a_workspace("[workspace.dependencies]\n"));
    }
}

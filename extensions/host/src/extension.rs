//! An extension on this machine: its manifest read, its component compiled and linked, its config's schema at hand; and
//! the shelf of all of them. Who may answer what is the bindings' business.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mortise_points::{ExtensionId, Failure, FailureKind};
use wasmtime::component::{Component, Linker};

use crate::cache::rest;
use crate::call::Fit;
use crate::diagnosis;
use crate::doors::{Door, Unfit, World};
use crate::limits::Granted;
use crate::manifest::{Asks, Manifest, ManifestError};
use crate::own;
use crate::package::Package;
use crate::runtime::Runtime;
use crate::wasi;

/// The manifest's name in an extension's folder.
pub(crate) const MANIFEST: &str = "extension.toml";

/// A loaded extension.
pub struct Extension {
    id: ExtensionId,
    manifest: Manifest,
    granted: Granted,
    config_schema: Option<jsonschema::Validator>,
    worlds: BTreeMap<&'static str, World>,
}

/// Why an extension cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[error("extension in {folder}: {problem}")]
pub struct ExtensionError {
    /// Where it stands.
    pub folder: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with an extension.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file cannot be read.
    #[error("{file} cannot be read: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest.
    #[error("{MANIFEST}: {0}")]
    Manifest(ManifestError),
    /// The config's schema is no JSON Schema.
    #[error("the config's schema: {0}")]
    Schema(String),
    /// A point that this host does not have, or not in this version.
    #[error("{MANIFEST}: points.{point}: {problem}")]
    Point {
        /// Its name.
        point: String,
        /// What is wrong.
        problem: String,
    },
    /// The component is too large, broken, or of another kind than the manifest says.
    #[error("the component {0}")]
    Component(String),
}

impl Extension {
    /// Loads the extension of a folder.
    ///
    /// # Errors
    /// What is wrong with it, for its author.
    pub fn load(runtime: &Runtime, folder: &Path) -> Result<Extension, ExtensionError> {
        let package = Package::read(folder, runtime.ceilings())?;
        Extension::unpack(runtime, &package, Asks::default())
            .map_err(|problem| ExtensionError { folder: folder.to_owned(), problem })
    }

    /// Loads one that was handed over; `granted` bounds what its manifest asks for, what is left out does not.
    ///
    /// # Errors
    /// What is wrong with it, for its author.
    pub fn unpack(runtime: &Runtime, package: &Package, granted: Asks) -> Result<Extension, Problem> {
        package.check_sizes(runtime.ceilings())?;
        let manifest = package.describe()?;
        let config_schema = package.config_schema.as_deref().map(schema).transpose()?;
        let component = component(runtime, &package.component)?;
        let granted = Granted::new(manifest.asks.within(granted), runtime.ceilings());
        let worlds = link(runtime, &manifest, granted, &component)?;
        rest(&component);
        let id = ExtensionId::new(&manifest.name, &manifest.version);
        Ok(Extension { id, granted, manifest, config_schema, worlds })
    }

    /// `name@version`.
    #[must_use]
    pub fn id(&self) -> &ExtensionId {
        &self.id
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it may use.
    #[must_use]
    pub fn granted(&self) -> Granted {
        self.granted
    }

    pub(crate) fn sku_attributes(&self) -> &[Arc<str>] {
        &self.manifest.sku_attributes
    }

    /// Checks a binding's config.
    ///
    /// # Errors
    /// Every violation, with its place.
    pub fn check_config(&self, config: &serde_json::Value) -> Result<(), String> {
        let Some(schema) = &self.config_schema else {
            let is_empty = config.as_object().is_some_and(serde_json::Map::is_empty);
            return if is_empty { Ok(()) } else { Err("this extension has no config".to_owned()) };
        };
        let violations: Vec<String> = schema
            .iter_errors(config)
            .map(|error| format!("config{}: {error}", error.instance_path()))
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(violations.join("; ")) }
    }

    /// The world of a point, or of what else the manifest names.
    pub(crate) fn any_world(&self, name: &str) -> Option<World> {
        self.worlds.get(name).cloned()
    }

    /// The world of a point, if the manifest names the point.
    pub(crate) fn world<P: Fit>(&self) -> Result<Arc<P::World>, Failure> {
        let missing =
            || Failure::new(FailureKind::Missing, format!("{} does not answer {}", self.id, P::NAME));
        let world: Arc<dyn Any + Send + Sync> = Arc::clone(self.worlds.get(P::NAME).ok_or_else(missing)?);
        world.downcast().map_err(|_| missing())
    }
}

impl std::fmt::Debug for Extension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Extension { id, granted, worlds, .. } = self;
        let points: Vec<_> = worlds.keys().collect();
        f.debug_struct("Extension")
            .field("id", id)
            .field("granted", granted)
            .field("points", &points)
            .finish_non_exhaustive()
    }
}

fn schema(text: &str) -> Result<jsonschema::Validator, Problem> {
    let schema = serde_json::from_str(text).map_err(|error| Problem::Schema(error.to_string()))?;
    jsonschema::validator_for(&schema).map_err(|error| Problem::Schema(error.to_string()))
}

fn component(runtime: &Runtime, bytes: &[u8]) -> Result<Component, Problem> {
    if let Some(problem) = diagnosis::not_a_component(bytes) {
        return Err(Problem::Component(problem));
    }
    runtime.compile(bytes).map_err(|error| Problem::Component(format!("does not compile: {error:#}")))
}

fn link(
    runtime: &Runtime,
    manifest: &Manifest,
    granted: Granted,
    component: &Component,
) -> Result<BTreeMap<&'static str, World>, Problem> {
    let mut linker = Linker::new(runtime.engine());
    wasi::satisfy(&mut linker, component)
        .map_err(|import| Problem::Component(diagnosis::forbidden_import(&import)))?;
    let linked = linker
        .instantiate_pre(component)
        .map_err(|error| Problem::Component(format!("cannot be linked: {error:#}")))?;
    let mut worlds = BTreeMap::new();
    for (point, version) in &manifest.points {
        let refuse = |problem: String| Problem::Point { point: point.clone(), problem };
        let door = Door::named(point).ok_or_else(|| refuse("this platform has no such point".to_owned()))?;
        let versions = (door.versions)();
        if !versions.contains(&version.as_str()) {
            return Err(refuse(format!(
                "this platform has version {}, not {version}",
                versions.join(" and ")
            )));
        }
        let world = (door.prepare)(runtime, granted, version, linked.clone()).map_err(|unfit| {
            Problem::Component(match unfit {
                Unfit::World(problem) => {
                    diagnosis::not_of_the_world(runtime.engine(), component, point, version, &problem)
                }
                Unfit::Start(why) => format!("does not answer {point}: {why}"),
            })
        })?;
        worlds.insert(door.name, world);
    }
    if let Some(operation) = &manifest.operation {
        if operation.world != own::OWN_VERSION {
            let problem = format!("this platform has version {}, not {}", own::OWN_VERSION, operation.world);
            return Err(Problem::Manifest(ManifestError::Field { field: "operation.world", problem }));
        }
        let world = own::prepare(runtime, granted, linked)
            .map_err(|problem| Problem::Component(format!("is no operation of one's own: {problem}")))?;
        worlds.insert(own::OWN, world);
    }
    Ok(worlds)
}

/// All extensions on this machine, by name and version.
#[derive(Debug, Default)]
pub struct Shelf {
    extensions: BTreeMap<ExtensionId, Arc<Extension>>,
}

impl Shelf {
    /// Loads every folder inside of `directory` that has a manifest. One that cannot be loaded is reported and left
    /// out; what is bound to it then fails as its bindings say, and nothing else is touched.
    ///
    /// # Errors
    /// The directory itself cannot be read.
    pub fn load(runtime: &Runtime, directory: &Path) -> std::io::Result<(Shelf, Vec<ExtensionError>)> {
        let mut folders: Vec<PathBuf> = fs::read_dir(directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        folders.retain(|folder| folder.join(MANIFEST).is_file());
        folders.sort();
        let mut shelf = Shelf::default();
        let mut errors = Vec::new();
        for folder in folders {
            match Extension::load(runtime, &folder) {
                Ok(extension) => shelf.put(extension),
                Err(error) => {
                    tracing::error!(%error, "an extension is left out");
                    errors.push(error);
                }
            }
        }
        Ok((shelf, errors))
    }

    /// Puts an extension on the shelf, in the place of one with the same name and version.
    pub fn put(&mut self, extension: Extension) {
        self.share(Arc::new(extension));
    }

    /// The same with one that stands on other shelves too.
    pub fn share(&mut self, extension: Arc<Extension>) {
        self.extensions.insert(extension.id.clone(), extension);
    }

    /// An extension by `name@version`.
    #[must_use]
    pub fn get(&self, id: &ExtensionId) -> Option<&Arc<Extension>> {
        self.extensions.get(id)
    }

    /// All of them.
    pub fn extensions(&self) -> impl Iterator<Item = &Arc<Extension>> {
        self.extensions.values()
    }
}

//! Who answers the extension points of a platform: nobody, or the components of a folder as its bindings say.

use std::sync::Arc;

use mortise_bindings::Bindings;
use mortise_engine::Bound;
use mortise_host::{Ceilings, CompileCache, Host, Runtime, Shelf};
use mortise_points::{NoExtensions, Points};

use crate::cli;
use crate::failure::Failure;
use crate::place::Place;

/// The points with the table of who is bound where.
#[derive(Debug, Clone)]
pub(crate) struct Answering {
    points: Arc<dyn Points>,
    bindings: Arc<Bindings>,
}

impl Answering {
    /// Nobody is bound anywhere.
    pub(crate) fn none() -> Self {
        Self { points: Arc::new(NoExtensions), bindings: Arc::default() }
    }

    /// The extensions of the command line; compiled ones are kept with the data, or in the user's cache.
    ///
    /// # Errors
    /// A folder or a file that cannot be read, bindings that cannot be true. An extension that is missing or broken is
    /// none: its binding says what happens then.
    pub(crate) fn open(extensions: &cli::Extensions, data: &Place) -> Result<Self, Failure> {
        let Some(folder) = &extensions.extensions else { return Ok(Self::none()) };
        let file = extensions.bindings.clone().unwrap_or_else(|| folder.join("bindings.toml"));
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::file(&file, &error).mend("name the file of bindings with --bindings")
        })?;
        let wrong = |error: &dyn std::fmt::Display| Failure::unusable(format!("{}: {error}", file.display()));
        let bindings = Bindings::from_toml(&text).map_err(|error| wrong(&error))?;
        let cache = CompileCache::open(data.cache().join("extensions")).map_err(|error| wrong(&error))?;
        let runtime = Runtime::start(Ceilings::default(), Some(cache)).map_err(|error| wrong(&error))?;
        let runtime = Arc::new(runtime);
        let (shelf, left_out) =
            Shelf::load(&runtime, folder).map_err(|error| Failure::file(folder, &error))?;
        for error in &left_out {
            tracing::error!(%error, "an extension is left out");
        }
        let host = Host::new(runtime, &shelf, &bindings).map_err(|error| wrong(&error))?;
        Ok(Self { points: Arc::new(host), bindings: Arc::new(bindings) })
    }

    /// For the capabilities, which ask.
    pub(crate) fn points(&self) -> Arc<dyn Points> {
        Arc::clone(&self.points)
    }

    /// For the engine, which ends a stretch before a call that asks behind a write.
    pub(crate) fn bound(&self) -> Bound {
        let bindings = Arc::clone(&self.bindings);
        Arc::new(move |point, scope| !bindings.resolve(point, scope).is_empty())
    }
}

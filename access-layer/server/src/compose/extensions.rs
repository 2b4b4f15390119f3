//! Who answers the extension points of a platform: nobody, the components of a folder as its bindings say, or what is
//! deployed in the database, which follows every change.

use std::sync::Arc;

use mortise_bindings::Bindings;
use mortise_deployments::{LiveError, LiveHost, Registry};
use mortise_engine::Bound;
use mortise_host::{Ceilings, CompileCache, Host, Runtime, Shelf};
use mortise_points::{NoExtensions, Points};
use mortise_store::Store;
use mortise_types::SystemClock;

use crate::cli;
use crate::desk::{Files, import};
use crate::failure::Failure;
use crate::place::Place;

/// The points, and who is bound where.
#[derive(Clone)]
pub(crate) struct Answering {
    points: Arc<dyn Points>,
    bound: Bound,
    live: Option<Arc<LiveHost>>,
    files: Option<Files>,
}

impl Answering {
    /// Nobody is bound anywhere.
    pub(crate) fn none() -> Self {
        Self { points: Arc::new(NoExtensions), bound: Arc::new(|_, _| false), live: None, files: None }
    }

    /// The extensions of the command line, as their files say; compiled ones are kept with the data, or in the user's cache.
    ///
    /// # Errors
    /// A folder or a file that cannot be read, bindings that cannot be true. An extension that is missing or broken is
    /// none: its binding says what happens then.
    pub(crate) fn open(extensions: &cli::Extensions, data: &Place) -> Result<Self, Failure> {
        let Some(files) = Files::of(extensions)? else { return Ok(Self::none()) };
        let wrong = |error: &dyn std::fmt::Display| files.wrong(error);
        let bindings = Bindings::new(files.bindings.clone()).map_err(|error| wrong(&error))?;
        let runtime = runtime(data)?;
        let (shelf, left_out) =
            Shelf::load(&runtime, &files.folder).map_err(|error| Failure::file(&files.folder, &error))?;
        for error in &left_out {
            tracing::error!(%error, "an extension is left out");
        }
        let host = Host::new(runtime, &shelf, &bindings).map_err(|error| wrong(&error))?;
        let bound: Bound = Arc::new(move |point, scope| !bindings.resolve(point, scope).is_empty());
        Ok(Self { points: Arc::new(host), bound, live: None, files: None })
    }

    /// What is deployed in the database. The files of the command line, if there are any, are imported first.
    ///
    /// # Errors
    /// A file that cannot be read, an engine that does not start.
    pub(crate) fn deployed(extensions: &cli::Extensions, data: &Place) -> Result<Self, Failure> {
        let files = Files::of(extensions)?;
        let live = LiveHost::new(runtime(data)?, Arc::new(SystemClock));
        let of_bound = Arc::clone(&live);
        let bound: Bound = Arc::new(move |point, scope| of_bound.is_bound(point, scope));
        Ok(Self { points: Arc::clone(&live) as Arc<dyn Points>, bound, live: Some(live), files })
    }

    /// The files of the command line where it names some, else what is deployed: for a command beside no server.
    ///
    /// # Errors
    /// As [`Answering::open`] and [`Answering::deployed`].
    pub(crate) fn named_or_deployed(extensions: &cli::Extensions, data: &Place) -> Result<Self, Failure> {
        match extensions.extensions {
            Some(_) => Self::open(extensions, data),
            None => Self::deployed(extensions, data),
        }
    }

    /// Follows what is deployed in this store from now on.
    ///
    /// # Errors
    /// The database's; files that cannot be imported.
    pub(crate) async fn attach(&self, store: &Arc<Store>, data: &Place) -> Result<(), Failure> {
        let Some(live) = &self.live else { return Ok(()) };
        let registry = Registry::new(Arc::clone(store));
        if let Some(files) = &self.files {
            import(live, &registry, files, data).await?;
        }
        live.attach(registry).await?;
        live.watch();
        Ok(())
    }

    /// For the capabilities, which ask.
    pub(crate) fn points(&self) -> Arc<dyn Points> {
        Arc::clone(&self.points)
    }

    /// For the engine, which ends a stretch before a call that asks behind a write.
    pub(crate) fn bound(&self) -> Bound {
        Arc::clone(&self.bound)
    }

    /// What is deployed, where that is who answers.
    pub(crate) fn live(&self) -> Option<&Arc<LiveHost>> {
        self.live.as_ref()
    }
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answering").field("points", &self.points).finish_non_exhaustive()
    }
}

/// The engine that extensions run in; compiled ones are kept with the data, or in the user's cache.
///
/// # Errors
/// The directory cannot be used; the machine does not have what the engine needs.
pub(crate) fn runtime(data: &Place) -> Result<Arc<Runtime>, Failure> {
    let cache = CompileCache::open(data.cache().join("extensions"))
        .map_err(|error| Failure::unusable(error.to_string()))?;
    let runtime = Runtime::start(Ceilings::default(), Some(cache));
    Ok(Arc::new(runtime.map_err(|error| Failure::unusable(error.to_string()))?))
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Store(error) => error.into(),
            error => Failure::refused(error.to_string()),
        }
    }
}

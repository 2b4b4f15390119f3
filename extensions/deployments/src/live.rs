//! The platform's extension points as they are deployed now: a snapshot that is swapped when a revision appears, in every
//! process that looks at the same database, and the trials that it observes and ends. It decides by the rules of this
//! crate and runs nothing but the host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use mortise_bindings::{Binding, Rollout};
use mortise_host::{Asks, ErasedPoint, Extension, Package, Problem, Runtime, Shelf};
use mortise_points::{Panel, Points};
use mortise_store::StoreError;
use mortise_types::{Clock, Scope, Span};
use tokio::sync::mpsc;

use crate::change;
use crate::judge::judge;
use crate::panel::{Compare, Comparison, Observation};
use crate::registry::{Registry, RegistryError};
use crate::revision::Revision;
use crate::snapshot::{KEPT, Ready, Replaying, Snapshot, SnapshotError, Workbench, ids};

/// How often a process looks for a new revision.
pub const POLL: Duration = Duration::from_millis(200);
/// From how long after it is made a revision holds: long enough for every process to have seen it, so that all turn to it
/// at the same moment.
pub const EFFECT_AFTER: Span = Span::from_millis(600);
/// Observations that wait to be stored; what is beyond is counted and dropped.
const WAITING: usize = 10_000;

/// Why what is deployed cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Bindings that cannot be.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A component of the deployment.
    #[error("{extension}: {problem}")]
    Extension {
        /// `name@version`.
        extension: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The work was cut off, as at the end of the process.
    #[error("loading was cut off")]
    CutOff,
}

/// An extension that is loaded, by its content and what bounds it.
type Loaded = HashMap<(String, Asks), Arc<Extension>>;

/// The points as they are deployed.
pub struct LiveHost {
    runtime: Arc<Runtime>,
    clock: Arc<dyn Clock>,
    registry: OnceLock<Registry>,
    current: RwLock<Arc<Snapshot>>,
    loaded: Mutex<Loaded>,
    compare: Compare,
    observed: tokio::sync::Mutex<mpsc::Receiver<Observation>>,
}

impl LiveHost {
    /// Nothing is deployed until it is attached to a registry. `clock` has to be that of the trades' ids: by both it is
    /// decided with which revision a trade began.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let of_compare = Arc::clone(&clock);
        let compare: Compare = Arc::new(move |comparison: Comparison<'_>| {
            let Some(point) = ErasedPoint::named(&comparison.trial.point) else { return };
            if sender.try_send(Observation::of(&comparison, point, of_compare.now())).is_err() {
                tracing::warn!(trial = %comparison.trial, "an observation of a trial is lost: too many wait to be stored");
            }
        });
        Arc::new(LiveHost {
            runtime,
            clock,
            registry: OnceLock::new(),
            current: RwLock::default(),
            loaded: Mutex::default(),
            compare,
            observed: tokio::sync::Mutex::new(receiver),
        })
    }

    /// Asks as the registry says from now on.
    ///
    /// # Errors
    /// The database's; bindings that cannot be.
    pub async fn attach(&self, registry: Registry) -> Result<(), LiveError> {
        // Attached twice it stays with the first.
        drop(self.registry.set(registry));
        self.refresh().await
    }

    /// Follows the registry for as long as anybody has this host.
    pub fn watch(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        tokio::spawn(async move {
            let (mut tick, mut failures) = (tokio::time::interval(POLL), 0_u64);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                let Some(live) = weak.upgrade() else { return };
                match live.step().await {
                    Ok(()) => failures = 0,
                    Err(error) => {
                        failures += 1;
                        // A database that is away for a while is not to fill the log.
                        if failures.is_power_of_two() {
                            tracing::error!(%error, failures, "what is deployed cannot be followed; it stays as it was");
                        }
                    }
                }
            }
        });
    }

    /// One look: stores what trials came to, ends those that passed a threshold, and turns to a new revision.
    ///
    /// # Errors
    /// The database's; bindings that cannot be.
    pub async fn step(&self) -> Result<(), LiveError> {
        self.store_observations().await?;
        self.refresh().await
    }

    /// Turns to the newest revision if it is another.
    ///
    /// # Errors
    /// The database's; bindings that cannot be. What was there before stays.
    pub async fn refresh(&self) -> Result<(), LiveError> {
        let Some(registry) = self.registry.get() else { return Ok(()) };
        let newest = registry.newest().await?;
        if newest == self.snapshot().newest() {
            return Ok(());
        }
        let revisions = registry.revisions(KEPT).await?;
        let shelf = self.shelf(registry, &revisions).await?;
        let former = self.snapshot();
        let bench = Workbench { runtime: &self.runtime, shelf: &shelf, compare: &self.compare };
        let snapshot = Arc::new(Snapshot::new(&bench, &revisions, &former)?);
        tracing::info!(revision = snapshot.newest(), "extensions: another revision");
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.newest() < snapshot.newest() {
            *current = snapshot;
        }
        Ok(())
    }

    /// What is deployed now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether anybody answers a point in a scope, for any trade.
    #[must_use]
    pub fn is_bound(&self, point: &str, scope: &Scope) -> bool {
        ErasedPoint::named(point).is_some_and(|point| self.panel(point.name(), scope).is_some())
    }

    /// Loads an extension, or finds it loaded; what is wrong with it shows here.
    ///
    /// # Errors
    /// What is wrong with it, for its author.
    pub async fn load(&self, package: Package, granted: Asks) -> Result<Arc<Extension>, LiveError> {
        let key = (package.hash(), granted);
        let find = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(loaded) = find() {
            return Ok(loaded);
        }
        let runtime = Arc::clone(&self.runtime);
        let name = package.describe().map(|manifest| format!("{}@{}", manifest.name, manifest.version));
        // Compiling takes a processor for a while.
        let loading = tokio::task::spawn_blocking(move || Extension::unpack(&runtime, &package, granted));
        let loaded = loading.await.map_err(|_| LiveError::CutOff)?.map_err(|problem| {
            LiveError::Extension { extension: name.unwrap_or_else(|_| "the extension".to_owned()), problem }
        })?;
        let loaded = Arc::new(loaded);
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Whether these bindings could be asked with what is stored and `fresh`: points, configs, ranks.
    ///
    /// # Errors
    /// What stands against it.
    pub async fn try_out(&self, bindings: &[Binding], fresh: &[Arc<Extension>]) -> Result<(), LiveError> {
        self.ready(bindings, fresh, Arc::clone(&self.compare)).await.map(drop)
    }

    /// The points with the trials among `bindings` compared with the rest, for orders that are asked again: what is live
    /// counts, and `compare` is handed every comparison.
    ///
    /// # Errors
    /// What stands against it.
    pub async fn comparing(
        &self,
        bindings: &[Binding],
        fresh: &[Arc<Extension>],
        compare: Compare,
    ) -> Result<Arc<dyn Points>, LiveError> {
        let ready = self.ready(bindings, fresh, compare).await?;
        Ok(Arc::new(Replaying(ready)))
    }

    async fn ready(
        &self,
        bindings: &[Binding],
        fresh: &[Arc<Extension>],
        compare: Compare,
    ) -> Result<Ready, LiveError> {
        let mut shelf = Shelf::default();
        if let Some(registry) = self.registry.get() {
            let revisions = registry.revisions(1).await?;
            shelf = self.shelf(registry, &revisions).await?;
        }
        for extension in fresh {
            shelf.share(Arc::clone(extension));
        }
        let bench = Workbench { runtime: &self.runtime, shelf: &shelf, compare: &compare };
        Ok(Ready::new(&bench, 0, bindings.to_vec())?)
    }

    /// Every extension of some revisions. One that is not stored, or cannot be loaded here, is left out: its bindings say
    /// what that means.
    async fn shelf(&self, registry: &Registry, revisions: &[Revision]) -> Result<Shelf, LiveError> {
        let mut shelf = Shelf::default();
        for (name, version) in ids(revisions) {
            let known = registry.identity(&name, &version).await?;
            let loaded = known.and_then(|key| {
                self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
            });
            if let Some(loaded) = loaded {
                shelf.share(loaded);
                continue;
            }
            let Some(stored) = registry.component(&name, &version).await? else { continue };
            match self.load(stored.package, stored.granted).await {
                Ok(extension) => shelf.share(extension),
                Err(LiveError::Extension { extension, problem }) => {
                    tracing::error!(extension, %problem, "a deployed extension is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(shelf)
    }

    async fn store_observations(&self) -> Result<(), LiveError> {
        let Some(registry) = self.registry.get() else { return Ok(()) };
        let mut observations = Vec::new();
        {
            let mut observed = self.observed.lock().await;
            while let Ok(observation) = observed.try_recv() {
                observations.push(observation);
            }
        }
        if observations.is_empty() {
            return Ok(());
        }
        let mut rollouts: Vec<(i64, &'static str)> =
            observations.iter().map(|observation| (observation.rollout, observation.point)).collect();
        rollouts.sort_unstable();
        rollouts.dedup();
        registry.observe(observations).await?;
        let newest = registry.revisions(1).await?;
        let trials = newest.first().map(|revision| revision.change.bindings.as_slice()).unwrap_or_default();
        for trial in trials.iter().filter(|trial| rollouts.contains(&(trial.since, &*trial.point))) {
            self.judge(registry, trial).await?;
        }
        Ok(())
    }

    async fn judge(&self, registry: &Registry, trial: &Binding) -> Result<(), LiveError> {
        let Rollout::Canary(canary) = &trial.rollout else { return Ok(()) };
        let Some(reason) = judge(&canary.guard, &registry.seen(trial).await?) else { return Ok(()) };
        tracing::warn!(%trial, reason, "a canary ends: the former version is back");
        let ended = trial.clone();
        let change = move |history: &[Revision]| change::end(history, &ended, &reason);
        match registry.revise("mortise", self.clock.now(), Span::ZERO, change).await {
            Ok(_) | Err(RegistryError::Change(_)) => Ok(()),
            Err(RegistryError::Store(error)) => Err(error.into()),
            Err(error) => Err(StoreError::Value(error.to_string()).into()),
        }
    }
}

impl Points for LiveHost {
    fn panel(&self, point: &'static str, scope: &Scope) -> Option<Arc<dyn Panel>> {
        self.snapshot().panel(point, scope)
    }
}

impl std::fmt::Debug for LiveHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveHost").field("current", &self.snapshot()).finish_non_exhaustive()
    }
}

//! What is deployed, ready to be asked: the revisions that trades may have begun with, each with its panels. A snapshot never
//! changes; another one takes its place.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use mortise_bindings::{Binding, BindingError, Bindings};
use mortise_host::{Counted, ErasedPoint, Host, HostError, Runtime, Shelf};
use mortise_points::{DEPARTMENT, Panel, Points};
use mortise_types::{Scope, Timestamp};

use crate::panel::{Compare, Pinned, Trial};
use crate::revision::Revision;

/// Revisions that are kept ready. A trade that began with an earlier one goes on with the earliest of these.
pub(crate) const KEPT: i64 = 64;
/// Panels that are remembered; what is beyond is made anew at each call.
const REMEMBERED: usize = 10_000;

/// Bindings that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Among each other.
    #[error(transparent)]
    Bindings(#[from] BindingError),
    /// With their extensions.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// What is deployed, ready to be asked.
#[derive(Default)]
pub struct Snapshot {
    newest: i64,
    /// From when each holds, the newest first.
    revisions: Vec<(i64, Timestamp, Arc<Ready>)>,
    remembered: RwLock<Remembered>,
}

/// Who is asked at a point for a scope, once it was worked out.
type Remembered = HashMap<(&'static str, Scope), Option<Arc<dyn Panel>>>;

/// The panels of one set of bindings.
pub(crate) struct Ready {
    number: i64,
    host: Host,
    trials: Option<Trials>,
    compare: Compare,
}

struct Trials {
    host: Host,
    bindings: Bindings,
}

/// What panels are made from.
pub(crate) struct Workbench<'w> {
    pub(crate) runtime: &'w Arc<Runtime>,
    pub(crate) shelf: &'w Shelf,
    pub(crate) compare: &'w Compare,
}

impl Ready {
    pub(crate) fn new(
        bench: &Workbench<'_>,
        number: i64,
        bindings: Vec<Binding>,
    ) -> Result<Ready, SnapshotError> {
        let bindings = Bindings::new(bindings)?;
        let host = Host::new(Arc::clone(bench.runtime), bench.shelf, &bindings)?;
        let has_trials = bindings.all().iter().any(|binding| !binding.rollout.is_live());
        let trials = has_trials.then(|| {
            let bindings = bindings.with_trials()?;
            let host = Host::new(Arc::clone(bench.runtime), bench.shelf, &bindings)?;
            Ok::<_, SnapshotError>(Trials { host, bindings })
        });
        Ok(Ready { number, host, trials: trials.transpose()?, compare: Arc::clone(bench.compare) })
    }

    fn panel(&self, point: ErasedPoint, scope: &Scope) -> Option<Arc<dyn Panel>> {
        self.trial(point, scope).map_or_else(
            || self.host.panel(point.name(), scope),
            |trial| Some(Arc::new(trial) as Arc<dyn Panel>),
        )
    }

    /// The trial that is asked at a point for a scope.
    fn trial(&self, point: ErasedPoint, scope: &Scope) -> Option<Trial> {
        let trials = self.trials.as_ref()?;
        let resolved = trials.bindings.resolve(point.name(), scope);
        let binding = resolved.iter().find(|binding| !binding.rollout.is_live())?;
        let panels = (self.host.panel(point.name(), scope), trials.host.panel(point.name(), scope)?);
        Some(Trial::new(point, Arc::clone(binding), panels, Arc::clone(&self.compare)))
    }
}

impl Snapshot {
    /// What the revisions say, the newest first. Those that `former` has ready are taken from it.
    pub(crate) fn new(
        bench: &Workbench<'_>,
        revisions: &[Revision],
        former: &Snapshot,
    ) -> Result<Snapshot, SnapshotError> {
        let mut ready: HashMap<i64, Arc<Ready>> = HashMap::new();
        let mut kept = Vec::with_capacity(revisions.len());
        for revision in revisions {
            let stands_for = revisions.iter().find(|later| takes_away(later, revision)).unwrap_or(revision);
            let number = stands_for.number;
            let made = match ready.get(&number).cloned().or_else(|| former.ready(number)) {
                Some(made) => made,
                None => Arc::new(Ready::new(bench, number, stands_for.change.bindings.clone())?),
            };
            ready.insert(number, Arc::clone(&made));
            kept.push((revision.number, revision.effective_from, made));
        }
        let newest = revisions.first().map_or(0, |revision| revision.number);
        Ok(Snapshot { newest, revisions: kept, remembered: RwLock::default() })
    }

    fn ready(&self, number: i64) -> Option<Arc<Ready>> {
        let found = self.revisions.iter().find(|(_, _, ready)| ready.number == number);
        found.map(|(_, _, ready)| Arc::clone(ready))
    }

    /// The newest revision's number; 0 if there is none.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// The revision with which a trade that began then goes on.
    #[must_use]
    pub fn revision_of(&self, began: Timestamp) -> i64 {
        let found = self.revisions.iter().find(|(_, from, _)| *from <= began);
        found.map_or(0, |(_, _, ready)| ready.number)
    }

    /// What each bound extension has done since the start.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        let newest = self.revisions.first().map(|(_, _, ready)| ready);
        newest.map(|ready| ready.host.counted()).unwrap_or_default()
    }

    fn made(&self, point: ErasedPoint, scope: &Scope) -> Option<Arc<dyn Panel>> {
        let mut from: Vec<_> =
            self.revisions.iter().map(|(_, from, ready)| (*from, ready.panel(point, scope))).collect();
        let (oldest, ..) = self.revisions.last()?;
        if *oldest == 1 {
            from.push((Timestamp::MIN, None));
        }
        Pinned::panel(point, from)
    }

    pub(crate) fn panel(&self, point: &'static str, scope: &Scope) -> Option<Arc<dyn Panel>> {
        if self.revisions.is_empty() {
            return None;
        }
        let point = ErasedPoint::named(point)?;
        let key = (point.name(), scope.clone());
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(panel) = remembered.get(&key) {
            return panel.clone();
        }
        drop(remembered);
        let panel = self.made(point, scope);
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < REMEMBERED {
            remembered.insert(key, panel.clone());
        }
        panel
    }
}

/// Whether trades of `earlier` leave it for `later`: it has what was withdrawn then.
fn takes_away(later: &Revision, earlier: &Revision) -> bool {
    let has = |id: &String| earlier.change.bindings.iter().any(|binding| binding.id().as_str() == id);
    later.number > earlier.number && later.change.withdrawn.iter().any(has)
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<i64> = self.revisions.iter().map(|(number, ..)| *number).collect();
        f.debug_struct("Snapshot").field("revisions", &numbers).finish_non_exhaustive()
    }
}

/// The points with a version tried beside what is live, outside of any revision: what `ext replay` asks stored orders by.
/// What is live counts; every comparison is handed on. Questions have the department of each item too.
pub(crate) struct Replaying(pub(crate) Ready);

impl Points for Replaying {
    fn panel(&self, point: &'static str, scope: &Scope) -> Option<Arc<dyn Panel>> {
        let point = ErasedPoint::named(point)?;
        let trial = self.0.trial(point, scope).map(|trial| trial.with_attribute(DEPARTMENT));
        trial
            .map(|trial| Arc::new(trial) as Arc<dyn Panel>)
            .or_else(|| self.0.host.panel(point.name(), scope))
    }
}

impl fmt::Debug for Replaying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replaying").field(&self.0.number).finish()
    }
}

/// Every `name@version` of some revisions.
pub(crate) fn ids(revisions: &[Revision]) -> BTreeSet<(Arc<str>, Arc<str>)> {
    let bindings = revisions.iter().flat_map(|revision| &revision.change.bindings);
    bindings.map(|binding| (Arc::clone(&binding.extension), Arc::clone(&binding.version))).collect()
}

//! The platform's extension points, answered by components: for every scope of every point a panel is prepared when the
//! bindings are loaded, and a call finds it by a look-up.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_bindings::{Binding, Bindings, ScopeTable};
use mortise_points::{
    Attempt, CallIdentity, ExtensionId, Failure, FailureKind, OnFailure, Panel, PointError, Points,
    RawOutcome, Seat, consult,
};
use mortise_types::Scope;

use crate::call::{Ask, Called, Fit, call};
use crate::counters::{Counted, Counter};
use crate::doors::{DOORS, Door, invalid};
use crate::extension::{Extension, Shelf};
use crate::limits::Granted;
use crate::runtime::Runtime;
use crate::watch::Stopwatch;

/// Extensions, bound to points.
#[derive(Debug)]
pub struct Host {
    panels: Vec<(&'static str, Panels)>,
    counters: BTreeMap<(&'static str, ExtensionId), Arc<Counter>>,
    absent: Vec<String>,
}

/// Who is asked at a point, for every scope; none where nobody is bound.
pub(crate) type Panels = ScopeTable<Option<Arc<dyn Panel>>>;

/// Bindings that cannot be true. All show when the host is set up, none at a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A binding names a point that does not exist.
    #[error("{binding}: there is no point of this name; there are {known}")]
    UnknownPoint {
        /// The binding.
        binding: String,
        /// All points.
        known: String,
    },
    /// A binding's config is not what the extension's schema says.
    #[error("{binding}: {problem}")]
    Config {
        /// The binding.
        binding: String,
        /// Every violation.
        problem: String,
    },
}

impl Host {
    /// Prepares every panel. A binding to an extension that is not on the shelf is no error: it is reported by
    /// [`Host::absent`], and fails at its calls as it says itself.
    ///
    /// # Errors
    /// A binding that cannot be true.
    pub fn new(runtime: Arc<Runtime>, shelf: &Shelf, bindings: &Bindings) -> Result<Host, HostError> {
        let absent = check(shelf, bindings)?;
        let mut roster = Roster { runtime, shelf, counters: BTreeMap::new() };
        let panels = DOORS
            .iter()
            .filter_map(|door| Some((door.name, (door.panels)(bindings.table(door.name)?, &mut roster))))
            .collect();
        Ok(Host { panels, counters: roster.counters, absent })
    }

    /// Bindings whose extension is not there, or does not answer their point.
    #[must_use]
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    /// What each bound extension has done since the start.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        let read = |((point, extension), counter): (&(&'static str, ExtensionId), &Arc<Counter>)| Counted {
            point,
            extension: extension.clone(),
            counters: counter.read(),
        };
        self.counters.iter().map(read).collect()
    }
}

impl Points for Host {
    fn panel(&self, point: &'static str, scope: &Scope) -> Option<Arc<dyn Panel>> {
        let (_, table) = self.panels.iter().find(|(name, _)| *name == point)?;
        table.get(scope)?.clone()
    }
}

fn check(shelf: &Shelf, bindings: &Bindings) -> Result<Vec<String>, HostError> {
    let mut absent = Vec::new();
    for binding in bindings.all() {
        let Some(door) = Door::named(&binding.point) else {
            let known: Vec<&str> = DOORS.iter().map(|door| door.name).collect();
            return Err(HostError::UnknownPoint { binding: binding.to_string(), known: known.join(", ") });
        };
        match shelf.get(&binding.id()) {
            Some(extension) if extension.manifest().points.contains_key(door.name) => extension
                .check_config(&binding.config)
                .map_err(|problem| HostError::Config { binding: binding.to_string(), problem })?,
            _ => {
                tracing::error!(%binding, "a binding's extension is not there");
                absent.push(binding.to_string());
            }
        }
    }
    Ok(absent)
}

/// What panels are made from.
pub(crate) struct Roster<'a> {
    runtime: Arc<Runtime>,
    shelf: &'a Shelf,
    counters: BTreeMap<(&'static str, ExtensionId), Arc<Counter>>,
}

/// The panel of these bindings; none for none.
pub(crate) fn panel<P: Fit>(ranked: &[Arc<Binding>], roster: &mut Roster<'_>) -> Option<Arc<dyn Panel>> {
    if ranked.is_empty() {
        return None;
    }
    let places: Vec<Place<P>> = ranked.iter().map(|binding| place(binding, roster)).collect();
    let mut sku_attributes: Vec<Arc<str>> = places
        .iter()
        .filter_map(|place| place.ready.as_ref().ok())
        .flat_map(|ready| ready.reads().to_vec())
        .collect();
    sku_attributes.sort();
    sku_attributes.dedup();
    Some(Arc::new(Table { places, sku_attributes }))
}

fn place<P: Fit>(binding: &Binding, roster: &mut Roster<'_>) -> Place<P> {
    let extension = binding.id();
    let counter = roster.counters.entry((P::NAME, extension.clone())).or_default();
    let ready = match roster.shelf.get(&extension) {
        Some(loaded) => loaded.world::<P>().map(|world| Ready { world, extension: Arc::clone(loaded) }),
        None => Err(Failure::new(FailureKind::Missing, format!("{extension} is not installed"))),
    };
    Place {
        extension,
        on_failure: binding.on_failure,
        config: binding.config.to_string(),
        ready,
        runtime: Arc::clone(&roster.runtime),
        counter: Arc::clone(counter),
    }
}

/// Those who are asked at a point for a scope.
struct Table<P: Fit> {
    places: Vec<Place<P>>,
    sku_attributes: Vec<Arc<str>>,
}

impl<P: Fit> Panel for Table<P> {
    fn sku_attributes(&self) -> &[Arc<str>] {
        &self.sku_attributes
    }

    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        let question = question.downcast_ref().expect("a panel of a point is asked that point's question");
        let outcome = consult::<P, _>(&self.places, call, question)?;
        Ok(RawOutcome { reduced: Box::new(outcome.reduced), answers: outcome.answers })
    }
}

impl<P: Fit> std::fmt::Debug for Table<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.places.iter().map(|place| place.extension.as_str())).finish()
    }
}

/// One extension at a panel.
struct Place<P: Fit> {
    extension: ExtensionId,
    on_failure: OnFailure,
    config: String,
    ready: Result<Ready<P>, Failure>,
    runtime: Arc<Runtime>,
    counter: Arc<Counter>,
}

struct Ready<P: Fit> {
    world: Arc<P::World>,
    extension: Arc<Extension>,
}

impl<P: Fit> Ready<P> {
    fn reads(&self) -> &[Arc<str>] {
        self.extension.sku_attributes()
    }

    fn granted(&self) -> Granted {
        self.extension.granted()
    }
}

impl<P: Fit> Seat<P> for Place<P> {
    fn extension(&self) -> &ExtensionId {
        &self.extension
    }

    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    fn attempt(&self, identity: CallIdentity<'_>, question: &P::Question) -> Attempt<P::Valid> {
        let watch = Stopwatch::start();
        let Called { result, fuel_used, log } = match &self.ready {
            Ok(ready) => {
                let ask = Ask { question, config: &self.config, reads: ready.reads() };
                call::<P>(&self.runtime, &ready.world, ready.granted(), identity, ask)
            }
            Err(why) => Called { result: Err(why.clone()), fuel_used: 0, log: None },
        };
        let result = result.and_then(|answer| P::revalidate(question, answer).map_err(invalid));
        let took_us = watch.micros();
        let failure = result.as_ref().err();
        let count = self.counter.record(failure.map(|why| why.kind), fuel_used, took_us);
        trace::<P>(self, identity, log.as_deref(), failure.zip(count));
        Attempt { result, fuel_used, took_us }
    }
}

/// The first failure of its kind, the second, the fourth, the eighth: one that fails at every call is not to fill the
/// log. The counters have them all.
fn trace<P: Fit>(
    place: &Place<P>,
    call: CallIdentity<'_>,
    log: Option<&str>,
    failure: Option<(&Failure, u64)>,
) {
    let CallIdentity { instance, step, attempt, .. } = call;
    let (point, extension) = (P::NAME, &place.extension);
    if let Some(log) = log {
        tracing::debug!(point, %extension, instance, step, attempt, log, "an extension printed");
    }
    match failure {
        Some((why, count)) if count.is_power_of_two() => {
            tracing::warn!(point, %extension, instance, step, attempt, count, %why, on_failure = ?place.on_failure, "an extension failed");
        }
        Some((why, count)) => {
            tracing::debug!(point, %extension, instance, step, attempt, count, %why, "an extension failed again");
        }
        None => {}
    }
}

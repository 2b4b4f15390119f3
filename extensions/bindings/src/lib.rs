//! Who answers which extension point: bindings by scope, ranked once when they are loaded, looked up in a table at a
//! call. It neither loads nor runs an extension, and does not know whether one is there.

mod binding;
mod rollout;
mod scope_table;

pub use binding::{Binding, BindingError, Place};
pub use rollout::{Canary, Guard, Rollout};
pub use scope_table::ScopeTable;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mortise_types::{Scope, TenantId};

/// The bindings of one point for one scope, the highest rank first.
pub type Ranked = Arc<[Arc<Binding>]>;

/// All bindings, ranked.
///
/// For a scope those count whose tenant is the scope's, and whose line and channel, where given, are the scope's. The
/// narrowest place comes first (line and channel, line, channel, tenant), then the lowest `priority`. An extension that
/// is bound in several places that fit is asked once, as its narrowest binding says.
#[derive(Debug, Default)]
pub struct Bindings {
    all: Vec<Arc<Binding>>,
    points: BTreeMap<String, ScopeTable<Ranked>>,
}

impl Bindings {
    /// Ranks those that count for everybody. What is only tried is checked too: it may take their place any time.
    ///
    /// # Errors
    /// Two bindings whose order would be arbitrary, or that bind one extension twice in one place; two trials at a time.
    pub fn new(bindings: Vec<Binding>) -> Result<Bindings, BindingError> {
        let all: Vec<Arc<Binding>> = bindings.into_iter().map(Arc::new).collect();
        tried(&all)?;
        let live = all.iter().filter(|binding| binding.rollout.is_live()).cloned().collect();
        Bindings::rank(all, live)
    }

    /// The same as they would be if what is tried counted for everybody: a trial stands in the place of the version of
    /// its extension that is live there.
    ///
    /// # Errors
    /// As [`Bindings::new`].
    pub fn with_trials(&self) -> Result<Bindings, BindingError> {
        Bindings::rank(self.all.clone(), tried(&self.all)?)
    }

    fn rank(all: Vec<Arc<Binding>>, ranked: Vec<Arc<Binding>>) -> Result<Bindings, BindingError> {
        refuse_ties(&ranked)?;
        let names: BTreeSet<&str> = ranked.iter().map(|binding| &*binding.point).collect();
        let points = names.into_iter().map(|point| (point.to_owned(), table_of(point, &ranked))).collect();
        Ok(Bindings { all, points })
    }

    /// Reads and ranks a `bindings.toml`: a table `[[binding]]` for each.
    ///
    /// # Errors
    /// The text is no list of bindings, or they cannot be ranked.
    pub fn from_toml(text: &str) -> Result<Bindings, BindingError> {
        Bindings::new(binding::read_toml(text)?)
    }

    /// All of them, as they were given.
    #[must_use]
    pub fn all(&self) -> &[Arc<Binding>] {
        &self.all
    }

    /// Who is asked at a point for a scope, the highest rank first. A look-up: nothing is computed, nothing allocated.
    #[must_use]
    pub fn resolve(&self, point: &str, scope: &Scope) -> &[Arc<Binding>] {
        self.points.get(point).and_then(|table| table.get(scope)).map_or(&[], |ranked| ranked)
    }

    /// The whole table of a point, for whoever prepares something for each entry; `None` if nobody is bound there.
    #[must_use]
    pub fn table(&self, point: &str) -> Option<&ScopeTable<Ranked>> {
        self.points.get(point)
    }

    /// The points at which somebody is bound.
    pub fn points(&self) -> impl Iterator<Item = &str> {
        self.points.keys().map(String::as_str)
    }
}

/// Those that would count if every trial did.
fn tried(all: &[Arc<Binding>]) -> Result<Vec<Arc<Binding>>, BindingError> {
    let mut trials: HashMap<(&str, &TenantId), &Arc<Binding>> = HashMap::new();
    for trial in all.iter().filter(|binding| !binding.rollout.is_live()) {
        trial
            .rollout
            .check()
            .map_err(|problem| BindingError::Rollout { binding: trial.to_string(), problem })?;
        if let Some(first) = trials.insert((&*trial.point, &trial.tenant), trial) {
            return Err(BindingError::TwoTrials { first: first.to_string(), second: trial.to_string() });
        }
    }
    let replaced = |binding: &Binding| {
        let trial = trials.get(&(&*binding.point, &binding.tenant));
        binding.rollout.is_live()
            && trial
                .is_some_and(|trial| trial.extension == binding.extension && trial.place() == binding.place())
    };
    let with_trials: Vec<Arc<Binding>> = all.iter().filter(|binding| !replaced(binding)).cloned().collect();
    refuse_ties(&with_trials)?;
    Ok(with_trials)
}

fn refuse_ties(all: &[Arc<Binding>]) -> Result<(), BindingError> {
    let mut places: HashMap<(&str, Place), Vec<&Arc<Binding>>> = HashMap::new();
    for second in all {
        let here = places.entry((&*second.point, second.place())).or_default();
        for first in here.iter() {
            let (first, second) = (*first, second);
            if first.extension == second.extension {
                return Err(BindingError::BoundTwice {
                    first: first.to_string(),
                    second: second.to_string(),
                });
            }
            if first.priority == second.priority {
                return Err(BindingError::EqualRank { first: first.to_string(), second: second.to_string() });
            }
        }
        here.push(second);
    }
    Ok(())
}

fn table_of(point: &str, all: &[Arc<Binding>]) -> ScopeTable<Ranked> {
    let here: Vec<&Arc<Binding>> = all.iter().filter(|binding| &*binding.point == point).collect();
    let tenants: BTreeSet<&TenantId> = here.iter().map(|binding| &binding.tenant).collect();
    let mut table = ScopeTable::default();
    for tenant in tenants {
        let of_tenant: Vec<&Arc<Binding>> =
            here.iter().copied().filter(|binding| &binding.tenant == tenant).collect();
        let lines = of_tenant.iter().filter_map(|binding| binding.line.clone());
        let channels = of_tenant.iter().filter_map(|binding| binding.channel.clone());
        table.insert(tenant.clone(), lines, channels, |line, channel| {
            ranked(of_tenant.iter().copied().filter(|binding| {
                binding.line.as_ref().is_none_or(|bound| Some(bound) == line)
                    && binding.channel.as_ref().is_none_or(|bound| Some(bound) == channel)
            }))
        });
    }
    table
}

fn ranked<'a>(fitting: impl Iterator<Item = &'a Arc<Binding>>) -> Ranked {
    let mut order: Vec<&Arc<Binding>> = fitting.collect();
    order.sort_by_key(|binding| (Reverse(binding.place()), binding.priority));
    let mut asked = BTreeSet::new();
    order.retain(|binding| asked.insert(&binding.extension));
    order.into_iter().cloned().collect()
}

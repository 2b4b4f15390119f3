//! Who answers which extension point: bindings by scope, ranked once when they are loaded, looked up in a table at a
//! call. It neither loads nor runs an extension, and does not know whether one is there.

mod binding;
mod scope_table;

pub use binding::{Binding, BindingError, Place};
pub use scope_table::ScopeTable;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Ranks the bindings.
    ///
    /// # Errors
    /// Two bindings whose order would be arbitrary, or that bind one extension twice in one place.
    pub fn new(bindings: Vec<Binding>) -> Result<Bindings, BindingError> {
        let all: Vec<Arc<Binding>> = bindings.into_iter().map(Arc::new).collect();
        refuse_ties(&all)?;
        let names: BTreeSet<&str> = all.iter().map(|binding| &*binding.point).collect();
        let points = names.into_iter().map(|point| (point.to_owned(), table_of(point, &all))).collect();
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

fn refuse_ties(all: &[Arc<Binding>]) -> Result<(), BindingError> {
    for (index, second) in all.iter().enumerate() {
        for first in &all[..index] {
            if first.point != second.point || first.place() != second.place() {
                continue;
            }
            let error = match (first.extension == second.extension, first.priority == second.priority) {
                (true, _) => {
                    BindingError::BoundTwice { first: first.to_string(), second: second.to_string() }
                }
                (false, true) => {
                    BindingError::EqualRank { first: first.to_string(), second: second.to_string() }
                }
                (false, false) => continue,
            };
            return Err(error);
        }
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

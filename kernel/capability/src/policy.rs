//! Named choices by scope: rounding, residuals, stacking and the like. The narrowest scope wins; a version is the hash of
//! the choice, so that what an order was priced by can be named for ever. Where the rows are stored is the engine's business.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use dashmap::DashMap;
use mortise_types::Scope;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The choices of one capability. `Default` is what holds where nobody chose.
pub trait Policy: Serialize + DeserializeOwned + JsonSchema + Default + Send + Sync + 'static {
    /// `discount`, `tax`.
    const NAME: &'static str;
}

/// A policy with the name of its version.
#[derive(Debug, Clone)]
pub struct Chosen<P> {
    /// `discount:3f9a0c17be21`.
    pub version: Arc<str>,
    /// The choices.
    pub policy: P,
}

/// A choice for a scope; an empty `line` or `channel` stands for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// The tenant.
    pub tenant: String,
    /// The business line, or empty.
    pub line: String,
    /// The channel, or empty.
    pub channel: String,
    /// The policy's name.
    pub name: String,
    /// The choices as JSON; fields that are left out have their default.
    pub document: String,
}

/// A choice that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy `{name}` of {tenant}/{line}/{channel}: {problem}")]
pub struct PolicyError {
    name: String,
    tenant: String,
    line: String,
    channel: String,
    problem: String,
}

/// A kind of choice that scopes may make.
#[derive(Debug, Clone, Copy)]
pub struct PolicyKind {
    /// Its name.
    pub name: &'static str,
    accepts: fn(&PolicyRow) -> Result<(), PolicyError>,
    holding: fn(&Policies, &Scope) -> (Arc<str>, serde_json::Value),
}

impl PolicyKind {
    pub(crate) fn of<P: Policy>() -> Self {
        Self {
            name: P::NAME,
            accepts: |row| Policies::accepts::<P>(row).map(drop),
            holding: |policies, scope| {
                let chosen = policies.get::<P>(scope);
                (Arc::clone(&chosen.version), serde_json::to_value(&chosen.policy).unwrap_or_default())
            },
        }
    }

    /// What holds in a scope, with its version.
    pub fn holding(&self, policies: &Policies, scope: &Scope) -> (Arc<str>, serde_json::Value) {
        (self.holding)(policies, scope)
    }

    /// Whether a document is a choice of this kind.
    ///
    /// # Errors
    /// The field that is off.
    pub fn accepts(&self, row: &PolicyRow) -> Result<(), PolicyError> {
        (self.accepts)(row)
    }
}

type Key = (String, String, String, String);

impl PolicyError {
    /// A choice of a kind that nothing offers.
    pub fn unknown(row: &PolicyRow, known: &[&str]) -> Self {
        let problem = format!("there is no such policy; there are {}", known.join(", "));
        Self::new(row, problem)
    }

    fn new(row: &PolicyRow, problem: String) -> Self {
        Self {
            name: row.name.clone(),
            tenant: row.tenant.clone(),
            line: row.line.clone(),
            channel: row.channel.clone(),
            problem,
        }
    }
}

/// All choices, and what was worked out of them.
#[derive(Debug, Default)]
pub struct Policies {
    rows: RwLock<BTreeMap<Key, String>>,
    chosen: DashMap<(TypeId, Scope), Arc<dyn Any + Send + Sync>>,
}

impl Policies {
    /// Replaces all choices.
    pub fn replace(&self, rows: impl IntoIterator<Item = PolicyRow>) {
        let rows = rows
            .into_iter()
            .map(|row| ((row.name, row.tenant, row.line, row.channel), row.document))
            .collect();
        *self.rows.write().unwrap_or_else(PoisonError::into_inner) = rows;
        self.chosen.clear();
    }

    /// Whether a document is a `P`.
    ///
    /// # Errors
    /// The field that is off.
    pub fn accepts<P: Policy>(row: &PolicyRow) -> Result<P, PolicyError> {
        serde_json::from_str(&row.document).map_err(|error| PolicyError::new(row, error.to_string()))
    }

    /// The choice for `scope`: that of its channel, else of its line, else of its tenant, else the default.
    pub fn get<P: Policy>(&self, scope: &Scope) -> Arc<Chosen<P>> {
        let key = (TypeId::of::<P>(), scope.clone());
        if let Some(found) = self.chosen.get(&key)
            && let Ok(chosen) = Arc::clone(&found).downcast::<Chosen<P>>()
        {
            return chosen;
        }
        let chosen = Arc::new(self.choose::<P>(scope));
        self.chosen.insert(key, Arc::clone(&chosen) as Arc<dyn Any + Send + Sync>);
        chosen
    }

    fn choose<P: Policy>(&self, scope: &Scope) -> Chosen<P> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let (tenant, line, channel) = (scope.tenant.as_str(), scope.line.as_str(), scope.channel.as_str());
        let policy = [(line, channel), (line, ""), ("", "")]
            .into_iter()
            .find_map(|(line, channel)| {
                rows.get(&(P::NAME.to_owned(), tenant.to_owned(), line.to_owned(), channel.to_owned()))
            })
            .and_then(|document| {
                let parsed = serde_json::from_str(document);
                parsed
                    .inspect_err(|error| tracing::error!(policy = P::NAME, %error, "unreadable policy"))
                    .ok()
            })
            .unwrap_or_default();
        let text = serde_json::to_vec(&policy).unwrap_or_default();
        let hash = blake3::hash(&text).to_hex();
        Chosen { version: format!("{}:{}", P::NAME, &hash[..12]).into(), policy }
    }
}

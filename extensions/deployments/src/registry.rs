//! The registry: what is deployed, in the database. It loads, lets a pure rule decide, and stores a revision whole; it runs
//! nothing and swaps nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_bindings::Binding;
use mortise_host::{Asks, Package};
use mortise_store::{Reader, Store, StoreError};
use mortise_types::{Span, Timestamp};

use crate::change::ChangeError;
use crate::judge::Seen;
use crate::panel::Observation;
use crate::revision::{Change, Kind, Revision};
use crate::store as sql;

/// Revisions that are looked at: further back nobody rolls.
const HISTORY: i64 = 1_000;
/// Observations are kept for the trials of so many revisions.
const KEPT_ROLLOUTS: i64 = 200;

/// What is deployed.
#[derive(Clone, Debug)]
pub struct Registry {
    store: Arc<Store>,
}

/// A component as it is stored.
#[derive(Clone, Debug)]
pub struct StoredComponent {
    /// Its identity.
    pub hash: String,
    /// Itself.
    pub package: Package,
    /// What bounds its limits.
    pub granted: Asks,
}

/// Why nothing is stored.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The rules say no.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// One name and version, two contents.
    #[error("{0} is stored with other content; give the changed extension a new version in extension.toml")]
    OtherContent(String),
    /// What is stored cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What another content of the same name and version means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Former {
    Refuses,
    Goes,
}

type Row = (i64, String, Timestamp, Timestamp, String, String, Option<i64>, String, String);

impl Registry {
    /// The registry of a store that has its tables.
    #[must_use]
    pub const fn new(store: Arc<Store>) -> Self {
        Registry { store }
    }

    /// The newest revision's number; 0 if there is none. One look into an index.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest(&self) -> Result<i64, StoreError> {
        let rows =
            self.store.read(async |reader| reader.fetch_all::<(i64,), _>(&sql::NEWEST, ()).await).await?;
        Ok(rows.first().map_or(0, |(number,)| *number))
    }

    /// The newest revisions, the newest first.
    ///
    /// # Errors
    /// The database's; a revision of another version of this program.
    pub async fn revisions(&self, most: i64) -> Result<Vec<Revision>, StoreError> {
        self.store.read(async move |reader| revisions(reader, most).await).await
    }

    /// A component by its extension's name and version.
    ///
    /// # Errors
    /// The database's.
    pub async fn component(&self, name: &str, version: &str) -> Result<Option<StoredComponent>, StoreError> {
        type Stored = (String, String, Option<String>, Vec<u8>, String);
        let (name, version) = (name.to_owned(), version.to_owned());
        let rows = self.store.read(async move |reader| {
            reader.fetch_all::<Stored, _>(&sql::COMPONENT, (name.as_str(), version.as_str())).await
        });
        let Some((hash, manifest, config_schema, component, granted)) = rows.await?.into_iter().next() else {
            return Ok(None);
        };
        let granted = serde_json::from_str(&granted)
            .map_err(|error| StoreError::Value(format!("the grant of component {hash}: {error}")))?;
        Ok(Some(StoredComponent { hash, package: Package { manifest, config_schema, component }, granted }))
    }

    /// A component's identity and what bounds its limits, without its bytes.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn identity(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Option<(String, Asks)>, StoreError> {
        let (name, version) = (name.to_owned(), version.to_owned());
        let rows = self.store.read(async move |reader| {
            reader.fetch_all::<(String, String), _>(&sql::HASH, (name.as_str(), version.as_str())).await
        });
        let Some((hash, granted)) = rows.await?.into_iter().next() else { return Ok(None) };
        let granted = serde_json::from_str(&granted)
            .map_err(|error| StoreError::Value(format!("the grant of component {hash}: {error}")))?;
        Ok(Some((hash, granted)))
    }

    /// Stores a component. The same again is no change but of what it is granted.
    ///
    /// # Errors
    /// Another content of the same name and version.
    pub async fn put(
        &self,
        package: &Package,
        granted: Asks,
        by: (&str, Timestamp),
    ) -> Result<String, RegistryError> {
        self.store_component(package, granted, by, Former::Refuses).await
    }

    /// The same for what is built anew under its old version, as in a folder of files: it takes the former one's place.
    ///
    /// # Errors
    /// The database's.
    pub async fn replace(
        &self,
        package: &Package,
        granted: Asks,
        by: (&str, Timestamp),
    ) -> Result<String, RegistryError> {
        self.store_component(package, granted, by, Former::Goes).await
    }

    async fn store_component(
        &self,
        package: &Package,
        granted: Asks,
        (by, at): (&str, Timestamp),
        former: Former,
    ) -> Result<String, RegistryError> {
        let manifest =
            package.describe().map_err(|problem| RegistryError::Unreadable(problem.to_string()))?;
        let granted =
            serde_json::to_string(&granted).map_err(|error| RegistryError::Unreadable(error.to_string()))?;
        let (hash, id) = (package.hash(), format!("{}@{}", manifest.name, manifest.version));
        let (package, by, same) = (package.clone(), by.to_owned(), hash.clone());
        let stored = self.store.write(async move |tx| {
            let (name, release) = (manifest.name.as_str(), manifest.version.as_str());
            let there = tx.fetch_all::<(String, String), _>(&sql::HASH, (name, release)).await?;
            match there.first() {
                Some((hash, _)) if *hash != same && former == Former::Refuses => return Ok(false),
                Some((hash, there)) if *hash == same && *there == granted => return Ok(true),
                Some((hash, _)) if *hash != same => {
                    tx.execute(&sql::DROP_COMPONENT, [(name, release, same.as_str())]).await?;
                }
                _ => {}
            }
            let Package { manifest: text, config_schema, component } = &package;
            let (hash, granted, by) = (same.as_str(), granted.as_str(), by.as_str());
            let row = (hash, name, release, text, config_schema.as_ref(), component, granted, at, by);
            tx.execute(&sql::SAVE_COMPONENT, [row]).await?;
            Ok(true)
        });
        if stored.await? { Ok(hash) } else { Err(RegistryError::OtherContent(id)) }
    }

    /// Makes the revision that `change` decides on, from the newest revisions (the newest first), if the newest one is
    /// still what it decided on. Trades that begin `delay` from `now` on, or later, have it.
    ///
    /// # Errors
    /// The rule's; the database's.
    pub async fn revise(
        &self,
        by: &str,
        now: Timestamp,
        delay: Span,
        change: impl Fn(&[Revision]) -> Result<Change, ChangeError> + Clone + Send + 'static,
    ) -> Result<Revision, RegistryError> {
        let by = by.to_owned();
        let made = self.store.write(async move |tx| {
            let history = revisions(tx, HISTORY).await?;
            let change = match change(&history) {
                Ok(change) => change,
                Err(refused) => return Ok(Err(refused)),
            };
            let number = history.first().map_or(0, |revision| revision.number) + 1;
            // Later than the one before, also where two machines' clocks differ.
            let earliest = history.first().map_or(now, |revision| revision.effective_from);
            let effective_from = now.saturating_add(delay).max(earliest);
            let revision = Revision { number, made_at: now, effective_from, made_by: by.clone(), change };
            tx.execute(&sql::ADD_REVISION, [row(&revision)?]).await?;
            if number > KEPT_ROLLOUTS {
                tx.execute(&sql::FORGET, [(number - KEPT_ROLLOUTS,)]).await?;
            }
            Ok(Ok(revision))
        });
        Ok(made.await??)
    }

    /// Stores what trials came to.
    ///
    /// # Errors
    /// The database's.
    pub async fn observe(&self, observations: Vec<Observation>) -> Result<(), StoreError> {
        // Of one call that ran again the last counts; two items of a batch are two rows.
        let distinct: BTreeMap<_, _> = observations
            .into_iter()
            .map(|seen| {
                (
                    (seen.rollout, seen.point, seen.tenant.clone(), seen.instance.clone(), seen.call.clone()),
                    seen,
                )
            })
            .collect();
        let rows = Arc::new(distinct);
        let write = self.store.write(async move |tx| {
            let items = rows.values().map(|seen| {
                let Observation { rollout, point, tenant, instance, call, at, failed, took_us, money } = seen;
                let (currency, live, trial) = money
                    .as_ref()
                    .map_or(("", 0, 0), |(currency, live, trial)| (currency.as_str(), *live, *trial));
                (
                    *rollout,
                    *point,
                    tenant.as_str(),
                    instance.as_str(),
                    call.as_str(),
                    *at,
                    *failed,
                    i64::try_from(*took_us).unwrap_or(i64::MAX),
                    currency,
                    live,
                    trial,
                )
            });
            tx.execute(&sql::OBSERVE, items).await.map(drop)
        });
        write.await
    }

    /// What a trial has shown, a line a currency.
    ///
    /// # Errors
    /// The database's.
    pub async fn seen(&self, trial: &Binding) -> Result<Vec<Seen>, StoreError> {
        type Sums = (String, i64, i64, i64, i64, i64, i64);
        let trial = trial.clone();
        let rows = self.store.read(async move |reader| {
            let key = (trial.since, &*trial.point, trial.tenant.as_str());
            reader.fetch_all::<Sums, _>(&sql::SEEN, key).await
        });
        let seen = |(currency, calls, orders, failures, took_us, difference_minor, off_minor)| Seen {
            currency,
            calls,
            orders,
            failures,
            took_us,
            difference_minor,
            off_minor,
        };
        Ok(rows.await?.into_iter().map(seen).collect())
    }

    /// The orders that a trial would have changed most: trade, currency, and what it came to live and by the trial, in
    /// minor units.
    ///
    /// # Errors
    /// The database's.
    pub async fn furthest(
        &self,
        trial: &Binding,
        most: i64,
    ) -> Result<Vec<(String, String, i64, i64)>, StoreError> {
        let trial = trial.clone();
        let rows = self.store.read(async move |reader| {
            let key = (trial.since, &*trial.point, trial.tenant.as_str(), most);
            reader.fetch_all::<(String, String, i64, i64), _>(&sql::FURTHEST, key).await
        });
        rows.await
    }
}

type NewRow<'r> = (i64, &'r str, Timestamp, Timestamp, &'r str, &'r str, Option<i64>, String, String);

fn row(revision: &Revision) -> Result<NewRow<'_>, StoreError> {
    let Revision { number, made_at, effective_from, made_by, change } = revision;
    let unwritable = |error: serde_json::Error| StoreError::Value(format!("revision {number}: {error}"));
    let withdrawn = serde_json::to_string(&change.withdrawn).map_err(unwritable)?;
    let bindings = serde_json::to_string(&change.bindings).map_err(unwritable)?;
    let (kind, reason) = (change.kind.word(), change.reason.as_str());
    Ok((*number, kind, *made_at, *effective_from, made_by, reason, change.restores, withdrawn, bindings))
}

async fn revisions(reader: &Reader<'_>, most: i64) -> Result<Vec<Revision>, StoreError> {
    let rows = reader.fetch_all::<Row, _>(&sql::REVISIONS, (0_i64, most)).await?;
    rows.into_iter().map(revision).collect()
}

fn revision(
    (number, kind, made_at, effective_from, made_by, reason, restores, withdrawn, bindings): Row,
) -> Result<Revision, StoreError> {
    let unreadable = |problem: String| StoreError::Value(format!("revision {number}: {problem}"));
    let kind = Kind::of_word(&kind).ok_or_else(|| unreadable(format!("unknown kind {kind:?}")))?;
    let withdrawn = serde_json::from_str(&withdrawn).map_err(|error| unreadable(error.to_string()))?;
    let bindings = serde_json::from_str(&bindings).map_err(|error| unreadable(error.to_string()))?;
    let change = Change { kind, reason, restores, withdrawn, bindings };
    Ok(Revision { number, made_at, effective_from, made_by, change })
}

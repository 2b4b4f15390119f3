//! Published definitions: immutable by hash, named by aliases for each business line, compiled once. A trade of one call
//! needs no definition: it is made from the operation's contract. What a definition means is the flow crate's business.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use dashmap::DashMap;
use mortise_capability::Registry;
use mortise_contract::{Contracts, FlowContract, Schema};
use mortise_flow::diagnostic::{Diagnostic, Severity};
use mortise_flow::{Obstacle, Program, check, check_text, obstacles, parse};
use mortise_store::{Reader, Store, StoreError, Tx};
use mortise_types::{Scope, Timestamp};

use crate::lease;
use crate::store as sql;

/// The platform's own tenant: what it publishes holds for every tenant that has no alias of its own.
pub const PLATFORM: &str = "_";

/// A definition, ready to run.
#[derive(Debug)]
pub struct Published {
    /// The program.
    pub program: Arc<Program>,
    /// As it was written.
    pub text: String,
    /// `summary:`
    pub summary: String,
    /// The merged type of its answers.
    pub answer: Schema,
    /// The codes that it may fail with.
    pub fails: Vec<String>,
    /// Whether the access layer shows it.
    pub public: bool,
    /// What a flow that starts it sees of it.
    pub contract: FlowContract,
}

/// Why a definition is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The checker refuses the definition.
    #[error("the definition is refused: {} findings", .0.len())]
    Refused(Vec<Diagnostic>),
    /// Its number stands for another text of the tenant's, which `flow migrate NAME@1 NAME@2` goes by.
    #[error("version {version} of `{name}` is published, with another text; count `version` up, to {next}")]
    NumberTaken {
        /// The flow's name.
        name: String,
        /// The number.
        version: u32,
        /// A number that is free.
        next: u32,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Alias = (String, String, String);

/// All definitions that this process knows.
#[derive(Debug)]
pub struct Catalogue {
    registry: Arc<Registry>,
    published: RwLock<HashMap<Arc<str>, Arc<Published>>>,
    aliases: RwLock<BTreeMap<Alias, Arc<str>>>,
    awaited: RwLock<BTreeSet<String>>,
    one_calls: DashMap<String, Arc<Program>>,
    late_calls: HashMap<String, Arc<Program>>,
}

impl Catalogue {
    /// A catalogue without definitions.
    pub fn new(registry: Arc<Registry>) -> Self {
        let contracts = registry.contracts();
        let acquiring =
            contracts.events.iter().filter(|(_, event)| event.late.is_some()).map(|(name, _)| name);
        let mut late_calls = HashMap::new();
        for event in acquiring {
            match Program::late_call(event, contracts) {
                Ok(program) => {
                    late_calls.insert(event.clone(), Arc::new(program));
                }
                Err(error) => tracing::error!(%event, %error, "the late call does not compile"),
            }
        }
        let awaited = RwLock::new(late_calls.keys().cloned().collect());
        Self {
            registry,
            published: RwLock::default(),
            aliases: RwLock::default(),
            awaited,
            one_calls: DashMap::new(),
            late_calls,
        }
    }

    /// The contracts that a definition of `tenant` and `line` is checked against: operations and events, and the flows that
    /// it starts, as their names are understood there.
    pub fn contracts_for(&self, (tenant, line): (&str, &str), text: &str) -> Cow<'_, Contracts> {
        let known = self.registry.contracts();
        let Ok(flow) = parse(text) else { return Cow::Borrowed(known) };
        let started = flow.started();
        if started.is_empty() {
            return Cow::Borrowed(known);
        }
        let mut contracts = known.clone();
        for name in started {
            if let Some(published) = self.meaning(tenant, line, name) {
                contracts.flows.insert(name.to_owned(), published.contract.clone());
            }
        }
        Cow::Owned(contracts)
    }

    /// Checks and compiles a definition of `tenant` and `line`; nothing is stored.
    ///
    /// # Errors
    /// What the checker refuses.
    pub fn compile(&self, place: (&str, &str), text: &str) -> Result<Published, Vec<Diagnostic>> {
        let contracts = &*self.contracts_for(place, text);
        let (flow, diagnostics) = check_text(text.as_bytes(), contracts);
        let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let flow = match flow {
            Some(flow) if !refused => flow,
            _ => return Err(diagnostics),
        };
        let checked = check(&flow, contracts);
        let program = Program::compile(&flow, contracts, text).map_err(|error| {
            vec![Diagnostic {
                code: "syntax".to_owned(),
                severity: Severity::Error,
                line: 1,
                column: 1,
                message: error.to_string(),
                help: "the checker should have found this: please report the definition".to_owned(),
                way: Vec::new(),
                bytes: (0, 0),
            }]
        })?;
        let contract = checked.contract(&flow);
        self.awaited.write().unwrap_or_else(PoisonError::into_inner).extend(checked.events);
        Ok(Published {
            program: Arc::new(program),
            text: text.to_owned(),
            summary: flow.summary.clone(),
            answer: checked.answer,
            fails: checked.fails,
            public: flow.internal == mortise_flow::ast::Visibility::Public,
            contract,
        })
    }

    /// What stands in the way of moving running trades from one published definition to another.
    pub(crate) fn obstacles(&self, old: &Published, new: &Published) -> Vec<Obstacle> {
        match (parse(&old.text), parse(&new.text)) {
            (Ok(before), Ok(after)) => obstacles(&before, &after, self.registry.contracts()),
            // Both were parsed when they were published.
            _ => Vec::new(),
        }
    }

    /// Stores a definition for `tenant` and lets its name mean it on `line` (empty: on every line). `aliasing` says
    /// whether a name that means something already is moved; what ships with the program moves none, and may be reworded under its number.
    ///
    /// # Errors
    /// What the checker refuses; a number that stands for another text; the database.
    pub async fn publish(
        &self,
        store: &Store,
        (tenant, line): (&str, &str),
        text: &str,
        now: Timestamp,
        aliasing: Aliasing,
    ) -> Result<Arc<Published>, PublishError> {
        let published = Arc::new(self.compile((tenant, line), text).map_err(PublishError::Refused)?);
        let program = Arc::clone(&published.program);
        let contracts = named_by(&program);
        let (tenant, line, text) = (tenant.to_owned(), line.to_owned(), text.to_owned());
        // Known by its hash before it is stored, so that this process's own following finds it known; nothing names it yet.
        let hash = Arc::clone(program.hash());
        self.published.write().unwrap_or_else(PoisonError::into_inner).insert(hash, Arc::clone(&published));
        let shared = store.is_shared();
        let insert = {
            let (program, tenant) = (Arc::clone(&program), tenant.clone());
            // Under which count other processes are told of it, if there are any and it is new.
            async move |tx: &mut Tx<'_>| {
                let mut counted = None;
                if aliasing == Aliasing::Move {
                    if shared {
                        // Whoever else publishes waits here, and then sees this one.
                        counted = Some(lease::count_published(tx).await?);
                    }
                    let number = (&*tenant, program.name(), program.version());
                    let there = tx.fetch_all::<(String, u32), _>(&sql::NUMBERED, number).await?;
                    if let Some((_, last)) = there.iter().find(|(other, _)| **other != *text) {
                        let (name, version) = (program.name().to_string(), program.version());
                        let next = last.saturating_add(1);
                        return Ok(Err(PublishError::NumberTaken { name, version, next }));
                    }
                }
                let row =
                    (&*tenant, program.hash(), program.name(), program.version(), &*text, &*contracts, now);
                let inserted = tx.execute(&sql::INSERT_DEFINITION, [row]).await?;
                Ok(Ok(match counted {
                    _ if !shared || inserted != [1] => None,
                    None => Some(lease::count_published(tx).await?),
                    counted => counted,
                }))
            }
        };
        let name_it = async move |tx: &mut Tx<'_>| {
            let statement = match aliasing {
                Aliasing::Move => &sql::SET_ALIAS,
                Aliasing::Keep => &sql::ADD_ALIAS,
            };
            let alias = (&*tenant, &*line, program.name(), program.hash(), now);
            if tx.execute(statement, [alias]).await? == [1] {
                tx.execute(&sql::ALIAS_MOVED, [alias]).await?;
                if shared {
                    lease::count_published(tx).await?;
                }
            }
            Ok(())
        };
        if shared {
            // Nobody begins a trade of it before everybody keeps the events that it waits for.
            if let Some(number) = store.write(insert).await?? {
                lease::until_known(store, number).await?;
            }
            store.write(name_it).await?;
        } else {
            let both = async move |tx: &mut Tx<'_>| {
                let inserted = insert(tx).await?;
                if inserted.is_ok() {
                    name_it(tx).await?;
                }
                Ok(inserted)
            };
            store.write(both).await??;
        }
        self.load_aliases(store).await?;
        Ok(published)
    }

    /// Reads all definitions and aliases, and checks each again that is not known yet. One that the contracts of today refuse is left out: its
    /// open trades are held for a person.
    ///
    /// # Errors
    /// The database's.
    pub async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let rows = store
            .read(async |reader| {
                reader.fetch_all::<(String, String, String, String, String), _>(&sql::DEFINITIONS, ()).await
            })
            .await?;
        self.load_aliases(store).await?;
        let mut left: Vec<Definition> = rows
            .into_iter()
            .filter(|(_, hash, ..)| self.definition(hash).is_none())
            .map(|(tenant, hash, name, text, contracts)| Definition { tenant, hash, name, text, contracts })
            .collect();
        // A flow is checked when all that it starts is known; what only waits for itself is checked last.
        loop {
            let names: BTreeSet<String> = left.iter().map(|definition| definition.name.clone()).collect();
            let (ready, waiting): (Vec<_>, Vec<_>) = left.into_iter().partition(|definition| {
                parse(&definition.text)
                    .is_ok_and(|flow| flow.started().iter().all(|name| !names.contains(*name)))
            });
            if ready.is_empty() {
                waiting.into_iter().for_each(|definition| self.take(definition));
                return Ok(());
            }
            ready.into_iter().for_each(|definition| self.take(definition));
            left = waiting;
        }
    }

    /// A stored definition, if the contracts of today let it run.
    fn take(&self, Definition { tenant, hash, name, text, contracts }: Definition) {
        match self.compile((&tenant, ""), &text) {
            Ok(published) => {
                if named_by(&published.program) != contracts {
                    tracing::warn!(%tenant, %name, %hash, "its contracts have changed since it was published");
                }
                let published = Arc::new(published);
                let key = Arc::clone(published.program.hash());
                self.published.write().unwrap_or_else(PoisonError::into_inner).insert(key, published);
            }
            Err(diagnostics) => {
                let first = diagnostics.first().map(|d| d.message.clone()).unwrap_or_default();
                tracing::error!(%tenant, %name, %hash, %first, "a published definition is refused now");
            }
        }
    }

    async fn load_aliases(&self, store: &Store) -> Result<(), StoreError> {
        let rows = store.read(async |reader: &Reader<'_>| {
            reader.fetch_all::<(String, String, String, Arc<str>), _>(&sql::ALIASES, ()).await
        });
        let aliases =
            rows.await?.into_iter().map(|(tenant, line, name, hash)| ((tenant, line, name), hash)).collect();
        *self.aliases.write().unwrap_or_else(PoisonError::into_inner) = aliases;
        Ok(())
    }

    /// What a name means in a scope: the line's alias, else the tenant's, else the platform's.
    pub fn find(&self, scope: &Scope, name: &str) -> Option<Arc<Published>> {
        self.meaning(scope.tenant.as_str(), scope.line.as_str(), name)
    }

    /// The same; where no line is named and no alias of every line is there, any line's.
    fn meaning(&self, tenant: &str, line: &str, name: &str) -> Option<Arc<Published>> {
        let aliases = self.aliases.read().unwrap_or_else(PoisonError::into_inner);
        let of =
            |tenant: &str, line: &str| aliases.get(&(tenant.to_owned(), line.to_owned(), name.to_owned()));
        let any_line = || {
            let mut all = aliases.iter().filter(|((t, _, n), _)| t == tenant && n == name && line.is_empty());
            all.next().map(|(_, hash)| hash)
        };
        let hash =
            of(tenant, line).or_else(|| of(tenant, "")).or_else(|| of(PLATFORM, "")).or_else(any_line)?;
        self.published.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// A definition by its hash, whether or not a name means it still.
    pub fn definition(&self, hash: &str) -> Option<Arc<Published>> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// All names that mean something in a scope.
    pub fn names(&self, scope: &Scope) -> BTreeSet<String> {
        let (tenant, line) = (scope.tenant.as_str(), scope.line.as_str());
        let aliases = self.aliases.read().unwrap_or_else(PoisonError::into_inner);
        let held = |t: &str, l: &str| (t == tenant && (l == line || l.is_empty())) || t == PLATFORM;
        aliases.keys().filter(|(t, l, _)| held(t, l)).map(|(_, _, name)| name.clone()).collect()
    }

    /// The program of a running trade: by hash, or made anew for a trade of one call.
    pub fn by_hash(&self, hash: &str, name: &str) -> Option<Arc<Program>> {
        if let Some(found) = self.published.read().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return Some(Arc::clone(&found.program));
        }
        let made = self.one_call_of(name)?;
        (&**made.hash() == hash).then_some(made)
    }

    fn one_call_of(&self, name: &str) -> Option<Arc<Program>> {
        match name.strip_suffix(".late") {
            Some(event) => self.late_call(event),
            None => self.one_call(name),
        }
    }

    /// The trade of one call of an operation.
    pub fn one_call(&self, operation: &str) -> Option<Arc<Program>> {
        if let Some(found) = self.one_calls.get(operation) {
            return Some(Arc::clone(&found));
        }
        let program = Arc::new(Program::one_call(operation, self.registry.contracts()).ok()?);
        self.one_calls.insert(operation.to_owned(), Arc::clone(&program));
        Some(program)
    }

    /// The trade that gives back an event that came too late.
    pub fn late_call(&self, event: &str) -> Option<Arc<Program>> {
        self.late_calls.get(event).cloned()
    }

    /// Whether any flow may wait for the event: if not, it needs no place in the inbox.
    pub fn is_awaited(&self, event: &str) -> bool {
        self.awaited.read().unwrap_or_else(PoisonError::into_inner).contains(event)
    }
}

/// A definition as it is stored.
struct Definition {
    tenant: String,
    hash: String,
    name: String,
    text: String,
    contracts: String,
}

/// What a definition names, with the hash of each contract: operations, events, and the flows that it starts.
fn named_by(program: &Program) -> String {
    let named: BTreeMap<&String, &String> =
        program.contract_hashes().iter().chain(program.started_flows()).collect();
    serde_json::to_string(&named).unwrap_or_default()
}

/// What publishing does with a name that means something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aliasing {
    /// It means the new definition from now on.
    Move,
    /// It keeps its meaning: what a start-up does.
    Keep,
}

/// Whether a program is a trade of one call, which leaves no journal if it ends where it began. Its name is the
/// operation's; a published flow's name has no dot.
pub(crate) fn is_one_call(program: &Program) -> bool {
    program.name().contains('.')
}

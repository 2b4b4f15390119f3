//! The engine as others use it: publish definitions, start trades, call and read operations, subscribe, drain. What runs
//! when is the driver's; what is written is `commit`'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mortise_capability::{Policies, Registry};
use mortise_contract::{Value, Violation};
use mortise_flow::{Answer, Begin};
use mortise_store::{Migration, Migrations, Role, Store, StoreError};
use mortise_types::{Clock, CustomerId, IdSource, Scope, TenantId, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use crate::attention::{Decision, Verdict};
use crate::commit::{Pen, Tenure, stored_answer};
use crate::definitions::{Aliasing, Catalogue, PublishError, Published};
use crate::driver::{CrashPoint, Driver, Figures, Found, Message, Parts, Quiet, Start, Started};
use crate::job::Fresh;
use crate::keeper::{Duty, Keeper, Kept};
use crate::lease::{self, Open, Undelivered};
use crate::prune::Retention;
use crate::record::{Record, TradeId};
use crate::store as sql;
use crate::stretch::{Bound, Tools};
use crate::subscribe::{self, Subscriber};
use crate::{policies, prune};

/// Starts that are queued or running at most; beyond it a start is refused at once.
const MOST_LOAD: usize = 8_192;

/// The engine's own tables.
pub const fn migrations() -> Migrations {
    Migrations {
        owner: "engine",
        role: Role::Engine,
        steps: &[
            Migration {
                version: 1,
                description: "definitions, trades, journal, listeners, inbox, outbox",
                sqlite: include_str!("../migrations/sqlite/0001_engine.sql"),
                postgres: include_str!("../migrations/postgres/0001_engine.sql"),
            },
            Migration {
                version: 2,
                description: "what a name has meant, what a person did",
                sqlite: include_str!("../migrations/sqlite/0002_history.sql"),
                postgres: include_str!("../migrations/postgres/0002_history.sql"),
            },
            Migration {
                version: 3,
                description: "who drives trades where several processes may",
                sqlite: include_str!("../migrations/sqlite/0003_lease.sql"),
                postgres: include_str!("../migrations/postgres/0003_lease.sql"),
            },
            Migration {
                version: 4,
                description: "epochs are counted in one place",
                sqlite: include_str!("../migrations/sqlite/0004_epoch.sql"),
                postgres: include_str!("../migrations/postgres/0004_epoch.sql"),
            },
        ],
    }
}

/// How far a stretch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepMode {
    /// To where the trade meets the world.
    #[default]
    Stretches,
    /// Behind one step: each is durable before the next begins.
    SingleSteps,
}

/// What an engine is made of.
#[derive(Clone)]
pub struct Options {
    /// The one clock.
    pub clock: Arc<dyn Clock>,
    /// The one source of ids.
    pub ids: Arc<dyn IdSource>,
    /// Which extension points are answered where.
    pub bound: Bound,
    /// How far a stretch goes.
    pub steps: StepMode,
    /// How long things are kept.
    pub retention: Retention,
    /// For tests that stop the process at named points.
    pub crash_point: Option<CrashPoint>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// Why something could not be started or read.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No alias of this name in this scope.
    #[error("no flow `{0}` is published here")]
    UnknownFlow(String),
    /// No operation of this name, or not of the kind that was asked for.
    #[error("no operation `{0}` that can be used so")]
    UnknownOperation(String),
    /// The input does not fit its schema.
    #[error("the input does not fit: {} violations", .0.len())]
    Invalid(Vec<Violation>),
    /// The key of the trade cannot be worked out of the input.
    #[error("the trade's key: {0}")]
    Key(String),
    /// Too much is queued.
    #[error("too much is queued")]
    Overloaded,
    /// The process is going down.
    #[error("the process is going down")]
    Draining,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A trade to be started.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// Where.
    pub scope: Scope,
    /// The flow's name.
    pub flow: String,
    /// By the flow's input schema; defaults are filled in.
    pub input: Value,
    /// The signed-in customer.
    pub caller: Option<CustomerId>,
    /// The caller's idempotency key and a hash of the request.
    pub idempotency: Option<(String, Vec<u8>)>,
}

/// One call of an operation, to be run as a trade of its own.
#[derive(Debug, Clone)]
pub struct CallRequest {
    /// Where.
    pub scope: Scope,
    /// `capability.operation`
    pub operation: String,
    /// By the operation's input schema; defaults are filled in.
    pub input: Value,
    /// The signed-in customer.
    pub caller: Option<CustomerId>,
    /// The caller's idempotency key and a hash of the request.
    pub idempotency: Option<(String, Vec<u8>)>,
}

/// A trade that was handed to the driver.
#[derive(Debug)]
pub struct Begun {
    /// Its name; a start that repeats an earlier one leaves none of this name.
    pub trade: TradeId,
    /// What becomes of the start.
    pub answer: oneshot::Receiver<Started>,
}

/// A trade as its row says.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeStatus {
    /// The flow.
    pub flow: String,
    /// The hash of its definition.
    pub definition: String,
    /// The business line.
    pub line: String,
    /// The customer who began it.
    pub caller: Option<CustomerId>,
    /// The currency of its amounts, where its flow's head says one.
    pub currency: Option<String>,
    /// What it answered, if it has.
    pub answer: Option<Answer>,
    /// `completed`, `failed:code`, `ended:outcome`; none while it is open.
    pub outcome: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
}

/// A running engine. Clones share it.
#[derive(Clone)]
pub struct Engine {
    store: Arc<Store>,
    registry: Arc<Registry>,
    catalogue: Arc<Catalogue>,
    options: Options,
    figures: Arc<Figures>,
    messages: mpsc::UnboundedSender<Message>,
    committed: watch::Receiver<u64>,
    draining: Arc<AtomicBool>,
    /// Where other engines may be on the database.
    kept: Option<Kept>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("figures", &self.figures).finish_non_exhaustive()
    }
}

impl Engine {
    /// Loads definitions and choices, takes over open trades, and runs. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The database's.
    pub async fn start(
        store: Arc<Store>,
        registry: Arc<Registry>,
        policies: Arc<Policies>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let catalogue = Arc::new(Catalogue::new(Arc::clone(&registry)));
        if !store.is_shared() {
            catalogue.load(&store).await?;
        }
        Self::start_knowing(catalogue, store, registry, policies, options).await
    }

    /// As [`Engine::start`], with definitions that are known already: what is published is not checked once more. For those
    /// who start many engines on copies of one database.
    ///
    /// # Errors
    /// The database's.
    pub async fn start_knowing(
        catalogue: Arc<Catalogue>,
        store: Arc<Store>,
        registry: Arc<Registry>,
        policies: Arc<Policies>,
        options: Options,
    ) -> Result<Self, StoreError> {
        if store.is_shared() {
            return Self::join((store, catalogue), registry, policies, options, Duty::Drive).await;
        }
        let epoch = lease::take(&store).await?;
        let found = find_open(&store).await?;
        policies::load(&store, &policies).await?;
        Ok(Self::run((store, catalogue), registry, options, (epoch, found), None))
    }

    /// Runs what it is asked and leaves open trades where they are, for a command that writes while no server does: no
    /// timer of theirs goes off, no peer is asked on their behalf.
    ///
    /// # Errors
    /// The database's.
    pub async fn start_idle(
        store: Arc<Store>,
        registry: Arc<Registry>,
        policies: Arc<Policies>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let catalogue = Arc::new(Catalogue::new(Arc::clone(&registry)));
        if store.is_shared() {
            return Self::join((store, catalogue), registry, policies, options, Duty::Leave).await;
        }
        let epoch = lease::take(&store).await?;
        catalogue.load(&store).await?;
        policies::load(&store, &policies).await?;
        Ok(Self::run((store, catalogue), registry, options, (epoch, Vec::new()), None))
    }

    /// Starts as one of several on the database.
    async fn join(
        (store, catalogue): (Arc<Store>, Arc<Catalogue>),
        registry: Arc<Registry>,
        policies: Arc<Policies>,
        options: Options,
        duty: Duty,
    ) -> Result<Self, StoreError> {
        let of = (Arc::clone(&store), Arc::clone(&catalogue));
        let (keeper, found) = Keeper::register(of, policies, duty).await?;
        let (orders, ordered) = mpsc::unbounded_channel();
        let kept = Kept { orders, standing: keeper.standing() };
        let epoch = kept.standing.epoch();
        let engine = Self::run((store, catalogue), registry, options, (epoch, found), Some(kept));
        tokio::spawn(keeper.run(engine.messages.clone(), ordered));
        Ok(engine)
    }

    fn run(
        (store, catalogue): (Arc<Store>, Arc<Catalogue>),
        registry: Arc<Registry>,
        options: Options,
        (epoch, found): (i64, Vec<Found>),
        kept: Option<Kept>,
    ) -> Self {
        let (to_self, messages) = mpsc::unbounded_channel();
        let (committed_sender, committed) = watch::channel(0);
        let figures = Arc::new(Figures::default());
        let tools = Tools {
            registry: Arc::clone(&registry),
            catalogue: Arc::clone(&catalogue),
            bound: Arc::clone(&options.bound),
            single_steps: options.steps == StepMode::SingleSteps,
        };
        let pen = Pen {
            tools,
            catalogue: Arc::clone(&catalogue),
            ids: Arc::clone(&options.ids),
            clock: Arc::clone(&options.clock),
            epoch,
            tenure: if kept.is_some() { Tenure::Shared } else { Tenure::All },
        };
        let driver = Driver::new(Parts {
            store: Arc::clone(&store),
            pen,
            kept: kept.clone(),
            messages,
            to_self: to_self.clone(),
            figures: Arc::clone(&figures),
            committed: committed_sender,
            crash_point: options.crash_point.clone(),
        });
        tokio::spawn(driver.run(found));
        let (clock, retention) = (Arc::clone(&options.clock), options.retention);
        let standing = kept.as_ref().map(|kept| Arc::clone(&kept.standing));
        tokio::spawn(prune::run(Arc::clone(&store), clock, retention, committed.clone(), standing));
        let draining = Arc::new(AtomicBool::new(false));
        Self { store, registry, catalogue, options, figures, messages: to_self, committed, draining, kept }
    }

    /// The database.
    pub const fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The capabilities.
    pub const fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The published definitions.
    pub const fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What the driver has done.
    pub const fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// The engine's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    /// A name that nothing has yet.
    pub(crate) fn new_name(&self) -> Arc<str> {
        self.options.ids.next().simple().to_string().into()
    }

    /// Changes with every commit: followers of an order look again.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    /// Checks, stores and names a definition; see [`Catalogue::publish`].
    ///
    /// # Errors
    /// What the checker refuses; the database.
    pub async fn publish(
        &self,
        place: (&str, &str),
        text: &str,
        aliasing: Aliasing,
    ) -> Result<Arc<Published>, PublishError> {
        self.catalogue.publish(&self.store, place, text, self.options.clock.now(), aliasing).await
    }

    /// Starts a trade of a published flow and waits for its answer.
    ///
    /// # Errors
    /// An unknown flow, an input that does not fit, too much load.
    pub async fn start_trade(
        &self,
        request: StartRequest,
    ) -> Result<oneshot::Receiver<Started>, EngineError> {
        self.begin_trade(request).map(|begun| begun.answer)
    }

    /// Starts a trade of a published flow; its name is known before its answer.
    ///
    /// # Errors
    /// An unknown flow, an input that does not fit, too much load.
    pub fn begin_trade(&self, request: StartRequest) -> Result<Begun, EngineError> {
        let StartRequest { scope, flow, input, caller, idempotency } = request;
        let published =
            self.catalogue.find(&scope, &flow).ok_or_else(|| EngineError::UnknownFlow(flow.clone()))?;
        let program = Arc::clone(&published.program);
        self.begin(program, scope, input, caller, idempotency)
    }

    /// Runs one operation as a trade of its own: every write goes through a flow.
    ///
    /// # Errors
    /// An unknown operation, an input that does not fit, too much load.
    pub async fn call(
        &self,
        scope: Scope,
        operation: &str,
        input: Value,
        caller: Option<CustomerId>,
    ) -> Result<oneshot::Receiver<Started>, EngineError> {
        let operation = operation.to_owned();
        let request = CallRequest { scope, operation, input, caller, idempotency: None };
        self.begin_call(request).map(|begun| begun.answer)
    }

    /// As [`Engine::call`]; with an idempotency key, and with the trade's name before its answer.
    ///
    /// # Errors
    /// An unknown operation, an input that does not fit, too much load.
    pub fn begin_call(&self, request: CallRequest) -> Result<Begun, EngineError> {
        let CallRequest { scope, operation, input, caller, idempotency } = request;
        let program = self.catalogue.one_call(&operation).ok_or(EngineError::UnknownOperation(operation))?;
        self.begin(program, scope, input, caller, idempotency)
    }

    fn begin(
        &self,
        program: Arc<mortise_flow::Program>,
        scope: Scope,
        input: Value,
        caller: Option<CustomerId>,
        idempotency: Option<(String, Vec<u8>)>,
    ) -> Result<Begun, EngineError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(EngineError::Draining);
        }
        if self.figures.load.load(Ordering::Relaxed) >= MOST_LOAD {
            return Err(EngineError::Overloaded);
        }
        let contracts = self.registry.contracts();
        let input = contracts.validate(program.input_schema(), &input).map_err(EngineError::Invalid)?;
        let input_hash = fingerprint(&input);
        let begin = Begin { input, scope: scope_value(&scope) };
        let key = program.key(&begin).map_err(|error| EngineError::Key(error.to_string()))?;
        let id = TradeId { tenant: scope.tenant.clone(), id: self.new_name() };
        let (reply, answer) = oneshot::channel();
        let fresh = Arc::new(Fresh { begin, key, input_hash, idempotency });
        let start = Start { id: id.clone(), program, scope, caller, fresh, reply };
        self.messages.send(Message::Start(start)).map_err(|_| EngineError::Draining)?;
        Ok(Begun { trade: id, answer })
    }

    /// Waits for the answer of a trade that is under way.
    pub fn await_answer(&self, trade: TradeId) -> oneshot::Receiver<Started> {
        let (reply, answer) = oneshot::channel();
        // A driver that is gone drops the sender, which the receiver sees.
        let _ = self.messages.send(Message::Await { trade, reply });
        answer
    }

    /// A trade's row. What it tells of an end lies before [`Engine::position`], whichever process drives the trade.
    ///
    /// # Errors
    /// The database's.
    pub async fn trade(&self, tenant: &TenantId, id: &str) -> Result<Option<TradeStatus>, StoreError> {
        type Row = (
            String,
            String,
            String,
            Option<CustomerId>,
            Option<String>,
            Option<String>,
            Timestamp,
            Option<String>,
        );
        let (tenant, id) = (tenant.clone(), id.to_owned());
        let rows = self
            .store
            .read(async move |reader| {
                reader.fetch_all::<Row, _>(&sql::TRADE_STATUS, (tenant, id.as_str())).await
            })
            .await?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        let (flow, definition, line, caller, answer, outcome, started_at, first_record) = row;
        let answer = answer.map(|text| stored_answer(&text)).transpose()?;
        if answer.is_some() || outcome.is_some() {
            self.store.note_position().await?;
        }
        let program = self.catalogue.by_hash(&definition, &flow);
        let currency = first_record.zip(program).and_then(|(record, program)| currency_of(&program, &record));
        Ok(Some(TradeStatus { flow, definition, line, caller, currency, answer, outcome, started_at }))
    }

    /// Delivers the outbox to `subscriber` for as long as the engine lives.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        let standing = self.kept.as_ref().map(|kept| Arc::clone(&kept.standing));
        tokio::spawn(subscribe::run(Arc::clone(&self.store), subscriber, self.committed.clone(), standing));
    }

    /// Forgets, now, one step of what is older than its retention; says how many rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        prune::step(&self.store, self.options.clock.now(), self.options.retention, &Arc::default()).await
    }

    /// The clock was moved by hand: look at it now.
    pub fn tick(&self) {
        let _ = self.messages.send(Message::Tick);
    }

    /// A person has decided about a trade, and why. Its notes are settled with that in the commit of what follows from it: a
    /// decision that cannot be carried out leaves them open.
    pub fn decide(&self, trade: TradeId, decision: Decision, reason: &str) {
        let verdict = Verdict { decision, reason: reason.to_owned() };
        // A driver that is gone decides nothing any more.
        let _ = self.messages.send(Message::Decided(trade, verdict));
    }

    /// Takes no more starts and returns when everything that was taken is committed. Where other engines are on the database,
    /// they take over what waits.
    pub async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.rest_of(Quiet::Trades).await;
        if let Some(kept) = &self.kept {
            kept.give_up().await;
        }
    }

    /// Returns when nothing is queued, in a batch, or being asked of a peer; clocks and events may still come. Says when the
    /// next clock is due.
    pub async fn rest(&self) -> Option<Timestamp> {
        self.rest_of(Quiet::Peers).await
    }

    async fn rest_of(&self, quiet: Quiet) -> Option<Timestamp> {
        let (done, rested) = oneshot::channel();
        self.messages.send(Message::Rest(quiet, done)).ok()?;
        rested.await.ok().flatten()
    }

    /// Whether [`Engine::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What is off in the data, by the check that found it.
    ///
    /// # Errors
    /// The database's.
    pub async fn verify(&self) -> Result<Vec<(String, mortise_capability::Finding)>, StoreError> {
        crate::verify::verify(&self.store, &self.registry, &self.catalogue).await
    }
}

/// The currency of a trade by its journal's first record.
fn currency_of(program: &mortise_flow::Program, record: &str) -> Option<String> {
    let record: Record = serde_json::from_str(record).ok()?;
    record.inputs.into_iter().find_map(|input| match input {
        mortise_flow::Input::Begin(begin) => program.currency(&begin).ok().flatten(),
        _ => None,
    })
}

/// `{tenant, line, channel}` as flows see it.
pub(crate) fn scope_value(scope: &Scope) -> Value {
    let fields = [
        ("tenant", scope.tenant.as_str()),
        ("line", scope.line.as_str()),
        ("channel", scope.channel.as_str()),
    ];
    Value::record(fields.map(|(name, text)| (name, Value::from(text))))
}

/// Equal values have equal fingerprints, whatever the order of their fields.
fn fingerprint(value: &Value) -> Vec<u8> {
    fn take(hasher: &mut blake3::Hasher, value: &Value) {
        match value {
            Value::Record(record) => {
                let mut fields: Vec<_> = record.iter().collect();
                fields.sort_by_key(|(name, _)| *name);
                hasher.update(b"{");
                for (name, value) in fields {
                    hasher.update(&(name.len() as u64).to_le_bytes());
                    hasher.update(name.as_bytes());
                    take(hasher, value);
                }
                hasher.update(b"}");
            }
            Value::List(items) => {
                hasher.update(b"[");
                items.iter().for_each(|item| take(hasher, item));
                hasher.update(b"]");
            }
            Value::Text(text) => {
                hasher.update(b"t");
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
            plain => {
                hasher.update(b"p");
                hasher.update(plain.to_json().as_bytes());
                hasher.update(b";");
            }
        }
    }
    let mut hasher = blake3::Hasher::new();
    take(&mut hasher, value);
    hasher.finalize().as_bytes()[..16].to_vec()
}

/// What open trades need: calls to go on with, clocks, and events that were matched but not told before the crash.
async fn find_open(store: &Store) -> Result<Vec<Found>, StoreError> {
    let (open, undelivered) = store
        .read(async |reader| {
            let open = reader.fetch_all::<Open, _>(&sql::OPEN_INSTANCES, ()).await?;
            Ok((open, reader.fetch_all::<Undelivered, _>(&sql::UNDELIVERED, ()).await?))
        })
        .await?;
    lease::found(open, undelivered)
}

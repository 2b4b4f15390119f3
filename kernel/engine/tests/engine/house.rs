//! An engine on a database of its own that can be stopped without warning and started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mortise_capability::{Policies, Registry};
use mortise_contract::{Value, json};
use mortise_engine::{Aliasing, Engine, Freshness, Options, PLATFORM, StartRequest, Started, StepMode};
use mortise_flow::Answer;
use mortise_store::Store;
use mortise_testkit::{SeededIds, TestDatabase, VirtualClock};
use mortise_types::{Clock, Scope, Span};
use tokio::runtime::Runtime;

use crate::shop::{Peer, shop};

/// How long a test waits for what has to come.
const LIMIT: Duration = Duration::from_secs(20);

/// One life of the process: dropping it is a crash.
pub struct House {
    pub clock: Arc<VirtualClock>,
    pub peer: Arc<Peer>,
    pub steps: StepMode,
    /// Commits until the process dies, right behind one.
    crash_in: Arc<AtomicI64>,
    database: Arc<TestDatabase>,
    company: Company,
    ids: Arc<SeededIds>,
    life: Option<(Runtime, Engine)>,
}

/// Whether other engines live on the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Company {
    Alone,
    Neighbours,
}

impl House {
    /// An engine with the flow of `text` published as the platform's.
    pub fn new(text: &str) -> Self {
        Self::with(text, StepMode::Stretches)
    }

    pub fn with(text: &str, steps: StepMode) -> Self {
        Self::on(Runtime::new().unwrap().block_on(TestDatabase::new()), text, steps)
    }

    /// One on PostgreSQL, whatever the run of the tests says.
    pub fn on_postgres(text: &str) -> Self {
        Self::on(Runtime::new().unwrap().block_on(TestDatabase::postgres()), text, StepMode::Stretches)
    }

    /// One on SQLite, whatever the run of the tests says.
    pub fn on_sqlite(text: &str) -> Self {
        Self::on(TestDatabase::sqlite(), text, StepMode::Stretches)
    }

    /// Another engine on the same database, with the same clock and the same peer.
    pub fn neighbour(&mut self, seed: u32) -> Self {
        self.company = Company::Neighbours;
        let mut house = Self {
            clock: Arc::clone(&self.clock),
            peer: Arc::clone(&self.peer),
            steps: self.steps,
            database: Arc::clone(&self.database),
            company: Company::Neighbours,
            crash_in: Arc::new(AtomicI64::new(i64::MAX)),
            ids: Arc::new(SeededIds::new(seed)),
            life: None,
        };
        house.restart();
        house
    }

    fn on(database: TestDatabase, text: &str, steps: StepMode) -> Self {
        let mut house = Self {
            clock: Arc::new(VirtualClock::default()),
            peer: Arc::default(),
            steps,
            database: Arc::new(database),
            company: Company::Alone,
            crash_in: Arc::new(AtomicI64::new(i64::MAX)),
            ids: Arc::new(SeededIds::new(1)),
            life: None,
        };
        house.restart();
        house.publish(text, Aliasing::Keep);
        house
    }

    /// Publishes a flow as the platform's.
    pub fn publish(&self, text: &str, aliasing: Aliasing) {
        let (runtime, engine) = self.life();
        let published = runtime.block_on(engine.publish((PLATFORM, ""), text, aliasing));
        if let Err(mortise_engine::PublishError::Refused(diagnostics)) = &published {
            panic!("the flow is refused: {diagnostics:#?}");
        }
        published.unwrap();
    }

    /// The process dies behind so many more commits of trades, before anything else hears of the last one.
    pub fn crash_after(&self, commits: i64) {
        self.crash_in.store(commits, Ordering::SeqCst);
    }

    /// Whether it has died.
    pub fn has_crashed(&self) -> bool {
        self.crash_in.load(Ordering::SeqCst) <= 0
    }

    fn life(&self) -> (&Runtime, &Engine) {
        let (runtime, engine) = self.life.as_ref().unwrap();
        (runtime, engine)
    }

    /// Stops everything at once, as a crash does.
    pub fn crash(&mut self) {
        if let Some((runtime, engine)) = self.life.take() {
            drop(engine);
            drop(runtime);
        }
    }

    /// Stops everything at once, as a crash does, and starts again on the same database.
    pub fn restart(&mut self) {
        self.crash();
        self.crash_in.store(i64::MAX, Ordering::SeqCst);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let engine = runtime.block_on(self.open());
        self.life = Some((runtime, engine));
    }

    async fn open(&self) -> Engine {
        let registry = Arc::new(Registry::new([shop(&self.peer)]).unwrap());
        let mut migrations = vec![mortise_engine::migrations()];
        migrations.extend_from_slice(registry.migrations());
        let store = open_store(&self.database, &migrations).await;
        if self.company == Company::Alone {
            until_alone(&store).await;
        }
        let options = Options {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ids: Arc::clone(&self.ids) as _,
            bound: Arc::new(|_, _| false),
            steps: self.steps,
            retention: mortise_engine::Retention::default(),
            crash_point: Some(self.crash_point()),
        };
        Engine::start(Arc::new(store), registry, Arc::new(Policies::default()), options).await.unwrap()
    }

    fn crash_point(&self) -> mortise_engine::CrashPoint {
        let crash_in = Arc::clone(&self.crash_in);
        Arc::new(move |point| {
            if point == "committed" && crash_in.fetch_sub(1, Ordering::SeqCst) == 1 {
                crash_in.store(0, Ordering::SeqCst);
                // The driver's task ends here, with all that it knew.
                std::panic::resume_unwind(Box::new("the process dies"));
            }
        })
    }

    /// The same house as another tenant sees it.
    pub fn in_tenant<'h>(&'h self, tenant: &str) -> Door<'h> {
        Door { house: self, scope: Scope::new(tenant, "books", "web").unwrap() }
    }

    fn door(&self) -> Door<'_> {
        self.in_tenant("acme")
    }

    pub fn begin(&self, flow: &str, input: &str) -> tokio::sync::oneshot::Receiver<Started> {
        self.door().begin_with(flow, input, None)
    }

    pub fn begin_with(
        &self,
        flow: &str,
        input: &str,
        idempotency: Option<(&str, &str)>,
    ) -> tokio::sync::oneshot::Receiver<Started> {
        self.door().begin_with(flow, input, idempotency)
    }

    /// Waits for an answer.
    pub fn answer(&self, started: tokio::sync::oneshot::Receiver<Started>) -> String {
        let answer = self.life().0.block_on(async { tokio::time::timeout(LIMIT, started).await });
        match answer.expect("an answer comes").unwrap() {
            Started::Answered { answer: Answer::Ok(value), replay, .. } => {
                format!("{replay:?} {}", value.to_json())
            }
            Started::Answered { answer: Answer::Failed { code, .. }, replay, .. } => {
                format!("{replay:?} failed {code}")
            }
            other => format!("{other:?}"),
        }
    }

    pub fn trade(&self, flow: &str, input: &str) -> String {
        self.door().trade(flow, input)
    }

    pub fn call(&self, operation: &str, input: &str) -> String {
        self.door().call(operation, input)
    }

    /// One operation as a trade of its own, without waiting for it.
    pub fn begin_call(&self, operation: &str, input: &str) -> tokio::sync::oneshot::Receiver<Started> {
        self.door().begin_call(operation, input)
    }

    pub fn left(&self, goods: &str) -> i64 {
        self.door().left(goods)
    }

    /// Waits until nothing is queued, in a batch, or at a peer.
    pub fn settle(&self) {
        let (runtime, engine) = self.life();
        let rested = runtime.block_on(async { tokio::time::timeout(LIMIT, engine.rest()).await });
        rested.expect("the engine comes to rest");
    }

    /// Moves the clock and lets what is due happen.
    pub fn pass(&self, span: Span) {
        self.clock.advance(span);
        self.life().1.tick();
        self.settle();
    }

    pub fn verify(&self) -> Vec<String> {
        let (runtime, engine) = self.life();
        let found = runtime.block_on(engine.verify()).unwrap();
        found
            .into_iter()
            .map(|(check, finding)| format!("{check}: {}: {}", finding.subject, finding.problem))
            .collect()
    }

    pub fn engine(&self) -> &Engine {
        self.life().1
    }

    pub fn runtime(&self) -> &Runtime {
        self.life().0
    }

    /// Writes behind the engine's back.
    pub fn write(&self, sql: &'static str) {
        let (runtime, engine) = self.life();
        let statement = mortise_store::Statement::both("test.write", sql);
        let written = engine.store().write(async move |tx| tx.execute(&statement, [()]).await.map(drop));
        runtime.block_on(written).unwrap();
    }

    /// Waits, without touching the engine, until a query of one text column says so.
    pub fn until(&self, sql: &'static str, wanted: &str) {
        let (runtime, engine) = self.life();
        let statement = mortise_store::Statement::both("test.until", sql);
        let seen = async {
            loop {
                let read =
                    engine.store().read(async move |r| r.fetch_all::<(String,), _>(&statement, ()).await);
                if read.await.unwrap().iter().any(|(text,)| text == wanted) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let seen = runtime.block_on(async { tokio::time::timeout(LIMIT, seen).await });
        assert!(seen.is_ok(), "`{sql}` never says `{wanted}`");
    }

    /// Rows of a query of one text column.
    pub fn rows(&self, sql: &'static str) -> Vec<String> {
        let (runtime, engine) = self.life();
        let statement = mortise_store::Statement::both("test", sql);
        let read =
            engine.store().read(async move |reader| reader.fetch_all::<(String,), _>(&statement, ()).await);
        runtime.block_on(read).unwrap().into_iter().map(|(text,)| text).collect()
    }
}

/// Starts and reads in one tenant's scope.
pub struct Door<'h> {
    house: &'h House,
    scope: Scope,
}

impl Door<'_> {
    /// Starts a trade without waiting for it.
    pub fn begin_with(
        &self,
        flow: &str,
        input: &str,
        idempotency: Option<(&str, &str)>,
    ) -> tokio::sync::oneshot::Receiver<Started> {
        let (runtime, engine) = self.house.life();
        let request = StartRequest {
            scope: self.scope.clone(),
            flow: flow.to_owned(),
            input: json(input).unwrap(),
            caller: None,
            idempotency: idempotency.map(|(key, request)| (key.to_owned(), request.as_bytes().to_vec())),
        };
        runtime.block_on(engine.start_trade(request)).unwrap()
    }

    pub fn trade(&self, flow: &str, input: &str) -> String {
        self.house.answer(self.begin_with(flow, input, None))
    }

    /// One operation as a trade of its own.
    pub fn call(&self, operation: &str, input: &str) -> String {
        self.house.answer(self.begin_call(operation, input))
    }

    /// The same without waiting for it.
    pub fn begin_call(&self, operation: &str, input: &str) -> tokio::sync::oneshot::Receiver<Started> {
        let (runtime, engine) = self.house.life();
        runtime.block_on(engine.call(self.scope.clone(), operation, json(input).unwrap(), None)).unwrap()
    }

    pub fn left(&self, goods: &str) -> i64 {
        let (runtime, engine) = self.house.life();
        let input = Value::record([("goods", Value::from(goods))]);
        match runtime
            .block_on(engine.read(self.scope.clone(), "shop.look", input, None, Freshness::Current))
            .unwrap()
        {
            mortise_engine::ReadOutcome::Done(value) => value.get("count").and_then(Value::as_int).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

async fn open_store(database: &TestDatabase, migrations: &[mortise_store::Migrations]) -> Store {
    // The store of the last life may still be closing: its threads end when its last job does.
    for _ in 0..500 {
        match database.open(migrations).await {
            Ok(store) => return store,
            Err(mortise_store::StoreError::Locked(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the data directory stays locked");
}

/// A crash closes the connections of a life, and its server sees that soon: until then the life counts as alive.
async fn until_alone(store: &Store) {
    const MARKS: mortise_store::Statement = mortise_store::Statement::both(
        "test.marks",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1836020340 AND granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    while store.is_shared() {
        let marks = store.read(async |reader| reader.fetch_all::<(i64,), _>(&MARKS, ()).await).await.unwrap();
        if marks == [(0,)] {
            return;
        }
        tokio::task::yield_now().await;
    }
}

//! Capabilities on a real database in a temporary directory: calls of one operation, one or a batch of them, with JSON in
//! and JSON out. It runs no flow: what calls compose to is the engine's to test.

use std::sync::Arc;

use mortise_capability::{
    Call, CallContext, Capability, Finding, Handler, Intended, Outcome, Registry, Reply, SendContext,
    SettleCall, Staleness,
};
use mortise_contract::Value;
use mortise_store::{Statement, Store, StoreError, Tenants};
use mortise_types::{Scope, Timestamp};

use crate::database::TestDatabase;

/// Capabilities, a store and a scope to call them in.
#[derive(Debug)]
pub struct Rig {
    /// The store.
    pub store: Arc<Store>,
    /// The capabilities.
    pub registry: Arc<Registry>,
    /// The scope of the calls.
    pub scope: Scope,
    /// The moment of the calls.
    pub now: Timestamp,
    /// Whether a write may reply that it is stale.
    pub staleness: Staleness,
    calls: std::sync::atomic::AtomicU64,
    _database: TestDatabase,
}

impl Rig {
    /// A fresh database with the capabilities' tables.
    ///
    /// # Panics
    /// When the capabilities do not fit together or the database cannot be made: the test has failed.
    pub async fn new(capabilities: impl IntoIterator<Item = Capability>) -> Self {
        Self::on(TestDatabase::new().await, capabilities).await
    }

    /// On a database that the test chooses: what is SQLite's alone is tested on SQLite.
    ///
    /// # Panics
    /// When the capabilities do not fit together or the database cannot be made: the test has failed.
    pub async fn on(database: TestDatabase, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        let registry = Registry::new(capabilities).expect("the capabilities fit together");
        let store = database.open(registry.migrations()).await.expect("a fresh store opens");
        Self {
            store: Arc::new(store),
            registry: Arc::new(registry),
            scope: Scope::new("acme", "grocery", "web").expect("a valid scope"),
            now: Timestamp::from_millis(1_767_225_600_000),
            staleness: Staleness::Decide,
            calls: std::sync::atomic::AtomicU64::new(0),
            _database: database,
        }
    }

    fn context(&self) -> Arc<CallContext> {
        let number = self.calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Arc::new(CallContext {
            scope: self.scope.clone(),
            now: self.now,
            trade: "trade-1".into(),
            call: format!("trade-1/call-{number}/1").into(),
            caller: None,
            staleness: self.staleness,
        })
    }

    /// A call with a new identity.
    pub fn call_of(&self, input: Value) -> Call<Value> {
        Call { context: self.context(), input }
    }

    /// One call of `operation` with JSON: `ok {...}`, `rejected code {...}`, `stale`, and a line an event.
    pub async fn call(&self, operation: &str, input: &str) -> String {
        self.batch(operation, &[input]).await.remove(0)
    }

    /// A batch of calls in one transaction.
    ///
    /// # Panics
    /// When an input is no JSON.
    pub async fn batch(&self, operation: &str, inputs: &[&str]) -> Vec<String> {
        let values = inputs.iter().map(|text| parse(text));
        let calls: Vec<Call<Value>> = values.map(|value| self.call_of(value)).collect();
        let count = calls.len();
        match self.run(operation, calls).await {
            Ok(replies) => replies.iter().map(render).collect(),
            Err(error) => vec![format!("error {error}"); count],
        }
    }

    /// A batch as values. A remote operation runs intent, send and settle, each once; an unanswered send is an error.
    ///
    /// # Errors
    /// The handler's.
    ///
    /// # Panics
    /// When the registry has no such operation.
    pub async fn run(
        &self,
        operation: &str,
        calls: Vec<Call<Value>>,
    ) -> Result<Vec<Reply<Value>>, StoreError> {
        let handler =
            self.registry.handler(operation).unwrap_or_else(|| panic!("no operation `{operation}`")).clone();
        match handler {
            Handler::Pure(run) => run(&calls),
            Handler::Read(run) => self.store.read(async move |reader| run(reader, &calls).await).await,
            Handler::Write(run) => self.store.write(async move |tx| run(tx, &calls).await).await,
            Handler::Remote(remote) => {
                let intent = Arc::clone(&remote);
                let asked = calls.clone();
                let intended = self.store.write(async move |tx| intent.intent(tx, &asked).await).await?;
                let mut replies = Vec::with_capacity(calls.len());
                for (call, intended) in calls.into_iter().zip(intended) {
                    replies.push(match intended {
                        Intended::Decided(reply) => reply,
                        Intended::Send { intent, .. } => {
                            let context = SendContext {
                                scope: call.context.scope.clone(),
                                idempotency_key: Arc::clone(&call.context.call),
                                attempt: 1,
                                now: self.now,
                            };
                            let answer = remote.send(context, &intent).await;
                            let answer =
                                answer.map_err(|unanswered| StoreError::Value(unanswered.to_string()))?;
                            let settle = Arc::clone(&remote);
                            let item = SettleCall { call, intent, answer };
                            let settled =
                                self.store.write(async move |tx| settle.settle(tx, &[item]).await).await?;
                            settled.into_iter().next().expect("one reply to one item")
                        }
                    });
                }
                Ok(replies)
            }
        }
    }

    /// Runs a statement without parameters behind the operations' back, with a capability's rights and on its tenant's rows; says
    /// how many changed.
    ///
    /// # Errors
    /// The statement's.
    pub async fn behind_the_back(&self, statement: Statement) -> Result<Vec<u64>, StoreError> {
        let tenants = Tenants::of([&self.scope.tenant]);
        let written = self.store.write(async move |tx| {
            tx.confine(&tenants).await?;
            tx.execute(&statement, [()]).await
        });
        written.await
    }

    /// What the capabilities' invariants find, a line each.
    ///
    /// # Panics
    /// When a check cannot read its tables.
    pub async fn findings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (capability, check) in self.registry.checks().collect::<Vec<_>>() {
            let found =
                self.store.read(async move |reader| (check.run)(reader).await).await.expect("the check runs");
            lines.extend(found.into_iter().map(|Finding { subject, problem }| {
                format!("{capability} {}: {subject}: {problem}", check.name)
            }));
        }
        lines
    }
}

fn parse(text: &str) -> Value {
    mortise_contract::json(text).unwrap_or_else(|error| panic!("`{text}` is no JSON: {error}"))
}

fn render(reply: &Reply<Value>) -> String {
    let mut text = match &reply.outcome {
        Outcome::Done(output) => format!("ok {}", output.to_json()),
        Outcome::Rejected(rejection) => format!("rejected {} {}", rejection.code, rejection.detail.to_json()),
        Outcome::Stale => "stale".to_owned(),
    };
    for event in &reply.events {
        text.push_str(&format!("\nevent {} {}", event.name, event.payload.to_json()));
    }
    text
}

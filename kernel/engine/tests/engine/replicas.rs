//! Which reads a standby may answer: those that are asked for outside of any flow, of operations that say how old their answer may
//! be, for who wants no more. Who answered says the server itself.

use std::sync::Arc;
use std::time::Duration;

use mortise_capability::{Call, Capability, Policies, ReadOperation, Registry, Reply, StoreError};
use mortise_contract::{Declaration, Operation, Value};
use mortise_engine::{
    Aliasing, Engine, Freshness, Options, PLATFORM, ReadOutcome, Retention, StartRequest, Started, StepMode,
};
use mortise_flow::Answer;
use mortise_store::{Access, Reader, Statement, Store};
use mortise_testkit::{Replicated, SeededIds, VirtualClock};
use mortise_types::Scope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const WHO: Statement =
    Statement::both("mirror.who", "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END");
const ASK: &str = "
flow: ask
version: 1
input: { type: object }
steps:
  - id: seen
    call: mirror.look
    with: {}
  - answer: { who: \"${ seen.who }\" }
";

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Seen {
    who: String,
}

struct Look;
impl ReadOperation for Look {
    type Input = Nothing;
    type Output = Seen;
    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<Nothing>],
    ) -> Result<Vec<Reply<Seen>>, StoreError> {
        let rows = reader.fetch_all::<(String,), _>(&WHO, ()).await?;
        Ok(calls.iter().map(|_| Reply::done(Seen { who: rows[0].0.clone() })).collect())
    }
}

fn mirror() -> Capability {
    let declared = || {
        Declaration::new("mirror")
            .operation(Operation::read::<Nothing, Seen>("look", "Who answers.").may_lag(60_000))
            .operation(Operation::read::<Nothing, Seen>("look_now", "The same, as it is."))
    };
    Capability::new("mirror", "Says who answers.", declared)
        .unwrap()
        .read("look", Look)
        .read("look_now", Look)
}

fn scope() -> Scope {
    Scope::new("acme", "books", "web").unwrap()
}

async fn who(engine: &Engine, operation: &str, freshness: Freshness) -> String {
    let read = engine.read(scope(), operation, Value::empty_record(), None, freshness).await.unwrap();
    match read {
        ReadOutcome::Done(output) => output.get("who").and_then(Value::as_str).unwrap().to_owned(),
        other @ ReadOutcome::Rejected(_) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_read_outside_of_flows_that_declares_it_goes_to_a_standby() {
    let pair = Replicated::that_waits_for_nobody();
    let registry = Arc::new(Registry::new([mirror()]).unwrap());
    let options = mortise_store::Options { access: Access::Together, ..Default::default() };
    let store = Store::connect(&pair.primary(), &[mortise_engine::migrations()], options).await.unwrap();
    let store = Arc::new(store.with_replicas(&[pair.standby()], 1).await.unwrap());
    let options = Options {
        clock: Arc::new(VirtualClock::default()),
        ids: Arc::new(SeededIds::new(1)),
        bound: Arc::new(|_, _| false),
        steps: StepMode::Stretches,
        retention: Retention::default(),
        crash_point: None,
    };
    let engine =
        Engine::start(Arc::clone(&store), registry, Arc::new(Policies::default()), options).await.unwrap();
    engine.publish((PLATFORM, ""), ASK, Aliasing::Keep).await.unwrap();
    let (lagging, current) = (Freshness::AsDeclared(None), Freshness::Current);
    let waiting = async {
        while who(&engine, "mirror.look", lagging).await != "standby" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("a standby answers");
    let asked = store.replica_figures().unwrap();
    assert_eq!(who(&engine, "mirror.look", current).await, "primary");
    assert_eq!(who(&engine, "mirror.look_now", lagging).await, "primary");
    let request = StartRequest {
        scope: scope(),
        flow: "ask".to_owned(),
        input: Value::empty_record(),
        caller: None,
        idempotency: None,
    };
    match engine.start_trade(request).await.unwrap().await.unwrap() {
        Started::Answered { answer: Answer::Ok(answer), .. } => {
            assert_eq!(answer.to_json(), r#"{"who":"primary"}"#);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(store.replica_figures().unwrap(), asked, "none of these was a matter of standbys");
}

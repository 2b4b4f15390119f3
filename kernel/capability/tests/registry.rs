//! What contradicts itself is refused when the program starts, by name; and the narrowest choice holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use mortise_capability::{
    Call, Capability, Policies, Policy, PolicyRow, PureOperation, ReadOperation, Registry, RejectionPage,
    Reply, StoreError, WriteOperation,
};
use mortise_contract::{Declaration, Event, NoDetail, Operation};
use mortise_store::{Reader, Tx};
use mortise_types::Scope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    id: String,
}

struct Same;
impl PureOperation for Same {
    type Input = Thing;
    type Output = Thing;
    fn run(&self, calls: &[Call<Thing>]) -> Result<Vec<Reply<Thing>>, StoreError> {
        Ok(calls.iter().map(|call| Reply::done(call.input.clone())).collect())
    }
}

struct Keep;
impl WriteOperation for Keep {
    type Input = Thing;
    type Output = Thing;
    async fn run(&self, _: &mut Tx<'_>, calls: &[Call<Thing>]) -> Result<Vec<Reply<Thing>>, StoreError> {
        Ok(calls.iter().map(|call| Reply::done(call.input.clone())).collect())
    }
}

fn write(name: &'static str) -> Operation {
    Operation::write::<Thing, Thing>(name, "Keeps a thing.")
}

fn refused(declaration: Declaration, wire: impl FnOnce(Capability) -> Capability) -> String {
    let capability = Capability::of("shelf", "Things.", declaration.finish().unwrap());
    Registry::new([wire(capability)]).unwrap_err().to_string()
}

#[test]
fn contract_and_code_have_to_agree() {
    let declared = || Declaration::new("shelf").operation(write("keep"));
    assert_eq!(refused(declared(), |c| c), "`shelf.keep`: is declared but has no code");
    assert_eq!(
        refused(declared(), |c| c.pure("keep", Same)),
        "`shelf.keep`: is declared Write but its code is Pure"
    );
    assert_eq!(
        refused(declared(), |c| c.write("keep", Keep).write("lose", Keep)),
        "`shelf.lose`: has code but is not declared"
    );
}

#[test]
fn what_goes_backward_exists_and_cannot_say_no() {
    let undone = |by: &str| write("keep").undo(by, json!({"id": "${ output.id }"}));
    assert_eq!(
        refused(Declaration::new("shelf").operation(undone("shelf.drop")), |c| c.write("keep", Keep)),
        "`shelf.keep`: its undo `shelf.drop` is not declared"
    );
    let refusing = write("drop").rejects::<NoDetail>("sticky");
    assert_eq!(
        refused(Declaration::new("shelf").operation(undone("shelf.drop")).operation(refusing), |c| c
            .write("keep", Keep)
            .write("drop", Keep)
            .pages(&[RejectionPage { code: "sticky", page: "# sticky" }])),
        "`shelf.keep`: its undo `shelf.drop` may be rejected; what goes backward may not"
    );
    let late = Event::new::<Thing, String>("came", "id", "A thing came.").acquires(
        "thing",
        "id",
        "shelf.back",
        json!({}),
    );
    assert_eq!(
        refused(Declaration::new("shelf").event(late), |c| c),
        "`shelf.came`: its late call `shelf.back` is not declared"
    );
}

#[test]
fn rejections_have_pages_and_events_are_declared() {
    let refusing = write("keep").rejects::<NoDetail>("full");
    assert_eq!(
        refused(Declaration::new("shelf").operation(refusing), |c| c.write("keep", Keep)),
        "`shelf.keep`: may be rejected with `full`, which has no page"
    );
    assert_eq!(
        refused(Declaration::new("shelf").operation(write("keep").emits("shelf.kept")), |c| c
            .write("keep", Keep)),
        "`shelf.keep`: writes the event `shelf.kept`, which nothing declares"
    );
}

struct Look;
impl ReadOperation for Look {
    type Input = Thing;
    type Output = Thing;
    async fn run(&self, _: &Reader<'_>, calls: &[Call<Thing>]) -> Result<Vec<Reply<Thing>>, StoreError> {
        Ok(calls.iter().map(|call| Reply::done(call.input.clone())).collect())
    }
}

fn look() -> Operation {
    Operation::read::<Thing, Thing>("look", "Looks at a thing.")
}

#[test]
fn only_a_read_may_lag_and_within_bounds() {
    assert_eq!(
        refused(Declaration::new("shelf").operation(write("keep").may_lag(2_000)), |c| c.write("keep", Keep)),
        "`shelf.keep`: declares `staleness_ms`, which only a `read` operation may: leave it out"
    );
    assert_eq!(
        refused(Declaration::new("shelf").operation(look().may_lag(499)), |c| c.read("look", Look)),
        "`shelf.look`: declares a `staleness_ms` of 499: write 500 to 60000, or leave it out"
    );
    let lagging = Declaration::new("shelf").operation(look().may_lag(500)).finish().unwrap();
    assert!(Registry::new([Capability::of("shelf", "Things.", lagging).read("look", Look)]).is_ok());
}

#[test]
fn how_old_an_answer_may_be_is_no_part_of_an_operations_identity() {
    let contracts = |look: Operation| Declaration::new("shelf").operation(look).finish().unwrap();
    let (exact, lagging) = (contracts(look()), contracts(look().may_lag(2_000)));
    assert_ne!(exact, lagging);
    assert_eq!(exact.operation_hash("shelf.look"), lagging.operation_hash("shelf.look"));
    let text = |contracts| serde_json::to_string(contracts).unwrap();
    assert!(text(&lagging).contains(r#""staleness_ms":2000"#), "{}", text(&lagging));
    assert!(!text(&exact).contains("staleness_ms"), "{}", text(&exact));
}

#[test]
fn an_exported_contract_reads_back_as_itself() {
    let declaration = Declaration::new("shelf")
        .operation(write("keep").undo("shelf.drop", json!({"id": "${ output.id }"})).acquires("thing", "id"))
        .operation(write("drop").nothing_to_undo().releases("thing", "id"));
    let contracts = declaration.finish().unwrap();
    let text = serde_json::to_string(&contracts).unwrap();
    assert_eq!(serde_json::from_str::<mortise_contract::Contracts>(&text).unwrap(), contracts);
    assert!(text.contains(r#""undo":"nothing""#), "{text}");
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Manners {
    knock: u32,
}

impl Policy for Manners {
    const NAME: &'static str = "manners";
}

fn row(line: &str, channel: &str, document: &str) -> PolicyRow {
    PolicyRow {
        tenant: "acme".into(),
        line: line.into(),
        channel: channel.into(),
        name: "manners".into(),
        document: document.into(),
    }
}

#[test]
fn the_narrowest_choice_holds_and_its_version_is_its_content() {
    let policies = Policies::default();
    let knock = |line: &str, channel: &str| {
        let chosen = policies.get::<Manners>(&Scope::new("acme", line, channel).unwrap());
        (chosen.policy.knock, Arc::clone(&chosen.version))
    };
    let (default, version) = knock("books", "web");
    assert_eq!(default, 0);
    policies.replace([
        row("", "", r#"{"knock":1}"#),
        row("books", "", r#"{"knock":2}"#),
        row("books", "app", r#"{"knock":3}"#),
    ]);
    assert_eq!((knock("toys", "web").0, knock("books", "web").0, knock("books", "app").0), (1, 2, 3));
    let second = knock("books", "web").1;
    assert_ne!(second, version);
    policies.replace([row("", "", r#"{"knock":2}"#)]);
    assert_eq!(knock("books", "web").1, second, "the same choice has the same version, wherever it was made");
    let error = Policies::accepts::<Manners>(&row("", "", r#"{"nock":1}"#)).unwrap_err().to_string();
    assert!(error.contains("unknown field `nock`"), "{error}");
}

#[test]
fn a_capability_offers_its_choices_and_one_code_has_one_page() {
    let shelf = |page: &'static str| {
        Capability::of("shelf", "Things.", Declaration::new("shelf").finish().unwrap())
            .policy::<Manners>()
            .pages(&[RejectionPage { code: "full", page }])
    };
    let registry = Registry::new([shelf("# full"), shelf("# full")]).unwrap();
    assert_eq!(registry.policies().map(|kind| kind.name).collect::<Vec<_>>(), ["manners"]);
    assert!(registry.accepts_policy(&row("", "", r#"{"knock":1}"#)).is_ok());
    let other = PolicyRow { name: "temper".into(), ..row("", "", "{}") };
    assert!(registry.accepts_policy(&other).unwrap_err().to_string().contains("there are manners"));
    let error = Registry::new([shelf("# full"), shelf("# empty")]).unwrap_err().to_string();
    assert!(error.contains("the page of `full`"), "{error}");
}

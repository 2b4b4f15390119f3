//! What a person decides about trades that are held or were put before him, and trades that are moved to another version.

use std::sync::Arc;

use mortise_engine::{
    Aliasing, Attempt, Choice, ChoiceError, Decision, MigrateError, PLATFORM, Standing, Timeline, TradeId,
    Waiting, definition_hash, find_trades, migrate, replay, timeline, waiting,
};
use mortise_types::{Span, TenantId, Timestamp};

use crate::house::House;

/// Behind its pivot it multiplies the count, and for more than one the product is beyond 64 bits: the step is held then.
const MULTIPLY: &str = r#"
flow: multiply
version: 1
input:
  type: object
  required: [order, goods, count]
  properties: { order: { type: string }, goods: { type: string }, count: { type: integer } }
key: ${ input.order }
steps:
  - id: taken
    call: shop.take
    with: { goods: "${ input.goods }", count: "${ input.count }", seen: 5 }
  - answer: { order: "${ input.order }" }
  - id: thought_over
    sleep: 1h
  - attention: nobody has looked at it for an hour
  - id: thought_again
    sleep: 1h
  - pivot: done
  - let: { share: "${ 9000000000000000000 * input.count }" }
  - emit: shop.taken
    with: { goods: "${ input.goods }" }
  - id: rest
    sleep: 1d
"#;

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn house() -> House {
    let house = House::new(MULTIPLY);
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    house
}

fn begun(count: i64) -> House {
    let house = house();
    house.trade("multiply", &format!(r#"{{"order":"o1","goods":"pen","count":{count}}}"#));
    house.settle();
    house
}

fn id(house: &House) -> TradeId {
    let found = house.runtime().block_on(find_trades(house.engine().store(), &tenant(), "o1"));
    found.unwrap().remove(0)
}

fn told(house: &House) -> Timeline {
    let engine = house.engine();
    let id = id(house);
    let told = timeline(engine.store(), engine.registry(), engine.catalogue(), &id);
    house.runtime().block_on(Box::pin(told)).unwrap()
}

fn position(house: &House) -> String {
    told(house).position
}

/// How each note was settled, and why; nothing for an open one.
fn settled(house: &House) -> Vec<String> {
    let how = told(house).attention.into_iter().map(|note| note.settled);
    how.map(|settled| settled.map(|by| format!("{}: {}", by.how, by.reason)).unwrap_or_default()).collect()
}

fn choices(house: &House) -> Vec<Choice> {
    attention(house).remove(0).choices
}

fn choose(house: &House, choice: Choice) -> Result<(), ChoiceError> {
    let chosen = house.runtime().block_on(house.engine().choose(&id(house), choice, "grace: so it is"));
    house.settle();
    chosen
}

fn replays(house: &House) {
    let (engine, id) = (house.engine(), id(house));
    let again = replay(engine.store(), engine.registry(), engine.catalogue(), &id);
    let again = house.runtime().block_on(Box::pin(again)).unwrap();
    assert!(again.differences.is_empty(), "{again:#?}");
}

fn attention(house: &House) -> Vec<Waiting> {
    let engine = house.engine();
    house.runtime().block_on(waiting(engine.store(), engine.catalogue(), &tenant())).unwrap()
}

fn decide(house: &House, decision: Decision) {
    house.engine().decide(id(house), decision, "because");
    house.settle();
}

#[test]
fn a_held_step_is_passed_over_and_the_trade_completes() {
    let house = begun(2);
    house.pass(Span::hours(1));
    house.pass(Span::hours(1));
    let held = attention(&house);
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].standing, Standing::Held);
    assert!(held[0].notes.iter().any(|note| note.step == "let"), "{held:#?}");
    assert_eq!(held[0].choices, [Choice::Retry, Choice::Skip]);

    decide(&house, Decision::Retry);
    assert!(position(&house).contains("is held at let"), "it is beyond 64 bits the second time too");
    assert_eq!(attention(&house)[0].notes.len(), 1, "what was settled is not shown again, what came back is");

    decide(&house, Decision::Skip);
    assert!(position(&house).starts_with("sleeps"), "{}", position(&house));
    assert!(attention(&house).is_empty());
    assert_eq!(settled(&house), ["retry: because", "retry: because", "skip: because"]);
    house.pass(Span::days(1));
    assert_eq!(position(&house), "ended: completed");
    assert!(house.verify().is_empty(), "{:?}", house.verify());
    replays(&house);
}

#[test]
fn a_person_takes_a_trade_back_before_its_pivot_and_not_behind_it() {
    let house = begun(1);
    assert_eq!(house.left("pen"), 4);
    house.pass(Span::hours(1));
    assert_eq!(attention(&house)[0].standing, Standing::GoesOn);
    assert_eq!(choices(&house), [Choice::Done, Choice::Compensate]);
    decide(&house, Decision::Compensate);
    assert_eq!(position(&house), "ended: failed with compensated");
    assert_eq!(house.left("pen"), 5);

    let house = begun(1);
    house.pass(Span::hours(1));
    house.pass(Span::hours(1));
    assert_eq!(choices(&house), [Choice::Done]);
    let refused = choose(&house, Choice::Compensate);
    assert!(matches!(refused, Err(ChoiceError::PassedPivot(_))), "{refused:?}");
    assert_eq!(settled(&house), [""]);
    decide(&house, Decision::Compensate);
    assert!(position(&house).starts_with("sleeps"), "{}", position(&house));
    assert_eq!(house.left("pen"), 4);
}

/// For more than one, what takes it back has no value.
fn hard_to_take_back() -> String {
    MULTIPLY.replace(
        "count: \"${ input.count }\", seen: 5 }\n",
        "count: \"${ input.count }\", seen: 5 }\n    undo:\n      call: shop.put_back\n      \
         with: { goods: \"${ input.goods }\", taking: \"${ taken.taking }\", \
         count: \"${ 9000000000000000000 * input.count }\" }\n",
    )
}

#[test]
fn what_goes_backward_is_not_taken_back_once_more() {
    let house = House::new(&hard_to_take_back());
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    house.trade("multiply", r#"{"order":"o1","goods":"pen","count":2}"#);
    house.settle();
    house.pass(Span::hours(1));
    choose(&house, Choice::Compensate).unwrap();
    assert!(position(&house).starts_with("goes backward with compensated: is held"), "{}", position(&house));
    assert_eq!(choices(&house), [Choice::Retry, Choice::Skip]);
    let refused = choose(&house, Choice::Compensate).unwrap_err();
    assert!(refused.to_string().contains("goes backward already"), "{refused}");
    assert_eq!(settled(&house), ["compensate: grace: so it is", ""], "what is refused settles nothing");
    choose(&house, Choice::Skip).unwrap();
    assert_eq!(position(&house), "ended: failed with compensated");
}

#[test]
fn a_decision_about_a_trade_whose_stretches_fail_settles_nothing_before_one_is_committed() {
    let house = House::new(&MULTIPLY.replace(
        "  - attention: nobody has looked at it for an hour\n",
        "  - call: shop.explode\n    with: { order: \"${ input.order }\" }\n",
    ));
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    house.trade("multiply", r#"{"order":"bomb","goods":"pen","count":1}"#);
    house.settle();
    house.pass(Span::hours(1));
    for _ in 0..4 {
        house.pass(Span::minutes(1));
    }
    house.until("SELECT CASE WHEN count(*) = 1 THEN 'told' ELSE 'not told' END FROM flow_attention", "told");
    let trade = house.rows("SELECT instance FROM flow_attention").remove(0);
    let id = TradeId { tenant: tenant(), id: trade.into() };
    let choose = |choice| {
        house.runtime().block_on(house.engine().choose(&id, choice, "the fuse is out")).unwrap();
        house.settle();
        house.pass(Span::minutes(1));
    };
    assert_eq!(choices(&house), [Choice::Retry, Choice::Compensate]);
    choose(Choice::Retry);
    assert_eq!(choices(&house), [Choice::Retry, Choice::Compensate], "the note stands: nothing was done");
    choose(Choice::Compensate);
    assert!(attention(&house).is_empty());
    assert_eq!(house.left("pen"), 5);
    let how = house.rows("SELECT settled_how FROM flow_attention");
    assert_eq!(how, ["compensate"]);
}

fn publish(house: &House, text: &str) {
    let engine = house.engine();
    let published = engine.publish((PLATFORM, ""), text, Aliasing::Move);
    let _: Arc<_> = house.runtime().block_on(Box::pin(published)).unwrap();
}

fn moved(house: &House, attempt: Attempt) -> Result<usize, MigrateError> {
    let engine = house.engine();
    house.runtime().block_on(Box::pin(async {
        let old = definition_hash(engine.store(), "multiply@1").await?;
        let new = definition_hash(engine.store(), "multiply@2").await?;
        let now = Timestamp::from_millis(2);
        migrate(engine.store(), engine.catalogue(), &tenant(), (&old, &new), now, attempt).await
    }))
}

#[test]
fn running_trades_go_on_by_another_version() {
    let mut house = begun(1);
    house.pass(Span::hours(1));
    let second = MULTIPLY
        .replace("version: 1", "version: 2")
        .replace(
            "  - let: { share: \"${ 9000000000000000000 * input.count }\" }\n",
            "  - id: seen\n    call: shop.look\n    with: { goods: \"${ input.goods }\" }\n",
        )
        .replace(
            "with: { goods: \"${ input.goods }\" }\n  - id: rest",
            "with: { goods: \"${ input.goods }\" }\n    when: ${ seen.count < 5 }\n  - id: rest",
        );
    publish(&house, &second);
    assert_eq!(moved(&house, Attempt::Prove).unwrap(), 1);
    assert!(position(&house).starts_with("sleeps at thought_again"), "{}", position(&house));
    assert_eq!(moved(&house, Attempt::Move).unwrap(), 1);
    assert_eq!(moved(&house, Attempt::Move).unwrap(), 0, "nobody is left on the old version");
    house.restart();
    house.pass(Span::hours(1));
    let called = house.rows("SELECT record FROM flow_journal ORDER BY instance, seq");
    assert!(called.iter().any(|record| record.contains("moved")));
    house.pass(Span::days(1));
    assert_eq!(position(&house), "ended: completed");
    assert!(house.verify().is_empty(), "{:?}", house.verify());
    replays(&house);
}

#[test]
fn a_moved_trade_takes_back_what_it_did_under_the_old_version() {
    let mut house = begun(1);
    let second = MULTIPLY
        .replace("version: 1", "version: 2")
        .replace("  - attention: nobody has looked at it for an hour\n", "  - fail: too_slow\n");
    let second = second[..second.find("  - id: thought_again").unwrap()].to_owned();
    publish(&house, &second);
    let refused = moved(&house, Attempt::Move);
    assert!(
        matches!(&refused, Err(MigrateError::Obstacles(found)) if found[0].place == "thought_again"),
        "{refused:?}"
    );

    let third = MULTIPLY.replace("version: 1", "version: 3").replace(
        "  - attention: nobody has looked at it for an hour\n",
        "  - when: ${ input.count > 0 }\n    fail: too_slow\n",
    );
    publish(&house, &third);
    let engine = house.engine();
    let count = house.runtime().block_on(Box::pin(async {
        let old = definition_hash(engine.store(), "multiply@1").await?;
        let new = definition_hash(engine.store(), "multiply@3").await?;
        let now = Timestamp::from_millis(2);
        migrate(engine.store(), engine.catalogue(), &tenant(), (&old, &new), now, Attempt::Move).await
    }));
    assert_eq!(count.unwrap(), 1);
    house.restart();
    house.pass(Span::hours(1));
    assert_eq!(position(&house), "ended: failed with too_slow");
    assert_eq!(house.left("pen"), 5);
}

#[test]
fn a_version_that_nothing_has_is_named() {
    let house = begun(1);
    let refused = moved(&house, Attempt::Move).unwrap_err();
    assert_eq!(refused.to_string(), "no published definition is `multiply@2`");
}

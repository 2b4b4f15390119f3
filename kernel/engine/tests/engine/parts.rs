//! Trades that are parts of another one: begun with it, answered once, taken back whole, whatever dies in between.

use mortise_engine::{Aliasing, StepMode};
use mortise_types::Span;

use crate::house::House;

/// Takes goods, and waits a while.
const WRAP: &str = r#"
flow: wrap
version: 1
summary: Takes wrapping, and needs ten minutes.
internal: true
input:
  type: object
  required: [count]
  properties:
    count: { type: integer }
steps:
  - id: seen
    call: shop.look
    with: { goods: ribbon }
  - id: taken
    call: shop.take
    with: { goods: ribbon, count: "${ input.count }", seen: "${ seen.count }" }
  - answer: { taking: "${ taken.taking }", count: "${ input.count }" }
  - sleep: 10m
"#;

/// Has goods wrapped, by a trade of its own.
const GIFT: &str = r#"
flow: gift
version: 1
summary: Takes a pen, has it wrapped, and may change its mind.
input:
  type: object
  required: [order, count, mind]
  properties:
    order: { type: string }
    count: { type: integer }
    mind: { enum: [keeps, changes] }
key: ${ input.order }
cancel_on: { event: shop.given_up, match: "${ input.order }", fail: given_up }
steps:
  - id: seen
    call: shop.look
    with: { goods: pen }
  - call: shop.take
    with: { goods: pen, count: 1, seen: "${ seen.count }" }
  - answer: { order: "${ input.order }" }
  - id: wrapping
    start: wrap
    with: { count: "${ input.count }" }
    on:
      sold_out:
        - fail: no_ribbon
  - sleep: 1h
  - when: ${ input.mind == 'changes' }
    fail: changed
  - call: shop.stock
    with: { goods: wrapped, count: "${ wrapping.count }" }
"#;

/// Begins a gift within another trade.
const PARTY: &str = r#"
flow: party
version: 1
summary: A gift, as a part of a party.
internal: true
input:
  type: object
  required: [mind]
  properties:
    mind: { enum: [keeps, changes] }
steps:
  - id: gift
    start: gift
    with: { order: "the party's", count: 2, mind: keeps }
  - when: ${ input.mind == 'changes' }
    fail: no_party
"#;

fn gift(order: &str, count: i64, mind: &str) -> String {
    format!(r#"{{"order":"{order}","count":{count},"mind":"{mind}"}}"#)
}

fn stocked(steps: StepMode) -> House {
    let house = House::with(WRAP, steps);
    house.publish(GIFT, Aliasing::Keep);
    house.publish(PARTY, Aliasing::Keep);
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    house.call("shop.stock", r#"{"goods":"ribbon","count":5}"#);
    house.settle();
    house
}

fn outcomes(house: &House) -> Vec<String> {
    house.rows(
        "SELECT flow || ' ' || coalesce(outcome, 'open') FROM flow_instance WHERE flow NOT LIKE '%.%' ORDER BY id",
    )
}

#[test]
fn a_part_begins_in_the_same_commit_and_its_answer_is_the_result() {
    let house = stocked(StepMode::Stretches);
    assert_eq!(house.trade("gift", &gift("o1", 2, "keeps")), r#"First {"order":"o1"}"#);
    house.settle();
    assert_eq!(outcomes(&house), ["gift open", "wrap open"]);
    assert_eq!((house.left("pen"), house.left("ribbon")), (4, 3));
    assert_eq!(house.verify(), [""; 0]);
    house.pass(Span::minutes(11));
    assert_eq!(outcomes(&house), ["gift open", "wrap completed"]);
    house.pass(Span::minutes(61));
    assert_eq!(outcomes(&house), ["gift completed", "wrap completed"]);
    assert_eq!((house.left("pen"), house.left("ribbon"), house.left("wrapped")), (4, 3, 2));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_part_that_fails_is_a_rejection() {
    let house = stocked(StepMode::Stretches);
    house.trade("gift", &gift("o1", 9, "keeps"));
    house.settle();
    assert_eq!(outcomes(&house), ["gift failed:no_ribbon", "wrap failed:sold_out"]);
    assert_eq!((house.left("pen"), house.left("ribbon")), (5, 5));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_part_that_went_forward_takes_itself_back() {
    let house = stocked(StepMode::Stretches);
    house.trade("gift", &gift("o1", 2, "changes"));
    house.settle();
    house.pass(Span::minutes(11));
    assert_eq!(outcomes(&house), ["gift open", "wrap completed"]);
    house.pass(Span::minutes(61));
    assert_eq!(outcomes(&house), ["gift failed:changed", "wrap failed:taken_back"]);
    assert_eq!((house.left("pen"), house.left("ribbon")), (5, 5));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_part_that_runs_is_cancelled_with_the_trade_that_started_it() {
    let house = stocked(StepMode::Stretches);
    house.trade("gift", &gift("o1", 2, "keeps"));
    house.settle();
    house.call("shop.give_up", r#"{"order":"o1"}"#);
    house.settle();
    assert_eq!(outcomes(&house), ["gift failed:given_up", "wrap failed:taken_back"]);
    assert_eq!((house.left("pen"), house.left("ribbon")), (5, 5));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn parts_of_parts_are_taken_back_too() {
    let house = stocked(StepMode::Stretches);
    drop(house.begin("party", r#"{"mind":"changes"}"#));
    house.settle();
    house.pass(Span::minutes(11));
    house.pass(Span::minutes(61));
    assert_eq!(
        outcomes(&house),
        ["party failed:no_party", "gift failed:taken_back", "wrap failed:taken_back"]
    );
    assert_eq!(
        (house.left("pen"), house.left("ribbon"), house.left("wrapped")),
        (5, 5, 2),
        "stock has no undo"
    );
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_part_keeps_the_definition_that_its_name_meant() {
    let mut house = stocked(StepMode::Stretches);
    house.trade("gift", &gift("o1", 2, "keeps"));
    house.settle();
    let second = WRAP.replace("version: 1", "version: 2").replace("sleep: 10m", "sleep: 9d");
    house.publish(&second, Aliasing::Move);
    house.restart();
    house.pass(Span::minutes(11));
    assert_eq!(outcomes(&house), ["gift open", "wrap completed"]);
    house.trade("gift", &gift("o2", 1, "keeps"));
    house.pass(Span::minutes(11));
    assert_eq!(
        house.rows("SELECT outcome FROM flow_instance WHERE flow = 'wrap' AND status = 2"),
        ["completed"]
    );
}

#[test]
fn the_journal_of_a_part_is_kept_while_its_trade_is_open() {
    let house = stocked(StepMode::Stretches);
    house.trade("gift", &gift("o1", 2, "changes"));
    house.settle();
    house.pass(Span::minutes(11));
    house.write("UPDATE flow_instance SET ended_at = 1 WHERE flow = 'wrap'");
    house.runtime().block_on(house.engine().prune()).unwrap();
    house.pass(Span::minutes(61));
    assert_eq!(outcomes(&house), ["gift failed:changed", "wrap failed:taken_back"]);
    assert_eq!(house.left("ribbon"), 5);
}

#[test]
fn a_flow_that_starts_nothing_that_is_published_is_refused() {
    let house = House::new(WRAP);
    let text = GIFT.replace("start: wrap", "start: unwrap");
    let refused = house.runtime().block_on(house.engine().publish(("_", ""), &text, Aliasing::Keep));
    let Err(mortise_engine::PublishError::Refused(found)) = refused else { panic!("{refused:?}") };
    assert_eq!(found[0].code, "unknown-operation", "{found:?}");
}

/// Runs a gift to its end; the process dies behind each commit in turn.
fn dies_behind(commits: i64, steps: StepMode, mind: &str, give_up: bool) -> (House, bool) {
    let mut house = stocked(steps);
    house.crash_after(commits);
    drop(house.begin("gift", &gift("o1", 2, mind)));
    let mut crashed = false;
    for minutes in [0, 5, 6, 61, 1, 1] {
        house.settle();
        if house.has_crashed() {
            crashed = true;
            house.restart();
            house.settle();
        }
        if give_up && minutes == 5 {
            house.begin_call("shop.give_up", r#"{"order":"o1"}"#);
            house.settle();
        }
        house.pass(Span::minutes(minutes));
    }
    if house.has_crashed() {
        crashed = true;
        house.restart();
    }
    for _ in 0..3 {
        house.pass(Span::minutes(61));
    }
    (house, crashed)
}

fn dies_anywhere(steps: StepMode, mind: &str, give_up: bool, ends: &[&str], left: (i64, i64)) {
    for commits in 1.. {
        let (house, crashed) = dies_behind(commits, steps, mind, give_up);
        assert_eq!(outcomes(&house), ends, "the process died behind commit {commits}");
        assert_eq!((house.left("pen"), house.left("ribbon")), left, "behind commit {commits}");
        assert_eq!(house.verify(), [""; 0], "behind commit {commits}");
        if !crashed {
            assert!(commits > 4, "it died {commits} times");
            return;
        }
    }
}

#[test]
fn a_crash_behind_any_commit_on_the_way_forward_changes_nothing() {
    dies_anywhere(StepMode::Stretches, "keeps", false, &["gift completed", "wrap completed"], (4, 3));
}

#[test]
fn a_crash_behind_any_commit_on_the_way_back_changes_nothing() {
    dies_anywhere(
        StepMode::SingleSteps,
        "changes",
        false,
        &["gift failed:changed", "wrap failed:taken_back"],
        (5, 5),
    );
}

#[test]
fn a_crash_behind_any_commit_while_it_is_cancelled_changes_nothing() {
    dies_anywhere(
        StepMode::SingleSteps,
        "keeps",
        true,
        &["gift failed:given_up", "wrap failed:taken_back"],
        (5, 5),
    );
}

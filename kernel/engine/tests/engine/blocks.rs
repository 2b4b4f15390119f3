//! The steps with several ways at once, on the real driver: branches, races, repeats, attempts with their own cancelling
//! event, and tries that are confirmed or cancelled together.

use mortise_engine::StepMode;
use mortise_types::Span;

use crate::house::House;

const HEAD: &str = r#"
version: 1
summary: For a test.
internal: true
input:
  type: object
  required: [order]
  properties:
    order: { type: string }
"#;

fn house(name: &str, steps: &str, mode: StepMode) -> House {
    let house = House::with(&format!("flow: {name}\n{HEAD}steps:\n{steps}"), mode);
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    house.call("shop.stock", r#"{"goods":"ink","count":1}"#);
    house.settle();
    house
}

fn outcome(house: &House, flow: &str) -> String {
    let outcomes = house
        .rows("SELECT flow || ' ' || coalesce(outcome, 'open') FROM flow_instance WHERE flow NOT LIKE '%.%'");
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    outcomes[0].strip_prefix(flow).unwrap().trim().to_owned()
}

const BOTH_WAYS: [StepMode; 2] = [StepMode::Stretches, StepMode::SingleSteps];

const PARALLEL: &str = r#"
  - id: both
    parallel:
      pens:
        - id: pen_seen
          call: shop.look
          with: { goods: pen }
        - id: pen
          call: shop.take
          with: { goods: pen, count: 2, seen: "${ pen_seen.count }" }
        - sleep: 10m
      payment:
        - id: paid
          call: shop.pay
          with: { order: "${ input.order }" }
    result: { taking: "${ pen.taking }", payment: "${ paid.payment }" }
  - call: shop.stock
    with: { goods: "${ both.payment }", count: 1 }
"#;

#[test]
fn branches_go_side_by_side_and_fail_together() {
    for mode in BOTH_WAYS {
        let mut house = house("sides", PARALLEL, mode);
        drop(house.begin("sides", r#"{"order":"o1"}"#));
        house.settle();
        house.restart();
        house.pass(Span::minutes(11));
        assert_eq!((outcome(&house, "sides"), house.left("pen")), ("completed".to_owned(), 3));
        assert_eq!((house.left("pay-o1"), house.verify()), (1, vec![]));

        let house = self::house("sides", PARALLEL, mode);
        drop(house.begin("sides", r#"{"order":"poor"}"#));
        house.settle();
        assert_eq!((outcome(&house, "sides"), house.left("pen")), ("failed:declined".to_owned(), 5));
        assert_eq!(house.verify(), [""; 0]);
    }
}

const RACE: &str = r#"
  - repeat: round
    max: 3
    until: ${ won.by == 1 }
    do:
      - id: won
        race:
          given_up:
            wait: shop.given_up
            match: ${ input.order }
          taken:
            wait: shop.taken
            match: ${ input.order }
          late:
            timeout: 10m
            do:
              - call: shop.stock
                with: { goods: reminders, count: 1 }
        result: { by: "${ has(given_up.order) ? 1 : 2 }" }
"#;

#[test]
fn the_first_of_a_race_wins_and_the_others_are_no_longer_listened_for() {
    for mode in BOTH_WAYS {
        let mut house = house("race", RACE, mode);
        drop(house.begin("race", r#"{"order":"o1"}"#));
        house.settle();
        assert_eq!(house.rows("SELECT event FROM flow_wait ORDER BY event"), ["shop.given_up", "shop.taken"]);
        house.pass(Span::minutes(11));
        house.restart();
        assert_eq!((house.left("reminders"), house.verify()), (1, vec![]));
        house.call("shop.give_up", r#"{"order":"o1"}"#);
        house.settle();
        assert_eq!(outcome(&house, "race"), "completed");
        assert_eq!(house.rows("SELECT event FROM flow_wait"), [""; 0]);
        house.pass(Span::minutes(99));
        assert_eq!((house.left("reminders"), house.verify()), (1, vec![]));
    }
}

#[test]
fn a_repeat_ends_with_its_last_round() {
    let house = house("race", RACE, StepMode::Stretches);
    drop(house.begin("race", r#"{"order":"o1"}"#));
    for _ in 0..4 {
        house.pass(Span::minutes(11));
    }
    assert_eq!((outcome(&house, "race"), house.left("reminders")), ("completed".to_owned(), 3));
}

#[test]
fn an_event_and_the_clock_due_together_the_event_wins() {
    let mut house = house("race", RACE, StepMode::Stretches);
    drop(house.begin("race", r#"{"order":"o1"}"#));
    house.settle();
    house.crash_after(1);
    // The event is committed, and the process dies before the trade hears of it; the clock passes while nobody is there.
    drop(house.begin_call("shop.give_up", r#"{"order":"o1"}"#));
    house.settle();
    assert!(house.has_crashed());
    house.clock.advance(Span::minutes(30));
    house.restart();
    house.settle();
    assert_eq!((outcome(&house, "race"), house.left("reminders")), ("completed".to_owned(), 0));
}

const ATTEMPT: &str = r#"
  - id: seen
    call: shop.look
    with: { goods: pen }
  - call: shop.take
    with: { goods: pen, count: 1, seen: "${ seen.count }" }
  - attempt:
      - id: again
        call: shop.look
        with: { goods: pen }
      - call: shop.take
        with: { goods: pen, count: 2, seen: "${ again.count }" }
      - sleep: 1h
    else:
      given_up:
        - call: shop.stock
          with: { goods: given_up, count: 1 }
    cancel_on: { event: shop.given_up, match: "${ input.order }", fail: given_up }
  - sleep: 1h
"#;

#[test]
fn an_attempt_is_cancelled_by_its_own_event_while_it_runs() {
    for mode in BOTH_WAYS {
        let mut house = house("attempt", ATTEMPT, mode);
        drop(house.begin("attempt", r#"{"order":"o1"}"#));
        house.settle();
        assert_eq!(house.left("pen"), 2);
        house.restart();
        house.call("shop.give_up", r#"{"order":"o1"}"#);
        house.settle();
        assert_eq!((house.left("pen"), house.left("given_up")), (4, 1), "only its own steps are taken back");
        house.call("shop.give_up", r#"{"order":"o1"}"#);
        house.pass(Span::hours(2));
        assert_eq!((outcome(&house, "attempt"), house.left("pen")), ("completed".to_owned(), 4));
        assert_eq!(house.verify(), [""; 0]);
    }
}

const TCC: &str = r#"
  - id: both
    tcc:
      - id: pens
        call: shop.hold
        with: { goods: pen, count: 2 }
      - id: ink
        call: shop.hold
        with: { goods: ink, count: 1 }
    on:
      sold_out:
        - call: shop.stock
          with: { goods: refused, count: 1 }
  - sleep: 1h
  - when: ${ input.order == 'regrets' }
    fail: regrets
"#;

fn holds(house: &House) -> Vec<String> {
    house.rows("SELECT state FROM shop_hold ORDER BY hold")
}

#[test]
fn tries_are_confirmed_or_cancelled_together_whatever_dies_between() {
    for commits in 1..12 {
        let mut house = house("tcc", TCC, StepMode::SingleSteps);
        house.crash_after(commits);
        drop(house.begin("tcc", r#"{"order":"o1"}"#));
        house.settle();
        house.restart();
        house.settle();
        let begun = !house.rows("SELECT id FROM flow_instance WHERE flow = 'tcc'").is_empty();
        if begun {
            assert_eq!(holds(&house), ["kept", "kept"], "behind commit {commits}");
            assert_eq!((house.left("pen"), house.left("ink")), (3, 0));
        }
        assert_eq!(house.verify(), [""; 0]);
    }
}

#[test]
fn a_rejected_try_lets_the_others_go() {
    for mode in BOTH_WAYS {
        let house = house("tcc", TCC, mode);
        house.call("shop.stock", r#"{"goods":"ink","count":-1}"#);
        drop(house.begin("tcc", r#"{"order":"o1"}"#));
        house.settle();
        assert_eq!(holds(&house), ["gone"]);
        assert_eq!((house.left("pen"), house.left("refused")), (5, 1));
        house.pass(Span::hours(2));
        assert_eq!((outcome(&house, "tcc"), house.verify()), ("completed".to_owned(), vec![]));
    }
}

#[test]
fn what_was_confirmed_is_undone_by_the_calls_own_undo() {
    let house = house("tcc", TCC, StepMode::Stretches);
    drop(house.begin("tcc", r#"{"order":"regrets"}"#));
    house.settle();
    assert_eq!(holds(&house), ["kept", "kept"]);
    house.pass(Span::hours(2));
    assert_eq!((outcome(&house, "tcc"), house.verify()), ("failed:regrets".to_owned(), vec![]));
    assert_eq!((house.left("pen"), house.left("ink")), (5, 1));
}

//! Places where an effect could be lost or doubled, a trade left for ever, or a caller never answered: several waits for
//! one event, rounds beside a held one, late events of several trades, clocks that jump, adapters that panic.

use mortise_engine::{Started, StepMode, TradeId};
use mortise_types::{Clock as _, Span, TenantId, Timestamp};

use crate::house::House;
use crate::trades::{buy, stocked};

const ROUNDS: &str = r#"
flow: rounds
version: 1
summary: A round for each item, all at once, none of which stops another.
input:
  type: object
  required: [items]
  properties:
    items:
      type: array
      maxItems: 10
      items:
        type: object
        required: [order, by]
        properties:
          order: { type: string }
          by: { type: integer }
steps:
  - answer: { rounds: "${ size(input.items) }" }
  - pivot: it goes on
  - foreach: ${ input.items }
    as: item
    max: 10
    at_once: 10
    do:
      - let: { share: "${ item.by != 0 ? 10 / item.by : 9223372036854775807 + (item.by + 1) }" }
      - wait: shop.given_up
        match: ${ item.order }
        timeout: 1h
        on_timeout:
          - call: shop.stock
            with: { goods: late, count: 1 }
      - call: shop.stock
        with: { goods: "${ item.order }", count: "${ share }" }
      - call: shop.stock
        with: { goods: also, count: 1 }
"#;

const MONEY: &str = r#"
flow: money
version: 1
summary: Waits for money that somebody else asked for.
input:
  type: object
  required: [payment]
  properties:
    payment: { type: string }
steps:
  - answer: { payment: "${ input.payment }" }
  - id: paid
    wait: shop.paid
    match: ${ input.payment }
    timeout: 30m
    on_timeout:
      - fail: too_late
  - pivot: paid
  - call: shop.book
    with: { payment: "${ paid.payment }" }
"#;

const NAP: &str = r#"
flow: nap
version: 1
summary: Sleeps.
input:
  type: object
  required: [name]
  properties:
    name: { type: string }
steps:
  - answer: { name: "${ input.name }" }
  - sleep: 1s
"#;

const LOUD: &str = r#"
flow: loud
version: 1
summary: What follows the peer's answer, in the same stretch, is refused.
input:
  type: object
  required: [order]
  properties:
    order: { type: string }
steps:
  - call: shop.pay
    with: { order: "${ input.order }" }
  - call: shop.take
    with: { goods: nothing, count: 5, seen: 0 }
  - answer: { order: "${ input.order }" }
  - pivot: taken
"#;

fn items(items: &[(&str, i64)]) -> String {
    let items: Vec<String> =
        items.iter().map(|(order, by)| format!(r#"{{"order":"{order}","by":{by}}}"#)).collect();
    format!(r#"{{"items":[{}]}}"#, items.join(","))
}

fn give_up(order: &str) -> String {
    format!(r#"{{"order":"{order}"}}"#)
}

const OUTCOMES: &str =
    "SELECT coalesce(outcome, 'open') FROM flow_instance WHERE flow NOT LIKE '%.%' ORDER BY id";

#[test]
fn two_events_that_come_at_once_satisfy_two_waits() {
    let house = House::new(ROUNDS);
    let orders: Vec<String> = (0..10).map(|n| format!("o{n}")).collect();
    for order in &orders {
        house.trade("rounds", &items(&[(order, 5), (order, 5)]));
        let calls: Vec<_> = (0..2).map(|_| house.begin_call("shop.give_up", &give_up(order))).collect();
        for call in calls {
            house.answer(call);
        }
    }
    house.settle();
    assert_eq!(house.rows(OUTCOMES), ["completed"; 10]);
    assert!(orders.iter().all(|order| house.left(order) == 4));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn one_event_satisfies_one_wait_also_when_it_is_told_after_a_crash() {
    let mut house = House::new(ROUNDS);
    house.trade("rounds", &items(&[("a", 5), ("a", 5)]));
    house.settle();
    house.write(
        "INSERT INTO inbox SELECT 'acme', 'shop.given_up', 'a', 1000, '{\"order\":\"a\"}', max(started_at) FROM flow_instance",
    );
    house.restart();
    house.settle();
    assert_eq!((house.left("a"), house.rows(OUTCOMES)), (2, vec!["open".to_owned()]));
    house.call("shop.give_up", &give_up("a"));
    house.settle();
    assert_eq!((house.left("a"), house.rows(OUTCOMES)), (4, vec!["completed".to_owned()]));
}

#[test]
fn a_held_round_stops_no_other_neither_its_clock_nor_after_a_crash() {
    let mut house = House::new(ROUNDS);
    house.trade("rounds", &items(&[("held", 0), ("b", 5), ("c", 2)]));
    house.settle();
    assert_eq!(house.rows("SELECT cast(status AS TEXT) FROM flow_instance"), ["3"]);
    house.call("shop.give_up", &give_up("b"));
    house.settle();
    assert_eq!(house.left("b"), 2);
    assert_eq!(house.rows("SELECT cast(status AS TEXT) FROM flow_instance WHERE flow = 'rounds'"), ["3"]);
    house.restart();
    house.pass(Span::minutes(61));
    assert_eq!((house.left("late"), house.left("c"), house.left("also")), (1, 5, 2));
    assert_eq!(house.rows("SELECT cast(status AS TEXT) FROM flow_instance WHERE flow = 'rounds'"), ["3"]);
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn the_clock_of_a_round_beside_a_held_one_passes_in_the_same_life() {
    let house = House::new(ROUNDS);
    house.trade("rounds", &items(&[("held", 0), ("c", 2)]));
    house.settle();
    house.pass(Span::minutes(61));
    assert_eq!((house.left("late"), house.left("c")), (1, 5));
}

#[test]
fn rounds_that_commit_step_by_step_do_each_step_once() {
    let house = House::with(ROUNDS, StepMode::SingleSteps);
    let orders: Vec<String> = (0..60).map(|n| format!("o{n}")).collect();
    for trade in orders.chunks(10) {
        let all: Vec<(&str, i64)> = trade.iter().map(|order| (order.as_str(), 5)).collect();
        house.trade("rounds", &items(&all));
    }
    let calls: Vec<_> = (0..10)
        .flat_map(|round| orders.chunks(10).map(move |trade| &trade[round]))
        .map(|order| house.begin_call("shop.give_up", &give_up(order)))
        .collect();
    for call in calls {
        house.answer(call);
    }
    house.settle();
    let left: Vec<i64> = orders.iter().map(|order| house.left(order)).collect();
    assert_eq!((left, house.left("also")), (vec![2; 60], 60));
    assert_eq!((house.rows(OUTCOMES), house.verify()), (vec!["completed".to_owned(); 6], vec![]));
}

#[test]
fn money_that_is_late_for_two_trades_goes_back_once() {
    let house = House::new(MONEY);
    for _ in 0..2 {
        house.trade("money", r#"{"payment":"p"}"#);
    }
    house.pass(Span::minutes(31));
    assert_eq!(house.rows(OUTCOMES), ["failed:too_late"; 2]);
    house.call("shop.announce", r#"{"payment":"p"}"#);
    house.settle();
    assert_eq!((house.peer.refunds.lock().unwrap().len(), house.verify()), (1, vec![]));
}

#[test]
fn money_that_one_trade_waits_for_is_not_late_for_another() {
    let house = House::new(MONEY);
    house.trade("money", r#"{"payment":"p"}"#);
    house.pass(Span::minutes(31));
    house.trade("money", r#"{"payment":"p"}"#);
    house.call("shop.announce", r#"{"payment":"p"}"#);
    house.settle();
    assert_eq!(house.rows(OUTCOMES), ["failed:too_late", "completed"]);
    assert_eq!((house.peer.refunds.lock().unwrap().len(), house.verify()), (0, vec![]));
}

#[test]
fn the_repetition_of_a_start_that_is_refused_is_refused_too() {
    let house = stocked(100);
    house.trade("buy", &buy("o1", "pen", 2, "now"));
    for round in 0..20 {
        let fillers: Vec<_> =
            (0..3).map(|n| house.begin("buy", &buy(&format!("f{round}-{n}"), "pen", 1, "now"))).collect();
        let key = format!("k{round}");
        let starts: Vec<_> = (0..2)
            .map(|_| house.begin_with("buy", &buy("o1", "pen", 3, "now"), Some((&key, "body"))))
            .collect();
        for start in starts {
            assert_eq!(house.answer(start), "KeyConflict");
        }
        for filler in fillers {
            assert!(house.answer(filler).starts_with("First {"));
        }
    }
}

#[test]
fn who_asks_for_the_answer_of_no_trade_is_not_left_waiting() {
    let house = stocked(1);
    let trade = TradeId { tenant: TenantId::new("acme").unwrap(), id: "nobody".into() };
    let asked = house.engine().await_answer(trade);
    let limit = std::time::Duration::from_secs(20);
    let told = house.runtime().block_on(async { tokio::time::timeout(limit, asked).await });
    assert!(told.expect("the question ends").is_err());
}

#[test]
fn an_engine_that_rests_has_told_the_answers_of_a_former_life() {
    let mut house = stocked(50);
    for order in 0..20 {
        house.trade("buy", &buy(&format!("o{order}"), "pen", 1, "now"));
    }
    house.restart();
    let tenant = TenantId::new("acme").unwrap();
    let known = house.rows("SELECT id FROM flow_instance WHERE flow = 'buy'");
    assert_eq!(known.len(), 20);
    for id in known {
        let mut asked = house.engine().await_answer(TradeId { tenant: tenant.clone(), id: id.into() });
        house.settle();
        assert!(matches!(asked.try_recv(), Ok(Started::Answered { .. })));
    }
}

#[test]
fn an_adapter_that_panics_has_not_answered() {
    let house = stocked(5);
    let start = house.begin("buy", &buy("panic-1", "pen", 2, "later"));
    house.settle();
    house.pass(Span::from_millis(250));
    assert_eq!(house.answer(start), r#"First {"order":"panic-1","payment":"pay-panic-1"}"#);
    let asked = house.peer.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    assert_eq!(asked.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_clock_is_not_forgotten_when_work_comes_between_it_and_an_earlier_one() {
    let house = House::new(NAP);
    house.trade("nap", r#"{"name":"a"}"#);
    house.clock.advance(Span::from_millis(500));
    house.trade("nap", r#"{"name":"b"}"#);
    house.clock.advance(Span::from_millis(600));
    house.call("shop.stock", r#"{"goods":"pen","count":1}"#);
    house.until("SELECT cast(count(*) AS TEXT) FROM flow_instance WHERE flow = 'nap' AND status = 2", "1");
    house.clock.advance(Span::from_millis(500));
    house.until("SELECT cast(count(*) AS TEXT) FROM flow_instance WHERE flow = 'nap' AND status = 2", "2");
}

#[test]
fn an_event_is_heard_also_when_the_clock_was_set_back() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    house.clock.set(Timestamp::from_millis(house.clock.now().as_millis() - 5_000));
    house.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    house.settle();
    assert_eq!(house.rows(OUTCOMES), ["completed"]);
}

#[test]
fn what_an_earlier_stretch_did_is_told_also_if_it_is_taken_back_later() {
    let house = House::new(LOUD);
    assert_eq!(house.trade("loud", r#"{"order":"loud-1"}"#), "First failed sold_out");
    house.settle();
    assert_eq!(house.rows(OUTCOMES), ["failed:sold_out"]);
    assert_eq!(*house.peer.refunds.lock().unwrap(), ["pay-loud-1"]);
    assert_eq!(house.rows("SELECT payload FROM outbox"), [r#"{"goods":"loud-1"}"#]);
}

#[test]
fn an_operation_that_never_decides_is_a_culprit_and_no_endless_loop() {
    let house = stocked(5);
    let answer = house.trade("buy", &buy("o1", "slippery", 1, "now"));
    assert!(answer.starts_with("Broken") && answer.contains("stale"), "{answer}");
    assert_eq!(house.trade("buy", &buy("o2", "pen", 1, "now")), r#"First {"order":"o2"}"#);
}

//! Trades from start to end, through rejections, clocks, events, peers that do not answer, and crashes.

use std::sync::Arc;

use futures::future::BoxFuture;
use mortise_engine::{Delivered, StepMode, Subscriber};
use mortise_types::{Clock as _, Span};

use crate::house::House;

pub const BUY: &str = r#"
flow: buy
version: 1
summary: Take goods, ask for money, wait for it.
input:
  type: object
  required: [order, goods, count, pay]
  properties:
    order: { type: string }
    goods: { type: string }
    count: { type: integer }
    pay: { enum: [now, later, never] }
key: ${ input.order }
cancel_on: { event: shop.given_up, match: "${ input.order }", fail: given_up }
steps:
  - id: seen
    call: shop.look
    with: { goods: "${ input.goods }" }
  - id: taken
    call: shop.take
    with: { goods: "${ input.goods }", count: "${ input.count }", seen: "${ seen.count }" }
  - call: shop.explode
    with: { order: "${ input.order }" }
  - switch:
      - if: ${ input.pay == 'later' }
        do:
          - id: payment
            call: shop.pay
            with: { order: "${ input.order }" }
          - answer: { order: "${ input.order }", payment: "${ payment.payment }" }
          - id: paid
            wait: shop.paid
            match: ${ payment.payment }
            timeout: 30m
            on_timeout:
              - fail: too_late
          - call: shop.book
            with: { payment: "${ paid.payment }" }
      - else:
          - answer: { order: "${ input.order }" }
  - pivot: paid
  - emit: shop.taken
    with: { goods: "${ input.goods }" }
"#;

pub fn buy(order: &str, goods: &str, count: i64, pay: &str) -> String {
    format!(r#"{{"order":"{order}","goods":"{goods}","count":{count},"pay":"{pay}"}}"#)
}

pub fn stocked(count: i64) -> House {
    let house = House::new(BUY);
    house.call("shop.stock", &format!(r#"{{"goods":"pen","count":{count}}}"#));
    house
}

#[test]
fn a_trade_without_the_world_is_one_commit() {
    let house = stocked(5);
    let batches = || house.engine().figures().batches.load(std::sync::atomic::Ordering::Relaxed);
    let before = batches();
    assert_eq!(house.trade("buy", &buy("o1", "pen", 2, "now")), r#"First {"order":"o1"}"#);
    assert_eq!(batches() - before, 1);
    assert_eq!(house.left("pen"), 3);
    assert_eq!(house.rows("SELECT outcome FROM flow_instance WHERE flow = 'buy'"), ["completed"]);
    assert_eq!(house.rows("SELECT event FROM outbox ORDER BY position"), ["shop.taken", "shop.taken"]);
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn every_step_can_be_a_commit_of_its_own() {
    let house = House::with(BUY, StepMode::SingleSteps);
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    let before = house.engine().store().cost();
    assert_eq!(house.trade("buy", &buy("o1", "pen", 2, "now")), r#"First {"order":"o1"}"#);
    assert!(house.engine().store().cost().commits - before.commits >= 3);
    house.settle();
    assert_eq!((house.left("pen"), house.verify()), (3, vec![]));
}

#[test]
fn a_rejection_behind_an_effect_takes_it_back_in_the_same_commit_and_says_nothing() {
    let house = stocked(5);
    assert_eq!(house.trade("buy", &buy("o1", "pen", 9, "now")), "First failed sold_out");
    assert_eq!(house.trade("buy", &buy("poor-1", "pen", 2, "later")), "First failed declined");
    house.settle();
    assert_eq!(house.left("pen"), 5);
    assert_eq!(
        house.rows("SELECT outcome FROM flow_instance WHERE flow = 'buy' ORDER BY id"),
        ["failed:sold_out", "failed:declined"]
    );
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_second_start_gets_the_first_answer_and_another_input_a_conflict() {
    let house = stocked(5);
    let first = house.begin_with("buy", &buy("o1", "pen", 2, "now"), Some(("k", "body")));
    let second = house.begin_with("buy", &buy("o1", "pen", 2, "now"), Some(("k", "body")));
    assert_eq!(house.answer(first), r#"First {"order":"o1"}"#);
    assert_eq!(house.answer(second), r#"Repeated {"order":"o1"}"#);
    let replay = house.begin_with("buy", &buy("o1", "pen", 2, "now"), Some(("k", "body")));
    assert_eq!(house.answer(replay), r#"Repeated {"order":"o1"}"#);
    let other_body = house.begin_with("buy", &buy("o1", "pen", 3, "now"), Some(("k", "other body")));
    assert_eq!(house.answer(other_body), "IdempotencyMismatch");
    assert_eq!(house.trade("buy", &buy("o1", "pen", 3, "now")), "KeyConflict");
    assert_eq!(
        house.trade("buy", r#"{"pay":"now","count":2,"goods":"pen","order":"o1"}"#),
        r#"Repeated {"order":"o1"}"#
    );
    assert_eq!(house.left("pen"), 3);
}

#[test]
fn a_hundred_starts_of_one_key_are_one_trade() {
    let house = stocked(500);
    let starts: Vec<_> = (0..100).map(|_| house.begin("buy", &buy("o1", "pen", 2, "now"))).collect();
    let answers: Vec<String> = starts.into_iter().map(|start| house.answer(start)).collect();
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("First")).count(), 1);
    assert_eq!(house.left("pen"), 498);
}

#[test]
fn money_that_comes_in_time_completes_the_trade() {
    let house = stocked(5);
    assert_eq!(
        house.trade("buy", &buy("o1", "pen", 2, "later")),
        r#"First {"order":"o1","payment":"pay-o1"}"#
    );
    house.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    house.settle();
    assert_eq!(house.rows("SELECT outcome FROM flow_instance WHERE flow = 'buy'"), ["completed"]);
    house.pass(Span::hours(2));
    assert_eq!((house.left("pen"), house.peer.refunds.lock().unwrap().len()), (3, 0));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn money_that_comes_before_the_wait_counts() {
    let house = stocked(5);
    let start = house.begin("buy", &buy("o1", "pen", 2, "later"));
    house.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    house.answer(start);
    house.settle();
    assert_eq!(house.rows("SELECT outcome FROM flow_instance WHERE flow = 'buy'"), ["completed"]);
}

#[test]
fn money_that_comes_too_late_goes_back_once() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    house.pass(Span::minutes(31));
    assert_eq!(
        house.rows("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE flow = 'buy'"),
        ["failed:too_late"]
    );
    assert_eq!(house.left("pen"), 5);
    assert_eq!(*house.peer.refunds.lock().unwrap(), ["pay-o1"], "the request itself is taken back");
    house.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    house.settle();
    assert_eq!(*house.peer.refunds.lock().unwrap(), ["pay-o1", "pay-o1"], "and so is what came late");
    house.call("shop.announce", r#"{"payment":"pay-other"}"#);
    house.settle();
    assert_eq!(house.peer.refunds.lock().unwrap().len(), 2, "what nobody asked for is nobody's to give back");
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn the_customer_gives_up_while_the_trade_waits() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    house.call("shop.give_up", r#"{"order":"o1"}"#);
    house.settle();
    assert_eq!(house.rows("SELECT outcome FROM flow_instance WHERE flow = 'buy'"), ["failed:given_up"]);
    assert_eq!(house.left("pen"), 5);
    house.call("shop.give_up", r#"{"order":"o1"}"#);
    house.settle();
    assert_eq!((house.left("pen"), house.verify()), (5, vec![]));
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let house = stocked(5);
    let start = house.begin("buy", &buy("slow-1", "pen", 2, "later"));
    house.settle();
    house.pass(Span::from_millis(250));
    assert_eq!(house.answer(start), r#"First {"order":"slow-1","payment":"pay-slow-1"}"#);
    let asked = house.peer.asked.lock().unwrap().clone();
    assert_eq!(asked.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(asked[0].0, asked[1].0);
    assert_eq!(house.peer.effects.lock().unwrap().len(), 1);
}

#[test]
fn a_peer_that_never_answers_is_given_up_and_undone_as_if_it_had_happened() {
    let house = stocked(5);
    let start = house.begin("buy", &buy("mute-1", "pen", 2, "later"));
    for _ in 0..3 {
        house.settle();
        house.pass(Span::seconds(2));
    }
    assert_eq!(house.answer(start), "First failed unavailable");
    house.settle();
    assert_eq!(house.peer.asked.lock().unwrap().len(), 3);
    assert_eq!(*house.peer.refunds.lock().unwrap(), ["pay-mute-1"]);
    assert_eq!((house.left("pen"), house.verify()), (5, vec![]));
}

#[test]
fn after_a_crash_open_trades_go_on_where_they_were() {
    let mut house = stocked(50);
    for order in 0..10 {
        house.trade("buy", &buy(&format!("o{order}"), "pen", 1, "later"));
    }
    house.restart();
    assert_eq!(house.verify(), [""; 0]);
    for order in 0..5 {
        house.call("shop.announce", &format!(r#"{{"payment":"pay-o{order}"}}"#));
    }
    house.restart();
    house.settle();
    let outcomes = house.rows("SELECT outcome FROM flow_instance WHERE flow = 'buy' AND outcome IS NOT NULL");
    assert_eq!(outcomes, ["completed"; 5]);
    house.pass(Span::minutes(31));
    assert_eq!(house.left("pen"), 45);
    assert_eq!(house.peer.refunds.lock().unwrap().len(), 5);
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_crash_between_asking_and_answer_asks_again_with_the_same_key() {
    let mut house = stocked(5);
    let start = house.begin("buy", &buy("mute-then-1", "pen", 2, "later"));
    house.settle();
    drop(start);
    house.restart();
    house.settle();
    let asked = house.peer.asked.lock().unwrap().clone();
    assert!(asked.len() >= 2, "asked again after the start: {asked:?}");
    assert!(asked.iter().all(|(key, _)| *key == asked[0].0));
}

#[test]
fn one_bomb_in_a_batch_hurts_nobody_else() {
    let house = stocked(100);
    let starts: Vec<_> = (0..20)
        .map(|n| {
            house.begin("buy", &buy(&format!("{}-{n}", if n == 13 { "bomb" } else { "o" }), "pen", 1, "now"))
        })
        .collect();
    let answers: Vec<String> = starts.into_iter().map(|start| house.answer(start)).collect();
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("First {")).count(), 19);
    assert!(answers[13].starts_with("Broken"), "{}", answers[13]);
    assert!(answers[13].contains("a bomb went off"), "{}", answers[13]);
    assert_eq!((house.left("pen"), house.verify()), (81, vec![]));
}

#[test]
fn what_was_read_may_be_stale_and_the_last_pen_is_sold_once() {
    let house = stocked(30);
    let starts: Vec<_> =
        (0..60).map(|n| house.begin("buy", &buy(&format!("o-{n}"), "pen", 1, "now"))).collect();
    let answers: Vec<String> = starts.into_iter().map(|start| house.answer(start)).collect();
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("First {")).count(), 30);
    assert_eq!(answers.iter().filter(|answer| *answer == "First failed sold_out").count(), 30);
    assert!(house.engine().figures().stale.load(std::sync::atomic::Ordering::Relaxed) > 0);
    assert_eq!((house.left("pen"), house.verify()), (0, vec![]));
}

#[test]
fn what_is_off_in_the_data_is_named() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    assert_eq!(house.verify(), [""; 0]);
    for (sql, part) in [
        ("UPDATE flow_instance SET wake_at = wake_at + 1 WHERE status = 1", "by its journal"),
        ("INSERT INTO flow_journal VALUES ('acme', 'nobody', 0, '{}')", "has a journal but no instance"),
        ("INSERT INTO subscriber VALUES ('mail', 1000000)", "behind the outbox's end"),
        ("UPDATE outbox SET instance = 'nobody' WHERE position = 1", "no trade wrote it"),
        ("UPDATE flow_journal SET record = '{' WHERE seq = 1 AND instance <> 'nobody'", "cannot be read"),
        ("DELETE FROM flow_journal WHERE seq = 1 AND instance <> 'nobody'", "records"),
    ] {
        let statement = mortise_store::Statement::both("test.break", sql);
        let broken =
            house.engine().store().write(async move |tx| tx.execute(&statement, [()]).await.map(drop));
        house.runtime().block_on(broken).unwrap();
        let found = house.verify();
        assert!(found.iter().any(|line| line.contains(part)), "`{sql}` goes unseen: {found:?}");
    }
}

struct Collector {
    seen: std::sync::Mutex<Vec<Delivered>>,
    refusals: std::sync::atomic::AtomicU32,
}

impl Subscriber for Collector {
    fn name(&self) -> &str {
        "collector"
    }
    fn deliver<'a>(&'a self, events: &'a [Delivered]) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            if self.refusals.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
                return Err("not now".to_owned());
            }
            self.seen.lock().unwrap().extend_from_slice(events);
            Ok(())
        })
    }
}

#[test]
fn a_subscriber_gets_every_event_in_order_also_after_it_refused() {
    let house = stocked(100);
    let collector = Arc::new(Collector { seen: Default::default(), refusals: Default::default() });
    house.runtime().block_on(async { house.engine().subscribe(Arc::clone(&collector) as _) });
    for order in 0..20 {
        house.trade("buy", &buy(&format!("o{order}"), "pen", 1, "now"));
    }
    let expected: Vec<i64> = house
        .rows("SELECT cast(position AS TEXT) FROM outbox ORDER BY outbox.position")
        .iter()
        .map(|p| p.parse().unwrap())
        .collect();
    house.runtime().block_on(async {
        let deadline = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            while collector.seen.lock().unwrap().len() < expected.len() {
                tokio::task::yield_now().await;
            }
        });
        deadline.await.unwrap();
    });
    let positions: Vec<i64> = collector.seen.lock().unwrap().iter().map(|event| event.position).collect();
    assert_eq!(positions, expected);
}

#[test]
fn two_tenants_with_the_same_keys_never_meet() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    let other = house.in_tenant("zeta");
    assert_eq!(other.left("pen"), 0);
    other.call("shop.stock", r#"{"goods":"pen","count":7}"#);
    assert_eq!(
        other.trade("buy", &buy("o1", "pen", 3, "later")),
        r#"First {"order":"o1","payment":"pay-o1"}"#
    );
    other.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    house.settle();
    let open = "SELECT tenant || ' ' || coalesce(outcome, 'open') FROM flow_instance WHERE flow = 'buy' ORDER BY tenant";
    assert_eq!(house.rows(open), ["acme open", "zeta completed"]);
    house.call("shop.give_up", r#"{"order":"o1"}"#);
    house.settle();
    assert_eq!(house.rows(open), ["acme failed:given_up", "zeta completed"]);
    assert_eq!((house.left("pen"), house.in_tenant("zeta").left("pen")), (5, 4));
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn what_is_old_is_forgotten_and_what_can_still_be_asked_for_is_not() {
    let house = stocked(50);
    for order in 0..3 {
        let start = house.begin_with(
            "buy",
            &buy(&format!("o{order}"), "pen", 1, "now"),
            Some((&format!("k{order}"), "b")),
        );
        house.answer(start);
    }
    house.trade("buy", &buy("late", "pen", 1, "later"));
    let count = |table: &'static str| house.rows(table)[0].clone();
    let left = || {
        (
            count("SELECT cast(count(*) AS TEXT) FROM idempotency"),
            count("SELECT cast(count(*) AS TEXT) FROM outbox"),
            count("SELECT cast(count(*) AS TEXT) FROM flow_journal"),
        )
    };
    let forget = || house.runtime().block_on(house.engine().prune()).unwrap();
    let before = left();
    assert_eq!((forget(), left()), (0, before), "nothing is old yet");
    house.pass(Span::days(3));
    assert_eq!(forget(), 3, "three keys");
    house.pass(Span::days(40));
    assert!(forget() > 0);
    assert_eq!((left().0, left().1, left().2), ("0".into(), "0".into(), "0".into()));
    assert_eq!(
        house.rows("SELECT cast(count(*) AS TEXT) FROM flow_wait WHERE kind = 2"),
        ["1"],
        "late money still goes back"
    );
    house.call("shop.announce", r#"{"payment":"pay-late"}"#);
    house.settle();
    assert_eq!(house.peer.refunds.lock().unwrap().len(), 2);
    assert_eq!(
        house.trade("buy", &buy("o1", "pen", 1, "now")),
        r#"Repeated {"order":"o1"}"#,
        "a key is for ever"
    );
    assert_eq!(house.verify(), [""; 0]);
}

#[test]
fn a_driver_at_rest_says_what_is_due_next() {
    let house = stocked(3);
    house.trade("buy", &buy("o-1", "pen", 1, "later"));
    let next = house.runtime().block_on(house.engine().rest());
    assert_eq!(next, Some(house.clock.now().saturating_add(Span::minutes(30))));
    house.pass(Span::minutes(31));
    assert_eq!(house.runtime().block_on(house.engine().rest()), None, "the trade is over");
}

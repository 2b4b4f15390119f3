//! Several engines on one PostgreSQL database: who drives what, what one has for another's trades, and what is left of one that
//! ends or is taken for ended; and the one lease of a data directory.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use mortise_engine::{Aliasing, Decision, Delivered, Subscriber, find_trades};
use mortise_types::{Span, TenantId};

use crate::house::House;
use crate::trades::{BUY, buy};

/// Two engines, and pens in stock.
fn two() -> (House, House) {
    let mut first = House::on_postgres(BUY);
    first.call("shop.stock", r#"{"goods":"pen","count":500}"#);
    let second = first.neighbour(2);
    (first, second)
}

fn outcomes(house: &House) -> Vec<String> {
    house.rows("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE flow = 'buy' ORDER BY id")
}

/// It waits for what no other flow waits for.
const WATCH: &str = r#"
flow: watch
version: 1
input:
  type: object
  required: [goods]
  properties: { goods: { type: string } }
key: ${ input.goods }
steps:
  - answer: { goods: "${ input.goods }" }
  - id: taken
    wait: shop.taken
    match: ${ input.goods }
    timeout: 30m
    on_timeout:
      - attention: nobody wants it
"#;

/// Ends a lease behind its holder's back, as one does who takes him for dead.
const END_THE_FIRST: &str = "DELETE FROM engine_lease WHERE epoch = 1";

#[test]
fn an_event_wakes_the_trade_in_the_engine_that_drives_it() {
    let (first, second) = two();
    first.trade("buy", &buy("o1", "pen", 2, "later"));
    second.trade("buy", &buy("o2", "pen", 3, "later"));
    second.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    first.call("shop.announce", r#"{"payment":"pay-o2"}"#);
    first.until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o1'", "completed");
    first.until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o2'", "completed");
    first.until("SELECT cast(count(*) AS TEXT) FROM flow_post", "0");
    second.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    let drivers = "SELECT cast(count(DISTINCT epoch) AS TEXT) FROM flow_instance WHERE flow = 'buy'";
    assert_eq!(first.rows(drivers), ["2"], "each was driven where it began");
    assert_eq!((first.left("pen"), first.verify()), (495, vec![]));
}

#[test]
fn a_trade_of_another_engine_is_cancelled_and_decided_from_here() {
    let (first, second) = two();
    first.trade("buy", &buy("o1", "pen", 2, "later"));
    second.call("shop.give_up", r#"{"order":"o1"}"#);
    second.until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o1'", "failed:given_up");
    first.trade("buy", &buy("o2", "pen", 2, "later"));
    let tenant = TenantId::new("acme").unwrap();
    let found = second.runtime().block_on(find_trades(second.engine().store(), &tenant, "o2"));
    second.engine().decide(found.unwrap().remove(0), Decision::Compensate, "because");
    second
        .until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o2'", "failed:compensated");
    second.until("SELECT cast(count(*) AS TEXT) FROM flow_post", "0");
    first.settle();
    assert_eq!((first.left("pen"), first.verify()), (500, vec![]));
}

#[test]
fn what_an_engine_leaves_goes_on_in_another() {
    let (mut first, second) = two();
    first.trade("buy", &buy("o1", "pen", 2, "later"));
    first.trade("buy", &buy("o2", "pen", 2, "later"));
    first.crash();
    // It came while nobody drove the trade.
    second.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    second.until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o1'", "completed");
    second.until("SELECT cast(count(*) AS TEXT) FROM engine_lease", "1");
    second.settle();
    second.pass(Span::minutes(31));
    assert_eq!(outcomes(&second), ["completed", "failed:too_late"]);
    assert_eq!(*second.peer.refunds.lock().unwrap(), ["pay-o2"]);
    assert_eq!((second.left("pen"), second.verify()), (498, vec![]));
}

#[test]
fn an_engine_that_drains_leaves_its_trades_at_once() {
    let (first, second) = two();
    first.trade("buy", &buy("o1", "pen", 2, "later"));
    first.runtime().block_on(first.engine().drain());
    second.until("SELECT cast(count(*) AS TEXT) FROM engine_lease", "1");
    second.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    second.until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o1'", "completed");
    assert_eq!(second.verify(), [""; 0]);
}

#[test]
fn a_clock_passes_only_where_its_trade_is_driven() {
    let (first, second) = two();
    first.trade("buy", &buy("o1", "pen", 2, "later"));
    second.pass(Span::minutes(31));
    assert_eq!(outcomes(&second), ["open"], "the first one's clock is the first one's");
    first.pass(Span::minutes(0));
    assert_eq!(outcomes(&second), ["failed:too_late"]);
    assert_eq!(second.peer.refunds.lock().unwrap().len(), 1);
}

#[test]
fn an_engine_whose_lease_was_ended_writes_nothing_under_it_and_goes_on_under_another() {
    let (first, second) = two();
    first.trade("buy", &buy("o1", "pen", 2, "later"));
    let epoch = |house: &House| house.rows("SELECT cast(epoch AS TEXT) FROM flow_instance WHERE key = 'o1'");
    assert_eq!(epoch(&first), ["1"]);
    second.write(END_THE_FIRST);
    // What it is asked now it can begin only under a new lease; and the trade is whoever's who looks first.
    let answer = first.trade("buy", &buy("o2", "pen", 2, "now"));
    assert_eq!(answer, r#"First {"order":"o2"}"#);
    assert_eq!(
        first.rows("SELECT cast(count(*) AS TEXT) FROM flow_instance WHERE key = 'o2' AND epoch > 2"),
        ["1"]
    );
    assert_eq!(
        first.rows("SELECT cast(count(*) AS TEXT) FROM flow_instance WHERE epoch = 1 AND key = 'o2'"),
        ["0"]
    );
    assert_eq!((first.left("pen"), first.verify()), (496, vec![]));
}

#[test]
fn one_start_in_two_engines_is_one_trade() {
    let (first, second) = two();
    for round in 0..20 {
        let order = buy(&format!("o{round}"), "pen", 1, "now");
        let (key, body) = (format!("k{round}"), Some("body"));
        let here = first.begin_with("buy", &order, body.map(|body| (&*key, body)));
        let there = second.begin_with("buy", &order, body.map(|body| (&*key, body)));
        let (here, there) = (first.answer(here), second.answer(there));
        let (first_word, rest) = here.split_once(' ').unwrap();
        let (second_word, other) = there.split_once(' ').unwrap();
        assert_eq!(rest, other);
        assert_ne!(first_word, second_word, "one of them began it: {here} {there}");
    }
    assert_eq!(first.left("pen"), 480);
    let troubles = |house: &House| house.engine().figures().halved.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!((troubles(&first), troubles(&second)), (0, 0));
    assert_eq!(first.verify(), [""; 0]);
}

#[test]
fn who_repeats_a_start_in_another_engine_gets_the_first_ones_answer_when_it_comes() {
    let (first, second) = two();
    let order = buy("slow-1", "pen", 2, "later");
    let here = first.begin("buy", &order);
    first.until("SELECT key FROM flow_instance WHERE key IS NOT NULL", "slow-1");
    let there = second.begin("buy", &order);
    second.settle();
    first.settle();
    first.pass(Span::from_millis(250));
    let answer = r#"{"order":"slow-1","payment":"pay-slow-1"}"#;
    assert_eq!(first.answer(here), format!("First {answer}"));
    assert_eq!(second.answer(there), format!("Repeated {answer}"));
}

#[test]
fn what_one_engine_publishes_the_other_knows_when_it_is_published() {
    let (first, second) = two();
    first.publish(WATCH, Aliasing::Keep);
    let scope = mortise_types::Scope::new("acme", "books", "web").unwrap();
    let hash = first.engine().catalogue().find(&scope, "watch").unwrap().program.hash().to_string();
    assert!(second.engine().catalogue().definition(&hash).is_some());
    assert!(second.engine().catalogue().is_awaited("shop.taken"));
    let looked = || second.engine().catalogue().find(&scope, "watch").is_some();
    second.runtime().block_on(async {
        let named = async {
            while !looked() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(1), named).await.unwrap();
    });
}

/// Says who delivered what.
struct Collector(&'static str, Arc<Mutex<Vec<(&'static str, i64)>>>);

impl Subscriber for Collector {
    fn name(&self) -> &str {
        "collector"
    }
    fn deliver<'a>(&'a self, events: &'a [Delivered]) -> BoxFuture<'a, Result<(), String>> {
        let seen = events.iter().map(|event| (self.0, event.position));
        self.1.lock().unwrap().extend(seen);
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn a_subscriber_of_two_engines_gets_every_event_in_order_from_one_at_a_time() {
    let (first, second) = two();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for (house, name) in [(&first, "first"), (&second, "second")] {
        let collector = Arc::new(Collector(name, Arc::clone(&seen)));
        house.runtime().block_on(async { house.engine().subscribe(collector) });
    }
    for order in 0..10 {
        first.trade("buy", &buy(&format!("a{order}"), "pen", 1, "now"));
        second.trade("buy", &buy(&format!("b{order}"), "pen", 1, "now"));
    }
    let all = |house: &House| {
        house
            .rows("SELECT cast(position AS TEXT) FROM outbox ORDER BY outbox.position")
            .into_iter()
            .map(|position| position.parse().unwrap())
            .collect::<Vec<i64>>()
    };
    let delivered = || seen.lock().unwrap().iter().map(|(_, position)| *position).collect::<Vec<i64>>();
    let cursor = "SELECT cast(position AS TEXT) FROM subscriber WHERE name = 'collector'";
    second.until(cursor, &all(&second).last().unwrap().to_string());
    assert_eq!(delivered(), all(&second));
    let before = seen.lock().unwrap().last().unwrap().0;
    assert!(seen.lock().unwrap().iter().all(|(by, _)| *by == before), "{:?}", seen.lock().unwrap());
    let (mut goes, stays) = if before == "first" { (first, second) } else { (second, first) };
    goes.crash();
    stays.trade("buy", &buy("c", "pen", 1, "now"));
    stays.until(cursor, &all(&stays).last().unwrap().to_string());
    assert_eq!(delivered(), all(&stays));
    assert_ne!(seen.lock().unwrap().last().unwrap().0, before);
}

#[test]
fn on_sqlite_a_start_takes_the_one_lease_and_rewrites_no_trade() {
    let mut house = House::on_sqlite(BUY);
    house.call("shop.stock", r#"{"goods":"pen","count":500}"#);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    let begun = "SELECT key || ' under ' || epoch FROM flow_instance WHERE flow = 'buy' ORDER BY key";
    assert_eq!(house.rows(begun), ["o1 under 1"]);
    house.restart();
    assert_eq!(house.rows("SELECT cast(epoch AS TEXT) FROM engine_lease"), ["2"]);
    house.call("shop.announce", r#"{"payment":"pay-o1"}"#);
    house.until("SELECT coalesce(outcome, 'open') FROM flow_instance WHERE key = 'o1'", "completed");
    house.trade("buy", &buy("o2", "pen", 2, "now"));
    assert_eq!(house.rows(begun), ["o1 under 1", "o2 under 2"]);
    assert_eq!((house.left("pen"), house.verify()), (496, vec![]));
    // As if another process had the directory now: what this one is asked it cannot begin, and says so nowhere but in its log.
    house.write("UPDATE engine_lease SET epoch = epoch + 1");
    let unheard = house.begin("buy", &buy("o3", "pen", 2, "now"));
    while house.engine().figures().unwritten.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(unheard);
    assert_eq!(house.rows(begun), ["o1 under 1", "o2 under 2"]);
}

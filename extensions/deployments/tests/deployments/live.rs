//! A platform that is asked while what is deployed changes: new trades turn to a revision, old ones keep theirs, trials count
//! for whom they should, and one that misbehaves is taken back by itself.

use std::sync::Arc;

use mortise_bindings::{Binding, Canary, Guard, Rollout};
use mortise_deployments::{
    AfterShadow, Customers, Deploy, LiveHost, Registry, Rollback, deploy, promote, roll_back,
};
use mortise_host::{Asks, Ceilings, Runtime};
use mortise_points::unit_price::{Line, Question};
use mortise_points::{Answered, CallIdentity, Points, UnitPrice, Verdict};
use mortise_testkit::TestDatabase;
use mortise_types::{
    Amount, Clock, Currency, CustomerId, LineId, Price, Quantity, Scope, Sku, Span, Timestamp, VirtualClock,
};

use crate::guest::{Does, package};
use crate::registry::registry;
use crate::rules::binding;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

struct Platform {
    _database: TestDatabase,
    registry: Registry,
    live: Arc<LiveHost>,
    clock: Arc<VirtualClock>,
}

impl Platform {
    async fn new() -> Platform {
        let (database, registry) = registry().await;
        let clock = Arc::new(VirtualClock::at(START));
        let live = another(&registry, &clock).await;
        Platform { _database: database, registry, live, clock }
    }

    async fn put(&self, name: &str, version: &str, does: Does) {
        self.registry.put(&package(name, version, does), Asks::default(), ("ada", START)).await.unwrap();
    }

    /// Deploys after what has begun, and lets a second pass, so that new trades have it.
    async fn deploy(&self, binding: Binding) {
        let wish = Deploy { bindings: vec![binding], reason: "as told".to_owned() };
        let change = move |history: &[_]| deploy(history.first(), wish.clone());
        self.clock.advance(Span::seconds(1));
        self.registry.revise("ada", self.clock.now(), Span::ZERO, change).await.unwrap();
        self.clock.advance(Span::seconds(1));
        self.live.step().await.unwrap();
    }

    /// A trade that begins now.
    fn trade(&self) -> String {
        format!("{:012x}7{:019x}", self.clock.now().as_millis(), 1)
    }

    fn price(&self, trade: &str) -> i64 {
        asked(&*self.live, trade, None).0
    }
}

async fn another(registry: &Registry, clock: &Arc<VirtualClock>) -> Arc<LiveHost> {
    let runtime = Arc::new(Runtime::start(Ceilings::default(), None).unwrap());
    let live = LiveHost::new(runtime, Arc::clone(clock) as Arc<dyn Clock>);
    live.attach(registry.clone()).await.unwrap();
    live
}

/// The price of one unit that costs 10.00, and what was asked on the way.
fn asked(points: &dyn Points, trade: &str, customer: Option<&str>) -> (i64, Vec<Answered>) {
    asked_by(points, trade, customer, None)
}

/// `caller` is whose call it is, `customer` what the question says.
fn asked_by(
    points: &dyn Points,
    trade: &str,
    customer: Option<&str>,
    caller: Option<&str>,
) -> (i64, Vec<Answered>) {
    let line = Line {
        line_id: LineId::new("1").unwrap(),
        sku: Sku::new("milk").unwrap(),
        quantity: Quantity(2),
        list: Price::each(Amount(1000)),
        current: Price::each(Amount(1000)),
        floor: None,
        ceiling: None,
        attributes: vec![],
    };
    let question = Question {
        currency: Currency::new("EUR").unwrap(),
        customer_id: customer.map(|customer| CustomerId::new(customer).unwrap()),
        customer_group: None,
        trade_time: START,
        lines: vec![line],
    };
    let scope = Scope::new("shop", "grocery", "web").unwrap();
    let call = CallIdentity { instance: trade, step: "quote", attempt: 1, customer: caller };
    let outcome = points.ask::<UnitPrice>(&scope, call, &question).unwrap();
    let price = outcome.reduced.first().map_or(1000, |won| won.price.amount().minor());
    (price, outcome.answers)
}

fn canary(percent: u32, guard: Guard) -> Rollout {
    Rollout::Canary(Canary { percent, guard })
}

const AT: &str = "shop/grocery/* 10";

#[tokio::test]
async fn new_trades_turn_to_a_revision_and_those_under_way_keep_theirs() {
    let platform = Platform::new().await;
    platform.put("promo", "1.0.0", Does::Offer(900)).await;
    platform.put("promo", "2.0.0", Does::Offer(800)).await;
    let scope = Scope::new("shop", "grocery", "web").unwrap();
    let before = platform.trade();
    assert!(!platform.live.is_bound("unit-price", &scope));
    platform.clock.advance(Span::seconds(1));
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    assert!(platform.live.is_bound("unit-price", &scope));
    let with_first = platform.trade();
    platform.clock.advance(Span::seconds(1));
    platform.deploy(binding(&format!("promo@2.0.0 {AT}"), Rollout::Live)).await;
    let with_second = platform.trade();
    let prices = || [&before, &with_first, &with_second].map(|trade| platform.price(trade));
    assert_eq!(prices(), [1000, 900, 800]);
    assert_eq!(platform.price(&format!("{with_first}-2")), 900, "a part goes with its whole");
    // Another process, or this one after a restart, decides alike.
    let restarted = another(&platform.registry, &platform.clock).await;
    let again = [&before, &with_first, &with_second].map(|trade| asked(&*restarted, trade, None).0);
    assert_eq!(again, [1000, 900, 800]);

    let back = Rollback { extension: Some("promo".into()), to: None, hard: false, reason: "too dear".into() };
    let change = move |history: &[_]| roll_back(history, back.clone());
    platform.clock.advance(Span::seconds(1));
    platform.registry.revise("ada", platform.clock.now(), Span::ZERO, change).await.unwrap();
    platform.clock.advance(Span::seconds(1));
    platform.live.step().await.unwrap();
    assert_eq!(prices(), [1000, 900, 800], "a soft rollback leaves running trades alone");
    assert_eq!(platform.price(&platform.trade()), 900);
}

#[tokio::test]
async fn a_hard_rollback_takes_running_trades_along() {
    let platform = Platform::new().await;
    platform.put("promo", "1.0.0", Does::Offer(900)).await;
    platform.put("promo", "2.0.0", Does::Offer(1)).await;
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    let with_first = platform.trade();
    platform.clock.advance(Span::seconds(1));
    platform.deploy(binding(&format!("promo@2.0.0 {AT}"), Rollout::Live)).await;
    let harmed = platform.trade();
    assert_eq!(platform.price(&harmed), 1);
    let back =
        Rollback { extension: Some("promo".into()), to: None, hard: true, reason: "gives away".into() };
    let change = move |history: &[_]| roll_back(history, back.clone());
    platform.clock.advance(Span::seconds(1));
    platform.registry.revise("ada", platform.clock.now(), Span::ZERO, change).await.unwrap();
    platform.live.step().await.unwrap();
    assert_eq!([&with_first, &harmed].map(|trade| platform.price(trade)), [900, 900]);
}

#[tokio::test]
async fn panels_are_swapped_under_load_and_every_answer_is_of_one_revision() {
    let platform = Arc::new(Platform::new().await);
    for version in 1..=9 {
        platform.put("promo", &format!("{version}.0.0"), Does::Offer(version * 100)).await;
    }
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    let first = platform.trade();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let askers: Vec<_> = (0..2)
        .map(|_| {
            let (platform, stop, first) = (Arc::clone(&platform), Arc::clone(&stop), first.clone());
            std::thread::spawn(move || {
                let (mut asked, mut last) = (0_u32, 0);
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    assert_eq!(platform.price(&first), 100, "a trade keeps its revision");
                    let now = platform.price(&platform.trade());
                    assert!(now >= last && now % 100 == 0, "{now} after {last}");
                    (asked, last) = (asked + 1, now);
                }
                asked
            })
        })
        .collect();
    for version in 2..=9 {
        platform.deploy(binding(&format!("promo@{version}.0.0 {AT}"), Rollout::Live)).await;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let asked: u32 = askers.into_iter().map(|asker| asker.join().unwrap()).sum();
    assert!(asked > 0);
    assert_eq!(platform.price(&platform.trade()), 900);
}

#[tokio::test]
async fn a_shadow_never_counts_and_its_difference_is_stored_an_order() {
    let platform = Platform::new().await;
    platform.put("promo", "1.0.0", Does::Offer(900)).await;
    platform.put("promo", "2.0.0", Does::Offer(850)).await;
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    platform.deploy(binding(&format!("promo@2.0.0 {AT}"), Rollout::Shadow)).await;
    for _ in 0..3 {
        let (price, answers) = asked(&*platform.live, &platform.trade(), Some("ada"));
        assert_eq!(price, 900);
        assert_eq!(answers.len(), 1, "{answers:?}");
        platform.clock.advance(Span::seconds(1));
    }
    platform.live.step().await.unwrap();
    let newest = platform.registry.revisions(1).await.unwrap().remove(0);
    let trial = newest.change.bindings.iter().find(|binding| !binding.rollout.is_live()).unwrap().clone();
    let seen = platform.registry.seen(&trial).await.unwrap();
    assert_eq!((seen[0].orders, seen[0].difference_minor, seen[0].failures), (3, -300, 0));

    let wish = Deploy { bindings: vec![trial], reason: "looks well".to_owned() };
    let with = |total_max_minor: i64, orders_min: i64| {
        let bounds = AfterShadow { orders_min, total_max_minor, order_max_minor: None };
        promote(Some(&newest), wish.clone(), bounds, |_, _| seen.clone())
    };
    let off = with(299, 1).unwrap_err().to_string();
    assert!(off.contains("come to 300 EUR over 3 orders, at most 299"), "{off}");
    let few = with(300, 4).unwrap_err().to_string();
    assert!(few.contains("asked for 3 orders, at least 4"), "{few}");
    let promoted = with(300, 3).unwrap();
    assert_eq!(promoted.bindings.len(), 1);
    assert_eq!((&*promoted.bindings[0].version, &promoted.bindings[0].rollout), ("2.0.0", &Rollout::Live));
}

#[tokio::test]
async fn a_canary_is_for_its_customers_only() {
    let platform = Platform::new().await;
    platform.put("promo", "1.0.0", Does::Offer(900)).await;
    platform.put("promo", "2.0.0", Does::Offer(850)).await;
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    platform.deploy(binding(&format!("promo@2.0.0 {AT}"), canary(30, Guard::default()))).await;
    let mut counted = 0;
    for number in 0..100 {
        let customer = format!("customer-{number}");
        let expected = if Customers::Percent(30).include(2, &customer) { 850 } else { 900 };
        counted += i32::from(expected == 850);
        for _ in 0..2 {
            platform.clock.advance(Span::seconds(1));
            assert_eq!(asked(&*platform.live, &platform.trade(), Some(&customer)).0, expected, "{customer}");
            let caller = asked_by(&*platform.live, &platform.trade(), None, Some(&customer)).0;
            assert_eq!(caller, expected, "a point whose question says nothing of {customer}");
        }
    }
    assert!((15..45).contains(&counted), "{counted} of 100");
}

#[tokio::test]
async fn a_canary_that_fails_hurts_nobody_and_is_taken_back() {
    let platform = Platform::new().await;
    platform.put("promo", "1.0.0", Does::Offer(900)).await;
    platform.put("promo", "2.0.0", Does::Trap).await;
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    let mut failing = binding(&format!("promo@2.0.0 {AT}"), canary(99, Guard::default()));
    failing.on_failure = mortise_points::OnFailure::Refuse;
    platform.deploy(failing).await;
    let mut failures = 0;
    for number in 0..10 {
        platform.clock.advance(Span::seconds(1));
        let (price, answers) = asked(&*platform.live, &platform.trade(), Some(&format!("customer-{number}")));
        assert_eq!(price, 900);
        failures += answers.iter().filter(|a| matches!(a.verdict, Verdict::Skipped { .. })).count();
    }
    assert!(failures >= 3, "{failures}");
    let under_way = platform.trade();
    platform.live.step().await.unwrap();
    let newest = platform.registry.revisions(1).await.unwrap().remove(0);
    assert_eq!(newest.change.kind.word(), "returned");
    assert!(
        newest.change.reason.starts_with("promo@2.0.0: ") && newest.change.reason.contains("calls failed"),
        "{newest:?}"
    );
    let (price, answers) = asked(&*platform.live, &under_way, Some("customer-1"));
    assert_eq!((price, answers.len()), (900, 1), "trades under way leave it too");
}

#[tokio::test]
async fn a_canary_whose_money_is_off_is_taken_back() {
    let platform = Platform::new().await;
    platform.put("promo", "1.0.0", Does::Offer(900)).await;
    platform.put("promo", "2.0.0", Does::Offer(1)).await;
    platform.deploy(binding(&format!("promo@1.0.0 {AT}"), Rollout::Live)).await;
    let guard =
        Guard { calls_min: 5, difference_max_minor: Some(100), latency_max_us: u32::MAX, ..Guard::default() };
    platform.deploy(binding(&format!("promo@2.0.0 {AT}"), canary(99, guard))).await;
    for number in 0..12 {
        platform.clock.advance(Span::seconds(1));
        asked(&*platform.live, &platform.trade(), Some(&format!("customer-{number}")));
    }
    platform.live.step().await.unwrap();
    let newest = platform.registry.revisions(1).await.unwrap().remove(0);
    assert!(newest.change.reason.contains("an order differed by 1798 EUR in the mean"), "{newest:?}");
    assert_eq!(platform.price(&platform.trade()), 900);
}

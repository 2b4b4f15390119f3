//! Several `mortise serve` on one PostgreSQL database: one is killed, one stands still and comes back, both are asked the same at
//! once, and what comes to one is for a trade of the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mortise_store::{Access, Options, Statement, Store};
use mortise_testkit::TestDatabase;
use rustix::process::Signal;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::crash::{nth_order, placed, settled, stock, verify};
use crate::support::{Listening, Shop, mortise, order, seed, until};

/// Callers of each server.
const CALLERS: usize = 8;
/// What another server has to have taken over by then.
const TAKEN_OVER: Duration = Duration::from_secs(5);

/// Two servers of one shop and the sandbox, whose messages go to the first.
struct Pair {
    database: TestDatabase,
    _book: tempfile::TempDir,
    sandbox: Listening,
    first: Listening,
    second: Listening,
}

impl Pair {
    async fn new() -> Self {
        let (database, book) = (TestDatabase::postgres().await, tempfile::tempdir().unwrap());
        let url = database.url();
        let data = Path::new(&url);
        seed(data);
        stock(data, 1_000_000);
        let sandbox = Listening::sandbox(book.path());
        let first = Listening::server(data, "127.0.0.1:0", &sandbox.url);
        let second = Listening::server_behind(data, &first.url, &sandbox.url);
        Self { database, _book: book, sandbox, first, second }
    }

    fn shops(&self) -> (Shop, Shop) {
        (Shop::at(&self.first), Shop::at(&self.second))
    }

    async fn store(&self) -> Store {
        let options = Options { access: Access::Shared, ..Options::default() };
        Store::connect(&self.database.url(), &[], options).await.unwrap()
    }
}

async fn number(store: &Store, text: &'static str) -> i64 {
    let statement = Statement::both("test.number", text);
    store.read(async move |reader| reader.fetch_all::<(i64,), _>(&statement, ()).await).await.unwrap()[0].0
}

/// The newest lease, which is the second server's.
const NEWEST: &str = "SELECT max(epoch) FROM engine_lease";
const LEASES: &str = "SELECT count(*) FROM engine_lease";

/// Orders at one server until it is gone or `enough`: those that it acknowledged, with its answers.
async fn load(shop: Shop, next: Arc<AtomicUsize>, enough: Arc<AtomicBool>) -> BTreeMap<usize, Json> {
    let callers = (0..CALLERS).map(|_| {
        let (shop, next, enough) = (shop.clone(), Arc::clone(&next), Arc::clone(&enough));
        tokio::spawn(async move {
            let mut mine = BTreeMap::new();
            while !enough.load(Ordering::Relaxed) {
                let n = next.fetch_add(1, Ordering::Relaxed);
                match shop.order(&nth_order(n)).await {
                    Ok((200, answer)) => drop(mine.insert(n, answer)),
                    Ok((status, body)) => panic!("order {n}: {status} {body}"),
                    Err(_) => break,
                }
            }
            mine
        })
    });
    let mut all = BTreeMap::new();
    for caller in callers.collect::<Vec<_>>() {
        all.extend(caller.await.unwrap());
    }
    all
}

/// Pays an order at the sandbox and says how long it took until the shop knew.
async fn pay(shop: &Shop, id: &str, answer: &Json, since: Instant) -> Duration {
    let pay_url = answer["pay_url"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let paid = shop.http.post(pay_url).json(&json!({"card": "ok"})).send().await.unwrap();
    assert!(paid.status().is_success(), "{paid:?}");
    until("the paid order", async || {
        let order = shop.staff_reads(&format!("order/get?order_id={id}")).await;
        (order["summary"]["statuses"]["payment"] == "paid").then_some(())
    })
    .await;
    since.elapsed()
}

async fn move_clock(shop: &Shop, minutes: u64) {
    let root = shop.url.split("/v1/").next().unwrap();
    let moved = shop
        .http
        .post(format!("{root}/dev/clock"))
        .json(&json!({"advance": format!("{minutes}m")}))
        .send()
        .await;
    let moved = moved.unwrap();
    assert!(moved.status().is_success(), "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_drove_goes_on_in_another_within_five_seconds() {
    let pair = Pair::new().await;
    let (first, second) = pair.shops();
    let (next, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let [here, there] = [&first, &second]
        .map(|shop| tokio::spawn(load(shop.clone(), Arc::clone(&next), Arc::clone(&enough))));
    until("enough orders", async || (next.load(Ordering::Relaxed) > 300).then_some(())).await;
    // Beside servers at work nothing is off.
    mortise(&["verify", "--data", &pair.database.url()]).ok();
    let killed_at = Instant::now();
    pair.second.kill();
    let lost = there.await.unwrap();
    assert!(lost.len() > 50, "{} orders of the second server", lost.len());
    let mut open = lost.iter().filter(|(n, _)| n.is_multiple_of(3));
    let (n, answer) = open.next().expect("an order that waits for its money");
    let taken_over = pay(&first, &format!("o-{n}"), answer, killed_at).await;
    eprintln!("an order of the killed server was paid {} ms behind the kill", taken_over.as_millis());
    assert!(taken_over < TAKEN_OVER, "{taken_over:?}");
    enough.store(true, Ordering::Relaxed);
    let kept = here.await.unwrap();
    // The other orders of the killed server have their clocks still: half an hour without money ends each, once.
    move_clock(&first, 31).await;
    for (n, _) in open {
        until("the end of an unpaid order", async || {
            let order = first.staff_reads(&format!("order/get?order_id=o-{n}")).await;
            (order["summary"]["statuses"]["order"] == "cancelled").then_some(())
        })
        .await;
    }
    let begun = next.load(Ordering::Relaxed);
    let there = placed(&first).await;
    let distinct: BTreeSet<usize> = there.iter().copied().collect();
    assert_eq!(there.len(), distinct.len(), "an order is there twice");
    let gone: Vec<&usize> = lost.keys().chain(kept.keys()).filter(|n| !distinct.contains(n)).collect();
    assert!(gone.is_empty(), "acknowledged and lost: {gone:?} of {begun}");
    settled(&first, &pair.sandbox).await;
    assert_eq!(pair.first.stop(), Some(0));
    verify(Path::new(&pair.database.url()), &pair.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_writes_nothing_more_as_what_it_was() {
    let pair = Pair::new().await;
    let (first, second) = pair.shops();
    let store = pair.store().await;
    let epoch = number(&store, NEWEST).await;
    let (next, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let loading = tokio::spawn(load(second.clone(), Arc::clone(&next), Arc::clone(&enough)));
    until("enough orders", async || (next.load(Ordering::Relaxed) > 100).then_some(())).await;
    pair.second.signal(Signal::STOP);
    let stopped_at = Instant::now();
    until("the other one", async || (number(&store, LEASES).await == 1).then_some(())).await;
    let taken_over = stopped_at.elapsed();
    eprintln!("a server that stood still was taken over behind {} ms", taken_over.as_millis());
    assert!(taken_over < TAKEN_OVER, "{taken_over:?}");
    let (status, body) =
        first.order(&order("o-1000000", "invoice", &json!([{"sku": "tea", "quantity": 1}]))).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let under = |epoch: i64| {
        const UNDER: Statement = Statement::pair(
            "test.under",
            "SELECT count(*) FROM flow_instance WHERE epoch = ?1",
            "SELECT item.n, count(*) FROM unnest($1) WITH ORDINALITY AS item (epoch, n)
             JOIN flow_instance i ON i.epoch = item.epoch GROUP BY item.n",
        );
        let read = store.read(async move |reader| reader.fetch_all::<(i64,), _>(&UNDER, (epoch,)).await);
        async move { read.await.unwrap().first().map_or(0, |(count,)| *count) }
    };
    let before = under(epoch).await;
    pair.second.signal(Signal::CONT);
    // Who waited for it gets his answer from it.
    let begun = next.load(Ordering::Relaxed);
    until("more orders", async || (next.load(Ordering::Relaxed) > begun + 50).then_some(())).await;
    enough.store(true, Ordering::Relaxed);
    let answered = loading.await.unwrap();
    assert_eq!(answered.len(), next.load(Ordering::Relaxed), "every caller was answered");
    assert_eq!(under(epoch).await, before, "nothing was begun under the former lease");
    let newest = number(&store, NEWEST).await;
    assert!(newest > epoch, "{newest}");
    let there = placed(&first).await.len() - 1;
    assert_eq!(there, answered.len());
    settled(&first, &pair.sandbox).await;
    assert_eq!((pair.second.stop(), pair.first.stop()), (Some(0), Some(0)));
    verify(Path::new(&pair.database.url()), &pair.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_at_two_servers_at_once_is_one_order_with_one_answer() {
    const KEYS: usize = 100;
    let pair = Pair::new().await;
    let (first, second) = pair.shops();
    let bytes = async |shop: &Shop, order: &Json| {
        let key = order["order_id"].as_str().unwrap();
        let request = shop.http.post(format!("{}/trades/fixed-price", shop.url));
        let request = request.header("Mortise-Customer", "ada").header("Idempotency-Key", key).json(order);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    };
    for n in 0..KEYS {
        let order = nth_order(n);
        let (here, there) = tokio::join!(bytes(&first, &order), bytes(&second, &order));
        assert_eq!(here.0, 200, "{here:?}");
        assert_eq!(here, there, "order {n}");
    }
    assert_eq!(placed(&second).await.len(), KEYS);
    let paid: usize = (0..KEYS).filter(|n| n.is_multiple_of(3)).count();
    let book = settled(&first, &pair.sandbox).await;
    assert_eq!(book["payments"].as_array().unwrap().len(), paid, "each payment was asked for once");
    assert_eq!((pair.second.stop(), pair.first.stop()), (Some(0), Some(0)));
    verify(Path::new(&pair.database.url()), &pair.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_told_to_one_server_wakes_the_trade_of_the_other_at_once() {
    let pair = Pair::new().await;
    let (first, second) = pair.shops();
    let basket = json!([{"sku": "tea", "quantity": 1}]);
    let mut slowest = Duration::ZERO;
    for n in 0..5 {
        let id = format!("o-{n}");
        let (status, answer) = second.order(&order(&id, "provider", &basket)).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        slowest = slowest.max(pay(&first, &id, &answer, Instant::now()).await);
    }
    eprintln!("the slowest of 5 payments was known behind {} ms", slowest.as_millis());
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // A clock that has passed in one server is nothing to the trades of the other.
    let (status, answer) = second.order(&order("o-late", "provider", &basket)).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    move_clock(&first, 31).await;
    let of =
        async || first.staff_reads("order/get?order_id=o-late").await["summary"]["statuses"]["order"].clone();
    assert_ne!(of().await, "cancelled");
    move_clock(&second, 31).await;
    until("the end of the unpaid order", async || (of().await == "cancelled").then_some(())).await;
    assert_eq!((pair.second.stop(), pair.first.stop()), (Some(0), Some(0)));
    verify(Path::new(&pair.database.url()), &pair.sandbox);
}

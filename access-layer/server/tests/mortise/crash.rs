//! Power cuts and crashes in the middle of a remote call: after a restart everything that was acknowledged is there, nothing
//! is there twice, the books agree with the sandbox's, and every invariant holds.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mortise_testkit::TestDatabase;
use serde_json::{Value as Json, json};

use crate::support::{Listening, Shop, mortise, order, seed, until};

/// Callers at a time.
const CALLERS: usize = 16;

pub(crate) fn stock(data: &Path, units: u64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.csv");
    std::fs::write(&file, format!("sku,location,on_hand\ntea,berlin,{units}\nbread,berlin,{units}\n"))
        .unwrap();
    let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    mortise(&[
        "import",
        "inventory.import_stock",
        file,
        "--tenant",
        "demo",
        "--line",
        "grocery",
        "--data",
        data,
    ])
    .ok();
}

pub(crate) fn nth_order(n: usize) -> Json {
    let pay_by = if n.is_multiple_of(3) { "provider" } else { "invoice" };
    let basket = json!([{"sku": "tea", "quantity": 1 + n % 2}, {"sku": "bread", "quantity": 1}]);
    order(&format!("o-{n}"), pay_by, &basket)
}

/// Orders from many callers until the server is gone; the orders that were acknowledged.
async fn load(shop: &Shop, next: &Arc<AtomicUsize>, acknowledged: &Arc<AtomicUsize>) -> BTreeSet<usize> {
    let callers = (0..CALLERS).map(|_| {
        let (shop, next, acknowledged) = (shop.clone(), Arc::clone(next), Arc::clone(acknowledged));
        tokio::spawn(async move {
            let mut mine = BTreeSet::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                match shop.order(&nth_order(n)).await {
                    Ok((200, _)) => {
                        mine.insert(n);
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok((status, body)) => panic!("order {n}: {status} {body}"),
                    Err(_) => return mine,
                }
            }
        })
    });
    let mut all = BTreeSet::new();
    for caller in callers.collect::<Vec<_>>() {
        all.extend(caller.await.unwrap());
    }
    all
}

/// Sends every order again that was begun, acknowledged or not: each is there once, with its first answer.
async fn repeat(shop: &Shop, begun: usize) {
    for n in 0..begun {
        let (status, body) = shop.order(&nth_order(n)).await.unwrap();
        assert_eq!(status, 200, "order {n}: {body}");
    }
}

pub(crate) async fn settled(shop: &Shop, sandbox: &Listening) -> Json {
    until("a quiet server", async || {
        let ready =
            shop.http.get(format!("{}/health/ready", shop.url.split("/v1/").next()?)).send().await.ok()?;
        ready.status().is_success().then_some(())
    })
    .await;
    shop.http.get(format!("{}/_control/book", sandbox.url)).send().await.unwrap().json().await.unwrap()
}

pub(crate) fn verify(data: &Path, sandbox: &Listening) {
    let said = mortise(&["verify", "--data", data.to_str().unwrap(), "--sandbox", &sandbox.url]);
    assert_eq!(said.code, Some(0), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_under_load() {
    let folder = tempfile::tempdir().unwrap();
    survives_kills_under_load(&folder.path().join("data")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_under_load_on_postgres() {
    let database = TestDatabase::postgres().await;
    survives_kills_under_load(Path::new(&database.url())).await;
}

/// `data` as `--data` names it.
async fn survives_kills_under_load(data: &Path) {
    let folder = tempfile::tempdir().unwrap();
    seed(data);
    stock(data, 1_000_000);
    let sandbox = Listening::sandbox(&folder.path().join("book"));
    let mut server = Listening::server(data, "127.0.0.1:0", &sandbox.url);
    let address = server.address().to_owned();
    let (next, mut expected) = (Arc::new(AtomicUsize::new(0)), BTreeSet::new());
    for round in 0..3 {
        let (shop, acknowledged) = (Shop::at(&server), Arc::new(AtomicUsize::new(0)));
        let loading = {
            let (shop, next, acknowledged) = (shop.clone(), Arc::clone(&next), Arc::clone(&acknowledged));
            tokio::spawn(async move { load(&shop, &next, &acknowledged).await })
        };
        until("enough acknowledged orders", async || {
            (acknowledged.load(Ordering::Relaxed) >= 100).then_some(())
        })
        .await;
        server.kill();
        let round_acknowledged = loading.await.unwrap();
        assert!(round_acknowledged.len() >= 100, "round {round}");
        expected.extend(round_acknowledged);
        server = Listening::server_again(data, &address, &sandbox.url).await;
    }
    let shop = Shop::at(&server);
    let begun = next.load(Ordering::Relaxed);
    let placed: Vec<usize> = placed(&shop).await;
    let there: BTreeSet<usize> = placed.iter().copied().collect();
    assert_eq!(placed.len(), there.len(), "an order is there twice");
    let lost: Vec<&usize> = expected.difference(&there).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    repeat(&shop, begun).await;
    let all: BTreeSet<usize> = self::placed(&shop).await.into_iter().collect();
    assert_eq!(all, (0..begun).collect(), "repeated requests make exactly the missing orders");
    let book = settled(&shop, &sandbox).await;
    let asked: Vec<&str> =
        book["payments"].as_array().unwrap().iter().map(|p| p["reference"].as_str().unwrap()).collect();
    let distinct: BTreeSet<&str> = asked.iter().copied().collect();
    assert_eq!(asked.len(), distinct.len(), "a payment was asked for twice");
    assert_eq!(server.stop(), Some(0));
    verify(data, &sandbox);
}

pub(crate) async fn placed(shop: &Shop) -> Vec<usize> {
    let number = |order: &Json| order["order_id"].as_str()?.strip_prefix("o-")?.parse().ok();
    shop.orders().await.iter().map(|order| number(order).unwrap()).collect()
}

/// Dies at `point` of the payment request, then once more at the same point after the restart, then goes on.
async fn dies_at(point: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (data, book) = (folder.path().join("data"), folder.path().join("book"));
    seed(&data);
    let sandbox = Listening::sandbox(&book);
    let crash = [("MORTISE_CRASH_AT", point)];
    let mut server = Listening::crashing_server(&data, "127.0.0.1:0", &sandbox.url, &crash);
    let address = server.address().to_owned();
    let request = order("o-1", "provider", &json!([{"sku": "tea", "quantity": 2}]));
    assert!(
        Shop::at(&server).order(&request).await.is_err(),
        "{point}: the process was to die before it answers"
    );
    until("the first end", async || server.has_ended().then_some(())).await;
    let mut server = Listening::crashing_server(&data, &address, &sandbox.url, &crash);
    until("the second end", async || server.has_ended().then_some(())).await;
    let server = Listening::server_again(&data, &address, &sandbox.url).await;
    let shop = Shop::at(&server);
    let (status, answer) = shop.order(&request).await.unwrap();
    assert_eq!(status, 200, "{point}: {answer}");
    let pay_url = answer["pay_url"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let paid = shop.http.post(pay_url).json(&json!({"card": "ok"})).send().await.unwrap();
    assert!(paid.status().is_success());
    until("the paid order", async || {
        let order = shop.staff_reads("order/get?order_id=o-1").await;
        (order["summary"]["statuses"]["payment"] == "paid").then_some(())
    })
    .await;
    let book = settled(&shop, &sandbox).await;
    let payments = book["payments"].as_array().unwrap();
    assert_eq!(payments.len(), 1, "{point}: {book}");
    assert_eq!(payments[0]["status"], "captured");
    assert_eq!(shop.orders().await.len(), 1);
    assert_eq!(server.stop(), Some(0));
    verify(&data, &sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_intent_asks_the_provider_once() {
    dies_at("intent-committed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_provider_answered_asks_with_the_same_key() {
    dies_at("sent").await;
}

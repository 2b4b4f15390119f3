//! The primary of two PostgreSQL servers is stopped at once under a load of orders, and its standby is promoted: the same `mortise
//! serve` goes on. It costs retries, never an order that was acknowledged, nor one that is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mortise_testkit::Replicated;

use crate::crash::{nth_order, placed, settled, stock, verify};
use crate::support::{Listening, Shop, seed, until};

/// Callers at a time.
const CALLERS: usize = 8;
/// Orders that are acknowledged before the primary is stopped, and again behind it.
const ORDERS: usize = 150;
/// Between two tries of a caller whose order was not acknowledged.
const PAUSE: Duration = Duration::from_millis(50);

/// What was answered to an order's key.
type Answer = (u16, Vec<u8>);

async fn asked(shop: &Shop, n: usize) -> Result<Answer, reqwest::Error> {
    let request = shop.http.post(format!("{}/trades/fixed-price", shop.url));
    let request = request.header("Mortise-Customer", "ada").header("Idempotency-Key", format!("key-{n}"));
    let response = request.json(&nth_order(n)).send().await?;
    Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
}

/// Orders, each with its key until it is acknowledged; how often one had to be asked for again.
async fn load(
    shop: Shop,
    next: Arc<AtomicUsize>,
    acknowledged: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
) -> (BTreeMap<usize, Answer>, usize) {
    let callers = (0..CALLERS).map(|_| {
        let (shop, next, enough) = (shop.clone(), Arc::clone(&next), Arc::clone(&enough));
        let acknowledged = Arc::clone(&acknowledged);
        tokio::spawn(async move {
            let (mut mine, mut again) = (BTreeMap::new(), 0);
            while !enough.load(Ordering::Relaxed) {
                let n = next.fetch_add(1, Ordering::Relaxed);
                loop {
                    match asked(&shop, n).await.unwrap() {
                        answer @ (200, _) => {
                            mine.insert(n, answer);
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        // It goes on, or could not be begun: the same key asks again.
                        (202 | 503, _) => again += 1,
                        (status, body) => panic!("order {n}: {status} {}", String::from_utf8_lossy(&body)),
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
            (mine, again)
        })
    });
    let (mut all, mut retries) = (BTreeMap::new(), 0);
    for caller in callers.collect::<Vec<_>>() {
        let (mine, again) = caller.await.unwrap();
        all.extend(mine);
        retries += again;
    }
    (all, retries)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_of_the_primary_costs_retries_and_neither_loses_nor_doubles_an_order() {
    let (pair, book) = (Replicated::new().await, tempfile::tempdir().unwrap());
    let url = pair.url();
    let data = Path::new(&url);
    seed(data);
    stock(data, 1_000_000);
    let sandbox = Listening::sandbox(book.path());
    let server = Listening::server(data, "127.0.0.1:0", &sandbox.url);
    let shop = Shop::at(&server);
    let (next, acknowledged) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let enough = Arc::new(AtomicBool::new(false));
    let loading =
        tokio::spawn(load(shop.clone(), Arc::clone(&next), Arc::clone(&acknowledged), Arc::clone(&enough)));
    let told = || acknowledged.load(Ordering::Relaxed);
    until("enough orders", async || (told() >= ORDERS).then_some(())).await;
    let stopped_at = tokio::time::Instant::now();
    pair.stop_primary();
    let before = told();
    // Nobody is told anything while there is no primary.
    pair.promote_standby();
    until("an order of the new primary", async || (told() > before + CALLERS).then_some(())).await;
    let took = stopped_at.elapsed();
    until("enough orders behind it", async || (told() >= before + ORDERS).then_some(())).await;
    enough.store(true, Ordering::Relaxed);
    let (answers, retries) = loading.await.unwrap();
    eprintln!(
        "{} orders, {before} before the stop; the next were acknowledged {} ms behind it, {retries} requests came again",
        answers.len(),
        took.as_millis()
    );
    let there = placed(&shop).await;
    let distinct: BTreeSet<usize> = there.iter().copied().collect();
    assert_eq!(there.len(), distinct.len(), "an order is there twice");
    assert_eq!(distinct, answers.keys().copied().collect(), "what is there is what was acknowledged");
    for (n, answer) in &answers {
        assert_eq!(asked(&shop, *n).await.unwrap(), *answer, "order {n} asked for again");
    }
    assert_eq!(placed(&shop).await.len(), there.len());
    settled(&shop, &sandbox).await;
    assert_eq!(server.stop(), Some(0));
    verify(data, &sandbox);
}

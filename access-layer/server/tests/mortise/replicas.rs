//! Two `mortise serve` on a primary with a standby: reads that may lag go to the standby, within their bound; who has ordered reads
//! his order wherever he asks; a standby that is gone costs nobody an answer.

use std::path::Path;
use std::time::Duration;

use mortise_testkit::{Replicated, TestDatabase};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::crash::{settled, stock, verify};
use crate::support::{Listening, SECRET, Shop, mortise, order, seed, until};

/// What `order.get` declares.
const STALENESS: Duration = Duration::from_secs(2);

fn server(pair: &Replicated, sandbox: &Listening) -> Listening {
    let (data, replica) = (pair.primary(), pair.standby());
    let place =
        ["serve", "--data", &data, "--replica", &replica, "--listen", "127.0.0.1:0", "--clock", "now"];
    let peers = ["--sandbox-url", &sandbox.url, "--webhook-secret", SECRET];
    let server = Listening::start(&[&place[..], &peers[..]].concat(), &[]);
    assert!(server.url.starts_with("http://"), "it said no address");
    server
}

/// A figure of the server's page.
async fn figure(server: &Listening, name: &str) -> u64 {
    let page = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no `{name}` in {page}")).parse().unwrap()
}

/// Ada orders on invoice, and is told a position.
async fn ordered(shop: &Shop, id: &str) -> String {
    let request = shop.http.post(format!("{}/trades/fixed-price", shop.url));
    let request = request.header("Mortise-Customer", "ada").header("Idempotency-Key", id);
    let basket = json!([{"sku": "tea", "quantity": 1}]);
    let response = request.json(&order(id, "invoice", &basket)).send().await.unwrap();
    let position = response.headers().get("mortise-position").map(|value| value.to_str().unwrap().to_owned());
    let (status, body) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{body}");
    position.unwrap_or_else(|| panic!("no position: {body}"))
}

/// What ada is answered who asks for an order.
async fn read(shop: &Shop, id: &str, position: Option<&str>) -> (u16, Json) {
    let request = shop.http.get(format!("{}/read/order/get?order_id={id}", shop.url));
    let request = request.header("Mortise-Customer", "ada");
    let request = match position {
        Some(position) => request.header("Mortise-Position", position),
        None => request,
    };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn until_standby_answers(server: &Listening, shop: &Shop) {
    let before = figure(server, "mortise_replica_reads_total").await;
    until("an answer of the standby", async || {
        shop.staff_reads("order/list?limit=1").await;
        (figure(server, "mortise_replica_reads_total").await > before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_may_lag_go_to_the_standby_and_nobody_misses_what_he_wrote() {
    let (pair, book) = (Replicated::that_waits_for_nobody(), tempfile::tempdir().unwrap());
    let url = pair.primary();
    let data = Path::new(&url);
    seed(data);
    stock(data, 1_000);
    let sandbox = Listening::sandbox(book.path());
    let (here, there) = (server(&pair, &sandbox), server(&pair, &sandbox));
    let (shop, other) = (Shop::at(&here), Shop::at(&there));
    until_standby_answers(&here, &shop).await;
    until_standby_answers(&there, &other).await;

    // What the standby does not show is seen by who has ordered, here and elsewhere.
    pair.hold_standby().await;
    let position = ordered(&shop, "o-1").await;
    assert_eq!(read(&shop, "o-1", None).await.0, 200, "where it was ordered");
    assert_eq!(read(&other, "o-1", Some(&position)).await.0, 200, "where the position is told");
    for server in [&here, &there] {
        let fell_back = figure(server, r#"mortise_replica_fallbacks_total{reason="own_write"}"#).await
            + figure(server, r#"mortise_replica_fallbacks_total{reason="late"}"#).await;
        assert!(fell_back > 0, "the primary answered");
    }
    let (status, problem) = read(&other, "o-1", Some("soon")).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid-input")), "{problem}");
    pair.let_standby_go_on().await;

    // Who says no position may be shown the shop as it was, but not longer than declared.
    let mut number = 1;
    let (id, committed) = until("a stale answer", async || {
        until_standby_answers(&there, &other).await;
        pair.hold_standby().await;
        number += 1;
        let id = format!("o-{number}");
        ordered(&shop, &id).await;
        let committed = Instant::now();
        let (status, body) = read(&other, &id, None).await;
        if status == 200 {
            // The bound was over before the question was put.
            pair.let_standby_go_on().await;
            return None;
        }
        assert_eq!((status, &body["reason"]), (422, &json!("order_unknown")), "{body}");
        Some((id, committed))
    })
    .await;
    until("an answer of the primary", async || {
        let asked_at = Instant::now();
        let (status, body) = read(&other, &id, None).await;
        assert!(status == 200 || asked_at < committed + STALENESS, "older than its bound: {body}");
        (status == 200).then_some(())
    })
    .await;
    pair.let_standby_go_on().await;

    // It goes, and it comes back.
    until_standby_answers(&here, &shop).await;
    pair.stop_standby();
    until("a look at the standby", async || {
        assert_eq!(read(&shop, "o-1", None).await.0, 200);
        (figure(&here, r#"mortise_replicas{state="up"}"#).await == 0).then_some(())
    })
    .await;
    ordered(&shop, "o-last").await;
    assert_eq!(read(&shop, "o-last", None).await.0, 200);
    assert!(figure(&here, r#"mortise_replica_fallbacks_total{reason="down"}"#).await > 0);
    pair.start_standby();
    until_standby_answers(&here, &shop).await;

    settled(&shop, &sandbox).await;
    assert_eq!((here.stop(), there.stop()), (Some(0), Some(0)));
    verify(data, &sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_none_is_refused_at_the_start() {
    let (database, stranger) = (TestDatabase::postgres().await, Replicated::that_waits_for_nobody());
    let directory = tempfile::tempdir().unwrap();
    let served = |data: &str, replica: &str| {
        let said = mortise(&["serve", "--data", data, "--listen", "127.0.0.1:0", "--replica", replica]);
        assert_eq!(said.code, Some(2), "{said:?}");
        said.err
    };
    let told = served(directory.path().to_str().unwrap(), &stranger.standby());
    assert!(told.contains("is a SQLite database, which has none") && told.contains("--data"), "{told}");
    let told = served(&database.url(), &stranger.standby());
    assert!(told.contains("is on a server of its own") && told.contains("--replica"), "{told}");
    let told = served(&database.url(), "db2");
    assert!(told.contains("postgres://user@host/database"), "{told}");
    let told = served(&database.url(), "postgres://one,two/shop");
    assert!(told.contains("it names 2 hosts"), "{told}");
}

//! What was acknowledged is there after a restart, also when the process was killed in the middle of its work.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that panics has failed")]

mod peers;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use mortise_sandbox::SandboxError;
use peers::Peer;
use serde_json::{Value, json};

#[tokio::test]
async fn the_book_is_the_same_after_a_restart_and_keys_keep_their_answers() {
    let book = tempfile::tempdir().unwrap();
    let mut peer = Peer::with_book(Some(book.path())).await;
    let id = peer.paid("o-1", 1_000).await;
    let refunds = format!("/provider/v1/payments/{id}/refunds");
    let (_, refund) = peer.post(&refunds, Some("r"), json!({ "amount": 400 })).await;
    let (_, shipment) = peer.shipment("p-1", json!({})).await;
    peer.hooks.kinds(2).await;
    let before = peer.book().await;
    assert!(matches!(
        peers::start(Some(book.path()), &peer.hooks.url).await,
        Err(SandboxError::Locked { .. })
    ));
    peer.sandbox.shutdown().await;

    let peer = Peer::with_book(Some(book.path())).await;
    let after = peer.book().await;
    let without_address = |book: &Value| {
        let payments = book["payments"].as_array().unwrap().iter().cloned().map(|mut payment| {
            payment.as_object_mut().unwrap().remove("pay_url");
            payment
        });
        json!({ "payments": payments.collect::<Vec<_>>(), "refunds": book["refunds"], "shipments": book["shipments"] })
    };
    assert_eq!(without_address(&after), without_address(&before));
    assert_eq!(peer.post(&refunds, Some("r"), json!({ "amount": 400 })).await, (201, refund));
    assert_eq!(peer.shipment("p-1", json!({})).await.1["id"], shipment["id"]);
    assert_eq!(peer.post(&refunds, Some("r2"), json!({ "amount": 601 })).await.0, 422);
}

const CHILD: &str = "MORTISE_SANDBOX_TEST_CHILD";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_payment_is_there_after_sigkill() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return serve_until_killed(directory.as_ref()).await;
    }
    let book = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["every_acknowledged_payment_is_there_after_sigkill", "--exact", "--nocapture"])
        .env(CHILD, book.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| Some(line.split_once("LISTENS ")?.1.to_owned())).unwrap();
    let (acknowledged, enough) = (std::sync::Mutex::new(Vec::new()), tokio::sync::Notify::new());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let callers = (0..8).map(|caller| buy_until_it_dies(&client, &address, caller, &acknowledged, &enough));
    let kill = async {
        enough.notified().await;
        child.kill().unwrap();
        child.wait().unwrap();
    };
    tokio::join!(kill, async { tokio::time::timeout(peers::PATIENCE, futures_all(callers)).await.unwrap() });

    let peer = Peer::with_book(Some(book.path())).await;
    let known: Vec<String> = peer.book().await["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|payment| payment["id"].as_str().unwrap().to_owned())
        .collect();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 100, "{}", acknowledged.len());
    for id in &acknowledged {
        assert!(known.contains(id), "{id} was acknowledged and is gone");
    }
}

async fn serve_until_killed(directory: &std::path::Path) {
    let sandbox = peers::start(Some(directory), "http://127.0.0.1:9/nobody").await.unwrap();
    println!("LISTENS {}", sandbox.address());
    std::future::pending().await
}

async fn buy_until_it_dies(
    client: &reqwest::Client,
    address: &str,
    caller: usize,
    acknowledged: &std::sync::Mutex<Vec<String>>,
    enough: &tokio::sync::Notify,
) {
    for number in 0.. {
        let reference = format!("o-{caller}-{number}");
        let body = json!({ "reference": reference, "amount": 500, "currency": "EUR" });
        let request = client.post(format!("http://{address}/provider/v1/payments"));
        let Ok(response) = request.header("idempotency-key", &reference).json(&body).send().await else {
            return;
        };
        let Ok(payment) = response.json::<Value>().await else {
            return;
        };
        let mut acknowledged = acknowledged.lock().unwrap();
        acknowledged.push(payment["id"].as_str().unwrap().to_owned());
        if acknowledged.len() == 100 {
            enough.notify_one();
        }
    }
}

async fn futures_all(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut pending: Vec<_> = futures.map(|future| Some(Box::pin(future))).collect();
    std::future::poll_fn(|context| {
        for slot in &mut pending {
            if slot.as_mut().is_some_and(|future| future.as_mut().poll(context).is_ready()) {
                *slot = None;
            }
        }
        if pending.iter().all(Option::is_none) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

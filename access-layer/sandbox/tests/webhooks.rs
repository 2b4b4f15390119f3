//! Webhooks over HTTP: signed, repeated, duplicated, reordered, lost.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that panics has failed")]

mod peers;

use hmac::{Hmac, KeyInit, Mac};
use peers::{Hook, Peer, SECRET};
use serde_json::json;

fn verifies(hook: &Hook, secret: &str) -> bool {
    let (t, v1) = hook.signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{t}.").as_bytes());
    mac.update(&hook.bytes);
    let given: Vec<u8> =
        (0..v1.len()).step_by(2).map(|at| u8::from_str_radix(&v1[at..at + 2], 16).unwrap()).collect();
    mac.verify_slice(&given).is_ok()
}

#[tokio::test]
async fn an_event_is_signed_over_its_bytes() {
    let mut peer = Peer::new().await;
    let id = peer.paid("o-1", 500).await;
    let hook = peer.hooks.next().await;
    assert!(verifies(&hook, SECRET));
    assert!(!verifies(&hook, "another secret"));
    let tampered = String::from_utf8(hook.bytes.clone()).unwrap().replace("500", "501").into_bytes();
    assert!(!verifies(&Hook { bytes: tampered, ..hook }, SECRET));

    peer.post(&format!("/provider/v1/payments/{id}/refunds"), Some("r"), json!({ "amount": 200 })).await;
    let refunded = peer.hooks.next().await.event;
    assert_eq!(
        (&refunded["type"], &refunded["data"]["refund"]["amount"]),
        (&json!("payment.refunded"), &json!(200))
    );
    assert_eq!(refunded["data"]["refunded_amount"], 200);
}

#[tokio::test]
async fn an_event_is_repeated_until_it_is_taken() {
    let mut peer = Peer::new().await;
    peer.hooks.refuse(3);
    peer.paid("o-1", 500).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(peer.hooks.next().await.event["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same event each time");
    let delivered = delivered(&peer, 1).await;
    assert_eq!(delivered[0]["attempts"], 4);
}

#[tokio::test]
async fn faults_duplicate_lose_and_delay_events() {
    let mut peer = Peer::new().await;
    peer.fault(json!({ "on": "webhooks", "fault": { "kind": "webhook_duplicate", "copies": 2 }, "reference": "twice" })).await;
    peer.fault(
        json!({ "on": "webhooks", "fault": { "kind": "webhook_lose", "attempts": 2 }, "reference": "lost" }),
    )
    .await;
    peer.fault(
        json!({ "on": "webhooks", "fault": { "kind": "webhook_delay", "delay_ms": 5 }, "reference": "late",
                       "event": "payment.captured" }),
    )
    .await;
    peer.paid("twice", 500).await;
    let mut copies = Vec::new();
    for _ in 0..3 {
        copies.push(peer.hooks.next().await.event);
    }
    assert!(copies.windows(2).all(|pair| pair[0] == pair[1]), "{copies:?}");
    peer.paid("lost", 500).await;
    assert_eq!(peer.hooks.next().await.event["data"]["reference"], "lost");
    peer.paid("late", 500).await;
    assert_eq!(peer.hooks.next().await.event["data"]["reference"], "late");
    let delivered = delivered(&peer, 3).await;
    assert_eq!(
        delivered.iter().map(|event| event["attempts"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 3, 1]
    );
    assert!(
        peer.get("/_control/faults").await.1["faults"]
            .as_array()
            .unwrap()
            .iter()
            .all(|fault| fault["struck"] == 1)
    );
}

#[tokio::test]
async fn events_keep_their_order_unless_a_fault_reorders_them() {
    let mut peer = Peer::new().await;
    let rule = json!({ "on": "webhooks", "fault": { "kind": "webhook_reorder", "hold_ms": 30_000 }, "reference": "overtaken" });
    peer.fault(rule).await;
    for (reference, order) in [
        ("in-order", ["picked_up", "in_transit", "out_for_delivery", "delivered"]),
        ("overtaken", ["in_transit", "picked_up", "out_for_delivery", "delivered"]),
    ] {
        let (_, shipment) = peer.shipment(reference, json!({})).await;
        let path = format!("/carrier/v1/shipments/{}/advance", shipment["id"].as_str().unwrap());
        assert_eq!(peer.post(&path, None, json!({ "to": "delivered" })).await.0, 200);
        assert_eq!(peer.hooks.kinds(4).await, order.map(|step| format!("shipment.{step}")), "{reference}");
    }
}

#[tokio::test]
async fn a_held_event_leaves_alone_when_none_follows() {
    let mut peer = Peer::new().await;
    peer.fault(json!({ "on": "webhooks", "fault": { "kind": "webhook_reorder", "hold_ms": 1 } })).await;
    peer.paid("o-1", 500).await;
    assert_eq!(peer.hooks.next().await.kind(), "payment.captured");
}

#[tokio::test]
async fn an_event_that_had_not_arrived_is_sent_after_a_restart() {
    let book = tempfile::tempdir().unwrap();
    let peer = Peer::with_book(Some(book.path())).await;
    peer.fault(json!({ "on": "webhooks", "fault": { "kind": "webhook_lose", "attempts": 1000 } })).await;
    let id = peer.paid("o-1", 500).await;
    assert_eq!(peer.book().await["events"]["waiting"][0]["subject"], json!(id));
    let Peer { sandbox, mut hooks, client } = peer;
    sandbox.shutdown().await;
    let sandbox = peers::start(Some(book.path()), "http://127.0.0.1:9/unused").await.unwrap();
    assert_eq!(hooks.next().await.event["data"]["payment_id"], json!(id));
    let peer = Peer { sandbox, hooks, client };
    assert_eq!(delivered(&peer, 1).await[0]["subject"], json!(id));
}

/// The delivered events, once there are so many.
async fn delivered(peer: &Peer, count: usize) -> Vec<serde_json::Value> {
    let until = async {
        loop {
            let events = peer.book().await["events"]["delivered"].as_array().unwrap().clone();
            if events.len() >= count {
                return events;
            }
        }
    };
    tokio::time::timeout(peers::PATIENCE, until).await.expect("the events are delivered")
}

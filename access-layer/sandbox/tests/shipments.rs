//! The carrier over HTTP: rates, shipments, cancelling, tracking, parcels that move by themselves.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that panics has failed")]

mod peers;

use peers::Peer;
use serde_json::json;

#[tokio::test]
async fn a_parcel_is_taken_once_a_key_and_tracked_to_the_door() {
    let mut peer = Peer::new().await;
    let (status, first) = peer.shipment("p-1", json!({})).await;
    assert_eq!(status, 201);
    assert_eq!(peer.shipment("p-1", json!({})).await.1, first);
    assert_eq!(peer.shipment("p-1", json!({ "weight_grams": 7 })).await.0, 422);
    let id = first["id"].as_str().unwrap();
    let label =
        peer.client.get(first["label_url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(label.contains(first["tracking_number"].as_str().unwrap()), "{label}");

    let path = format!("/carrier/v1/shipments/{id}/advance");
    assert_eq!(peer.post(&path, None, json!({})).await.1["status"], "picked_up");
    assert_eq!(peer.post(&path, None, json!({ "to": "exception" })).await.1["status"], "exception");
    let (_, delivered) = peer.post(&path, None, json!({ "to": "delivered" })).await;
    assert_eq!(delivered["history"].as_array().unwrap().len(), 5);
    assert_eq!(peer.post(&path, None, json!({})).await.0, 409);
    for (sequence, kind) in
        ["picked_up", "exception", "in_transit", "out_for_delivery", "delivered"].iter().enumerate()
    {
        let event = peer.hooks.next().await.event;
        assert_eq!(
            (&event["type"], &event["data"]["sequence"]),
            (&json!(format!("shipment.{kind}")), &json!(sequence + 1))
        );
    }
    assert_eq!(peer.get(&format!("/carrier/v1/shipments/{id}")).await.1["status"], "delivered");
}

#[tokio::test]
async fn cancelling_takes_back_what_has_become_of_the_parcel() {
    let peer = Peer::new().await;
    for (reference, to, ends) in [
        ("p-1", None, (200, "cancelled")),
        ("p-2", Some("in_transit"), (200, "returning")),
        ("p-3", Some("delivered"), (409, "")),
    ] {
        let (_, shipment) = peer.shipment(reference, json!({})).await;
        let path = format!("/carrier/v1/shipments/{}", shipment["id"].as_str().unwrap());
        if let Some(to) = to {
            peer.post(&format!("{path}/advance"), None, json!({ "to": to })).await;
        }
        for _ in 0..2 {
            let (status, cancelled) = peer.post(&format!("{path}/cancel"), None, json!({})).await;
            assert_eq!(status, ends.0, "{cancelled}");
            if status == 200 {
                assert_eq!(cancelled["status"], ends.1);
            }
        }
    }
}

#[tokio::test]
async fn a_parcel_moves_by_itself_when_asked_to() {
    let mut peer = Peer::new().await;
    peer.shipment("p-1", json!({ "auto_advance_ms": 60_000 })).await;
    for step in ["picked_up", "in_transit", "out_for_delivery", "delivered"] {
        peer.post("/_control/clock", None, json!({ "advance_ms": 60_000 })).await;
        assert_eq!(peer.hooks.next().await.kind(), format!("shipment.{step}"));
    }
}

#[tokio::test]
async fn the_carrier_quotes_and_refuses() {
    let peer = Peer::new().await;
    let ask = json!({ "currency": "EUR", "from_country": "DE", "to_country": "FR", "weight_grams": 2_500 });
    let (_, quoted) = peer.post("/carrier/v1/rates", None, ask).await;
    assert_eq!(quoted["rates"][0], json!({ "service": "standard", "amount": 1_470, "days": 5 }));
    let ask = json!({ "currency": "EUR", "from_country": "DE", "to_country": "France" });
    assert_eq!(peer.post("/carrier/v1/rates", None, ask).await.0, 422);
    let (status, refused) = peer.shipment("p-1.sbx-carrier-refuse", json!({})).await;
    assert_eq!((status, &refused["code"]), (402, &json!("declined_by_magic")));
    assert_eq!(peer.shipment("p-2", json!({ "items": [] })).await.0, 422);
}

#[tokio::test]
async fn cash_is_collected_at_the_door_and_paid_out_once() {
    let mut peer = Peer::new().await;
    let collect = json!({ "collect": { "amount": 1_299, "currency": "EUR" } });
    for reference in ["o-1:p-1", "o-2:p-2"] {
        let (_, shipment) = peer.shipment(reference, collect.clone()).await;
        let path = format!("/carrier/v1/shipments/{}/advance", shipment["id"].as_str().unwrap());
        let (_, delivered) = peer.post(&path, None, json!({ "to": "delivered" })).await;
        assert_eq!(delivered["collected"], 1_299);
        let kinds = peer.hooks.kinds(4).await;
        assert_eq!(kinds.last().unwrap(), "shipment.delivered");
    }
    let (status, paid) = peer.post("/carrier/v1/remittances", Some("r-1"), json!({})).await;
    assert_eq!((status, &paid["remittances"][0]["amount"]), (201, &json!(2_598)));
    let hook = peer.hooks.next().await;
    assert_eq!((hook.kind(), &hook.event["data"]["amount"]), ("remittance.paid", &json!(2_598)));
    assert_eq!(hook.event["data"]["items"].as_array().unwrap().len(), 2);
    assert_eq!(peer.post("/carrier/v1/remittances", Some("r-1"), json!({})).await.1, paid, "the same key");
    let (_, nothing) = peer.post("/carrier/v1/remittances", Some("r-2"), json!({})).await;
    assert_eq!(nothing, json!({ "remittances": [] }), "nothing is paid out twice");
    assert_eq!(peer.get("/carrier/v1/remittances").await.1["remittances"], paid["remittances"]);
    assert_eq!(peer.get("/_control/book").await.1["remittances"], paid["remittances"]);
}

#[tokio::test]
async fn what_is_refused_comes_back_and_what_is_short_is_short() {
    let mut peer = Peer::new().await;
    let collect = json!({ "collect": { "amount": 1_000, "currency": "EUR" } });
    let ends = [
        ("o-1.sbx-door-refuse:p-1", "refused", json!(null)),
        ("o-2.sbx-door-short:p-2", "delivered", json!(900)),
        ("o-3.sbx-remit-short:p-3", "delivered", json!(1_000)),
        ("o-4:p-4", "delivered", json!(1_000)),
    ];
    peer.post(
        "/_control/faults",
        None,
        json!({ "on": "remittances.item", "fault": { "kind": "decline" }, "reference": "o-4*" }),
    )
    .await;
    for (reference, status, collected) in ends {
        let (_, shipment) = peer.shipment(reference, collect.clone()).await;
        let path = format!("/carrier/v1/shipments/{}/advance", shipment["id"].as_str().unwrap());
        let (_, there) = peer.post(&path, None, json!({ "to": "delivered" })).await;
        assert_eq!((&there["status"], &there["collected"]), (&json!(status), &collected), "{reference}");
        if status == "refused" {
            assert_eq!(peer.post(&path, None, json!({ "to": "returned" })).await.1["status"], "returned");
        }
    }
    let (_, paid) = peer.post("/carrier/v1/remittances", Some("r-1"), json!({})).await;
    let items = paid["remittances"][0]["items"].as_array().unwrap().clone();
    let amounts: Vec<_> = items.iter().map(|item| item["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [900, 900], "one collected less, one is paid out less, one is kept back");
    assert_eq!(paid["remittances"][0]["amount"], 1_800);
    let (_, later) = peer.post("/carrier/v1/remittances", Some("r-2"), json!({})).await;
    assert_eq!(later["remittances"][0]["amount"], 1_000, "what was kept back comes with the next payout");
    assert_eq!(peer.post("/carrier/v1/remittances", None, json!({})).await.0, 400, "a key is needed");
    let _ = peer.hooks.next().await;
}

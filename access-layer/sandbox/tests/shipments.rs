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

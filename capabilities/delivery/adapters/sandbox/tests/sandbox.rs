//! The capability's operations against the sandbox over HTTP, with its faults.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mortise_capability::{Handler, Intended, Policies, SendContext, SettleCall};
use mortise_delivery::contract::{ShipmentView, TrackingStatus};
use mortise_delivery_sandbox::{
    CarrierEvent, SIGNATURE_HEADER, SandboxCarrier, SandboxCarrierConfig, WebhookRefused, Webhooks, compare,
};
use mortise_points::NoExtensions;
use mortise_sandbox::{RunningSandbox, Sandbox, SandboxConfig, sign};
use mortise_testkit::{Rig, SeededIds};
use mortise_types::{SystemClock, SystemIds, Timestamp};
use serde_json::{Value, json};

const SECRET: &str = "whsec_test";

struct Shop {
    rig: Rig,
    sandbox: RunningSandbox,
    client: reqwest::Client,
}

fn values(input: &Value) -> mortise_contract::Value {
    mortise_contract::json(&input.to_string()).unwrap()
}

fn parcel(id: &str) -> Value {
    let ship_to = json!({ "name": "Ada", "street": ["Main 1", "Door 2"], "city": "Dubai", "postal_code": "", "country": "AE" });
    let items = json!([{ "line_id": "1", "sku": "tea", "quantity": 2 }]);
    json!({ "order_id": "o-1", "parcel": { "parcel_id": id, "location": "berlin", "items": items }, "ship_to": ship_to })
}

impl Shop {
    async fn open(deadline: Duration) -> Shop {
        let config = SandboxConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), SECRET);
        let sandbox = Sandbox::start(config, Arc::new(SystemClock), Arc::new(SystemIds)).await.unwrap();
        // Nobody listens there: these tests hand webhooks over themselves.
        let webhook_url = "http://127.0.0.1:9/{tenant}/{line}".to_owned();
        let carrier =
            SandboxCarrier::new(SandboxCarrierConfig { url: sandbox.url(), webhook_url, deadline }).unwrap();
        let ids = Arc::new(SeededIds::default());
        let capability = mortise_delivery::capability(
            ids,
            Arc::new(Policies::default()),
            Arc::new(carrier),
            Arc::new(NoExtensions),
        );
        let rig = Rig::new([capability.unwrap()]).await;
        let origin = r#"{"rows":[{"location":"berlin","name":"Shop","street":"Dock 1","city":"Berlin","postal_code":"10115","country":"DE"}]}"#;
        assert_eq!(rig.call("delivery.import_origins", origin).await, r#"ok {"rows":1}"#);
        Shop { rig, sandbox, client: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let response =
            self.client.post(format!("{}{path}", self.sandbox.url())).json(&body).send().await.unwrap();
        response.json().await.unwrap()
    }

    async fn post_with_key(&self, path: &str, key: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.sandbox.url());
        let request = self.client.post(url).header("idempotency-key", key).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn book(&self) -> String {
        let response = self.client.get(format!("{}/_control/book", self.sandbox.url())).send().await.unwrap();
        response.text().await.unwrap()
    }

    async fn parcels_at_carrier(&self) -> Vec<Value> {
        let book: Value = serde_json::from_str(&self.book().await).unwrap();
        book["shipments"].as_array().unwrap().clone()
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let reply = self.rig.call(operation, &input.to_string()).await;
        let first = reply.lines().next().unwrap();
        match first.split_once(' ').unwrap() {
            ("ok", rest) => serde_json::from_str(rest).unwrap(),
            _ => json!({ "refused": first }),
        }
    }

    async fn ours(&self) -> Vec<ShipmentView> {
        let listed = self.call("delivery.list", json!({})).await;
        serde_json::from_value(listed["shipments"].clone()).unwrap()
    }

    async fn differences(&self) -> Vec<String> {
        let found = compare(&self.ours().await, &self.book().await).unwrap();
        found.into_iter().map(|one| one.problem).collect()
    }

    /// Hands the event of a parcel's last step over, as its webhook would.
    async fn hear(&self, shipment: &Value, status: &str) {
        let at_carrier = self.parcels_at_carrier().await;
        let theirs = at_carrier
            .iter()
            .find(|one| one["reference"].as_str().unwrap().ends_with(shipment.as_str().unwrap()));
        let theirs = theirs.unwrap();
        let sequence = theirs["history"].as_array().unwrap().len();
        let event = json!({ "event_id": format!("{}-{sequence}", theirs["id"]), "shipment_id": shipment, "carrier_ref": theirs["id"],
            "status": status, "sequence": sequence, "at": "2026-01-02T03:04:05Z" });
        assert_eq!(self.call("delivery.record_tracking_event", event).await, json!({ "applied": "now" }));
    }

    /// One attempt after the other, as the engine makes them, until there is an answer: the reply and the attempts.
    async fn call_until_answered(&self, operation: &str, input: Value) -> (Value, u32) {
        let Some(Handler::Remote(remote)) = self.rig.registry.handler(operation).cloned() else {
            panic!("{operation}")
        };
        let call = self.rig.call_of(values(&input));
        let (asked, calls) = (Arc::clone(&remote), vec![call.clone()]);
        let mut intended =
            self.rig.store.write(async move |tx| asked.intent(tx, &calls).await).await.unwrap();
        let Intended::Send { intent, .. } = intended.remove(0) else { panic!("{operation} has to be sent") };
        for attempt in 1..=10 {
            let scope = call.context.scope.clone();
            let context = SendContext { scope, idempotency_key: "k".into(), attempt, now: self.rig.now };
            if let Ok(answer) = remote.send(context, &intent).await {
                let item = SettleCall { call, intent, answer };
                let replies =
                    self.rig.store.write(async move |tx| remote.settle(tx, &[item]).await).await.unwrap();
                let mortise_capability::Outcome::Done(output) = &replies[0].outcome else {
                    panic!("{replies:?}")
                };
                return (serde_json::from_str(&output.to_json().to_string()).unwrap(), attempt);
            }
        }
        panic!("{operation} is never answered")
    }
}

#[tokio::test]
async fn a_parcel_is_given_to_the_carrier_and_arrives() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let given = shop.call("delivery.dispatch", parcel("o-1-1")).await;
    assert!(given["tracking_number"].as_str().unwrap().starts_with("MT"), "{given}");
    assert_eq!(shop.differences().await, Vec::<String>::new());
    let theirs = shop.parcels_at_carrier().await[0].clone();
    assert_eq!(
        (&theirs["to"]["lines"], &theirs["weight_grams"]),
        (&json!(["Main 1", "Door 2"]), &json!(1_000))
    );
    let path = format!("/carrier/v1/shipments/{}/advance", theirs["id"].as_str().unwrap());
    shop.post(&path, json!({ "to": "delivered" })).await;
    assert_eq!(shop.differences().await, ["we have it dispatched, the carrier delivered"]);
    shop.hear(&given["shipment_id"], "delivered").await;
    assert_eq!(shop.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn whatever_the_wire_does_one_dispatch_is_one_parcel() {
    let shop = Shop::open(Duration::from_secs(1)).await;
    for fault in ["hang", "error_before", "error_after", "drop_before", "drop_after"] {
        shop.post("/_control/faults", json!({ "on": "shipments.create", "fault": { "kind": fault } })).await;
        let (_, attempts) = shop.call_until_answered("delivery.dispatch", parcel(fault)).await;
        assert!(attempts >= 2, "{fault}");
    }
    assert_eq!(shop.parcels_at_carrier().await.len(), 5);
    assert_eq!(shop.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_parcel_is_taken_back_wherever_it_got() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    for (id, to, by) in [
        ("p-1", None, "cancelled"),
        ("p-2", Some("in_transit"), "returning"),
        ("p-3", Some("delivered"), "delivered"),
    ] {
        let given = shop.call("delivery.dispatch", parcel(id)).await;
        let theirs = shop.parcels_at_carrier().await.pop().unwrap();
        if let Some(to) = to {
            let path = format!("/carrier/v1/shipments/{}/advance", theirs["id"].as_str().unwrap());
            shop.post(&path, json!({ "to": to })).await;
        }
        for fault in ["error_after", "drop_after"] {
            shop.post("/_control/faults", json!({ "on": "shipments.cancel", "fault": { "kind": fault } }))
                .await;
        }
        let meant = json!({ "shipment_id": given["shipment_id"] });
        let (taken, _) = shop.call_until_answered("delivery.cancel", meant).await;
        assert_eq!(taken, json!({ "by": by }), "{id}");
    }
    assert_eq!(
        shop.differences().await,
        ["we have it dispatched, the carrier delivered"],
        "its webhook has not come"
    );
}

#[tokio::test]
async fn a_dispatch_that_was_never_answered_is_undone() {
    let shop = Shop::open(Duration::from_secs(1)).await;
    for fault in ["hang", "drop_before"] {
        shop.post("/_control/faults", json!({ "on": "shipments.create", "fault": { "kind": fault } })).await;
        let Some(Handler::Remote(dispatch)) = shop.rig.registry.handler("delivery.dispatch").cloned() else {
            panic!()
        };
        let calls = vec![shop.rig.call_of(values(&parcel(fault)))];
        let asked = Arc::clone(&dispatch);
        let mut intended =
            shop.rig.store.write(async move |tx| asked.intent(tx, &calls).await).await.unwrap();
        let Intended::Send { intent, minted } = intended.remove(0) else { panic!() };
        let (scope, now) = (shop.rig.scope.clone(), shop.rig.now);
        let context = SendContext { scope, idempotency_key: "k".into(), attempt: 1, now };
        dispatch.send(context, &intent).await.unwrap_err();
        let minted: Value = serde_json::from_str(&minted.to_json().to_string()).unwrap();
        let (taken, _) = shop
            .call_until_answered("delivery.cancel", json!({ "shipment_id": minted["shipment_id"] }))
            .await;
        assert_eq!(taken, json!({ "by": "cancelled" }), "{fault}");
    }
    assert!(shop.parcels_at_carrier().await.iter().all(|parcel| parcel["status"] == "cancelled"));
    assert_eq!(shop.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn refusals_are_rejections() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let refused = shop.call("delivery.dispatch", parcel("p-1.sbx-carrier-refuse")).await;
    assert_eq!(
        refused["refused"],
        r#"rejected carrier_refused {"code":"declined_by_magic","parcel_id":"p-1.sbx-carrier-refuse"}"#
    );
    assert_eq!(shop.differences().await, Vec::<String>::new());
    assert_eq!(
        compare(&[], r#"{"shipments":[{"id":"s","reference":"p:shp-9","status":"created"}]}"#).unwrap().len(),
        1
    );
}

#[tokio::test]
async fn cash_is_collected_refused_or_short_and_the_books_say_so() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let mut given = Vec::new();
    for (id, ends) in
        [("p-1", "delivered"), ("p-2.sbx-remit-short", "delivered"), ("p-3.sbx-door-refuse", "refused")]
    {
        let mut input = parcel(id);
        input["collect"] = json!({ "amount": 1_299, "currency": "EUR" });
        let dispatched = shop.call("delivery.dispatch", input).await;
        let theirs = shop.parcels_at_carrier().await.into_iter().find(|one| {
            one["reference"].as_str().unwrap().ends_with(dispatched["shipment_id"].as_str().unwrap())
        });
        let theirs = theirs.unwrap();
        assert_eq!(theirs["collect"], json!({ "amount": 1_299, "currency": "EUR" }));
        let path = format!("/carrier/v1/shipments/{}/advance", theirs["id"].as_str().unwrap());
        shop.post(&path, json!({ "to": "delivered" })).await;
        let status = if ends == "refused" { "refused_at_door" } else { ends };
        shop.hear(&dispatched["shipment_id"], status).await;
        given.push(dispatched["shipment_id"].clone());
    }
    let uncollected = "we have 0 collected for it, the carrier 1299";
    assert_eq!(shop.differences().await, [uncollected, uncollected], "the webhooks said nothing of the cash");
    for shipment in &given[..2] {
        let event = json!({ "event_id": format!("again-{shipment}"), "shipment_id": shipment, "carrier_ref": "c",
            "status": "delivered", "sequence": 4, "at": "2026-01-02T03:04:05Z", "collected": 1_299 });
        shop.call("delivery.record_tracking_event", event).await;
    }
    assert_eq!(shop.differences().await, Vec::<String>::new());
    shop.post_with_key("/carrier/v1/remittances", "r-1", json!({})).await;
    assert_eq!(
        shop.differences().await,
        ["we have 0 paid out for it, the carrier 1299", "we have 0 paid out for it, the carrier 1199"]
    );
    let items =
        json!([{ "shipment_id": given[0], "amount": 1_299 }, { "shipment_id": given[1], "amount": 1_199 }]);
    let payout = json!({ "remittance_id": "r-1", "currency": "EUR", "amount": 2_498, "items": items });
    let taken = shop.call("delivery.record_remittance", payout).await;
    assert_eq!(taken, json!({ "applied": "now", "unknown": [] }));
    assert_eq!(shop.differences().await, Vec::<String>::new());
}

#[test]
fn a_payout_is_read_as_what_came_for_our_shipments() {
    let webhooks = Webhooks::new(SECRET);
    let now = Timestamp::from_millis(1_700_000_000_000);
    let payout = |reference: &str| {
        json!({ "id": "evt_1", "type": "remittance.paid", "created_at": now, "data": { "remittance_id": "rmt_1",
            "currency": "EUR", "amount": 900, "at": now,
            "items": [{ "shipment_id": "shp_9", "reference": reference, "amount": 900 }] } })
        .to_string()
        .into_bytes()
    };
    let ours = payout("o:1-1:shp-1");
    let Ok(CarrierEvent::Remittance(remittance)) = webhooks.read(Some(&sign(SECRET, now, &ours)), &ours, now)
    else {
        panic!()
    };
    assert_eq!((remittance.remittance_id.as_str(), remittance.amount.minor()), ("rmt_1", 900));
    assert_eq!(remittance.items[0].shipment_id.as_str(), "shp-1");
    let foreign = payout("somebody-else");
    let refused = webhooks.read(Some(&sign(SECRET, now, &foreign)), &foreign, now);
    assert_eq!(refused, Err(WebhookRefused::NotOurs("somebody-else".to_owned())));
}

#[test]
fn only_what_the_carrier_signed_is_read() {
    let webhooks = Webhooks::new(SECRET);
    let now = Timestamp::from_millis(1_700_000_000_000);
    let body = json!({ "id": "evt_1", "type": "shipment.delivered", "created_at": now, "data": { "shipment_id": "shp_9",
        "tracking_number": "MT1", "reference": "o:1-1:shp-1", "status": "delivered", "sequence": 4, "at": now } });
    let bytes = body.to_string().into_bytes();
    let signature = sign(SECRET, now, &bytes);
    assert_eq!(SIGNATURE_HEADER, "sandbox-signature");
    let Ok(CarrierEvent::Tracking(event)) = webhooks.read(Some(&signature), &bytes, now) else { panic!() };
    assert_eq!((event.shipment_id.as_str(), event.carrier_ref.as_str()), ("shp-1", "shp_9"));
    assert_eq!((event.status, event.sequence), (TrackingStatus::Delivered, 4));

    let tampered = body.to_string().replace("\"sequence\":4", "\"sequence\":5").into_bytes();
    let later = Timestamp::from_millis(now.as_millis() + 301_000);
    for (signature, body, at, refused) in [
        (None, &bytes, now, WebhookRefused::Unsigned),
        (Some("t=1".to_owned()), &bytes, now, WebhookRefused::Unsigned),
        (Some(sign("another", now, &bytes)), &bytes, now, WebhookRefused::Forged),
        (Some(signature.clone()), &tampered, now, WebhookRefused::Forged),
        (Some(signature.clone()), &bytes, later, WebhookRefused::Stale(-301)),
    ] {
        assert_eq!(webhooks.read(signature.as_deref(), body, at), Err(refused));
    }
    let other = body.to_string().replace("shipment.delivered", "shipment.weighed").into_bytes();
    let signature = sign(SECRET, now, &other);
    assert!(matches!(webhooks.read(Some(&signature), &other, now), Err(WebhookRefused::NotOurs(_))));
}

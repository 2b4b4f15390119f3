//! The capability's operations against the sandbox over HTTP, with its faults.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mortise_capability::{Handler, Intended, Policies, SendContext, SettleCall};
use mortise_payment_sandbox::{
    SIGNATURE_HEADER, SandboxProvider, SandboxProviderConfig, WebhookRefused, Webhooks, compare,
};
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

impl Shop {
    async fn open(deadline: Duration) -> Shop {
        let config = SandboxConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), SECRET);
        let sandbox = Sandbox::start(config, Arc::new(SystemClock), Arc::new(SystemIds)).await.unwrap();
        let provider = SandboxProvider::new(SandboxProviderConfig {
            url: sandbox.url(),
            // Nobody listens there: these tests hand webhooks over themselves.
            webhook_url: "http://127.0.0.1:9/{tenant}/{line}".to_owned(),
            return_url: Some("http://shop.example/orders/{order}".to_owned()),
            deadline,
        });
        let ids = Arc::new(SeededIds::default());
        let capability = mortise_payment::capability(
            ids,
            Arc::new(Policies::default()),
            Arc::new(provider.unwrap()),
            Arc::new(mortise_points::NoExtensions),
        );
        let mut rig = Rig::new([capability.unwrap()]).await;
        rig.now = Timestamp::from_millis(4_000_000_000_000);
        Shop { rig, sandbox, client: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let response =
            self.client.post(format!("{}{path}", self.sandbox.url())).json(&body).send().await.unwrap();
        response.json().await.unwrap()
    }

    async fn book(&self) -> String {
        let response = self.client.get(format!("{}/_control/book", self.sandbox.url())).send().await.unwrap();
        response.text().await.unwrap()
    }

    async fn fault(&self, on: &str, kind: Value) {
        let set = self.post("/_control/faults", json!({ "on": on, "fault": kind })).await;
        assert!(set["id"].is_number(), "{set}");
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let reply = self.rig.call(operation, &input.to_string()).await;
        let first = reply.lines().next().unwrap();
        let (word, rest) = first.split_once(' ').unwrap();
        match word {
            "ok" => serde_json::from_str(rest).unwrap(),
            _ => json!({ "refused": first }),
        }
    }

    /// A payment of ours that was asked for: its id, and its name at the provider.
    async fn requested(&self, order: &str) -> (String, String) {
        let asked = self
            .call("payment.request", json!({ "order_id": order, "amount": 1_000, "currency": "EUR" }))
            .await;
        let provider_ref = asked["pay_url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        (asked["payment_id"].as_str().unwrap().to_owned(), provider_ref)
    }

    async fn pay(&self, provider_ref: &str) {
        let paid = self.post(&format!("/pay/{provider_ref}"), json!({ "card": "ok" })).await;
        assert!(matches!(paid["status"].as_str(), Some("captured" | "authorised")), "{paid}");
    }

    async fn ours(&self) -> Vec<mortise_payment::contract::PaymentView> {
        let listed = self.call("payment.list", json!({})).await;
        serde_json::from_value(listed["payments"].clone()).unwrap()
    }

    async fn clean(&self) {
        assert_eq!(self.rig.findings().await, Vec::<String>::new());
        assert_eq!(compare(&self.ours().await, &self.book().await).unwrap(), []);
    }

    /// One attempt after the other, as the engine makes them, until there is an answer: the reply and the attempts.
    async fn call_until_answered(&self, operation: &str, input: Value) -> (Value, u32) {
        let Some(Handler::Remote(remote)) = self.rig.registry.handler(operation).cloned() else {
            panic!("{operation}")
        };
        let call = self.rig.call_of(mortise_contract(&input));
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

fn mortise_contract(input: &Value) -> mortise_contract::Value {
    mortise_contract::json(&input.to_string()).unwrap()
}

#[tokio::test]
async fn a_payment_is_asked_for_paid_and_refunded() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let (payment, provider_ref) = shop.requested("order-1").await;
    shop.pay(&provider_ref).await;
    let capture = json!({ "event_id": "e1", "kind": "captured", "payment_id": payment, "provider_ref": provider_ref, "amount": 1_000 });
    shop.call("payment.record_provider_event", capture).await;
    let refunded = shop.call("payment.refund", json!({ "payment_id": payment, "amount": 400 })).await;
    assert_eq!(refunded["refundable"], 600);
    shop.clean().await;
}

#[tokio::test]
async fn whatever_the_wire_does_one_request_is_one_payment() {
    let shop = Shop::open(Duration::from_secs(1)).await;
    for (order, fault) in
        ["hang", "error_before", "error_after", "drop_before", "drop_after"].iter().enumerate()
    {
        shop.fault("payments.create", json!({ "kind": fault })).await;
        let input = json!({ "order_id": format!("o-{order}"), "amount": 1_000, "currency": "EUR" });
        let (_, attempts) = shop.call_until_answered("payment.request", input).await;
        assert!(attempts >= 2, "{fault}");
    }
    let book: Value = serde_json::from_str(&shop.book().await).unwrap();
    assert_eq!(book["payments"].as_array().unwrap().len(), 5);
    shop.clean().await;
}

#[tokio::test]
async fn whatever_the_wire_does_one_refund_is_one_refund() {
    let shop = Shop::open(Duration::from_secs(1)).await;
    for fault in ["hang", "error_before", "error_after", "drop_before", "drop_after"] {
        let (payment, provider_ref) = shop.requested(fault).await;
        shop.pay(&provider_ref).await;
        // The webhook has not come: the void is the first that hears of the capture.
        shop.fault("payments.refund", json!({ "kind": fault })).await;
        let (taken, attempts) =
            shop.call_until_answered("payment.void", json!({ "payment_id": payment })).await;
        assert!(attempts >= 2, "{fault}");
        assert_eq!(taken, json!({ "by": "refund", "amount": 1_000 }), "{fault}");
        let again = shop.call("payment.give_back", json!({ "payment_id": payment, "amount": 1_000 })).await;
        assert_eq!(again, json!({ "by": "nothing", "amount": 0 }));
    }
    shop.clean().await;
}

#[tokio::test]
async fn a_bank_that_refuses_a_refund_at_first_gets_it_through_later() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let (payment, provider_ref) = shop.requested("o-1").await;
    shop.pay(&provider_ref).await;
    shop.post(
        "/_control/faults",
        json!({ "on": "payments.refund", "fault": { "kind": "decline" }, "times": 2 }),
    )
    .await;
    let (_, attempts) = shop.call_until_answered("payment.void", json!({ "payment_id": payment })).await;
    // The second strike falls on the repetition of the first key: its stored refusal is told again.
    assert_eq!(attempts, 2);
    shop.clean().await;
}

#[tokio::test]
async fn a_request_that_was_never_answered_is_undone_wherever_it_got() {
    let shop = Shop::open(Duration::from_secs(1)).await;
    for (fault, paid) in [("hang", true), ("hang", false), ("drop_before", false)] {
        shop.fault("payments.create", json!({ "kind": fault })).await;
        let Some(Handler::Remote(request)) = shop.rig.registry.handler("payment.request").cloned() else {
            panic!()
        };
        let input = json!({ "order_id": format!("{fault}-{paid}"), "amount": 1_000, "currency": "EUR" });
        let calls = vec![shop.rig.call_of(mortise_contract(&input))];
        let asked = Arc::clone(&request);
        let mut intended =
            shop.rig.store.write(async move |tx| asked.intent(tx, &calls).await).await.unwrap();
        let Intended::Send { intent, minted } = intended.remove(0) else { panic!() };
        let context = SendContext {
            scope: shop.rig.scope.clone(),
            idempotency_key: "k".into(),
            attempt: 1,
            now: shop.rig.now,
        };
        request.send(context, &intent).await.unwrap_err();
        if paid {
            let book: Value = serde_json::from_str(&shop.book().await).unwrap();
            shop.pay(book["payments"][0]["id"].as_str().unwrap()).await;
        }
        let minted: Value = serde_json::from_str(&minted.to_json().to_string()).unwrap();
        let taken = shop.call("payment.void", json!({ "payment_id": minted["payment_id"] })).await;
        let expected = if paid {
            json!({ "by": "refund", "amount": 1_000 })
        } else {
            json!({ "by": "void", "amount": 0 })
        };
        assert_eq!(taken, expected, "{fault}");
    }
    shop.clean().await;
    let book: Value = serde_json::from_str(&shop.book().await).unwrap();
    let statuses: Vec<_> =
        book["payments"].as_array().unwrap().iter().map(|payment| payment["status"].clone()).collect();
    assert_eq!(statuses, ["captured", "voided", "voided"]);
}

#[tokio::test]
async fn authorised_money_is_captured_in_part() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let input = json!({ "order_id": "o-1", "amount": 1_000, "currency": "EUR", "capture": "manual" });
    let asked = shop.call("payment.request", input).await;
    let (payment, provider_ref) =
        (asked["payment_id"].clone(), asked["pay_url"].as_str().unwrap().rsplit_once('/').unwrap().1);
    shop.pay(provider_ref).await;
    let authorised = json!({ "event_id": "e1", "kind": "authorised", "payment_id": payment, "provider_ref": provider_ref });
    shop.call("payment.record_provider_event", authorised).await;
    let captured = shop.call("payment.capture", json!({ "payment_id": payment, "amount": 600 })).await;
    assert_eq!(captured["amount"], 600);
    shop.clean().await;
}

#[tokio::test]
async fn refusals_are_rejections() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let declined = shop
        .call("payment.request", json!({ "order_id": "o.sbx-decline", "amount": 5, "currency": "EUR" }))
        .await;
    assert_eq!(declined["refused"], r#"rejected payment_refused {"code":"declined_by_magic"}"#);
    shop.clean().await;
}

#[test]
fn only_what_the_provider_signed_is_read() {
    let webhooks = Webhooks::new(SECRET);
    let now = Timestamp::from_millis(1_700_000_000_000);
    let body = json!({ "id": "evt_1", "type": "payment.refunded", "created_at": now, "data": {
        "payment_id": "pay_9", "reference": "order:7:pay-1", "status": "captured", "amount": 1_000, "currency": "EUR",
        "captured_amount": 1_000, "refunded_amount": 300, "refund": { "id": "re_1", "reference": "ref-1", "amount": 300 } } });
    let bytes = body.to_string().into_bytes();
    let signature = sign(SECRET, now, &bytes);
    assert_eq!(SIGNATURE_HEADER, "sandbox-signature");

    let event = webhooks.read(Some(&signature), &bytes, now).unwrap();
    assert_eq!((event.payment_id.as_str(), event.provider_ref.as_str()), ("pay-1", "pay_9"));
    assert_eq!(event.refund.unwrap().refund_id.as_deref(), Some("ref-1"));

    let later = Timestamp::from_millis(now.as_millis() + 301_000);
    let tampered = String::from_utf8(bytes.clone()).unwrap().replace("300", "301").into_bytes();
    for (signature, body, at, refused) in [
        (None, &bytes, now, WebhookRefused::Unsigned),
        (Some("nonsense".to_owned()), &bytes, now, WebhookRefused::Unsigned),
        (Some(sign("another", now, &bytes)), &bytes, now, WebhookRefused::Forged),
        (Some(signature.clone()), &tampered, now, WebhookRefused::Forged),
        (Some(signature.replace("t=1700000000", "t=1700000001")), &bytes, now, WebhookRefused::Forged),
        (Some(signature.clone()), &bytes, later, WebhookRefused::Stale(-301)),
    ] {
        assert_eq!(webhooks.read(signature.as_deref(), body, at), Err(refused));
    }
    let foreign = body.to_string().replace("order:7:pay-1", "somebody else's").into_bytes();
    let signature = sign(SECRET, now, &foreign);
    assert!(matches!(webhooks.read(Some(&signature), &foreign, now), Err(WebhookRefused::NotOurs(_))));
}

#[tokio::test]
async fn the_two_books_are_compared_payment_by_payment() {
    let shop = Shop::open(Duration::from_secs(20)).await;
    let (_, provider_ref) = shop.requested("o-1").await;
    shop.clean().await;
    shop.pay(&provider_ref).await;
    let problems = |found: Vec<mortise_payment_sandbox::Discrepancy>| {
        found.into_iter().map(|one| one.problem).collect::<Vec<_>>()
    };
    let (ours, book) = (shop.ours().await, shop.book().await);
    assert_eq!(problems(compare(&ours, &book).unwrap()), ["we have 0 captured, the provider 1000"]);
    let unknown = problems(compare(&[], &book).unwrap());
    assert!(unknown[0].ends_with("holds 1000 of it, we do not know it"), "{unknown:?}");
    assert_eq!(problems(compare(&ours, r#"{"payments":[]}"#).unwrap()), ["the provider does not have it"]);
    assert!(compare(&ours, "nonsense").is_err());
}

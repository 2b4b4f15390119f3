//! The payment provider over HTTP: keys, faults, limits under concurrency, the pay page.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that panics has failed")]

mod peers;

use peers::Peer;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_key_gives_the_same_bytes_and_takes_no_other_body() {
    let peer = Peer::new().await;
    let body = json!({ "reference": "o-1", "amount": 500, "currency": "EUR" });
    let path = "/provider/v1/payments";
    let first = peer.send(Method::POST, path, Some("k"), &body).await;
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first = first.text().await.unwrap();
    let again = peer.send(Method::POST, path, Some("k"), &body).await;
    assert_eq!(
        (again.status().as_u16(), &again.headers()["idempotent-replayed"]),
        (201, &"true".parse().unwrap())
    );
    assert_eq!(again.text().await.unwrap(), first);

    let other = json!({ "reference": "o-1", "amount": 501, "currency": "EUR" });
    let (status, problem) = peer.post(path, Some("k"), other).await;
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")));
    let (status, problem) = peer.post(path, None, body.clone()).await;
    assert_eq!((status, &problem["code"]), (400, &json!("idempotency_key_missing")));
    assert_eq!(peer.book().await["payments"].as_array().unwrap().len(), 1);
    let (_, found) = peer.get("/provider/v1/payments?reference=o-1").await;
    assert_eq!(found["payments"][0]["amount"], 500);
}

#[tokio::test]
async fn concurrent_requests_with_one_key_make_one_payment() {
    let peer = Peer::new().await;
    let asked = (0..20).map(|_| peer.new_payment("one", "o-1", 500));
    let mut ids: Vec<_> =
        join_all(asked).await.into_iter().map(|(_, payment)| payment["id"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn refunds_never_exceed_what_was_captured_whoever_asks_at_once() {
    let peer = Peer::new().await;
    let id = peer.paid("o-1", 1_000).await;
    let path = format!("/provider/v1/payments/{id}/refunds");
    let keys: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let asked = keys.iter().map(|key| peer.post(&path, Some(key), json!({ "amount": 300 })));
    let answers = join_all(asked).await;
    let granted = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(granted, 3);
    let (_, refused) = answers.iter().find(|(status, _)| *status == 422).unwrap();
    assert_eq!(refused["code"], "refund_exceeds_captured");

    let (_, book) = (200, peer.book().await);
    let sum: i64 =
        book["refunds"].as_array().unwrap().iter().map(|refund| refund["amount"].as_i64().unwrap()).sum();
    assert_eq!((sum, &book["payments"][0]["refunded_amount"]), (900, &json!(900)));
    let refused_key = keys.iter().zip(&answers).find(|(_, (status, _))| *status == 422).unwrap().0;
    peer.post(&path, Some("rest"), json!({})).await;
    let (status, _) = peer.post(&path, Some(refused_key), json!({ "amount": 300 })).await;
    assert_eq!(status, 422, "a refusal is the stored answer of its key");
}

#[tokio::test]
async fn a_hang_has_its_effect_and_the_retry_finds_it() {
    let peer = Peer::new().await;
    let body = json!({ "reference": "o-1", "amount": 500, "currency": "EUR" });
    let hung = {
        peer.fault(json!({ "on": "payments.create", "fault": { "kind": "hang" } })).await;
        let request =
            peer.client.post(peer.url("/provider/v1/payments")).header("idempotency-key", "k").json(&body);
        tokio::spawn(request.send())
    };
    let effect = async {
        loop {
            let (_, found) = peer.get("/provider/v1/payments?reference=o-1").await;
            if let Some(id) = found["payments"][0]["id"].as_str() {
                return id.to_owned();
            }
        }
    };
    let id = tokio::time::timeout(peers::PATIENCE, effect).await.expect("the effect happens");
    assert!(!hung.is_finished(), "nobody answers");
    let (status, again) = peer.post("/provider/v1/payments", Some("k"), body).await;
    assert_eq!((status, again["id"].as_str()), (201, Some(id.as_str())));
    assert_eq!(peer.book().await["payments"].as_array().unwrap().len(), 1);
    peer.sandbox.shutdown().await;
    assert!(hung.await.unwrap().is_err(), "a stop cuts what hangs");
}

#[tokio::test]
async fn faults_come_with_and_without_the_effect() {
    let peer = Peer::new().await;
    for (kind, effect) in [("error_before", 0), ("error_after", 1), ("drop_before", 0), ("drop_after", 1)] {
        peer.fault(json!({ "on": "*", "fault": { "kind": kind }, "reference": kind })).await;
        let body = json!({ "reference": kind, "amount": 500, "currency": "EUR" });
        let struck = peer.try_send(Method::POST, "/provider/v1/payments", Some(kind), &body).await;
        match struck {
            Ok(response) => assert_eq!((kind.starts_with("error"), response.status().as_u16()), (true, 500)),
            Err(error) => assert!(kind.starts_with("drop") && !error.is_timeout(), "{kind}: {error}"),
        }
        let by_reference = format!("/provider/v1/payments?reference={kind}");
        let (_, found) = peer.get(&by_reference).await;
        assert_eq!(found["payments"].as_array().unwrap().len(), effect, "{kind}");
        assert_eq!(peer.new_payment(kind, kind, 500).await.0, 201, "the retry gets through");
        assert_eq!(peer.get(&by_reference).await.1["payments"].as_array().unwrap().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn declines_are_answers_of_their_key() {
    let peer = Peer::new().await;
    let (status, problem) = peer.new_payment("k", "o-1.sbx-decline", 500).await;
    assert_eq!((status, &problem["code"]), (402, &json!("declined_by_magic")));
    peer.fault(json!({ "on": "payments.refund", "fault": { "kind": "decline", "code": "bank_says_no" } }))
        .await;
    let id = peer.paid("o-2", 500).await;
    let path = format!("/provider/v1/payments/{id}/refunds");
    for _ in 0..2 {
        let (status, problem) = peer.post(&path, Some("r"), json!({})).await;
        assert_eq!((status, &problem["code"]), (402, &json!("bank_says_no")));
    }
    assert_eq!(peer.post(&path, Some("r2"), json!({})).await.0, 201);
}

#[tokio::test]
async fn a_card_may_be_declined_by_the_customers_choice_by_magic_and_on_demand() {
    let mut peer = Peer::new().await;
    peer.fault(json!({ "on": "payments.pay", "fault": { "kind": "decline" }, "amount": 777 })).await;
    for (reference, amount, card, code) in [
        ("o-1", 500, "insufficient_funds", "insufficient_funds"),
        ("o-2.sbx-card-decline", 500, "ok", "card_declined"),
        ("o-3", 99_999_902, "ok", "card_declined"),
        ("o-4", 777, "ok", "card_declined"),
    ] {
        let (_, payment) = peer.new_payment(reference, reference, amount).await;
        let path = format!("/pay/{}", payment["id"].as_str().unwrap());
        let (_, paid) = peer.post(&path, None, json!({ "card": card })).await;
        assert_eq!(
            (&paid["status"], &paid["decline_code"]),
            (&json!("declined"), &json!(code)),
            "{reference}"
        );
        let hook = peer.hooks.next().await;
        assert_eq!((hook.kind(), &hook.event["data"]["decline_code"]), ("payment.declined", &json!(code)));
        assert_eq!(
            peer.post(&path, None, json!({ "card": "ok" })).await.0,
            409,
            "a declined payment is over"
        );
    }
}

#[tokio::test]
async fn an_authorised_payment_is_captured_in_part_or_voided() {
    let mut peer = Peer::new().await;
    let mut ids = Vec::new();
    for reference in ["o-1", "o-2"] {
        let body = json!({ "reference": reference, "amount": 900, "currency": "EUR", "capture": "manual" });
        let (_, payment) = peer.post("/provider/v1/payments", Some(reference), body).await;
        let id = payment["id"].as_str().unwrap().to_owned();
        let (_, paid) = peer.post(&format!("/pay/{id}"), None, json!({ "card": "ok" })).await;
        assert_eq!(paid["status"], "authorised");
        ids.push(id);
    }
    let path = format!("/provider/v1/payments/{}/capture", ids[0]);
    let (_, captured) = peer.post(&path, Some("c"), json!({ "amount": 600 })).await;
    assert_eq!((&captured["captured_amount"], &captured["refundable"]), (&json!(600), &json!(600)));
    assert_eq!(
        peer.post(&path, Some("c"), json!({ "amount": 600 })).await.0,
        200,
        "the same key captures once"
    );
    assert_eq!(peer.post(&path, Some("c2"), json!({ "amount": 600 })).await.0, 409);
    let (status, problem) =
        peer.post(&format!("/provider/v1/payments/{}/void", ids[0]), None, json!({})).await;
    assert_eq!((status, &problem["refundable"]), (409, &json!(600)));
    let (_, voided) = peer.post(&format!("/provider/v1/payments/{}/void", ids[1]), None, json!({})).await;
    assert_eq!(voided["status"], "voided");
    let mut kinds = peer.hooks.kinds(4).await;
    kinds.sort();
    assert_eq!(kinds, ["payment.authorised", "payment.authorised", "payment.captured", "payment.voided"]);
}

#[tokio::test]
async fn a_payment_nobody_pays_expires() {
    let mut peer = Peer::new().await;
    let (_, payment) = peer.new_payment("k", "o-1", 500).await;
    assert_eq!(peer.post("/_control/clock", None, json!({ "advance_ms": 86_400_000 })).await.0, 200);
    assert_eq!(peer.hooks.next().await.kind(), "payment.expired");
    let path = format!("/pay/{}", payment["id"].as_str().unwrap());
    assert_eq!(peer.post(&path, None, json!({ "card": "ok" })).await.0, 409);
}

#[tokio::test]
async fn the_pay_page_shows_the_sum_and_takes_no_markup_from_the_merchant() {
    let peer = Peer::new().await;
    let body = json!({ "reference": "<script>1</script>", "amount": 129_900, "currency": "JPY",
                       "return_url": "http://shop.example/thanks?order=1" });
    let (_, payment) = peer.post("/provider/v1/payments", Some("k"), body).await;
    let url = payment["pay_url"].as_str().unwrap().to_owned();
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">129900</span> <span class=\"currency\">JPY<"), "{page}");
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");

    let left = client.post(format!("{url}?card=abandon")).send().await.unwrap();
    assert_eq!(left.status().as_u16(), 303);
    let paid = client.post(format!("{url}?card=ok")).send().await.unwrap();
    let id = payment["id"].as_str().unwrap();
    let back = format!("http://shop.example/thanks?order=1&payment_id={id}&payment_status=captured");
    assert_eq!(paid.headers()["location"], back.as_str());
    let after = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(after.contains("Paid. Thank you.") && !after.contains("<form"), "{after}");
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_a_problem() {
    let peer = Peer::new().await;
    let good = json!({ "reference": "o-1", "amount": 500, "currency": "EUR" });
    for (name, value) in [
        ("amount", json!(0)),
        ("amount", json!(12.5)),
        ("amount", json!(i64::MAX)),
        ("currency", json!("eur")),
        ("reference", json!("")),
        ("reference", json!("x".repeat(257))),
        ("return_url", json!("javascript:alert(1)")),
        ("webhook_url", json!("file:///etc/passwd")),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
        ("surprise", json!(1)),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        let response = peer
            .send(Method::POST, "/provider/v1/payments", Some(&format!("{name}{value:.20}")), &body)
            .await;
        assert_eq!(response.status().as_u16(), 422, "{name} {value}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    let large = json!({ "reference": "x".repeat(300_000) });
    assert_eq!(peer.post("/provider/v1/payments", Some("k"), large).await.0, 413);
    assert_eq!(peer.get("/provider/v1/payments/pay_none").await.0, 404);
    assert_eq!(peer.get("/nowhere").await.1["code"], "no_such_route");
    assert_eq!(peer.get("/carrier/v1/rates").await.0, 405);
    assert_eq!(peer.book().await["payments"], json!([]));
}

async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    // All are polled together: each sends its request before the first answer is read.
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in &mut pending {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        let all = pending.iter().all(|(_, output)| output.is_some());
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

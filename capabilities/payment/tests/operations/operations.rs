//! What each operation does and does not do twice.

use std::sync::Arc;

use mortise_capability::PolicyRow;

use crate::shop::*;

#[tokio::test]
async fn an_invoice_is_booked_and_taken_back_once() {
    let (rig, _, _) = shop().await;
    let made = rig.call("payment.on_invoice", r#"{"order_id":"o-1","amount":1299,"currency":"EUR"}"#).await;
    let of = format!(r#"{{"payment_id":"{}"}}"#, field(&made, "payment_id"));
    let balances = r#"{"balances":[{"account":"customer_receivable","currency":"EUR","amount":1299},{"account":"order_funds","currency":"EUR","amount":-1299}]}"#;
    assert_eq!(rig.call("payment.balances", "{}").await, format!("ok {balances}"));
    assert_eq!(
        rig.batch("payment.cancel_invoice", &[&of, &of]).await,
        [r#"ok {"applied":"now"}"#, r#"ok {"applied":"already"}"#]
    );
    assert_eq!(rig.call("payment.cancel_invoice", &of).await, r#"ok {"applied":"already"}"#);
    assert!(rig.call("payment.balances", "{}").await.matches(r#""amount":0"#).count() == 2);
    clean(&rig).await;
}

#[tokio::test]
async fn a_webhook_is_taken_once_and_brings_the_money() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    provider.pay(&payment);
    let first = event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    assert!(
        first.starts_with("ok {\"applied\":\"now\"}\nevent payment.captured {\"payment_id\":"),
        "{first}"
    );
    let copies = [
        event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await,
        event(&rig, "e2", "captured", &payment, r#","amount":1000"#).await,
    ];
    assert_eq!(
        copies,
        [r#"ok {"applied":"already"}"#, r#"ok {"applied":"already"}"#],
        "neither the event nor the fact twice"
    );
    assert_eq!(figures(&rig, &payment).await, "captured 1000-0-0");
    let unknown = event(&rig, "e3", "captured", "pay-nobody", "").await;
    assert_eq!(unknown, r#"rejected unknown_payment {"payment_id":"pay-nobody"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn copies_of_an_event_in_one_batch_are_taken_once() {
    let (rig, _, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    let copy = format!(
        r#"{{"event_id":"e1","kind":"captured","payment_id":"{payment}","provider_ref":"{payment}","amount":1000}}"#
    );
    let replies = rig.batch("payment.record_provider_event", &[&copy, &copy]).await;
    assert_eq!(replies.iter().filter(|reply| reply.contains("payment.captured")).count(), 1);
    clean(&rig).await;
}

#[tokio::test]
async fn refunds_of_one_batch_together_stay_below_what_was_captured() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    provider.pay(&payment);
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    let refund = format!(r#"{{"payment_id":"{payment}","amount":400}}"#);
    let replies = rig.batch("payment.refund", &[&refund, &refund, &refund]).await;
    assert_eq!(replies[2], r#"rejected refund_exceeds_captured {"asked":400,"refundable":200}"#);
    assert_eq!(provider.with(|book| book.refunded()), 800);
    assert_eq!(figures(&rig, &payment).await, "captured 1000-800-0");
    for amount in [0, -5, 201] {
        let refund = format!(r#"{{"payment_id":"{payment}","amount":{amount}}}"#);
        assert!(
            rig.call("payment.refund", &refund).await.starts_with("rejected refund_exceeds_captured"),
            "{amount}"
        );
    }
    clean(&rig).await;
}

#[tokio::test]
async fn a_refused_refund_frees_what_was_set_aside() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    provider.with(|book| book.refuse_refunds = 1);
    let refund = format!(r#"{{"payment_id":"{payment}","amount":1000}}"#);
    assert_eq!(
        rig.call("payment.refund", &refund).await,
        r#"rejected refund_refused {"code":"bank_says_no"}"#
    );
    assert_eq!(figures(&rig, &payment).await, "captured 1000-0-0");
    assert!(rig.call("payment.refund", &refund).await.contains("event payment.refunded"));
    clean(&rig).await;
}

#[tokio::test]
async fn a_request_that_nobody_paid_is_voided_and_one_that_was_paid_is_refunded_once() {
    let (rig, provider, _) = shop().await;
    let (open, paid) = (request(&rig, "o-1").await, request(&rig, "o-2").await);
    provider.pay(&paid);
    let void =
        async |payment: &str| rig.call("payment.void", &format!(r#"{{"payment_id":"{payment}"}}"#)).await;
    assert_eq!(void(&open).await, r#"ok {"by":"void","amount":0}"#);
    assert!(void(&paid).await.starts_with("ok {\"by\":\"refund\",\"amount\":1000}\nevent payment.refunded"));
    // The webhook of the capture comes late, and with it the call of its `late`.
    assert_eq!(
        event(&rig, "e1", "captured", &paid, r#","amount":1000"#).await,
        r#"ok {"applied":"already"}"#
    );
    let back = format!(r#"{{"payment_id":"{paid}","amount":1000}}"#);
    assert_eq!(rig.call("payment.give_back", &back).await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(void(&paid).await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(void("pay-nobody").await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(provider.with(|book| book.refunded()), 1_000, "once");
    assert_eq!(figures(&rig, &open).await, "voided 0-0-0");
    clean(&rig).await;
}

#[tokio::test]
async fn money_that_comes_after_the_trade_gave_up_is_given_back() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "expired", &payment, "").await;
    assert!(
        event(&rig, "e2", "captured", &payment, r#","amount":1000"#).await.contains("event payment.captured")
    );
    let back = format!(r#"{{"payment_id":"{payment}","amount":1000}}"#);
    let replies = [rig.call("payment.give_back", &back).await, rig.call("payment.give_back", &back).await];
    assert!(replies[0].starts_with(r#"ok {"by":"refund","amount":1000}"#), "{}", replies[0]);
    assert_eq!(replies[1], r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(provider.with(|book| book.refunded()), 1_000);
    clean(&rig).await;
}

#[tokio::test]
async fn the_webhook_of_a_refund_may_come_before_its_answer_or_before_the_capture() {
    let (rig, _, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    let by_hand = r#","amount":1000,"refund":{"provider_refund_ref":"p9","amount":300}"#;
    let reply = event(&rig, "e1", "refunded", &payment, by_hand).await;
    assert!(reply.contains("event payment.captured") && reply.contains("event payment.refunded"), "{reply}");
    assert_eq!(figures(&rig, &payment).await, "captured 1000-300-0");
    assert_eq!(
        event(&rig, "e2", "captured", &payment, r#","amount":1000"#).await,
        r#"ok {"applied":"already"}"#
    );
    let refund = format!(r#"{{"payment_id":"{payment}","amount":700}}"#);
    let refunded = rig.call("payment.refund", &refund).await;
    let ours = format!(
        r#","amount":1000,"refund":{{"provider_refund_ref":"p10","refund_id":"{}","amount":700}}"#,
        field(&refunded, "refund_id")
    );
    assert_eq!(event(&rig, "e3", "refunded", &payment, &ours).await, r#"ok {"applied":"already"}"#);
    assert_eq!(figures(&rig, &payment).await, "captured 1000-1000-0");
    clean(&rig).await;
}

#[tokio::test]
async fn an_authorised_payment_is_captured_once_with_one_key() {
    let (rig, provider, policies) = shop().await;
    policies.replace([PolicyRow {
        tenant: "acme".to_owned(),
        line: String::new(),
        channel: String::new(),
        name: "payment".to_owned(),
        document: r#"{"capture":"manual"}"#.to_owned(),
    }]);
    let payment = request(&rig, "o-1").await;
    let capture = format!(r#"{{"payment_id":"{payment}","amount":600}}"#);
    assert!(rig.call("payment.capture", &capture).await.starts_with("rejected not_capturable"));
    assert!(event(&rig, "e1", "authorised", &payment, "").await.contains("event payment.authorised"));
    let replies = rig.batch("payment.capture", &[&capture, &capture]).await;
    assert_eq!(replies[0], format!(r#"ok {{"payment_id":"{payment}","amount":600}}"#));
    assert!(replies[1].starts_with("rejected not_capturable"), "{}", replies[1]);
    let captures = provider.with(|book| book.calls.iter().filter(|call| call.starts_with("capture")).count());
    assert_eq!(captures, 1);
    let told = event(&rig, "e2", "captured", &payment, r#","amount":600"#).await;
    assert_eq!(
        told, r#"ok {"applied":"already"}"#,
        "whoever captured it owns it: no event acquires it again"
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_refused_request_is_a_rejection_and_nothing_to_pay_is_never_sent() {
    let (rig, provider, _) = shop().await;
    let unwanted = r#"{"order_id":"unwanted-1","amount":1000,"currency":"EUR"}"#;
    assert_eq!(
        rig.call("payment.request", unwanted).await,
        r#"rejected payment_refused {"code":"unwanted"}"#
    );
    let nothing = r#"{"order_id":"o-1","amount":0,"currency":"EUR"}"#;
    assert_eq!(
        rig.call("payment.request", nothing).await,
        r#"rejected payment_refused {"code":"nothing_to_pay"}"#
    );
    assert_eq!(provider.with(|book| book.calls.len()), 1);
    clean(&rig).await;
}

#[tokio::test]
async fn cash_on_delivery_is_due_then_collected_then_remitted() {
    let (rig, _, _) = shop().await;
    let made = rig.call("payment.on_delivery", r#"{"order_id":"o-1","amount":1299,"currency":"EUR"}"#).await;
    let payment = field(&made, "payment_id");
    assert_eq!(figures(&rig, &payment).await, "due_on_delivery 1299-0-0", "never paid before it is");
    let receive = async |stage: &str| {
        let input = format!(r#"{{"payment_id":"{payment}","stage":"{stage}"}}"#);
        rig.call("payment.record_receipt", &input).await
    };
    assert_eq!(receive("remitted").await, r#"rejected receipt_refused {"status":"due_on_delivery"}"#);
    assert_eq!(receive("collected").await, r#"ok {"applied":"now"}"#);
    assert_eq!(receive("collected").await, r#"ok {"applied":"already"}"#);
    assert_eq!(receive("remitted").await, r#"ok {"applied":"now"}"#);
    assert!(
        rig.call("payment.balances", "{}")
            .await
            .contains(r#"{"account":"bank","currency":"EUR","amount":1299"#)
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_taking_back_that_the_bank_refuses_is_tried_with_a_further_key_at_each_attempt() {
    use mortise_capability::{Handler, Intended, SendContext};
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    provider.with(|book| book.refuse_refunds = 2);
    let Some(Handler::Remote(void)) = rig.registry.handler("payment.void").cloned() else {
        panic!("void is remote")
    };
    let input = mortise_contract::json(&format!(r#"{{"payment_id":"{payment}"}}"#)).unwrap();
    let calls = vec![rig.call_of(input)];
    let (remote, scope) = (Arc::clone(&void), rig.scope.clone());
    let mut intended = rig.store.write(async move |tx| remote.intent(tx, &calls).await).await.unwrap();
    let Intended::Send { intent, .. } = intended.remove(0) else { panic!("it has to be sent") };
    let mut answers = Vec::new();
    for attempt in 1..=4 {
        let context =
            SendContext { scope: scope.clone(), idempotency_key: "k".into(), attempt, now: rig.now };
        answers.push(void.send(context, &intent).await.is_ok());
    }
    assert_eq!(answers, [false, false, true, true], "the third key is taken, and is found again");
    assert_eq!(provider.with(|book| (book.refunded(), book.refunds.len())), (1_000, 1), "once");
}

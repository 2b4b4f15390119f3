//! Two tenants with the same ids never meet.

use mortise_types::Scope;

use crate::shop::*;

#[tokio::test]
async fn tenants_never_meet_in_any_operation() {
    let (mut rig, provider, _) = shop().await;
    let ours = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &ours, r#","amount":1000"#).await;
    let invoice = field(
        &rig.call("payment.on_invoice", r#"{"order_id":"o-1","amount":5,"currency":"EUR"}"#).await,
        "payment_id",
    );
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let before = provider.with(|book| book.calls.len());
    for (operation, input, answer) in [
        ("payment.get", format!(r#"{{"payment_id":"{ours}"}}"#), "rejected unknown_payment"),
        ("payment.capture", format!(r#"{{"payment_id":"{ours}"}}"#), "rejected unknown_payment"),
        ("payment.refund", format!(r#"{{"payment_id":"{ours}","amount":1}}"#), "rejected unknown_payment"),
        ("payment.void", format!(r#"{{"payment_id":"{ours}"}}"#), r#"ok {"by":"nothing","amount":0}"#),
        (
            "payment.give_back",
            format!(r#"{{"payment_id":"{ours}","amount":9}}"#),
            r#"ok {"by":"nothing","amount":0}"#,
        ),
        ("payment.cancel_invoice", format!(r#"{{"payment_id":"{invoice}"}}"#), r#"ok {"applied":"already"}"#),
        (
            "payment.record_receipt",
            format!(r#"{{"payment_id":"{invoice}","stage":"invoice_paid"}}"#),
            "rejected unknown_payment",
        ),
        (
            "payment.record_provider_event",
            format!(r#"{{"event_id":"e1","kind":"captured","payment_id":"{ours}","provider_ref":"x"}}"#),
            "rejected unknown_payment",
        ),
        (
            "payment.assess",
            r#"{"customer_id":"ann","amount":1,"currency":"EUR","ship_to":{"name":"A","street":["M 1"],"city":"L","postal_code":"1","country":"FR"}}"#.to_owned(),
            r#"ok {"score":10,"#,
        ),
        (
            "payment.refund_order",
            format!(r#"{{"payments":["{ours}","{invoice}"],"amount":9,"reference":"r-1"}}"#),
            r#"ok {"amount":0,"missing":9,"parts":[]}"#,
        ),
        (
            "payment.transfer",
            format!(r#"{{"payments":["{ours}"],"to_order":"o-2","amount":9,"reference":"r-1"}}"#),
            "error order o-2 is to be paid by payments that are not there",
        ),
        ("payment.funds", format!(r#"{{"payments":["{invoice}"]}}"#), "rejected unknown_payment"),
        ("payment.credit_deposit", format!(r#"{{"payment_id":"{ours}","order_id":"o-1"}}"#), "error"),
        ("payment.hold_deposit", format!(r#"{{"payment_id":"{ours}"}}"#), "error"),
        ("payment.forfeit_deposit", format!(r#"{{"payment_id":"{ours}"}}"#), "error"),
        ("payment.open", r#"{"order_id":"o-1"}"#.to_owned(), r#"ok {"payments":[]}"#),
        ("payment.list", "{}".to_owned(), r#"ok {"payments":[]}"#),
        ("payment.balances", "{}".to_owned(), r#"ok {"balances":[]}"#),
    ] {
        let reply = rig.call(operation, &input).await;
        assert!(reply.starts_with(answer), "{operation}: {reply}");
    }
    assert_eq!(
        provider.with(|book| book.calls.len()),
        before,
        "no other tenant's payment reaches the provider"
    );
    let walked = [
        "get",
        "capture",
        "refund",
        "refund_order",
        "funds",
        "transfer",
        "void",
        "give_back",
        "assess",
        "open",
        "cancel_invoice",
        "credit_deposit",
        "hold_deposit",
        "forfeit_deposit",
        "record_receipt",
        "record_provider_event",
        "list",
        "balances",
        "on_invoice",
        "on_delivery",
        "request",
    ];
    let declared: Vec<&str> = rig
        .registry
        .contracts()
        .operations
        .keys()
        .map(|name| name.strip_prefix("payment.").unwrap())
        .collect();
    assert!(
        declared.iter().all(|name| walked.contains(name)),
        "a new operation is walked here: {declared:?}"
    );
    // The three that make payments make them in their own tenant: the same event id is new here.
    for operation in ["payment.on_invoice", "payment.on_delivery", "payment.request"] {
        rig.call(operation, r#"{"order_id":"o-1","amount":7,"currency":"EUR"}"#).await;
    }
    let theirs = request(&rig, "o-1").await;
    assert!(event(&rig, "e1", "captured", &theirs, r#","amount":1000"#).await.contains("payment.captured"));
    assert_eq!(rig.call("payment.list", "{}").await.matches("\"payment_id\"").count(), 4);
    rig.scope = Scope::new("acme", "grocery", "web").unwrap();
    assert_eq!(rig.call("payment.list", "{}").await.matches("\"payment_id\"").count(), 2);
    assert_eq!(figures(&rig, &ours).await, "captured 1000-0-0");
    clean(&rig).await;
}

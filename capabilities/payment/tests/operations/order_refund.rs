//! Giving an order's money back over its payments: once for a reference, never more than there is, and it gets through.

use crate::shop::*;

async fn invoice(rig: &mortise_testkit::Rig, amount: i64) -> String {
    let input = format!(r#"{{"order_id":"o-1","amount":{amount},"currency":"EUR"}}"#);
    field(&rig.call("payment.on_invoice", &input).await, "payment_id")
}

fn refund(payments: &[&str], amount: i64, reference: &str) -> String {
    let payments: Vec<String> = payments.iter().map(|id| format!("\"{id}\"")).collect();
    format!(r#"{{"payments":[{}],"amount":{amount},"reference":"{reference}"}}"#, payments.join(","))
}

#[tokio::test]
async fn a_reference_gives_back_once_and_the_first_payment_first() {
    let (rig, provider, _) = shop().await;
    let (card, claim) = (request(&rig, "o-1").await, invoice(&rig, 500).await);
    provider.pay(&card);
    event(&rig, "e1", "captured", &card, r#","amount":1000"#).await;
    let funds = format!(r#"{{"payments":["{card}","{claim}"]}}"#);
    assert_eq!(
        rig.call("payment.funds", &funds).await,
        r#"ok {"captured":1500,"refunded":0,"refundable":1500}"#
    );
    let asked = refund(&[&claim, &card], 700, "r-1");
    let first = rig.call("payment.refund_order", &asked).await;
    assert!(first.starts_with(r#"ok {"amount":700,"missing":0,"parts":["#), "{first}");
    assert_eq!(first.matches("event payment.refunded").count(), 2);
    assert_eq!(
        (figures(&rig, &claim).await, figures(&rig, &card).await),
        ("due 500-500-0".to_owned(), "captured 1000-200-0".to_owned())
    );
    let again = rig.batch("payment.refund_order", &[&asked, &asked]).await;
    for reply in &again {
        assert_eq!(reply, first.lines().next().expect("an answer"), "told once, answered always");
    }
    assert_eq!(provider.with(|book| book.refunded()), 200);
    assert_eq!(
        rig.call("payment.funds", &funds).await,
        r#"ok {"captured":1500,"refunded":700,"refundable":800}"#
    );
    clean(&rig).await;
}

#[tokio::test]
async fn references_of_one_batch_together_stay_below_what_there_is() {
    let (rig, provider, _) = shop().await;
    let card = request(&rig, "o-1").await;
    provider.pay(&card);
    event(&rig, "e1", "captured", &card, r#","amount":1000"#).await;
    let asked: Vec<String> = (0..3).map(|n| refund(&[&card], 400, &format!("r-{n}"))).collect();
    let replies =
        rig.batch("payment.refund_order", &asked.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let amounts: Vec<(String, String)> =
        replies.iter().map(|reply| (field(reply, "amount"), field(reply, "missing"))).collect();
    let expected = [("400", "0"), ("400", "0"), ("200", "200")].map(|(a, m)| (a.to_owned(), m.to_owned()));
    assert_eq!(amounts, expected);
    assert_eq!(provider.with(|book| book.refunded()), 1000);
    assert_eq!(figures(&rig, &card).await, "captured 1000-1000-0");
    clean(&rig).await;
}

#[tokio::test]
async fn the_same_reference_twice_in_one_batch_asks_with_one_key() {
    let (rig, provider, _) = shop().await;
    let card = request(&rig, "o-1").await;
    provider.pay(&card);
    event(&rig, "e1", "captured", &card, r#","amount":1000"#).await;
    let asked = refund(&[&card, &card], 400, "r-1");
    let replies = rig.batch("payment.refund_order", &[&asked, &asked]).await;
    assert_eq!(replies.iter().filter(|reply| reply.contains("event payment.refunded")).count(), 1);
    assert_eq!(provider.with(|book| book.refunded()), 400);
    assert_eq!(figures(&rig, &card).await, "captured 1000-400-0");
    clean(&rig).await;
}

#[tokio::test]
async fn a_provider_that_refuses_is_asked_again_until_it_gets_through() {
    let (rig, provider, _) = shop().await;
    let card = request(&rig, "o-1").await;
    provider.pay(&card);
    event(&rig, "e1", "captured", &card, r#","amount":1000"#).await;
    provider.with(|book| book.refuse_refunds = 1);
    let asked = refund(&[&card], 400, "r-1");
    let first = rig.call("payment.refund_order", &asked).await;
    assert!(first.contains("refuses to give 400 back"), "{first}");
    assert_eq!(figures(&rig, &card).await, "captured 1000-0-400", "it stays set aside");
    // The engine asks again, as a further attempt of the same call, and a further key is tried.
    let call = rig.call_of(mortise_contract::json(&asked).unwrap());
    let mortise_capability::Handler::Remote(remote) =
        rig.registry.handler("payment.refund_order").unwrap().clone()
    else {
        panic!("a remote operation");
    };
    let intent = std::sync::Arc::clone(&remote);
    let calls = vec![call.clone()];
    let intended = rig.store.write(async move |tx| intent.intent(tx, &calls).await).await.unwrap().remove(0);
    let mortise_capability::Intended::Send { intent, .. } = intended else {
        panic!("it is still to be sent")
    };
    let context = mortise_capability::SendContext {
        scope: rig.scope.clone(),
        idempotency_key: "any".into(),
        attempt: 2,
        now: rig.now,
    };
    let answer = remote.send(context, &intent).await.unwrap();
    let item = mortise_capability::SettleCall { call, intent, answer };
    let settled = rig.store.write(async move |tx| remote.settle(tx, &[item]).await).await.unwrap();
    assert_eq!(settled[0].events.len(), 1);
    assert_eq!(provider.with(|book| book.refunded()), 400);
    assert_eq!(figures(&rig, &card).await, "captured 1000-400-0");
    clean(&rig).await;
}

#[tokio::test]
async fn nothing_is_given_back_for_nothing() {
    let (rig, provider, _) = shop().await;
    let claim = invoice(&rig, 500).await;
    let nothing = r#"ok {"amount":0,"missing":0,"parts":[]}"#;
    assert_eq!(rig.call("payment.refund_order", &refund(&[&claim], 0, "r-1")).await, nothing);
    assert_eq!(rig.call("payment.refund_order", &refund(&[], 0, "r-2")).await, nothing);
    assert_eq!(
        rig.call("payment.refund_order", &refund(&["pay-nobody"], 5, "r-3")).await,
        r#"ok {"amount":0,"missing":5,"parts":[]}"#
    );
    assert_eq!(
        rig.call("payment.funds", r#"{"payments":[]}"#).await,
        r#"ok {"captured":0,"refunded":0,"refundable":0}"#
    );
    assert!(provider.with(|book| book.calls.is_empty()));
    assert_eq!(figures(&rig, &claim).await, "due 500-0-0");
    clean(&rig).await;
}

#[tokio::test]
async fn what_is_left_of_a_payment_pays_another_order_once_and_no_money_leaves() {
    let (rig, provider, _) = shop().await;
    let card = request(&rig, "o-1").await;
    provider.pay(&card);
    event(&rig, "e1", "captured", &card, r#","amount":1000"#).await;
    let asked = format!(r#"{{"payments":["{card}"],"to_order":"o-2","amount":700,"reference":"r-1"}}"#);
    let moved = r#"ok {"payment_id":"pay-r-1","amount":700}"#;
    assert_eq!(rig.batch("payment.transfer", &[&asked, &asked]).await, [moved, moved]);
    assert_eq!(rig.call("payment.transfer", &asked).await, moved);
    assert_eq!(figures(&rig, &card).await, "captured 1000-700-0");
    assert_eq!(figures(&rig, "pay-r-1").await, "captured 700-0-0");
    assert_eq!(provider.with(|book| book.refunded()), 0);
    let balances = rig.call("payment.balances", "{}").await;
    assert!(
        balances.contains(r#"{"account":"provider_balance","currency":"EUR","amount":1000}"#),
        "{balances}"
    );
    // What is left goes back from either, at the one provider.
    rig.call("payment.refund_order", &refund(&[&card, "pay-r-1"], 500, "r-2")).await;
    assert_eq!(provider.with(|book| book.refunded()), 500);
    assert_eq!(
        (figures(&rig, &card).await, figures(&rig, "pay-r-1").await),
        ("captured 1000-1000-0".to_owned(), "captured 700-200-0".to_owned())
    );
    let more = format!(r#"{{"payments":["{card}"],"to_order":"o-3","amount":9,"reference":"r-3"}}"#);
    assert_eq!(
        rig.call("payment.transfer", &more).await,
        r#"ok {"payment_id":"pay-r-3","amount":0}"#,
        "nothing is left"
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_claim_that_is_transferred_is_owed_for_the_other_order() {
    let (rig, _, _) = shop().await;
    let claim = invoice(&rig, 500).await;
    let asked = format!(r#"{{"payments":["{claim}"],"to_order":"o-2","amount":300,"reference":"r-1"}}"#);
    rig.call("payment.transfer", &asked).await;
    assert_eq!(
        (figures(&rig, &claim).await, figures(&rig, "pay-r-1").await),
        ("due 500-300-0".to_owned(), "due 300-0-0".to_owned())
    );
    let balances = rig.call("payment.balances", "{}").await;
    assert!(
        balances.contains(r#"{"account":"customer_receivable","currency":"EUR","amount":500}"#),
        "{balances}"
    );
    clean(&rig).await;
}

//! What becomes of a deposit, whoever asks twice.

use mortise_testkit::Rig;

use crate::provider::Provider;
use crate::shop::*;

/// A deposit of 1,000 that has come.
async fn deposit(rig: &Rig, provider: &Provider, order: &str) -> String {
    let input = format!(r#"{{"order_id":"{order}","amount":1000,"currency":"EUR","purpose":"deposit"}}"#);
    let payment = field(&rig.call("payment.request", &input).await, "payment_id");
    provider.pay(&payment);
    let paid = event(rig, &format!("e-{order}"), "captured", &payment, r#","amount":1000"#).await;
    assert!(paid.contains("event payment.captured"), "{paid}");
    payment
}

async fn of(rig: &Rig, operation: &str, payment: &str) -> String {
    rig.call(operation, &format!(r#"{{"payment_id":"{payment}"}}"#)).await
}

async fn credit(rig: &Rig, payment: &str, order: &str) -> String {
    rig.call("payment.credit_deposit", &format!(r#"{{"payment_id":"{payment}","order_id":"{order}"}}"#)).await
}

async fn balances(rig: &Rig) -> Vec<String> {
    let answer = rig.call("payment.balances", "{}").await;
    let view: serde_json::Value = serde_json::from_str(answer.strip_prefix("ok ").unwrap()).unwrap();
    let rows = view["balances"].as_array().unwrap();
    rows.iter()
        .filter(|row| row["amount"] != 0)
        .map(|row| format!("{} {}", row["account"].as_str().unwrap(), row["amount"]))
        .collect()
}

#[tokio::test]
async fn a_deposit_is_held_then_credited_to_an_order_once() {
    let (rig, provider, _) = shop().await;
    let payment = deposit(&rig, &provider, "bid-1").await;
    assert_eq!(balances(&rig).await, ["deposits_held -1000", "provider_balance 1000"]);
    assert_eq!(credit(&rig, &payment, "o-7").await, r#"ok {"applied":"now","amount":1000}"#);
    assert_eq!(credit(&rig, &payment, "o-7").await, r#"ok {"applied":"already","amount":1000}"#);
    assert_eq!(balances(&rig).await, ["order_funds -1000", "provider_balance 1000"]);
    let seen = of(&rig, "payment.get", &payment).await;
    assert!(seen.contains(r#""deposit":"credited","credited_to":"o-7""#), "{seen}");
    clean(&rig).await;
}

#[tokio::test]
async fn a_trade_that_goes_back_has_the_deposit_held_and_then_returned() {
    let (rig, provider, _) = shop().await;
    let payment = deposit(&rig, &provider, "o-1").await;
    credit(&rig, &payment, "o-1").await;
    assert_eq!(of(&rig, "payment.hold_deposit", &payment).await, r#"ok {"applied":"now","amount":1000}"#);
    assert_eq!(of(&rig, "payment.hold_deposit", &payment).await, r#"ok {"applied":"already","amount":1000}"#);
    assert!(!of(&rig, "payment.get", &payment).await.contains("credited_to"));
    let back = format!(r#"{{"payment_id":"{payment}","amount":1000}}"#);
    assert!(rig.call("payment.give_back", &back).await.starts_with(r#"ok {"by":"refund","amount":1000}"#));
    assert_eq!(balances(&rig).await, Vec::<String>::new());
    clean(&rig).await;
}

#[tokio::test]
async fn what_was_forfeited_is_not_given_back_by_the_taking_back_of_its_trade() {
    let (rig, provider, _) = shop().await;
    let payment = deposit(&rig, &provider, "o-1").await;
    let forfeit = async || of(&rig, "payment.forfeit_deposit", &payment).await;
    assert_eq!(forfeit().await, r#"ok {"applied":"now","amount":1000}"#);
    assert_eq!(forfeit().await, r#"ok {"applied":"already","amount":1000}"#);
    let back = format!(r#"{{"payment_id":"{payment}","amount":1000}}"#);
    assert_eq!(rig.call("payment.give_back", &back).await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(of(&rig, "payment.void", &payment).await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(
        rig.call("payment.refund", &back).await,
        r#"rejected refund_exceeds_captured {"asked":1000,"refundable":0}"#
    );
    assert_eq!(provider.with(|book| book.refunded()), 0);
    assert_eq!(balances(&rig).await, ["deposits_forfeited -1000", "provider_balance 1000"]);
    clean(&rig).await;
}

#[tokio::test]
async fn what_cannot_be_is_an_error_and_changes_nothing() {
    let (rig, provider, _) = shop().await;
    let open = r#"{"order_id":"o-1","amount":500,"currency":"EUR","purpose":"deposit"}"#;
    let open = field(&rig.call("payment.request", open).await, "payment_id");
    assert!(credit(&rig, &open, "o-1").await.contains("is pending and held: it cannot become credited"));
    let ordinary = request(&rig, "o-2").await;
    provider.pay(&ordinary);
    event(&rig, "e2", "captured", &ordinary, r#","amount":1000"#).await;
    let forfeited = of(&rig, "payment.forfeit_deposit", &ordinary).await;
    assert!(forfeited.contains("is captured and no deposit: it cannot become forfeited"), "{forfeited}");
    let kept = deposit(&rig, &provider, "o-3").await;
    of(&rig, "payment.forfeit_deposit", &kept).await;
    assert!(credit(&rig, &kept, "o-3").await.contains("forfeited: it cannot become credited"));
    assert!(credit(&rig, "pay-nobody", "o-3").await.contains("there is no payment `pay-nobody`"));
    clean(&rig).await;
}

#[tokio::test]
async fn the_crediting_and_the_forfeiting_of_one_deposit_in_one_batch_is_one_of_them() {
    let (rig, provider, _) = shop().await;
    let payment = deposit(&rig, &provider, "o-1").await;
    let credit = format!(r#"{{"payment_id":"{payment}","order_id":"o-1"}}"#);
    let replies = rig.batch("payment.credit_deposit", &[&credit, &credit]).await;
    assert_eq!(
        replies,
        [r#"ok {"applied":"now","amount":1000}"#, r#"ok {"applied":"already","amount":1000}"#]
    );
    assert!(of(&rig, "payment.forfeit_deposit", &payment).await.starts_with("error"));
    clean(&rig).await;
}

#[tokio::test]
async fn a_deposit_on_invoice_is_held_when_it_is_claimed() {
    let (rig, _, _) = shop().await;
    let made = r#"{"order_id":"o-1","amount":300,"currency":"EUR","purpose":"deposit"}"#;
    let payment = field(&rig.call("payment.on_invoice", made).await, "payment_id");
    assert_eq!(balances(&rig).await, ["customer_receivable 300", "deposits_held -300"]);
    of(&rig, "payment.forfeit_deposit", &payment).await;
    assert_eq!(of(&rig, "payment.cancel_invoice", &payment).await, r#"ok {"applied":"already"}"#);
    assert_eq!(balances(&rig).await, ["customer_receivable 300", "deposits_forfeited -300"]);
    clean(&rig).await;
}

#[tokio::test]
async fn what_can_be_paid_is_found_by_its_order_and_by_whom_it_belongs_to() {
    let (rig, provider, _) = shop().await;
    let asked = |order: &str, customer: &str, purpose: &str| {
        format!(
            r#"{{"order_id":"{order}","amount":700,"currency":"EUR","customer_id":"{customer}","purpose":"{purpose}","expires_at":"2026-03-01T00:00:00.000Z"}}"#
        )
    };
    let first = field(&rig.call("payment.request", &asked("o-1", "ann", "deposit")).await, "payment_id");
    let second = field(&rig.call("payment.request", &asked("o-1", "ann", "order")).await, "payment_id");
    rig.call("payment.request", &asked("o-2", "ben", "order")).await;
    let open = rig.call("payment.open", r#"{"order_id":"o-1"}"#).await;
    let one = |id: &str, purpose: &str| {
        format!(
            r#"{{"payment_id":"{id}","amount":700,"currency":"EUR","purpose":"{purpose}","pay_url":"http://pay/{id}","expires_at":"2026-03-01T00:00:00.000Z"}}"#
        )
    };
    assert_eq!(open, format!(r#"ok {{"payments":[{},{}]}}"#, one(&first, "deposit"), one(&second, "order")));
    provider.pay(&first);
    event(&rig, "e1", "captured", &first, r#","amount":700"#).await;
    let open = rig.call("payment.open", r#"{"order_id":"o-1"}"#).await;
    assert_eq!(
        open,
        format!(r#"ok {{"payments":[{}]}}"#, one(&second, "order")),
        "what is paid is not asked for"
    );
    // A signed-in customer sees their own.
    let stranger = rig.call_of(mortise_contract::json(r#"{"order_id":"o-1"}"#).unwrap());
    let context = mortise_capability::CallContext {
        caller: Some(mortise_types::CustomerId::new("ben").unwrap()),
        ..(*stranger.context).clone()
    };
    let call = mortise_capability::Call { context: std::sync::Arc::new(context), input: stranger.input };
    let replies = rig.run("payment.open", vec![call]).await.unwrap();
    let mortise_capability::Outcome::Done(seen) = &replies[0].outcome else { panic!("{replies:?}") };
    assert_eq!(seen.to_json().to_string(), r#"{"payments":[]}"#);
}

//! Paying at the door: what is collected and refused, and how the next order is judged by it.

use mortise_capability::PolicyRow;
use mortise_testkit::Rig;

use crate::shop::*;

async fn owed(rig: &Rig, order: &str, customer: &str) -> String {
    let input =
        format!(r#"{{"order_id":"{order}","amount":1000,"currency":"EUR","customer_id":"{customer}"}}"#);
    field(&rig.call("payment.on_delivery", &input).await, "payment_id")
}

async fn receive(rig: &Rig, payment: &str, stage: &str, more: &str) -> String {
    let input = format!(r#"{{"payment_id":"{payment}","stage":"{stage}"{more}}}"#);
    rig.call("payment.record_receipt", &input).await
}

async fn assess(rig: &Rig, customer: &str, amount: i64) -> String {
    let input = format!(
        r#"{{"customer_id":"{customer}","amount":{amount},"currency":"EUR","ship_to":{{"name":"Ann","street":["Main 1"],"city":"Lyon","postal_code":"69001","country":"FR"}}}}"#
    );
    rig.call("payment.assess", &input).await
}

#[tokio::test]
async fn a_customer_who_refuses_parcels_is_told_so_and_one_who_pays_is_not() {
    let (rig, _, _) = shop().await;
    assert_eq!(
        assess(&rig, "ann", 1_000).await,
        r#"ok {"score":10,"reasons":[{"code":"newcomer","points":10}]}"#
    );
    for order in ["o-1", "o-2"] {
        let payment = owed(&rig, order, "ann").await;
        assert_eq!(receive(&rig, &payment, "refused", "").await, r#"ok {"applied":"now"}"#);
        assert_eq!(receive(&rig, &payment, "refused", "").await, r#"ok {"applied":"already"}"#, "once");
        assert!(receive(&rig, &payment, "collected", "").await.starts_with("rejected receipt_refused"));
        assert_eq!(figures(&rig, &payment).await, "refused 1000-1000-0");
    }
    assert_eq!(
        assess(&rig, "ann", 1_000).await,
        r#"rejected too_risky {"score":70,"refuse_from":70,"reasons":[{"code":"refused_before","points":70}]}"#
    );
    let paid = owed(&rig, "o-3", "ann").await;
    assert_eq!(receive(&rig, &paid, "collected", r#","amount":1000"#).await, r#"ok {"applied":"now"}"#);
    assert!(assess(&rig, "ann", 1_000).await.starts_with(r#"ok {"score":60,"#), "paying speaks for ann");
    assert!(assess(&rig, "ben", 1_000).await.starts_with(r#"ok {"score":10,"#), "ben is somebody else");
    clean(&rig).await;
}

#[tokio::test]
async fn another_amount_than_is_expected_is_for_a_person() {
    let (rig, _, _) = shop().await;
    let payment = owed(&rig, "o-1", "ann").await;
    assert_eq!(
        receive(&rig, &payment, "collected", r#","amount":900"#).await,
        r#"rejected receipt_differs {"expected":1000,"came":900}"#
    );
    assert_eq!(figures(&rig, &payment).await, "due_on_delivery 1000-0-0", "nothing was booked");
    assert_eq!(receive(&rig, &payment, "collected", r#","amount":1000"#).await, r#"ok {"applied":"now"}"#);
    assert!(
        receive(&rig, &payment, "remitted", r#","amount":999"#)
            .await
            .contains(r#""expected":1000,"came":999"#)
    );
    assert_eq!(receive(&rig, &payment, "remitted", r#","amount":1000"#).await, r#"ok {"applied":"now"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn the_risk_is_the_shops_choice_by_scope() {
    let (rig, _, policies) = shop().await;
    policies.replace([PolicyRow {
        tenant: "acme".to_owned(),
        line: "grocery".to_owned(),
        channel: String::new(),
        name: "payment".to_owned(),
        document: r#"{"risk":{"amount_limit":5000,"countries":["DE"],"refuse_from":101}}"#.to_owned(),
    }]);
    let anybody = assess(&rig, "ann", 5_001).await;
    assert!(anybody.starts_with(r#"ok {"score":100,"#), "101 refuses nobody: {anybody}");
    assert!(anybody.contains(r#"{"code":"over_limit","points":100},{"code":"country","points":100}"#));
}

#[tokio::test]
async fn verify_holds_a_history_against_its_payments() {
    use mortise_store::Statement;
    let (rig, _, _) = shop().await;
    let payment = owed(&rig, "o-1", "ann").await;
    receive(&rig, &payment, "collected", "").await;
    clean(&rig).await;
    let forge = Statement::both("break", "UPDATE payment_history SET refused = refused + 1");
    rig.behind_the_back(forge).await.unwrap();
    assert_eq!(
        rig.findings().await,
        [
            "payment history: acme customer ann: the history has 1 paid at the door and 1 refused, the payments 1 and 0"
        ]
    );
}

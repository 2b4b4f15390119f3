//! What is off in the data is named.

use crate::shop::*;

#[tokio::test]
async fn verify_names_what_is_off() {
    use mortise_store::Statement;
    let (rig, _, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    rig.call("payment.refund", &format!(r#"{{"payment_id":"{payment}","amount":300}}"#)).await;
    clean(&rig).await;
    let broken = [
        (
            Statement::both(
                "break",
                "UPDATE payment_transfer SET amount = amount + 1 WHERE kind = 'captured'",
            ),
            Statement::both(
                "mend",
                "UPDATE payment_transfer SET amount = amount - 1 WHERE kind = 'captured'",
            ),
            "captured is 1000, its ledger brought 1001",
        ),
        (
            Statement::both("break", "UPDATE payment_payment SET refunded = refunded + 1"),
            Statement::both("mend", "UPDATE payment_payment SET refunded = refunded - 1"),
            "refunded is 301, its ledger took 300 away",
        ),
        (
            Statement::both("break", "UPDATE payment_payment SET pending_refund = pending_refund + 1"),
            Statement::both("mend", "UPDATE payment_payment SET pending_refund = pending_refund - 1"),
            "1 is set aside for refunds, those on their way are 0",
        ),
        (
            Statement::both("break", "UPDATE payment_transfer SET number = number + 1 WHERE number = 2"),
            Statement::both("mend", "UPDATE payment_transfer SET number = number - 1 WHERE number = 3"),
            "the last is number 3",
        ),
        (
            Statement::both(
                "break",
                "UPDATE payment_transfer SET credit = 'deposits_held' WHERE kind = 'captured'",
            ),
            Statement::both(
                "mend",
                "UPDATE payment_transfer SET credit = 'order_funds' WHERE kind = 'captured'",
            ),
            "700 is there of no deposit; the ledger has -300 of it as order_funds, 1000 as deposits_held",
        ),
        (
            Statement::both("break", "UPDATE payment_payment SET deposit = 'forfeited'"),
            Statement::both("mend", "UPDATE payment_payment SET deposit = NULL"),
            "700 is there of a deposit, forfeited; the ledger has 700 of it as order_funds",
        ),
        (
            Statement::both("break", "UPDATE payment_payment SET payment_id = payment_id || '1'"),
            Statement::both(
                "mend",
                "UPDATE payment_payment SET payment_id = substr(payment_id, 1, length(payment_id) - 1)",
            ),
            "transfer 1 has no payment",
        ),
    ];
    for (breaking, mending, problem) in broken {
        rig.behind_the_back(breaking).await.unwrap();
        let findings = rig.findings().await;
        assert!(findings.iter().any(|line| line.contains(problem)), "{problem}: {findings:?}");
        rig.behind_the_back(mending).await.unwrap();
        clean(&rig).await;
    }
}

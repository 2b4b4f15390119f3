//! The point `payment-risk`: what an extension is told of the customer, and that its score only ever raises the shop's.

use std::sync::{Arc, Mutex};

use mortise_points::payment_risk::{Assessment, Question};
use mortise_points::{Failure, FailureKind, Native, PaymentRisk};
use mortise_testkit::Rig;
use mortise_types::Span;

use crate::shop::*;

/// Scores every order so, and keeps what it was asked.
fn scoring(score: i64, asked: &Arc<Mutex<Vec<Question>>>) -> Native<PaymentRisk> {
    let asked = Arc::clone(asked);
    Native::new("velocity-risk", move |question: &Question| {
        asked.lock().unwrap().push(question.clone());
        Ok(Assessment { score, reason: "too many within an hour".to_owned() })
    })
}

async fn assess(rig: &Rig, customer: &str) -> String {
    let input = format!(
        r#"{{"customer_id":"{customer}","amount":500,"currency":"EUR","ship_to":{{"name":"Ann","street":["Main 1"],"city":"Lyon","postal_code":"69001","country":"FR"}}}}"#
    );
    rig.call("payment.assess", &input).await
}

async fn ordered(rig: &Rig, order: &str, customer: &str, currency: &str) {
    let input = format!(
        r#"{{"order_id":"{order}","amount":1000,"currency":"{currency}","customer_id":"{customer}"}}"#
    );
    let answer = rig.call("payment.on_delivery", &input).await;
    assert!(answer.starts_with("ok "), "{answer}");
}

#[tokio::test]
async fn what_was_ordered_lately_is_told_by_order_and_by_currency() {
    let asked = Arc::default();
    let (mut rig, _, _) = shop_with(Arc::new(scoring(0, &asked))).await;
    ordered(&rig, "o-1", "ann", "EUR").await;
    rig.now = rig.now.saturating_add(Span::minutes(30));
    // Two parcels of one order, one in another currency, one of somebody else.
    ordered(&rig, "o-2", "ann", "EUR").await;
    ordered(&rig, "o-2", "ann", "EUR").await;
    ordered(&rig, "o-3", "ann", "USD").await;
    ordered(&rig, "o-4", "ben", "EUR").await;
    for (later, hour, day) in
        [(0, (3, 3_000), (3, 3_000)), (31 * 60, (2, 2_000), (3, 3_000)), (24 * 60 * 60, (0, 0), (0, 0))]
    {
        rig.now = rig.now.saturating_add(Span::seconds(later));
        assert!(assess(&rig, "ann").await.starts_with(r#"ok {"score":10,"#));
        let question = asked.lock().unwrap().pop().unwrap();
        let counted =
            [question.last_hour, question.last_day].map(|recent| (recent.orders, recent.amount.minor()));
        assert_eq!(counted, [hour, day], "{later} s later");
        assert_eq!((question.score, question.country.code(), question.city.as_str()), (10, "FR", "Lyon"));
    }
}

#[tokio::test]
async fn the_higher_score_counts_with_both_reasons() {
    let asked = Arc::default();
    let own = r#"{"code":"newcomer","points":10}"#;
    let extension = |points: i64| {
        format!(
            r#"{{"code":"extension","points":{points},"extension":"velocity-risk@1.0.0","detail":"too many within an hour"}}"#
        )
    };
    for (score, expected) in [
        (0, format!(r#"ok {{"score":10,"reasons":[{own},{}]}}"#, extension(0))),
        (60, format!(r#"ok {{"score":60,"reasons":[{},{own}]}}"#, extension(60))),
        (
            70,
            format!(
                r#"rejected too_risky {{"score":70,"refuse_from":70,"reasons":[{},{own}]}}"#,
                extension(70)
            ),
        ),
    ] {
        let (rig, _, _) = shop_with(Arc::new(scoring(score, &asked))).await;
        assert_eq!(assess(&rig, "ann").await, expected);
    }
}

#[tokio::test]
async fn an_extension_that_fails_refuses_where_its_binding_says_so() {
    let fails = |_: &Question| Err(Failure::new(FailureKind::Trapped, "unreachable"));
    for (points, detail) in [
        (Native::<PaymentRisk>::new("velocity-risk", fails), r#""kind":"trapped","detail":"unreachable""#),
        (
            scoring(140, &Arc::default()),
            r#""kind":"invalid","detail":"assessment.score: 140 is not within 0 to 100""#,
        ),
    ] {
        let (rig, _, _) = shop_with(Arc::new(points)).await;
        assert_eq!(
            assess(&rig, "ann").await,
            format!(
                r#"rejected extension_refused {{"point":"payment-risk","extension":"velocity-risk@1.0.0",{detail}}}"#
            )
        );
    }
}

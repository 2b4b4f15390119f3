//! Peers' messages: verified, committed before they are acknowledged.

use insta::assert_snapshot;

use crate::house::House;

async fn message(house: &House, peer: &str, signature: &str, body: &str) -> String {
    let headers = format!("content-type: text/plain\nsignature: {signature}");
    house.ask(house.request(&format!("POST /v1/acme/books/hooks/{peer}"), &headers, body)).await
}

#[tokio::test]
async fn a_signed_message_is_committed_when_it_is_acknowledged() {
    let house = House::new().await;
    house.order("o1").await;
    let body = "till.note {\"order_id\":\"o1\",\"text\":\"on its way\"}\ntill.note {\"order_id\":\"o1\",\"text\":\"there\"}";
    assert_snapshot!(message(&house, "courier", "swordfish", body).await, @"204 No Content");
    let timeline = house.get("/read/till/timeline?order_id=o1").await;
    assert!(timeline.contains("on its way") && timeline.contains("there"), "{timeline}");
    assert!(message(&house, "courier", "swordfish", "").await.starts_with("204"), "of no interest");
}

#[tokio::test]
async fn an_unsigned_message_is_not_taken() {
    let house = House::new().await;
    let answer = message(&house, "courier", "sardine", "till.note {}").await;
    assert!(!answer.contains("swordfish"), "{answer}");
    assert_snapshot!(answer, @r#"
    401 Unauthorized
    www-authenticate: Mortise
    {"type":"/problems/webhook-signature",
     "title":"The signature of the message is not valid",
     "status":401,
     "code":"webhook-signature",
     "detail":"The signature does not match, is missing, or is too old.",
     "trace_id":"<id>"}
    "#);
    assert!(message(&house, "nobody", "swordfish", "").await.starts_with("404"));
}

#[tokio::test]
async fn a_message_that_cannot_be_carried_out_is_not_acknowledged() {
    let house = House::new().await;
    assert!(message(&house, "courier", "swordfish", "what?").await.starts_with("422"));
    assert!(message(&house, "courier", "swordfish", "till.nothing {}").await.starts_with("404"));
    let unknown = "till.note {\"order_id\":\"o9\",\"text\":\"there\"}";
    assert!(message(&house, "courier", "swordfish", unknown).await.contains("\"reason\":\"unknown_order\""));
    assert!(message(&house, "courier", "swordfish", "till.break {}").await.starts_with("500"));
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_server_goes_on() {
    let house = House::new().await;
    let answer = message(&house, "courier", "swordfish", "panic").await;
    assert!(!answer.contains("defect"), "{answer}");
    assert_snapshot!(answer, @r#"
    500 Internal Server Error
    {"type":"/problems/internal",
     "title":"Something went wrong on our side",
     "status":500,
     "code":"internal",
     "detail":"The request was not carried out to its end. Ask again with the same idempotency key.",
     "trace_id":"<id>"}
    "#);
    assert!(house.ask(house.request("GET /health/ready", "", "")).await.starts_with("200"));
}

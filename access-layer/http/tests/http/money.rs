//! Money is `{amount, currency}` outside and an amount inside; one trade has one currency.

use insta::assert_snapshot;

use crate::house::House;

fn body(currency: &str, offer: &str, tips: &str) -> String {
    format!(r#"{{"order_id":"o1","sku":"pen","currency":{currency},"offer":{offer},"tips":{tips}}}"#)
}

#[tokio::test]
async fn amounts_carry_the_trades_currency() {
    let house = House::new().await;
    let yen = r#"{"amount":900,"currency":"JPY"}"#;
    let answer = house.post("/trades/buy", "k1", &body(r#""JPY""#, yen, &format!("[{yen}]"))).await;
    assert_snapshot!(answer, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    {"order_id":"o1","total":{"amount":900,"currency":"JPY"},"tips":[{"amount":900,"currency":"JPY"}]}
    "#);
    // The order says its own currency, whatever the line's.
    assert_snapshot!(house.get("/read/till/order?order_id=o1").await, @r#"
    200 OK
    etag: "<id>"
    {"order_id":"o1","customer_id":"ada","currency":"JPY","total":{"amount":900,"currency":"JPY"}}
    "#);
}

#[tokio::test]
async fn a_currency_that_is_left_out_is_the_flows_default() {
    let house = House::new().await;
    let sent = |currency: &str| {
        format!(r#"{{"order_id":"o1","sku":"pen","offer":{{"amount":5,"currency":"{currency}"}}}}"#)
    };
    let refused = house.post("/trades/buy", "k1", &sent("USD")).await;
    assert!(refused.contains("currency-mismatch"), "{refused}");
    let answer = house.post("/trades/buy", "k2", &sent("EUR")).await;
    assert!(answer.contains(r#""total":{"amount":5,"currency":"EUR"}"#), "{answer}");
}

#[tokio::test]
async fn another_currency_is_refused_with_its_place() {
    let house = House::new().await;
    let dollar = r#"{"amount":5,"currency":"USD"}"#;
    let euro = r#"{"amount":5,"currency":"EUR"}"#;
    let sent = body(r#""EUR""#, euro, &format!("[{euro},{dollar}]"));
    assert_snapshot!(house.post("/trades/buy", "k1", &sent).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/currency-mismatch",
     "title":"An amount is in another currency than the trade",
     "status":422,
     "code":"currency-mismatch",
     "detail":"/tips/1 has to be in EUR, is in USD.",
     "pointer":"/tips/1",
     "errors":[{"pointer":"/tips/1",
     "detail":"has to be in EUR, is in USD"}],
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn an_amount_alone_is_not_money() {
    let house = House::new().await;
    assert_snapshot!(house.post("/trades/buy", "k1", &body(r#""EUR""#, "12.99", "[]")).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"/offer has to be money: {\"amount\": a whole number of minor units, \"currency\": its code}.",
     "pointer":"/offer",
     "errors":[{"pointer":"/offer",
     "detail":"has to be money: {\"amount\": a whole number of minor units, \"currency\": its code}"}],
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn a_flow_without_a_currency_has_its_lines() {
    let house = House::new().await;
    house.gate.add_permits(1);
    assert_snapshot!(house.post("/trades/ask", "k1", r#"{"order_id":"o1"}"#).await, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    {"order_id":"o1","fee":7}
    "#);
}

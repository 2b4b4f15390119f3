//! Reading, as a query and as a body, by customers and by staff.

use insta::assert_snapshot;

use crate::house::{House, header};

#[tokio::test]
async fn a_query_is_read_by_the_operations_schema() {
    let house = House::new().await;
    let found = house.look("/read/till/find?skus=pen&skus=ink&cheapest=true&limit=3").await;
    assert_eq!(found.lines().last().unwrap(), r#"{"skus":["pen","ink"],"cheapest":true,"limit":3}"#);
    assert_snapshot!(house.look("/read/till/find?skus=pen&cheapest=perhaps&limit=x").await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"/cheapest has to be true or false.",
     "pointer":"/cheapest",
     "errors":[{"pointer":"/cheapest",
     "detail":"has to be true or false"},{"pointer":"/limit",
     "detail":"has to be a whole number"}],
     "trace_id":"<id>"}
    "#);
    assert!(house.look("/read/till/find?cheapest=true").await.contains("/skus"));
    assert!(house.look("/read/till/budget?most=5").await.contains("with POST"));
}

#[tokio::test]
async fn a_body_says_what_a_query_cannot() {
    let house = House::new().await;
    let headers = "mortise-staff: grace";
    let line = "POST /v1/acme/books/read/till/budget";
    let sent = house.request(line, headers, r#"{"most":{"amount":500,"currency":"EUR"}}"#);
    let answer = house.ask(sent).await;
    assert_eq!(answer.lines().last().unwrap(), r#"{"most":{"amount":500,"currency":"EUR"}}"#);
    let other = house.request(line, headers, r#"{"most":{"amount":500,"currency":"USD"}}"#);
    assert!(house.ask(other).await.contains("currency-mismatch"));
}

#[tokio::test]
async fn customers_see_their_own() {
    let house = House::new().await;
    house.order("o1").await;
    let read = async |headers: &str, query: &str| {
        let line = format!("GET /v1/acme/books/read/till/order?order_id=o1{query}");
        house.ask(house.request(&line, headers, "")).await
    };
    assert!(read("mortise-customer: ada", "").await.starts_with("200"));
    assert_snapshot!(read("mortise-customer: bob", "").await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/rejected",
     "title":"The answer is no",
     "status":422,
     "code":"rejected",
     "detail":"The answer is no: unknown_order.",
     "reason":"unknown_order",
     "reason_page":"/problems/unknown_order",
     "trace_id":"<id>"}
    "#);
    assert!(read("mortise-customer: bob", "&customer_id=ada").await.contains("\"pointer\":\"/customer_id\""));
    assert!(read("mortise-staff: grace", "").await.starts_with("200"));
    assert!(read("mortise-staff: grace", "&customer_id=bob").await.contains("unknown_order"));
    assert!(read("", "").await.starts_with("401"));
    let elsewhere = "GET /v1/zenith/books/read/till/order?order_id=o1";
    assert!(house.ask(house.request(elsewhere, "mortise-staff: grace", "")).await.contains("unknown_order"));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let house = House::new().await;
    house.order("o1").await;
    let line = "GET /v1/acme/books/read/till/order?order_id=o1";
    let first = house.send(house.request(line, "mortise-customer: ada", "")).await;
    let tag = header(&first, "etag").unwrap();
    let again = async |tag: &str| {
        let headers = format!("mortise-customer: ada\nif-none-match: {tag}");
        house.ask(house.request(line, &headers, "")).await[..3].to_owned()
    };
    assert_eq!(again(tag).await, "304");
    assert_eq!(again(&format!("\"other\", W/{tag}")).await, "304");
    assert_eq!(again("\"other\"").await, "200");
}

#[tokio::test]
async fn only_reads_are_read() {
    let house = House::new().await;
    assert_snapshot!(house.get("/read/till/place").await, @r#"
    404 Not Found
    {"type":"/problems/unknown-operation",
     "title":"There is no such operation",
     "status":404,
     "code":"unknown-operation",
     "detail":"There is no operation `till.place` that can be used so.",
     "trace_id":"<id>"}
    "#);
    assert!(house.get("/read/till/nothing").await.starts_with("404"));
    assert!(house.get("/read/till/oder").await.contains("Did you mean `till.order`?"));
    assert!(house.get("/read/nobody/order").await.starts_with("404"));
}

//! Starting trades of published flows, and asking for them again.

use std::time::Duration;

use insta::assert_snapshot;

use crate::house::{House, buy, header};

#[tokio::test]
async fn a_published_flow_is_an_endpoint() {
    let house = House::new().await;
    assert_snapshot!(house.post("/trades/buy", "k1", &buy("o1", "pen", 1299)).await, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    {"order_id":"o1","total":{"amount":1299,"currency":"EUR"},"tips":[]}
    "#);
}

#[tokio::test]
async fn a_rejected_trade_is_a_problem_with_its_reason() {
    let house = House::new().await;
    assert_snapshot!(house.post("/trades/buy", "k1", &buy("o1", "gone", 1299)).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/trade-failed",
     "title":"The trade could not be completed",
     "status":422,
     "code":"trade-failed",
     "detail":"The answer is no: sold_out. Whatever the trade had done is undone.",
     "instance":"/v1/acme/books/trades/<id>",
     "reason":"sold_out",
     "reason_page":"/problems/sold_out",
     "reason_detail":{"last_price":{"amount":250,
     "currency":"EUR"},
     "sku":"gone"},
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn what_is_not_published_is_not_there() {
    let house = House::new().await;
    assert_snapshot!(house.post("/trades/sell", "k1", "{}").await, @r#"
    404 Not Found
    {"type":"/problems/unknown-flow",
     "title":"There is no such trade here",
     "status":404,
     "code":"unknown-flow",
     "detail":"No flow `sell` is published for this business line.",
     "trace_id":"<id>"}
    "#);
    assert!(house.post("/trades/secret", "k1", "{}").await.starts_with("404"), "an internal flow is shown");
    assert!(house.post("/trades/byu", "k1", "{}").await.contains("Did you mean `buy`?"));
    assert!(!house.post("/trades/secert", "k1", "{}").await.contains("Did you mean"));
    let elsewhere = house.request("POST /v1/ACME/books/trades/buy", "idempotency-key: k", "{}");
    assert!(house.ask(elsewhere).await.starts_with("404"), "a tenant of this name cannot be");
}

#[tokio::test]
async fn what_does_not_fit_is_named_with_its_place() {
    let house = House::new().await;
    let body = r#"{"order_id":7,"currency":"EUR","colour":"red","offer":{"amount":0,"currency":"EUR"}}"#;
    assert_snapshot!(house.post("/trades/buy", "k1", body).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"/order_id has to be string, is an integer.",
     "pointer":"/order_id",
     "errors":[{"pointer":"/order_id",
     "detail":"has to be string, is an integer"},{"pointer":"/colour",
     "detail":"is not a field here; known are currency, customer_id, offer, order_id, sku, tips"},{"pointer":"/offer",
     "detail":"has to be at least 1, is 0"},{"pointer":"/sku",
     "detail":"is missing"}],
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn the_trades_key_stands_for_one_content() {
    let house = House::new().await;
    house.order("o1").await;
    assert_snapshot!(house.post("/trades/buy", "k2", &buy("o1", "ink", 5)).await, @r#"
    409 Conflict
    {"type":"/problems/key-conflict",
     "title":"A trade of this name exists, with other content",
     "status":409,
     "code":"key-conflict",
     "detail":"The trade's key stands for one that was begun with other content.",
     "trace_id":"<id>"}
    "#);
    let same = house.post("/trades/buy", "k3", &buy("o1", "pen", 1299)).await;
    assert_snapshot!(same, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    idempotent-replayed: true
    {"order_id":"o1","total":{"amount":1299,"currency":"EUR"},"tips":[]}
    "#);
}

#[tokio::test]
async fn nobody_orders_for_anybody_else() {
    let house = House::new().await;
    let for_bob = buy("o1", "pen", 5).replacen('{', r#"{"customer_id":"bob","#, 1);
    assert_snapshot!(house.post("/trades/buy", "k1", &for_bob).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"Whose it is follows from who is signed in: leave the field out.",
     "pointer":"/customer_id",
     "trace_id":"<id>"}
    "#);
    let for_ada = for_bob.replace("bob", "ada");
    assert!(house.post("/trades/buy", "k2", &for_ada).await.starts_with("200"));
    let nobody = house.request("POST /v1/acme/books/trades/buy", "idempotency-key: k3", &buy("o2", "pen", 5));
    assert_snapshot!(house.ask(nobody).await, @r#"
    401 Unauthorized
    www-authenticate: Mortise
    {"type":"/problems/unauthenticated",
     "title":"Sign in first",
     "status":401,
     "code":"unauthenticated",
     "detail":"This is for a customer who is signed in.",
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn a_trade_that_takes_long_is_asked_for_again() {
    let house = House::with(|settings| settings.answer_wait = Duration::from_millis(700)).await;
    let request = "POST /v1/acme/books/trades/ask";
    let headers = "mortise-customer: ada\nidempotency-key: k1";
    let first = house.send(house.request(request, headers, r#"{"order_id":"o1"}"#)).await;
    assert_snapshot!(crate::house::shown(&first), @r#"
    202 Accepted
    location: /v1/acme/books/trades/<id>
    retry-after: 1
    {"trade":"<id>","status":"running"}
    "#);
    let path = header(&first, "location").unwrap().strip_prefix("/v1/acme/books").unwrap().to_owned();
    assert!(house.get(&path).await.starts_with("202"));
    house.gate.add_permits(1);
    house.engine.rest().await;
    let answer = house.get(&path).await;
    assert_snapshot!(answer, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    {"order_id":"o1","fee":7}
    "#);
    // Others do not see it; the staff of the line do, of another line not.
    let asked = async |headers: &str, line: &str| {
        let path = format!("GET /v1/acme/{line}{path}");
        house.ask(house.request(&path, headers, "")).await[..3].to_owned()
    };
    assert_eq!(asked("mortise-customer: bob", "books").await, "404");
    assert_eq!(asked("", "books").await, "404");
    assert_eq!(asked("mortise-staff: grace", "books").await, "200");
    assert_eq!(asked("mortise-staff: grace", "toys").await, "404");
}

#[tokio::test]
async fn a_trade_that_failed_says_so_again() {
    let house = House::new().await;
    let request = house.request(
        "POST /v1/acme/books/trades/buy",
        "mortise-customer: ada\nidempotency-key: k1",
        &buy("o1", "gone", 5),
    );
    let first = house.send(&request).await;
    let problem: serde_json::Value = serde_json::from_str(crate::house::body(&first)).unwrap();
    let path = problem["instance"].as_str().unwrap();
    let again = house.send(house.request(&format!("GET {path}"), "mortise-customer: ada", "")).await;
    assert_eq!(crate::house::body(&again), crate::house::body(&first));
}

//! The same key gets the same bytes; a key in use is refused; a key of another request is refused.

use std::time::Duration;

use insta::assert_snapshot;

use crate::house::{House, LIMIT, body, buy, header};

#[tokio::test]
async fn the_same_key_gets_the_same_bytes() {
    let house = House::new().await;
    for (key, sku, status) in [("k1", "pen", "200"), ("k2", "gone", "422")] {
        let headers = format!("mortise-customer: ada\nidempotency-key: {key}");
        let request = house.request("POST /v1/acme/books/trades/buy", &headers, &buy(key, sku, 1299));
        let first = house.send(&request).await;
        let again = house.send(&request).await;
        assert!(first.contains(&format!("HTTP/1.1 {status}")), "{first}");
        assert_eq!(body(&again), body(&first));
        assert_eq!(header(&first, "idempotent-replayed"), None);
        assert_eq!(header(&again, "idempotent-replayed"), Some("true"));
    }
}

#[tokio::test]
async fn the_same_key_gets_the_same_bytes_after_the_flow_has_changed() {
    let house = House::new().await;
    let headers = "mortise-customer: ada\nidempotency-key: k1";
    let request = house.request("POST /v1/acme/books/trades/buy", headers, &buy("o1", "pen", 1299));
    let first = house.send(&request).await;
    let other = "flow: buy\nversion: 2\nsummary: Sells nothing.\ninput: { type: object, additionalProperties: true, required: [order_id], properties: { order_id: { type: string }, customer_id: { $ref: customer/CustomerId } } }\n\
                 key: ${ input.order_id }\nsteps:\n  - answer: { total: 1 }\n";
    let scope = (mortise_engine::PLATFORM, "");
    house
        .engine
        .publish(scope, other, mortise_engine::Aliasing::Move)
        .await
        .unwrap_or_else(|e| panic!("{e:#?}"));
    let again = house.send(&request).await;
    assert_eq!(body(&again), body(&first));
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let house = House::new().await;
    house.post("/trades/buy", "k1", &buy("o1", "pen", 5)).await;
    assert_snapshot!(house.post("/trades/buy", "k1", &buy("o2", "pen", 5)).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/idempotency-mismatch",
     "title":"The Idempotency-Key was used for another request",
     "status":422,
     "code":"idempotency-mismatch",
     "detail":"This key stands for another request. Use a new key for a new request.",
     "trace_id":"<id>"}
    "#);
    assert!(house.post("/trades/ask", "k1", r#"{"order_id":"o1"}"#).await.starts_with("422"), "another flow");
}

#[tokio::test]
async fn keys_are_their_callers_own() {
    let house = House::new().await;
    house.post("/trades/buy", "k1", &buy("o1", "pen", 5)).await;
    let bob = "mortise-customer: bob\nidempotency-key: k1";
    for (path, order) in [("/v1/acme/books", "o2"), ("/v1/acme/toys", "o3"), ("/v1/zenith/books", "o1")] {
        let line = format!("POST {path}/trades/buy");
        let answer = house.ask(house.request(&line, bob, &buy(order, "pen", 5))).await;
        assert!(answer.starts_with("200") && !answer.contains("replayed"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_key_in_use_is_refused_until_its_request_is_answered() {
    let house = House::new().await;
    let headers = "mortise-customer: ada\nidempotency-key: k1";
    let request = house.request("POST /v1/acme/books/trades/ask", headers, r#"{"order_id":"o1"}"#);
    let other = house.request("POST /v1/acme/books/trades/ask", headers, r#"{"order_id":"o2"}"#);
    let meanwhile = async {
        // The first request has its turn once its trade is there.
        while house.engine.figures().stretches.load(std::sync::atomic::Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let same = house.ask(&request).await;
        let other = house.ask(&other).await;
        house.gate.add_permits(1);
        (same, other)
    };
    let (first, (same, other)) =
        tokio::time::timeout(LIMIT, async { tokio::join!(house.ask(&request), meanwhile) }).await.unwrap();
    assert!(first.starts_with("200"), "{first}");
    assert_snapshot!(same, @r#"
    409 Conflict
    retry-after: 1
    {"type":"/problems/idempotency-in-progress",
     "title":"The first request with this key is still running",
     "status":409,
     "code":"idempotency-in-progress",
     "detail":"Ask again in a while, with the same key: you get the first one's answer.",
     "trace_id":"<id>"}
    "#);
    assert!(other.starts_with("422"), "{other}");
    assert!(house.ask(&request).await.starts_with("200"));
}

#[tokio::test]
async fn a_repeat_of_a_trade_that_goes_on_is_told_to_wait() {
    let house = House::with(|settings| settings.answer_wait = Duration::from_millis(700)).await;
    assert!(house.post("/trades/ask", "k1", r#"{"order_id":"o1"}"#).await.starts_with("202"));
    assert!(house.post("/trades/ask", "k1", r#"{"order_id":"o1"}"#).await.starts_with("409"));
    house.gate.add_permits(1);
    house.engine.rest().await;
    let answer = house.post("/trades/ask", "k1", r#"{"order_id":"o1"}"#).await;
    assert!(answer.starts_with("200") && answer.contains("idempotent-replayed: true"), "{answer}");
}

#[tokio::test]
async fn a_key_is_one_printable_header_of_bounded_length() {
    let house = House::new().await;
    let ask = async |headers: &str| {
        let headers = format!("mortise-customer: ada\n{headers}");
        house.ask(house.request("POST /v1/acme/books/trades/buy", &headers, &buy("o1", "pen", 5))).await
    };
    assert_snapshot!(ask("").await, @r#"
    400 Bad Request
    {"type":"/problems/idempotency-key-missing",
     "title":"The request needs an Idempotency-Key",
     "status":400,
     "code":"idempotency-key-missing",
     "detail":"Send a header Idempotency-Key, new for each request and the same when it is repeated.",
     "trace_id":"<id>"}
    "#);
    assert_snapshot!(ask("idempotency-key: a b").await, @r#"
    400 Bad Request
    {"type":"/problems/idempotency-key-invalid",
     "title":"The Idempotency-Key is not valid",
     "status":400,
     "code":"idempotency-key-invalid",
     "detail":"An Idempotency-Key is one header of 1 to 255 visible ASCII characters.",
     "trace_id":"<id>"}
    "#);
    let long = format!("idempotency-key: {}", "x".repeat(256));
    for wrong in ["idempotency-key:", "idempotency-key: ü", "idempotency-key: a\nidempotency-key: b", &long]
    {
        assert!(ask(wrong).await.contains("idempotency-key-invalid"), "{wrong}");
    }
    assert!(ask(&long[..long.len() - 1]).await.starts_with("200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_one_request_is_one_trade() {
    let house = House::new().await;
    let headers = "mortise-customer: ada\nidempotency-key: k1";
    let request = house.request("POST /v1/acme/books/trades/buy", headers, &buy("o1", "pen", 5));
    let answers = futures::future::join_all((0..64).map(|_| house.ask(&request))).await;
    let begun = answers.iter().filter(|answer| answer.starts_with("200") && !answer.contains("replayed"));
    assert_eq!(begun.count(), 1, "{answers:#?}");
    for answer in &answers {
        assert!(answer.starts_with("200") || answer.contains("idempotency-in-progress"), "{answer}");
    }
    assert!(house.ask(&request).await.contains("idempotent-replayed: true"));
}

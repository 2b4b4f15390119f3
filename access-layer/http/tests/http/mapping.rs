//! Bodies that are no flow's input, where somebody maps them: what becomes of what comes back.

use std::sync::Arc;

use insta::assert_snapshot;
use mortise_points::request_mapping::{Mapped, Question};
use mortise_points::{Failure, FailureKind, Native, RequestMapping};

use crate::house::{House, buy};

/// Reads `{"do": ...}`; any other body is for the flow.
fn read(question: &Question) -> Result<Option<Mapped>, Failure> {
    let body: serde_json::Value = serde_json::from_str(&question.body).unwrap();
    let Some(wish) = body["do"].as_str() else { return Ok(None) };
    let customer = question.customer_id.as_ref().map_or("nobody", |customer| customer.as_str());
    let order = |id: &str, more: &str| {
        format!(
            r#"{{"order_id":"{id}","sku":"pen","offer":{{"amount":1299,"currency":"{}"}}{more}}}"#,
            question.currency.code()
        )
    };
    let input = match wish {
        "buy" => order(&format!("{}-{}-{customer}", question.flow, question.channel), ""),
        "as bob" => order("o-1", r#","customer_id":"bob""#),
        "without offer" => r#"{"order_id":"o-1","sku":"pen"}"#.to_owned(),
        "list" => "[]".to_owned(),
        "deep" => format!(r#"{{"order_id":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        "decline" => return Err(Failure::new(FailureKind::Declined, "a cart has articles")),
        other => return Err(Failure::new(FailureKind::Trapped, format!("unreachable: {other}"))),
    };
    Ok(Some(Mapped { input, reason: "a cart".to_owned() }))
}

async fn house() -> House {
    House::with(|settings| settings.points = Arc::new(Native::<RequestMapping>::new("carts", read))).await
}

async fn wish(house: &House, key: &str, wish: &str) -> String {
    house.post("/trades/buy", key, &format!(r#"{{"do":"{wish}"}}"#)).await
}

#[tokio::test]
async fn a_body_of_its_own_starts_the_trade_and_says_who_read_it() {
    let house = house().await;
    let first = wish(&house, "k1", "buy").await;
    assert_snapshot!(first, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    mortise-mapped-by: carts@1.0.0
    {"order_id":"buy-api-ada","total":{"amount":1299,"currency":"EUR"},"tips":[]}
    "#);
    let again = wish(&house, "k1", "buy").await;
    assert!(again.contains("idempotent-replayed: true") && again.contains("buy-api-ada"), "{again}");
}

#[tokio::test]
async fn a_body_that_nobody_knows_is_the_flows_input() {
    let house = house().await;
    let own = house.post("/trades/buy", "k1", &buy("o1", "pen", 1299)).await;
    assert!(own.starts_with("200") && !own.contains("mortise-mapped-by"), "{own}");
}

#[tokio::test]
async fn what_was_mapped_is_judged_like_any_body() {
    let house = house().await;
    assert_snapshot!(wish(&house, "k1", "without offer").await, @r#"
    422 Unprocessable Entity
    mortise-mapped-by: carts@1.0.0
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"/offer is missing.",
     "pointer":"/offer",
     "errors":[{"pointer":"/offer",
     "detail":"is missing"}],
     "trace_id":"<id>"}
    "#);
    let for_bob = wish(&house, "k2", "as bob").await;
    assert!(for_bob.starts_with("422") && for_bob.contains("follows from who is signed in"), "{for_bob}");
}

#[tokio::test]
async fn an_extensions_own_error_is_the_callers_and_any_other_the_shops() {
    let house = house().await;
    assert_snapshot!(wish(&house, "k1", "decline").await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"The body cannot be taken: a cart has articles.",
     "pointer":"",
     "trace_id":"<id>"}
    "#);
    assert_snapshot!(wish(&house, "k2", "trap").await, @r#"
    500 Internal Server Error
    {"type":"/problems/extension-failed",
     "title":"A rule of this shop could not be worked out",
     "status":500,
     "code":"extension-failed",
     "detail":"This shop's reading of the body failed. Nothing was begun.",
     "trace_id":"<id>"}
    "#);
    for (key, invalid) in [("k3", "list"), ("k4", "deep")] {
        let answer = wish(&house, key, invalid).await;
        assert!(answer.starts_with("500") && answer.contains("extension-failed"), "{invalid}: {answer}");
    }
    let broken = house.post("/trades/buy", "k5", r#"{"do": "#).await;
    assert!(broken.starts_with("400"), "nobody is asked about what is no JSON: {broken}");
}

#[tokio::test]
async fn the_description_says_where_other_bodies_are_taken() {
    let described = async |house: &House| {
        let document = house.send(house.request("GET /v1/acme/books/openapi.json", "", "")).await;
        (document.contains("makes this of it"), document.contains("Mortise-Mapped-By"))
    };
    assert_eq!(described(&house().await).await, (true, true));
    assert_eq!(described(&House::new().await).await, (false, false));
}

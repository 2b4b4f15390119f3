//! What waits for a person, and what staff choose about it.

use insta::assert_snapshot;
use mortise_engine::{Aliasing, PLATFORM};

use crate::house::{House, body, shown};

const DOUBT: &str = r#"
flow: doubt
version: 1
summary: Somebody should look at a till, which goes on meanwhile.
input:
  type: object
  required: [till]
  properties:
    till: { type: string }
key: ${ input.till }
steps:
  - attention: the till of the ${ input.till } rings
  - answer: { till: "${ input.till }" }
  - id: rest
    sleep: 1d
"#;

async fn choose(house: &House, trade: &str, caller: &str, sent: &str) -> String {
    let line = format!("POST /v1/acme/books/attention/{trade}");
    house.ask(house.request(&line, caller, sent)).await
}

#[tokio::test]
async fn staff_see_what_waits_and_choose() {
    let house = House::new().await;
    house.engine.publish((PLATFORM, ""), DOUBT, Aliasing::Keep).await.unwrap();
    let headers = "mortise-staff: grace\nidempotency-key: k1";
    let begun = house.request("POST /v1/acme/books/trades/doubt", headers, r#"{"till":"west"}"#);
    let begun = house.ask(begun).await;
    assert!(begun.starts_with("200"), "{begun}");

    let look = "GET /v1/acme/books/attention";
    let listed = house.send(house.request(look, "mortise-staff: grace", "")).await;
    let waiting: serde_json::Value = serde_json::from_str(body(&listed)).unwrap();
    let trade = waiting["waiting"][0]["trade"].as_str().unwrap().to_owned();
    let seen = shown(&listed).replace(waiting["waiting"][0]["notes"][0]["at"].as_str().unwrap(), "<at>");
    assert_snapshot!(seen, @r#"
    200 OK
    {"waiting":[{"trade":"<id>","flow":"doubt","key":"west","line":"books","standing":"goes_on","notes":[{"step":"attention","text":"the till of the west rings","at":"<at>"}],"choices":["done","compensate"]}]}
    "#);
    let elsewhere = house.request("GET /v1/acme/toys/attention", "mortise-staff: grace", "");
    assert!(house.ask(elsewhere).await.ends_with(r#"{"waiting":[]}"#), "another line has its own");

    let grace = "mortise-staff: grace";
    let skip = choose(&house, &trade, grace, r#"{"choice":"skip","reason":"it is late"}"#).await;
    assert!(skip.starts_with("422") && skip.contains(r#""reason":"not_so""#), "{skip}");
    assert!(skip.contains("goes on: what can be done about it is done, compensate."), "{skip}");
    let mute = choose(&house, &trade, grace, r#"{"choice":"done","reason":" "}"#).await;
    assert!(mute.starts_with("422") && mute.contains(r#""pointer":"/reason""#), "{mute}");
    let other = choose(&house, &trade, grace, r#"{"choice":"wish","reason":"x"}"#).await;
    assert!(other.starts_with("422") && other.contains("expected one of `retry`, `skip`"), "{other}");
    for caller in ["mortise-customer: ada", ""] {
        let refused = choose(&house, &trade, caller, r#"{"choice":"done","reason":"x"}"#).await;
        assert!(refused.starts_with("40"), "{refused}");
    }

    let back = r#"{"choice":"compensate","reason":"a false alarm"}"#;
    assert_snapshot!(choose(&house, &trade, grace, back).await, @r#"
    202 Accepted
    content-location: /v1/acme/books/trades/<id>
    {"trade":"<id>","choice":"compensate"}
    "#);
    house.engine.rest().await;
    let after = house.ask(house.request(look, grace, "")).await;
    assert!(after.ends_with(r#"{"waiting":[]}"#), "{after}");
    let again = choose(&house, &trade, grace, back).await;
    assert!(again.starts_with("422") && again.contains(r#""reason":"not_waiting""#), "{again}");
    let nothing = choose(&house, "nothing", grace, back).await;
    assert!(nothing.starts_with("404"), "{nothing}");
}

//! What the auctions' tests share: a database with an auction in it, and its bidders in short.

use std::sync::Arc;

use mortise_capability::{Call, CallContext, Policies, Reply};
use mortise_contract::Value;
use mortise_points::{NoExtensions, Points};
use mortise_testkit::{Rig, SeededIds};
use mortise_types::{CustomerId, Span, Timestamp};

pub const SHIP_TO: &str =
    r#"{"name":"A. Smith","street":["Main Street 1"],"city":"Berlin","postal_code":"10115","country":"DE"}"#;

/// When auctions of these tests close: an hour after the rig's first moment.
pub const CLOSES_AT: &str = "2026-01-01T01:00:00.000Z";

pub async fn rig() -> Rig {
    rig_with(Arc::new(NoExtensions)).await
}

/// A rig whose extension points are answered by `points`.
pub async fn rig_with(points: Arc<dyn Points>) -> Rig {
    let policies = Arc::new(Policies::default());
    let capability = mortise_auction::capability(policies, Arc::new(SeededIds::new(1)), points);
    Rig::new([capability.expect("it can be declared")]).await
}

/// The input that opens an auction from 10.00 in steps of 1.00; `terms` is `,"field":value` for more.
pub fn open_with(auction: &str, terms: &str) -> String {
    format!(
        concat!(
            r#"{{"auction_id":"{}","lot":{{"title":"a chair","sku":"chair","quantity":1,"seller_id":"sara"}},"currency":"EUR","#,
            r#""terms":{{"starting_price":1000,"closes_at":"{}","increments":[{{"from":0,"step":100}}],"payment_window_s":3600{}}}}}"#
        ),
        auction, CLOSES_AT, terms
    )
}

/// A rig with the auction `a`.
pub async fn opened(terms: &str) -> Rig {
    let rig = rig().await;
    let reply = rig.call("auction.open", &open_with("a", terms)).await;
    assert!(reply.starts_with("ok "), "{reply}");
    rig
}

pub fn register(auction: &str, who: &str) -> String {
    format!(r#"{{"auction_id":"{auction}","customer_id":"{who}","ship_to":{SHIP_TO}}}"#)
}

pub fn deposit(auction: &str, who: &str, deposit: i64) -> String {
    format!(
        r#"{{"auction_id":"{auction}","customer_id":"{who}","ship_to":{SHIP_TO},"payment_id":"pay-{who}","deposit":{deposit}}}"#
    )
}

/// Admits bidders without a deposit.
pub async fn admitted(rig: &Rig, auction: &str, all: &[&str]) {
    for who in all {
        let reply = rig.call("auction.register", &register(auction, who)).await;
        assert!(reply.starts_with("ok "), "{reply}");
    }
}

/// Admits bidders with a deposit; their registrations.
pub async fn deposited(rig: &Rig, auction: &str, all: &[&str], amount: i64) -> Vec<String> {
    let mut registrations = Vec::new();
    for who in all {
        let reply = rig.call("auction.register_with_deposit", &deposit(auction, who, amount)).await;
        let reply = reply.strip_prefix(r#"ok {"registration":""#).unwrap_or_else(|| panic!("{reply}"));
        registrations.push(reply.split('"').next().expect("an id").to_owned());
    }
    registrations
}

/// A bid, of an amount at once or up to a maximum.
pub fn bid(auction: &str, who: &str, bid: &str) -> String {
    format!(r#"{{"auction_id":"{auction}","customer_id":"{who}","bid":{bid}}}"#)
}

pub fn up_to(most: i64) -> String {
    format!(r#"{{"maximum":{most}}}"#)
}

pub async fn bids(rig: &Rig, auction: &str, who: &str, most: i64) -> String {
    rig.call("auction.bid", &bid(auction, who, &up_to(most))).await
}

pub fn of(auction: &str) -> String {
    format!(r#"{{"auction_id":"{auction}"}}"#)
}

pub fn offer(auction: &str, offer: i64) -> String {
    format!(r#"{{"auction_id":"{auction}","offer":{offer}}}"#)
}

/// The moment so many seconds behind the rig's first.
pub fn seconds(count: u32) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000).saturating_add(Span::seconds(count))
}

/// The reply of an operation to a signed-in customer, as JSON.
pub async fn seen(rig: &Rig, who: &str, operation: &str, input: &str) -> serde_json::Value {
    let call = rig.call_of(mortise_contract::json(input).expect("JSON"));
    let caller = Some(CustomerId::new(who).expect("an id"));
    let context = Arc::new(CallContext { caller, ..CallContext::clone(&call.context) });
    let replies = rig.run(operation, vec![Call { context, input: call.input }]).await.expect("it runs");
    output(&replies[0])
}

/// What an operation answered, as JSON.
pub fn output(reply: &Reply<Value>) -> serde_json::Value {
    match &reply.outcome {
        mortise_capability::Outcome::Done(value) => {
            serde_json::from_str(&value.to_json()).expect("an output is JSON")
        }
        other => panic!("{other:?}"),
    }
}

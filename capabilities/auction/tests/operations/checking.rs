//! The point `bid-check`: what an extension sees of an auction, what its objection does, and that a bid that was judged
//! before another one came is looked at again.

use std::sync::{Arc, Mutex};

use mortise_capability::Staleness;
use mortise_points::bid_check::{Objection, Question};
use mortise_points::{BidCheck, Failure, FailureKind, Native};
use mortise_testkit::Rig;

use crate::room::*;

/// Bids are at least 5.00 above the price.
fn fives(question: &Question) -> Option<Objection> {
    let least = question.price?.minor() + 500;
    let reason = "bids are at least 5.00 apart".to_owned();
    (question.maximum.minor() < least).then_some(Objection { at_least: Some(least), reason })
}

/// The auction `a` with a reserve price, ann and bob admitted, whose bids are held apart.
async fn held_apart(asked: &Arc<Mutex<Vec<Question>>>) -> Rig {
    let asked = Arc::clone(asked);
    let points = Native::<BidCheck>::new("minimum-increment", move |question: &Question| {
        asked.lock().expect("nobody panicked").push(question.clone());
        Ok(fives(question))
    });
    let rig = rig_with(Arc::new(points)).await;
    let opened = rig.call("auction.open", &open_with("a", r#","reserve_price":900000"#)).await;
    assert!(opened.starts_with("ok "), "{opened}");
    admitted(&rig, "a", &["ann", "bob"]).await;
    rig
}

async fn look(rig: &Rig, who: &str, most: i64) -> String {
    let input = bid("a", who, &up_to(most)).replace(r#","bid""#, r#","currency":"EUR","bid""#);
    rig.call("auction.assess", &input).await
}

#[tokio::test]
async fn an_objection_refuses_a_bid_that_the_auction_would_take() {
    let asked = Arc::default();
    let rig = held_apart(&asked).await;
    assert_eq!(
        look(&rig, "ann", 5_000).await,
        r#"ok {"bid":{"maximum":5000},"asking_price":1000,"judged_at":1}"#
    );
    bids(&rig, "a", "ann", 5_000).await;
    assert_eq!(
        look(&rig, "bob", 1_400).await,
        r#"rejected bid_objected {"reason":"bids are at least 5.00 apart","at_least":1500,"extension":"minimum-increment@1.0.0"}"#
    );
    assert!(look(&rig, "bob", 1_500).await.starts_with("ok "));
    let too_low = look(&rig, "bob", 1_050).await;
    assert!(too_low.starts_with("rejected bid_too_low"), "the auction's own rules come first: {too_low}");
}

#[tokio::test]
async fn an_extension_sees_the_bidders_own_maximum_and_nobody_elses() {
    let asked = Arc::default();
    let rig = held_apart(&asked).await;
    bids(&rig, "a", "ann", 5_000).await;
    look(&rig, "bob", 2_000).await;
    look(&rig, "ann", 6_000).await;
    let asked = asked.lock().expect("nobody panicked");
    let [of_bob, of_ann] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((of_bob.price.map(|price| price.minor()), of_bob.own_maximum), (Some(1_000), None));
    assert_eq!(of_ann.own_maximum.map(|own| own.minor()), Some(5_000));
    let told = serde_json::to_string(of_bob).expect("JSON");
    assert!(!told.contains("5000") && !told.contains("900000"), "a secret of others: {told}");
}

#[tokio::test]
async fn a_bid_that_was_judged_before_another_came_is_looked_at_again() {
    let mut rig = held_apart(&Arc::default()).await;
    rig.staleness = Staleness::MayReply;
    bids(&rig, "a", "ann", 5_000).await;
    let judged = |who: &str, at: i64| {
        bid("a", who, &up_to(1_600)).replacen('{', &format!(r#"{{"judged_at":{at},"#), 1)
    };
    assert_eq!(rig.call("auction.bid", &judged("bob", 1)).await, "stale");
    let own = rig.call("auction.bid", &judged("bob", 1).replace("1600", "1000")).await;
    assert!(own.starts_with("rejected bid_too_low"), "what the auction refuses is refused at once: {own}");
    assert!(rig.call("auction.bid", &judged("bob", 2)).await.starts_with("ok "));
    rig.staleness = Staleness::Decide;
    let decided = rig.call("auction.bid", &judged("bob", 2).replace("1600", "4000")).await;
    assert!(decided.starts_with("ok "), "{decided}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_extension_that_fails_refuses_where_its_binding_says_so() {
    let fails = |_: &Question| Err(Failure::new(FailureKind::OutOfFuel, "used up"));
    let nonsense = |question: &Question| {
        let at_least = Some(question.maximum.minor());
        Ok(Some(Objection { at_least, reason: "no".to_owned() }))
    };
    for (points, detail) in [
        (Native::<BidCheck>::new("x", fails), r#""kind":"out_of_fuel","detail":"used up""#),
        (
            Native::new("x", nonsense),
            r#""kind":"invalid","detail":"objection.at-least: 5000 is not above the 5000 that is bid""#,
        ),
    ] {
        let rig = rig_with(Arc::new(points)).await;
        rig.call("auction.open", &open_with("a", "")).await;
        admitted(&rig, "a", &["ann"]).await;
        let refused =
            format!(r#"rejected extension_refused {{"point":"bid-check","extension":"x@1.0.0",{detail}}}"#);
        assert_eq!(look(&rig, "ann", 5_000).await, refused);
    }
}

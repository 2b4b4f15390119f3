//! Who sees what of an auction.

use crate::room::*;

#[tokio::test]
async fn bidders_see_each_other_by_number_and_their_own_maxima_only() {
    let rig = opened(r#","reserve_price":4000"#).await;
    admitted(&rig, "a", &["ann", "bob"]).await;
    bids(&rig, "a", "ann", 5_000).await;
    bids(&rig, "a", "bob", 4_500).await;
    let entries = |view: &serde_json::Value| view["entries"].as_array().expect("entries").clone();
    let bob = entries(&seen(&rig, "bob", "auction.bids", &of("a")).await);
    assert_eq!(bob.len(), 2);
    assert_eq!(
        (&bob[0]["paddle"], &bob[0]["price"], &bob[0]["leading"]),
        (&1.into(), &4_000.into(), &1.into())
    );
    assert!(bob[0].get("maximum").is_none() && bob[0].get("customer_id").is_none(), "{}", bob[0]);
    assert_eq!((&bob[1]["maximum"], &bob[1]["customer_id"]), (&4_500.into(), &"bob".into()));
    // Asking for another's part shows what everybody sees.
    let asked = r#"{"auction_id":"a","customer_id":"ann"}"#;
    let bob = entries(&seen(&rig, "bob", "auction.bids", asked).await);
    assert!(bob.iter().all(|entry| entry.get("maximum").is_none()), "{bob:?}");
    let view = seen(&rig, "bob", "auction.get", asked).await;
    assert!(view.get("own").is_none() && view.get("reserve_price").is_none(), "{view}");
    let view = seen(&rig, "ann", "auction.get", &of("a")).await;
    assert_eq!((&view["own"]["leading"], &view["own"]["maximum"]), (&true.into(), &5_000.into()));
    assert_eq!((&view["summary"]["price"], &view["summary"]["asking_price"]), (&4_600.into(), &4_700.into()));
    assert_eq!((&view["has_reserve"], view.get("reserve_price")), (&true.into(), None));
    let staff = rig.call("auction.get", &of("a")).await;
    assert!(staff.contains(r#""reserve_price":4000"#), "{staff}");
    let staff = rig.call("auction.bids", &of("a")).await;
    assert!(staff.contains(r#""maximum":5000"#) && staff.contains(r#""maximum":4500"#), "{staff}");
}

#[tokio::test]
async fn a_timeline_is_followed_from_a_position_on() {
    let mut rig = opened(r#","extension":{"within_s":60,"by_s":60,"most":5}"#).await;
    admitted(&rig, "a", &["ann"]).await;
    rig.now = seconds(3_590);
    bids(&rig, "a", "ann", 5_000).await;
    rig.now = seconds(3_660);
    rig.call("auction.close", &of("a")).await;
    let part = |after: i64, limit: i64| format!(r#"{{"auction_id":"a","after":{after},"limit":{limit}}}"#);
    let all = rig.call("auction.timeline", &part(0, 50)).await;
    let kinds: Vec<&str> =
        all.split(r#""kind":""#).skip(1).map(|rest| rest.split('"').next().expect("a kind")).collect();
    assert_eq!(kinds, ["opened", "bid", "extended", "awarded"]);
    assert!(all.ends_with(r#""position":4,"state":"awarded"}"#), "{all}");
    let some = rig.call("auction.timeline", &part(1, 2)).await;
    assert!(some.starts_with(r#"ok {"entries":[{"position":2,"kind":"bid""#), "{some}");
    assert!(
        some.contains(r#"{"position":3,"kind":"extended","closes_at":"2026-01-01T01:01:00.000Z""#),
        "{some}"
    );
    let none = rig.call("auction.timeline", &of("b")).await;
    assert_eq!(none, r#"rejected auction_unknown {"auction_id":"b"}"#);
}

#[tokio::test]
async fn what_the_next_bidder_pays_is_told_to_that_bidder_only() {
    let mut rig = opened("").await;
    admitted(&rig, "a", &["ann", "bob"]).await;
    bids(&rig, "a", "bob", 4_500).await;
    bids(&rig, "a", "ann", 5_000).await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("a")).await;
    rig.now = seconds(7_200);
    rig.call("auction.next_bidder", &offer("a", 1)).await;
    let offered = |view: &serde_json::Value| {
        let entries = view["entries"].as_array().expect("entries");
        let last = entries.last().expect("the offer to bob");
        assert_eq!((&last["kind"], &last["paddle"]), (&"awarded".into(), &2.into()));
        last.get("price").cloned()
    };
    assert_eq!(offered(&seen(&rig, "bob", "auction.timeline", &of("a")).await), Some(4_500.into()));
    assert_eq!(offered(&seen(&rig, "ann", "auction.timeline", &of("a")).await), None);
}

#[tokio::test]
async fn auctions_are_listed_page_by_page_and_by_tenant() {
    let mut rig = rig().await;
    for auction in ["a", "b", "c"] {
        rig.call("auction.open", &open_with(auction, "")).await;
    }
    let first = rig.call("auction.list", r#"{"limit":2}"#).await;
    assert!(first.ends_with(r#""next":"b"}"#), "{first}");
    let rest = rig.call("auction.list", r#"{"limit":2,"after":"b"}"#).await;
    assert!(rest.starts_with(r#"ok {"auctions":[{"auction_id":"c""#) && !rest.contains("next"), "{rest}");
    rig.scope = mortise_types::Scope::new("other", "grocery", "web").expect("a scope");
    assert_eq!(rig.call("auction.list", "{}").await, r#"ok {"auctions":[]}"#);
    let other = rig.call("auction.bid", &bid("a", "ann", &up_to(5_000))).await;
    assert_eq!(other, r#"rejected auction_unknown {"auction_id":"a"}"#);
}

//! Stopping an order's parcels: what is not packed yet is not packed, once, and whoever waits is told.

use std::sync::Arc;

use mortise_testkit::{Rig, SeededIds};

async fn rig() -> Rig {
    Rig::new([mortise_fulfilment::capability(Arc::new(SeededIds::new(1))).expect("it can be declared")]).await
}

/// Asks for a parcel of an order; the reference to its pick list.
async fn requested(rig: &Rig, order: &str, number: u32) -> String {
    let input = format!(
        r#"{{"order_id":"{order}","parcel":{{"parcel_id":"{order}-{number}","location":"west","items":[{{"line_id":"1","sku":"tea","quantity":2}}]}}}}"#
    );
    let reply = rig.call("fulfilment.request", &input).await;
    let first = reply.lines().next().expect("a reply has a line");
    first.strip_prefix("ok ").unwrap_or_else(|| panic!("not requested: {reply}")).to_owned()
}

/// The parcels that a stop stopped, and how many were told of.
fn stopped(reply: &str) -> (Vec<String>, usize) {
    let json =
        reply.lines().next().and_then(|line| line.strip_prefix("ok ")).unwrap_or_else(|| panic!("{reply}"));
    let output: serde_json::Value = serde_json::from_str(json).expect("an output is JSON");
    let parcels = output["stopped"].as_array().expect("parcels");
    assert_eq!(parcels.len(), output["pick_lists"].as_array().expect("lists").len());
    let ids = parcels.iter().map(|parcel| parcel["parcel_id"].as_str().expect("an id").to_owned()).collect();
    (ids, reply.matches("event fulfilment.stopped").count())
}

#[tokio::test]
async fn what_is_packed_goes_its_way_and_the_rest_is_stopped_once() {
    let rig = rig().await;
    let packed = requested(&rig, "o-1", 1).await;
    let open = requested(&rig, "o-1", 2).await;
    requested(&rig, "o-2", 1).await;
    rig.call("fulfilment.pack", &packed).await;
    let all = r#"{"order_id":"o-1"}"#;
    let replies = rig.batch("fulfilment.stop", &[all, all]).await;
    assert_eq!(stopped(&replies[0]), (vec!["o-1-2".to_owned()], 1));
    assert_eq!(stopped(&replies[1]), (vec![], 0), "the second of a batch finds nothing left");
    assert_eq!(stopped(&rig.call("fulfilment.stop", all).await), (vec![], 0));
    let refused = rig.call("fulfilment.pack", &open).await;
    assert!(refused.starts_with("rejected pick_list_cancelled"), "{refused}");
    assert!(rig.call("fulfilment.hand_over", &packed).await.starts_with(r#"ok {"applied":"now"}"#));
    let left = rig.call("fulfilment.list", "{}").await;
    assert!(left.contains("o-2-1") && !left.contains("o-1-"), "{left}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn only_the_parcels_that_were_named_are_stopped() {
    let rig = rig().await;
    requested(&rig, "o-1", 1).await;
    requested(&rig, "o-1", 2).await;
    let one = rig.call("fulfilment.stop", r#"{"order_id":"o-1","parcels":["o-1-2","o-9-9"]}"#).await;
    assert_eq!(stopped(&one), (vec!["o-1-2".to_owned()], 1));
    assert_eq!(stopped(&rig.call("fulfilment.stop", r#"{"order_id":"o-1"}"#).await).0, ["o-1-1"]);
}

#[tokio::test]
async fn a_stop_is_taken_back_once_and_only_what_was_stopped() {
    let rig = rig().await;
    let list = requested(&rig, "o-1", 1).await;
    let taken_back = requested(&rig, "o-1", 2).await;
    let id = list.split('"').nth(3).expect("a pick list has an id").to_owned();
    rig.call("fulfilment.stop", r#"{"order_id":"o-1","parcels":["o-1-1"]}"#).await;
    let undo = format!(r#"{{"pick_lists":["{id}"]}}"#);
    assert_eq!(
        rig.batch("fulfilment.resume", &[&undo, &undo]).await,
        [r#"ok {"applied":"now"}"#, r#"ok {"applied":"already"}"#]
    );
    assert_eq!(rig.call("fulfilment.resume", r#"{"pick_lists":[]}"#).await, r#"ok {"applied":"already"}"#);
    assert!(rig.call("fulfilment.pack", &list).await.starts_with(r#"ok {"applied":"now"}"#));
    assert_eq!(rig.call("fulfilment.resume", &undo).await, r#"ok {"applied":"already"}"#, "it is packed");
    rig.call("fulfilment.cancel", &taken_back).await;
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tenant_stops_its_own_parcels() {
    let mut rig = rig().await;
    requested(&rig, "o-1", 1).await;
    rig.scope = mortise_types::Scope::new("other", "grocery", "web").expect("a valid scope");
    assert_eq!(stopped(&rig.call("fulfilment.stop", r#"{"order_id":"o-1"}"#).await), (vec![], 0));
}

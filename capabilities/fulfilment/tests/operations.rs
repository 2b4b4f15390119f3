//! Pick lists on a database: how they go through the warehouse, who sees them, what is off.

use std::sync::Arc;

use mortise_store::Statement;
use mortise_testkit::{Rig, SeededIds};
use mortise_types::{Scope, Span};

async fn rig() -> Rig {
    Rig::new([mortise_fulfilment::capability(Arc::new(SeededIds::new(1))).expect("it can be declared")]).await
}

fn parcel(order: &str, number: u32, location: &str) -> String {
    format!(
        r#"{{"parcel_id":"{order}-{number}","location":"{location}","items":[{{"line_id":"1","sku":"tea","quantity":2}}]}}"#
    )
}

fn request(order: &str, number: u32, location: &str) -> String {
    format!(r#"{{"order_id":"{order}","parcel":{}}}"#, parcel(order, number, location))
}

/// The id that a request answered, as the input of what is said about it.
fn list_of(reply: &str) -> String {
    let first = reply.lines().next().expect("a reply has a line");
    first.strip_prefix("ok ").unwrap_or_else(|| panic!("not requested: {reply}")).to_owned()
}

async fn requested(rig: &Rig, order: &str, number: u32, location: &str) -> String {
    list_of(&rig.call("fulfilment.request", &request(order, number, location)).await)
}

fn id(list: &str) -> &str {
    list.split('"').nth(3).expect("a pick list has an id")
}

#[tokio::test]
async fn a_parcel_goes_through_the_warehouse_and_each_step_is_told_once() {
    let mut rig = rig().await;
    let asked = rig.call("fulfilment.request", &request("o-1", 1, "west")).await;
    let list = list_of(&asked);
    let id = id(&list);
    let parcel = parcel("o-1", 1, "west");
    assert_eq!(
        asked,
        format!(
            "ok {list}\nevent fulfilment.requested {{\"pick_list_id\":\"{id}\",\"order_id\":\"o-1\",\"parcel\":{parcel}}}"
        )
    );
    rig.now = rig.now.saturating_add(Span::minutes(5));
    let event = |name: &str, at: &str| {
        format!(
            "ok {{\"applied\":\"now\"}}\nevent fulfilment.{name} {{\"pick_list_id\":\"{id}\",\"order_id\":\"o-1\",\
             \"parcel_id\":\"o-1-1\",\"location\":\"west\",\"at\":\"{at}\"}}"
        )
    };
    let already = r#"ok {"applied":"already"}"#;
    assert_eq!(
        rig.batch("fulfilment.pack", &[&list, &list]).await,
        [event("packed", "2026-01-01T00:05:00.000Z"), already.to_owned()]
    );
    assert_eq!(
        rig.call("fulfilment.list", "{}").await,
        format!(
            r#"ok {{"pick_lists":[{{"pick_list_id":"{id}","order_id":"o-1","parcel":{parcel},"state":"packed","requested_at":"2026-01-01T00:00:00.000Z","packed_at":"2026-01-01T00:05:00.000Z"}}]}}"#
        )
    );
    rig.now = rig.now.saturating_add(Span::minutes(5));
    assert_eq!(
        rig.call("fulfilment.hand_over", &list).await,
        event("handed_over", "2026-01-01T00:10:00.000Z")
    );
    assert_eq!(rig.call("fulfilment.hand_over", &list).await, already);
    assert_eq!(rig.call("fulfilment.cancel", &list).await, already, "the carrier has it");
    assert_eq!(rig.call("fulfilment.list", "{}").await, r#"ok {"pick_lists":[]}"#);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_taken_back_does_not_go_out() {
    let rig = rig().await;
    let list = requested(&rig, "o-1", 1, "west").await;
    assert_eq!(
        rig.call("fulfilment.hand_over", &list).await,
        format!(r#"rejected not_packed {{"pick_list_id":"{}","state":"requested"}}"#, id(&list))
    );
    assert_eq!(
        rig.batch("fulfilment.cancel", &[&list, &list]).await,
        [r#"ok {"applied":"now"}"#, r#"ok {"applied":"already"}"#]
    );
    for operation in ["fulfilment.pack", "fulfilment.hand_over"] {
        assert_eq!(
            rig.call(operation, &list).await,
            format!(r#"rejected pick_list_cancelled {{"pick_list_id":"{}","state":"cancelled"}}"#, id(&list))
        );
    }
    let again = requested(&rig, "o-1", 1, "west").await;
    assert_ne!(again, list, "asked for again it is another list: old news does not reach it");
    assert!(rig.call("fulfilment.pack", &again).await.starts_with("ok"));
    assert_eq!(
        rig.call("fulfilment.cancel", &again).await,
        r#"ok {"applied":"now"}"#,
        "packed may still be taken back"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_list_that_never_was_is_unknown_to_the_warehouse_and_no_matter_to_an_undo() {
    let rig = rig().await;
    let nothing = r#"{"pick_list_id":"p-1"}"#;
    for operation in ["fulfilment.pack", "fulfilment.hand_over"] {
        assert_eq!(rig.call(operation, nothing).await, format!("rejected pick_list_unknown {nothing}"));
    }
    assert_eq!(rig.call("fulfilment.cancel", nothing).await, r#"ok {"applied":"already"}"#);
}

#[tokio::test]
async fn open_lists_are_paged_by_location_and_age() {
    let rig = rig().await;
    let orders = [("o-1", "west"), ("o-2", "east"), ("o-3", "west"), ("o-4", "east"), ("o-5", "west")];
    let mut lists = Vec::new();
    for (order, location) in orders {
        lists.push(requested(&rig, order, 1, location).await);
    }
    let walk = async |filter: &str| {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = rig.call("fulfilment.list", &format!(r#"{{"limit":2{filter}{cursor}}}"#)).await;
            seen.extend(page.split(r#""order_id":""#).skip(1).map(|rest| rest[..3].to_owned()));
            match page.split(r#""next":""#).nth(1) {
                Some(next) => cursor = format!(r#","cursor":"{}""#, next.split('"').next().unwrap()),
                None => break seen,
            }
        }
    };
    assert_eq!(walk("").await, ["o-2", "o-4", "o-1", "o-3", "o-5"]);
    assert_eq!(walk(r#","location":"west""#).await, ["o-1", "o-3", "o-5"]);
    assert_eq!(walk(r#","location":"north""#).await, Vec::<String>::new());
    rig.call("fulfilment.cancel", &lists[2]).await;
    assert_eq!(walk(r#","location":"west""#).await, ["o-1", "o-5"]);
}

/// A request is one row and no look before it, whatever the batch.
#[tokio::test]
async fn a_request_costs_one_row() {
    let rig = rig().await;
    let batch: Vec<String> = (0..20).map(|n| request(&format!("o-{n}"), 1, "west")).collect();
    let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
    let before = rig.store.cost();
    rig.batch("fulfilment.request", &batch).await;
    let after = rig.store.cost();
    assert_eq!((after.statements - before.statements, after.executions - before.executions), (1, 20));
}

#[tokio::test]
async fn nothing_crosses_between_tenants() {
    let mut rig = rig().await;
    let list = requested(&rig, "o-1", 1, "west").await;
    let ours = rig.scope.clone();
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    assert!(rig.call("fulfilment.pack", &list).await.starts_with("rejected pick_list_unknown"));
    assert!(rig.call("fulfilment.hand_over", &list).await.starts_with("rejected pick_list_unknown"));
    assert_eq!(rig.call("fulfilment.cancel", &list).await, r#"ok {"applied":"already"}"#);
    assert_eq!(rig.call("fulfilment.list", "{}").await, r#"ok {"pick_lists":[]}"#);
    assert_eq!(rig.call("fulfilment.list", r#"{"location":"west"}"#).await, r#"ok {"pick_lists":[]}"#);
    let theirs = requested(&rig, "o-1", 1, "west").await;
    assert!(rig.call("fulfilment.pack", &theirs).await.starts_with("ok"));
    let stopped = rig.call("fulfilment.stop", r#"{"order_id":"o-1"}"#).await;
    assert_eq!(
        stopped, r#"ok {"stopped":[],"pick_lists":[]}"#,
        "theirs is packed, ours is not theirs to stop"
    );
    let resume = format!(r#"{{"pick_lists":["{}"]}}"#, id(&list));
    assert_eq!(rig.call("fulfilment.resume", &resume).await, r#"ok {"applied":"already"}"#);
    let walked = ["request", "pack", "hand_over", "cancel", "stop", "resume", "list"];
    assert_eq!(rig.registry.contracts().operations.len(), walked.len(), "every operation is walked");
    rig.scope = ours;
    let seen = rig.call("fulfilment.list", "{}").await;
    assert!(seen.contains(id(&list)) && !seen.contains(id(&theirs)) && seen.contains("requested"), "{seen}");
    assert_eq!(rig.findings().await, Vec::<String>::new(), "one parcel id in two tenants is two parcels");
}

#[tokio::test]
async fn contradictions_are_found() {
    for (text, found) in [
        (
            "UPDATE fulfilment_pick_list SET packed_at = NULL WHERE order_id = 'o-1'",
            "it is packed, but its moments",
        ),
        (
            "UPDATE fulfilment_pick_list SET state = 'requested' WHERE order_id = 'o-1'",
            "it is requested, but its moments",
        ),
        (
            "UPDATE fulfilment_pick_list SET state = 'handed_over' WHERE order_id = 'o-1'",
            "it is handed_over, but its",
        ),
        (
            "UPDATE fulfilment_pick_list SET cancelled_at = 1 WHERE order_id = 'o-2'",
            "it is requested, but its moments",
        ),
        (
            "UPDATE fulfilment_pick_list SET location = 'moon' WHERE order_id = 'o-2'",
            "it is requested, but its moments",
        ),
    ] {
        let found_now = broken(text).await;
        assert_eq!(found_now.len(), 1, "{text}: {found_now:?}");
        assert!(found_now[0].contains(found), "{text}: {found_now:?}");
    }
    let twice = "INSERT INTO fulfilment_pick_list (tenant, pick_list_id, order_id, parcel_id, location, state, parcel, requested_at)
         SELECT tenant, 'twice', order_id, parcel_id, location, 'requested', parcel, requested_at
         FROM fulfilment_pick_list WHERE order_id = 'o-1'";
    assert_eq!(
        broken(twice).await,
        ["fulfilment parcels packed once: acme: parcel o-1-1 of order o-1: 2 pick lists stand for it"]
    );
}

async fn broken(text: &'static str) -> Vec<String> {
    let rig = rig().await;
    let list = requested(&rig, "o-1", 1, "west").await;
    rig.call("fulfilment.pack", &list).await;
    requested(&rig, "o-2", 1, "west").await;
    assert_eq!(rig.findings().await, Vec::<String>::new());
    let statement = Statement::both("test.break", text);
    let rows = rig.behind_the_back(statement).await.expect("it runs");
    assert_eq!(rows, [1], "{text}");
    rig.findings().await
}

//! Order splitting as it is called.

use std::sync::Arc;

use mortise_points::order_split::{Parcel, Part, Plan};
use mortise_points::{Failure, Native, NoExtensions, OrderSplit, Point, Points};
use mortise_testkit::Rig;

/// One extension at a point, bound everywhere.
fn native<P: Point>(
    reads: &[&str],
    answer: impl Fn(&P::Question) -> Result<P::Answer, Failure> + Send + Sync + 'static,
) -> Arc<dyn Points> {
    Arc::new(Native::<P>::reading("native", reads, answer))
}

const INPUT: &str = r#"{"order_id":"o-1","allocations":[
    {"line_id":"1","sku":"tea","location":"west","quantity":2},
    {"line_id":"2","sku":"tea","location":"east","quantity":1}]}"#;

#[tokio::test]
async fn an_order_becomes_parcels_by_location() {
    let rig = Rig::new([mortise_order_splitting::capability(Arc::new(NoExtensions)).unwrap()]).await;
    assert_eq!(
        rig.call("order_splitting.plan", INPUT).await,
        concat!(
            r#"ok {"parcels":[{"parcel_id":"o-1-1","location":"west","items":[{"line_id":"1","sku":"tea","quantity":2}]},"#,
            r#"{"parcel_id":"o-1-2","location":"east","items":[{"line_id":"2","sku":"tea","quantity":1}]}]}"#
        )
    );
}

/// It has no state: the same input gives the same parcels to everyone, and an item's rejection leaves its neighbours alone.
#[tokio::test]
async fn two_tenants_and_a_rejected_item_do_not_meet() {
    let mut rig = Rig::new([mortise_order_splitting::capability(Arc::new(NoExtensions)).unwrap()]).await;
    let many: Vec<String> = (0..51)
        .map(|i| format!(r#"{{"line_id":"1","sku":"tea","location":"shop-{i}","quantity":1}}"#))
        .collect();
    let many = format!(r#"{{"order_id":"o-2","allocations":[{}]}}"#, many.join(","));
    let acme = rig.batch("order_splitting.plan", &[INPUT, &many, INPUT]).await;
    assert_eq!(acme[0], acme[2]);
    assert_eq!(acme[1], r#"rejected too_many_parcels {"parcels":51,"most":50}"#);
    rig.scope = mortise_types::Scope::new("other", "books", "api").unwrap();
    assert_eq!(rig.call("order_splitting.plan", INPUT).await, acme[0]);
}

/// Each unit of what is cold in a parcel of its own, the rest of a location together.
fn cold_apart(question: &mortise_points::order_split::Question) -> Plan {
    let mut parcels: Vec<Parcel> = Vec::new();
    for item in &question.items {
        let cold = item.attributes.iter().any(|attribute| &*attribute.name == "storage");
        let (line_id, location) = (item.line_id.to_string(), item.location.to_string());
        if cold {
            let part = Part { line_id, quantity: 1 };
            let alone = Parcel { location, parts: vec![part] };
            parcels.extend((0..item.quantity.units()).map(|_| alone.clone()));
        } else {
            parcels.push(Parcel { location, parts: vec![Part { line_id, quantity: item.quantity.units() }] });
        }
    }
    Plan { parcels, reason: format!("{} items", question.items.len()) }
}

#[tokio::test]
async fn an_extension_splits_what_is_allocated_and_says_why() {
    let points = native::<OrderSplit>(&["storage"], |question| Ok(Some(cold_apart(question))));
    let rig = Rig::new([mortise_order_splitting::capability(points).unwrap()]).await;
    let lines = r#"[{"sku":"tea","quantity":2,"attributes":{"storage":"cold"}},{"sku":"tea","quantity":1}]"#;
    let input = INPUT.replacen('{', &format!(r#"{{"lines":{lines},"#), 1);
    let answer = rig.call("order_splitting.plan", &input).await;
    assert_eq!(
        answer,
        concat!(
            r#"ok {"parcels":[{"parcel_id":"o-1-1","location":"west","items":[{"line_id":"1","sku":"tea","quantity":1}]},"#,
            r#"{"parcel_id":"o-1-2","location":"west","items":[{"line_id":"1","sku":"tea","quantity":1}]},"#,
            r#"{"parcel_id":"o-1-3","location":"east","items":[{"line_id":"2","sku":"tea","quantity":1}]}],"#,
            r#""decided":{"extension":"native@1.0.0","reason":"2 items"}}"#
        )
    );
}

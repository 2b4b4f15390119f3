//! Order splitting as it is called.

use mortise_testkit::Rig;

const INPUT: &str = r#"{"order_id":"o-1","allocations":[
    {"line_id":"1","sku":"tea","location":"west","quantity":2},
    {"line_id":"2","sku":"tea","location":"east","quantity":1}]}"#;

#[tokio::test]
async fn an_order_becomes_parcels_by_location() {
    let rig = Rig::new([mortise_order_splitting::capability().unwrap()]).await;
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
    let mut rig = Rig::new([mortise_order_splitting::capability().unwrap()]).await;
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

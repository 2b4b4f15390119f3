//! Two tenants with the same ids: nothing of one is seen or changed by the other, in any operation.

mod shop;

use mortise_types::Scope;
use shop::{of, place, placed, rig};

#[tokio::test]
async fn nothing_crosses_between_tenants() {
    let mut rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    rig.call("order.confirm_payment", &of("o-1", r#""payment_id":"p-1""#)).await;
    let ours = rig.scope.clone();
    let (get, timeline) = (of("o-1", ""), of("o-1", r#""after":0"#));
    let before = [rig.call("order.get", &get).await, rig.call("order.timeline", &timeline).await];

    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let parcel = r#""parcel_id":"o-1-1","status""#;
    let walk = [
        ("get", get.clone(), "rejected order_unknown"),
        ("timeline", timeline.clone(), "rejected order_unknown"),
        ("list", "{}".to_owned(), r#"ok {"orders":[]}"#),
        ("confirm_payment", of("o-1", r#""payment_id":"p-2""#), "error there is no order"),
        ("record_payment", of("o-1", r#""status":"refunded""#), "rejected order_unknown"),
        ("record_fulfilment", of("o-1", &format!(r#"{parcel}:"packed""#)), "error there is no order"),
        ("record_delivery", of("o-1", &format!(r#"{parcel}:"delivered""#)), "error there is no order"),
        ("request_cancel", of("o-1", ""), "rejected order_unknown"),
        ("effects", of("o-1", ""), "rejected order_unknown"),
        ("record_after_sale", of("o-1", r#""rma_id":"r-1","stage":"requested""#), "error there is no order"),
        ("record_refund", of("o-1", r#""rma_id":"r-1","amount":1"#), "error there is no order"),
        ("complete", of("o-1", ""), "error there is no order"),
        ("cancel", of("o-1", ""), r#"ok {"applied":"already"}"#),
        ("place", place("o-1", "c-1"), "ok "),
    ];
    for (operation, input, answer) in &walk {
        let reply = rig.call(&format!("order.{operation}"), input).await;
        assert!(reply.starts_with(answer), "{operation}: {reply}");
    }
    assert_eq!(walk.len(), rig.registry.contracts().operations.len(), "every operation is walked");
    rig.call("order.cancel", &of("o-1", "")).await;

    rig.scope = ours;
    let after = [rig.call("order.get", &get).await, rig.call("order.timeline", &timeline).await];
    assert_eq!(after, before);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// One batch, one order id, two tenants: two orders.
#[tokio::test]
async fn a_batch_of_two_tenants_places_two_orders() {
    let mut rig = rig().await;
    let ours = rig.call_of(mortise_contract::json(&place("o-1", "c-1")).unwrap());
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let theirs = rig.call_of(mortise_contract::json(&place("o-1", "c-1")).unwrap());
    let replies = rig.run("order.place", vec![ours, theirs]).await.unwrap();
    assert!(
        replies.iter().all(|reply| matches!(reply.outcome, mortise_capability::Outcome::Done(_))),
        "{replies:?}"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

//! What extensions at `purchase-limit` do to a check: they see what the shop counts, object, or fail.

use std::sync::Arc;

use mortise_capability::Policies;
use mortise_points::purchase_limit::Objection;
use mortise_points::{Failure, FailureKind, Native, Point, Points, PurchaseLimit};
use mortise_testkit::Rig;

/// One extension at a point, bound everywhere.
fn native<P: Point>(
    reads: &[&str],
    answer: impl Fn(&P::Question) -> Result<P::Answer, Failure> + Send + Sync + 'static,
) -> Arc<dyn Points> {
    Arc::new(Native::<P>::reading("native", reads, answer))
}

async fn rig(points: Arc<dyn Points>) -> Rig {
    let capability = mortise_purchase_limit::capability(Arc::new(Policies::default()), points);
    let rig = Rig::new([capability.expect("it can be declared")]).await;
    let rows = r#"{"rows":[{"rule":"tea-a-week","sku":"tea","period":"week","most":9}]}"#;
    assert_eq!(rig.call("purchase_limit.import_rules", rows).await, r#"ok {"rows":1}"#);
    rig
}

fn basket(units: i64) -> String {
    format!(
        r#"{{"customer_id":"c-1","lines":[{{"sku":"bread","quantity":1}},{{"sku":"tea","quantity":{units},"attributes":{{"flyer":"yes","brand":"Leaf"}}}}]}}"#
    )
}

/// Two a customer of what is on the flyer, with what was bought already; it says what it has seen.
fn two_each() -> Arc<dyn Points> {
    native::<PurchaseLimit>(&["flyer"], |question| {
        let on_flyer = question.lines.iter().filter(|line| !line.attributes.is_empty());
        let over = on_flyer.filter_map(|line| {
            let used = question.tallies.first().map_or(0, |tally| tally.used.units());
            let seen: Vec<&str> = line.attributes.iter().map(|attribute| &*attribute.name).collect();
            let reason = format!("2 each, {used} bought, by {} for {}", seen.join("+"), question.customer_id);
            (used + line.quantity.units() > 2)
                .then(|| Objection { line_id: Some(line.line_id.to_string()), reason })
        });
        Ok(over.collect())
    })
}

#[tokio::test]
async fn an_objection_refuses_the_basket_and_names_item_and_extension() {
    let rig = rig(two_each()).await;
    let passed = rig.call("purchase_limit.check", &basket(2)).await;
    let claims =
        passed.strip_prefix("ok {").and_then(|rest| rest.strip_suffix('}')).expect(&passed).to_owned();
    assert_eq!(
        rig.call("purchase_limit.check", &basket(3)).await,
        r#"rejected purchase_refused {"reason":"2 each, 0 bought, by flyer for c-1","sku":"tea","extension":"native@1.0.0"}"#
    );
    let claim = format!(r#"{{"order_id":"o-1","customer_id":"c-1",{claims}}}"#);
    assert_eq!(rig.call("purchase_limit.claim", &claim).await, r#"ok {"claimed":1}"#);
    assert!(rig.call("purchase_limit.check", &basket(1)).await.contains("2 each, 2 bought"));
}

#[tokio::test]
async fn the_shops_own_limit_is_asked_first() {
    let rig = rig(two_each()).await;
    assert!(rig.call("purchase_limit.check", &basket(10)).await.starts_with("rejected limit_exceeded"));
}

#[tokio::test]
async fn an_extension_that_fails_or_answers_untruly_refuses_where_its_binding_says_so() {
    let trapped = native::<PurchaseLimit>(&[], |_| Err(Failure::new(FailureKind::Trapped, "unreachable")));
    assert_eq!(
        rig(trapped).await.call("purchase_limit.check", &basket(1)).await,
        r#"rejected extension_refused {"point":"purchase-limit","extension":"native@1.0.0","kind":"trapped","detail":"unreachable"}"#
    );
    let untrue = native::<PurchaseLimit>(&[], |_| {
        Ok(vec![Objection { line_id: Some("9".to_owned()), reason: "no".to_owned() }])
    });
    assert!(
        rig(untrue)
            .await
            .call("purchase_limit.check", &basket(1))
            .await
            .contains(r#""kind":"invalid","detail":"objections[0].line-id: no line \"9\"""#)
    );
}

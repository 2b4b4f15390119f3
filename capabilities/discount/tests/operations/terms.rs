//! What the promotions of a proof asked for: told of those that stand as they stood, and of no other.

use crate::support::{order, rig};

const DEFINE: &str = r#"{"promotions":[
    {"promotion":"spend-more","title":"5.00 off 20.00","currency":"EUR","min_subtotal":2000,"target":"order","benefit":"amount","amount":500},
    {"promotion":"two-or-more","title":"a tenth off two","min_quantity":2,"target":"items","benefit":"percent","rate_bp":1000},
    {"promotion":"set","title":"the set","currency":"EUR","skus":["never"],"target":"order","benefit":"fixed_price","amount":100}]}"#;

async fn proof(rig: &mortise_testkit::Rig) -> String {
    let reply = rig.call("discount.evaluate", &order(3_000, "")).await;
    let json = reply.strip_prefix("ok ").unwrap_or_else(|| panic!("{reply}"));
    let output: serde_json::Value = serde_json::from_str(json).expect("an output is JSON");
    serde_json::json!({ "proof": output["proof"] }).to_string()
}

#[tokio::test]
async fn the_conditions_of_an_orders_promotions_are_told_until_they_change() {
    let rig = rig().await;
    let defined = rig.call("discount.define", DEFINE).await;
    assert_eq!(defined, r#"ok {"rows":3}"#);
    let proof = proof(&rig).await;
    assert_eq!(
        rig.call("discount.terms", &proof).await,
        concat!(
            r#"ok {"terms":[{"source":"spend-more","version":"1","min_subtotal":2000,"bundle":false},"#,
            r#"{"source":"two-or-more","version":"1","min_quantity":2,"bundle":false}]}"#
        ),
        "not of one that did not apply"
    );
    let changed = r#"{"promotions":[{"promotion":"spend-more","title":"6.00 off 20.00","currency":"EUR","min_subtotal":2000,"target":"order","benefit":"amount","amount":600}]}"#;
    rig.call("discount.define", changed).await;
    assert_eq!(
        rig.call("discount.terms", &proof).await,
        r#"ok {"terms":[{"source":"two-or-more","version":"1","min_quantity":2,"bundle":false}]}"#,
        "of one that was changed since, nobody knows any more"
    );
    let mut other = rig;
    other.scope = mortise_types::Scope::new("other", "grocery", "web").expect("a valid scope");
    assert_eq!(other.call("discount.terms", &proof).await, r#"ok {"terms":[]}"#);
}

//! `discount.evaluate` and what sets it up, on a real database: sheets, coupons, the cache of compiled promotions, the cost
//! of a batch, two tenants.

use super::support::{Bound, line, order, redeem, rig, rig_by, rig_with};
use mortise_testkit::Rig;
use mortise_types::{Scope, Timestamp};

async fn define(rig: &Rig, promotions: &str) {
    let answer = rig.call("discount.define", &format!(r#"{{"promotions":[{promotions}]}}"#)).await;
    assert!(answer.starts_with("ok"), "{answer}");
}

const TEN: &str =
    r#"{"promotion":"ten","title":"10% off","target":"order","benefit":"percent","rate_bp":1000}"#;
const HELLO: &str = r#"{"promotion":"hello","title":"Welcome","currency":"EUR","target":"order","benefit":"amount","amount":500,"opened_by":"coupon","min_subtotal":2000}"#;

#[tokio::test]
async fn without_promotions_an_order_costs_what_was_quoted_and_one_small_read() {
    let rig = rig().await;
    let before = rig.store.cost();
    let answers = rig.batch("discount.evaluate", &[order(1000, "").as_str(); 32]).await;
    let after = rig.store.cost();
    assert!(answers[0].contains(r#""payable":1000,"tax":0},"redemptions":[]}"#), "{}", answers[0]);
    assert_eq!(after.executions - before.executions, 2, "the version, and the promotions of that version");
    rig.batch("discount.evaluate", &[order(1000, "").as_str(); 32]).await;
    assert_eq!(rig.store.cost().executions - after.executions, 1, "the version");
}

#[tokio::test]
async fn an_adjustment_names_promotion_version_lane_and_reason() {
    let rig = rig().await;
    define(&rig, TEN).await;
    let answer = rig.call("discount.evaluate", &order(1000, "")).await;
    let adjustment = r#""adjustments":[{"kind":"promotion","source":"ten","version":"1","lane":"order","amount":-100,"reason":"10% off"}]"#;
    assert!(answer.contains(adjustment) && answer.contains(r#""policy_version":"discount:"#), "{answer}");
    // Defined again as it is, it is the same version; changed, it is the next, and the very next order gets it.
    define(&rig, TEN).await;
    assert!(rig.call("discount.evaluate", &order(1000, "")).await.contains(r#""version":"1""#));
    define(&rig, &TEN.replace("1000", "2000")).await;
    let answer = rig.call("discount.evaluate", &order(1000, "")).await;
    assert!(answer.contains(r#""version":"2""#) && answer.contains(r#""amount":-200"#), "{answer}");
}

#[tokio::test]
async fn a_hundred_live_promotions_cost_no_statement_more() {
    let rig = rig().await;
    let many: Vec<String> =
        (0..100).map(|n| TEN.replace(r#""ten""#, &format!(r#""p{n:03}""#)).replace("1000", "1")).collect();
    define(&rig, &many.join(",")).await;
    rig.call("discount.evaluate", &order(1_000_000, "")).await;
    let before = rig.store.cost();
    let answers = rig.batch("discount.evaluate", &[order(1_000_000, "").as_str(); 16]).await;
    assert_eq!(rig.store.cost().executions - before.executions, 1);
    assert_eq!(answers[0].matches(r#""kind":"promotion""#).count(), 100);
}

#[tokio::test]
async fn a_sheet_is_looked_up_by_place_item_and_week() {
    let mut rig = rig().await;
    define(&rig, r#"{"promotion":"weekly-specials","title":"Weekly specials","target":"items","benefit":"sheet","lane":"catalogue"}"#).await;
    let rows = r#"{"rows":[
        {"promotion":"weekly-specials","location":"367","sku":"jar","currency":"EUR","amount_off":29,"per":1,"valid_from":"2017-01-02T05:00:00Z","valid_until":"2017-01-09T05:00:00Z"},
        {"promotion":"weekly-specials","location":"367","sku":"jar","currency":"EUR","amount_off":50,"per":2,"valid_from":"2017-01-09T05:00:00Z","valid_until":"2017-01-16T05:00:00Z"},
        {"promotion":"weekly-specials","location":"112","sku":"jar","currency":"EUR","amount_off":99,"per":1}]}"#;
    assert_eq!(rig.call("discount.import_entries", rows).await, r#"ok {"rows":3}"#);
    for (now, expected) in [
        ("2017-01-09T04:59:59.999Z", r#""amount":-58,"reason":"Weekly specials: 29 off per 1""#),
        ("2017-01-09T05:00:00Z", r#""amount":-50,"reason":"Weekly specials: 50 off per 2""#),
        ("2017-01-16T05:00:00Z", r#""adjustments":[]"#),
    ] {
        rig.now = now.parse::<Timestamp>().unwrap();
        let answer = rig.call("discount.evaluate", &order(1000, "")).await;
        assert!(answer.contains(expected), "{now}: {answer}");
    }
    let before = rig.store.cost();
    let two =
        format!(r#"{{"currency":"EUR","lines":[{},{}]}}"#, line(1, "jar", 1, 100), line(2, "lid", 1, 10));
    rig.batch("discount.evaluate", &[two.as_str(); 16]).await;
    assert_eq!(rig.store.cost().executions - before.executions, 3, "the version, two items");
}

#[tokio::test]
async fn a_coupon_opens_its_promotion_and_has_to_be_redeemed() {
    let rig = rig().await;
    define(&rig, HELLO).await;
    rig.call(
        "discount.import_coupons",
        r#"{"rows":[{"coupon":"HELLO","promotion":"hello","max_per_customer":1}]}"#,
    )
    .await;
    let answer =
        rig.call("discount.evaluate", &order(3000, r#","coupons":["HELLO"],"customer_id":"ann""#)).await;
    let adjustment = r#"{"kind":"coupon","source":"hello","version":"1","lane":"order","amount":-500,"reason":"Welcome (coupon HELLO)"}"#;
    let redemptions = r#""redemptions":[{"promotion":"hello","version":1,"coupon":"HELLO","amount":500}]"#;
    assert!(answer.contains(adjustment) && answer.contains(redemptions), "{answer}");
}

#[tokio::test]
async fn a_coupon_that_opens_nothing_says_why() {
    let rig = rig().await;
    define(&rig, HELLO).await;
    let coupons = r#"{"rows":[
        {"coupon":"HELLO","promotion":"hello"},
        {"coupon":"AGAIN","promotion":"hello"},
        {"coupon":"OLD","promotion":"hello","valid_until":"2020-01-01T00:00:00Z"},
        {"coupon":"SOON","promotion":"hello","valid_from":"2030-01-01T00:00:00Z"},
        {"coupon":"NONE","promotion":"hello","max_redemptions":0},
        {"coupon":"OWN","promotion":"hello","max_per_customer":1},
        {"coupon":"LOST","promotion":"gone"}]}"#;
    assert_eq!(rig.call("discount.import_coupons", coupons).await, r#"ok {"rows":7}"#);
    rig.call("discount.redeem", &redeem("o-1", "ann", "hello", Some("OWN"), 500)).await;
    for (codes, customer, amount, reason) in [
        (r#""WHAT""#, "", 3000, "unknown"),
        (r#""LOST""#, "", 3000, "unknown"),
        (r#""OLD""#, "", 3000, "expired"),
        (r#""SOON""#, "", 3000, "not_yet"),
        (r#""NONE""#, "", 3000, "exhausted"),
        (r#""OWN""#, "", 3000, "customer_unknown"),
        (r#""OWN""#, r#","customer_id":"ann""#, 3000, "exhausted_for_customer"),
        (r#""HELLO""#, "", 1999, "conditions_not_met"),
        (r#""HELLO","AGAIN""#, "", 3000, "repeated"),
    ] {
        let input = order(amount, &format!(r#","coupons":[{codes}]{customer}"#));
        let answer = rig.call("discount.evaluate", &input).await;
        let refused = answer.starts_with("rejected coupon_refused")
            && answer.contains(&format!(r#""reason":"{reason}""#));
        assert!(refused, "{codes}: {answer}");
    }
    let bob = order(3000, r#","coupons":["OWN"],"customer_id":"bob""#);
    assert!(rig.call("discount.evaluate", &bob).await.starts_with("ok"));
}

#[tokio::test]
async fn explain_says_of_everything_why_it_counts_or_does_not() {
    let rig = rig().await;
    define(&rig, &format!("{TEN},{HELLO}")).await;
    let answer = rig.call("discount.explain", &order(1000, r#","coupons":["WHAT"]"#)).await;
    let judged = r#""judged":[{"source":"hello","lane":"order","fate":"closed","amount":0,"reason":"no coupon opens it"},{"source":"ten","lane":"order","fate":"applied","amount":100,"reason":"it applies"}]"#;
    let refused =
        r#""refused_coupons":[{"coupon":"WHAT","reason":"unknown","detail":"there is no such code"}]"#;
    assert!(answer.contains(judged) && answer.contains(refused), "{answer}");
}

#[tokio::test]
async fn facts_about_items_select_them() {
    let rig = rig().await;
    define(&rig, r#"{"promotion":"dairy","title":"Dairy","target":"items","benefit":"percent","rate_bp":5000,"item_groups":["department=DAIRY"]}"#).await;
    assert!(rig.call("discount.evaluate", &order(1000, "")).await.contains(r#""payable":1000,"tax""#));
    let items = r#"{"rows":[{"sku":"jar","name":"department","value":"DAIRY"},{"sku":"jar","name":"brand","value":"Mill"}]}"#;
    assert_eq!(rig.call("discount.import_items", items).await, r#"ok {"rows":2}"#);
    assert!(rig.call("discount.evaluate", &order(1000, "")).await.contains(r#""payable":500,"tax""#));
}

#[tokio::test]
async fn a_definition_or_a_row_that_makes_no_sense_stores_nothing() {
    let rig = rig().await;
    let bad = TEN.replace(r#","rate_bp":1000"#, "").replace(r#""ten""#, r#""bad""#);
    let refused = r#"rejected promotion_invalid {"promotion":"bad","problem":"`rate_bp` of a percentage is 1 to 10,000"}"#;
    let answer = rig.call("discount.define", &format!(r#"{{"promotions":[{TEN},{bad}]}}"#)).await;
    assert_eq!(answer, refused);
    assert!(rig.call("discount.evaluate", &order(1000, "")).await.contains(r#""payable":1000,"tax""#));
    for (operation, row) in [
        ("discount.import_entries", r#"{"promotion":"p","sku":"s","currency":"EUR","amount_off":-1}"#),
        ("discount.import_coupons", r#"{"coupon":"C","promotion":"p","max_redemptions":-1}"#),
        ("discount.import_items", r#"{"sku":"s","name":"a=b","value":"c"}"#),
    ] {
        let answer = rig.call(operation, &format!(r#"{{"rows":[{row}]}}"#)).await;
        assert!(answer.starts_with(r#"rejected row_refused {"row":1,"#), "{operation}: {answer}");
    }
}

/// Every operation, with the same ids in two tenants and two business lines: nothing crosses.
#[tokio::test]
async fn two_tenants_share_nothing() {
    let mut rig = rig().await;
    let scopes = [("acme", "grocery", 100), ("acme", "fashion", 200), ("bmart", "grocery", 300)];
    for (tenant, line, off) in scopes {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let promotions = format!(
            r#"{{"promotion":"p","title":"P","currency":"EUR","target":"order","benefit":"amount","amount":{off},"opened_by":"coupon","budget_count":1}},
               {{"promotion":"s","title":"S","target":"items","benefit":"sheet"}},
               {{"promotion":"g","title":"G","currency":"EUR","target":"order","benefit":"amount","amount":1,"item_groups":["g={tenant}-{line}"]}}"#
        );
        define(&rig, &promotions).await;
        let entry = format!(
            r#"{{"rows":[{{"promotion":"s","sku":"jar","currency":"EUR","amount_off":{off},"per":20}}]}}"#
        );
        assert_eq!(rig.call("discount.import_entries", &entry).await, r#"ok {"rows":1}"#);
        rig.call(
            "discount.import_coupons",
            r#"{"rows":[{"coupon":"C","promotion":"p","max_redemptions":1}]}"#,
        )
        .await;
        let item = format!(r#"{{"rows":[{{"sku":"jar","name":"g","value":"{tenant}-{line}"}}]}}"#);
        rig.call("discount.import_items", &item).await;
    }
    let input = order(1000, r#","coupons":["C"],"customer_id":"ann""#);
    let expected = |off: i64| format!(r#""payable":{},"tax":0"#, 1000 - off - off / 10 - 1);
    let mut calls = Vec::new();
    for (tenant, line, off) in scopes {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let answer = rig.call("discount.evaluate", &input).await;
        assert!(answer.contains(&expected(off)), "{tenant}/{line}: {answer}");
        let explained = rig.call("discount.explain", &input).await;
        assert_eq!(explained.matches(r#""fate""#).count(), 3, "{explained}");
        calls.push(rig.call_of(mortise_contract::json(&input).unwrap()));
    }
    let replies = rig.run("discount.evaluate", calls).await.unwrap();
    for (reply, (.., off)) in replies.iter().zip(scopes) {
        let mortise_capability::Outcome::Done(output) = &reply.outcome else { panic!("{reply:?}") };
        assert!(output.to_json().contains(&expected(off)));
    }
    // The ledger: one tenant's, and one line's, redemptions use up nobody else's.
    for (index, (tenant, line, off)) in scopes.into_iter().enumerate() {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let order_id = if tenant == "acme" { format!("o-{index}") } else { "o-0".to_owned() };
        let redeemed = rig.call("discount.redeem", &redeem(&order_id, "ann", "p", Some("C"), off)).await;
        assert_eq!(redeemed, r#"ok {"redeemed":1}"#, "{tenant}/{line}");
        let usage = rig.call("discount.usage", r#"{"promotion":"p","coupon":"C"}"#).await;
        assert_eq!(usage, format!(r#"ok {{"count":1,"amount":{off}}}"#));
    }
    assert_eq!(rig.call("discount.restore", r#"{"order_id":"o-0"}"#).await, r#"ok {"restored":1}"#);
    for (tenant, line, off) in &scopes[..2] {
        rig.scope = Scope::new(tenant, line, "web").unwrap();
        let usage = rig.call("discount.usage", r#"{"promotion":"p"}"#).await;
        assert_eq!(usage, format!(r#"ok {{"count":1,"amount":{off}}}"#), "{tenant}/{line}");
    }
    assert_eq!(rig.findings().await, [""; 0]);
}

/// An order is tried against the promotions that may be for its items; that must not change what it costs.
#[tokio::test]
async fn evaluate_tries_few_promotions_and_comes_to_what_all_come_to() {
    let rig = rig().await;
    let named = |n: usize, sku: &str, more: &str| {
        format!(
            r#"{{"promotion":"n{n}","title":"N","target":"items","benefit":"percent","rate_bp":100,"skus":["{sku}"]{more}}}"#
        )
    };
    let mut promotions: Vec<String> = (0..50).map(|n| named(n, &format!("other-{n}"), "")).collect();
    promotions.push(named(50, "jar", r#","priority":-1"#));
    promotions.push(named(51, "jar", r#","priority":9,"stacking_group":"g""#));
    promotions.push(named(52, "lid", r#","stacking_group":"g""#));
    promotions.push(named(53, "jar", r#","item_groups":["department=DAIRY"]"#));
    promotions.push(TEN.to_owned());
    define(&rig, &promotions.join(",")).await;
    let input =
        format!(r#"{{"currency":"EUR","lines":[{},{}]}}"#, line(1, "jar", 2, 1999), line(2, "lid", 1, 501));
    let (evaluated, explained) =
        (rig.call("discount.evaluate", &input).await, rig.call("discount.explain", &input).await);
    let proof = |answer: &str| {
        answer.split(r#","redemptions""#).next().unwrap().split(r#","judged""#).next().unwrap().to_owned()
    };
    assert_eq!(proof(&evaluated), proof(&explained));
    assert_eq!(explained.matches(r#""fate":"not_for_this""#).count(), 50, "{explained}");
    assert_eq!(explained.matches(r#""fate":"applied""#).count(), 4, "{explained}");
}

#[tokio::test]
async fn an_extensions_proposals_stand_in_the_proof_and_its_failure_refuses() {
    let rig = rig_with(Bound { proposes: Ok(129) }).await;
    let answer = rig.call("discount.evaluate", &order(1000, "")).await;
    let adjustment = r#"{"kind":"extension","source":"multibuy","version":"1.2.0","lane":"items","amount":-129,"reason":"129 off DAIRY"}"#;
    assert!(!answer.contains(adjustment), "nothing is known of the item yet");
    rig.call("discount.import_items", r#"{"rows":[{"sku":"jar","name":"department","value":"DAIRY"}]}"#)
        .await;
    let answer = rig.call("discount.evaluate", &order(1000, "")).await;
    assert!(answer.contains(adjustment) && answer.contains(r#""payable":871,"tax":0"#), "{answer}");
    let rig = rig_with(Bound { proposes: Err(()) }).await;
    let refused = r#"rejected extension_refused {"point":"discount","extension":"multibuy@1.2.0","kind":"trapped","detail":"unreachable"}"#;
    assert_eq!(rig.call("discount.evaluate", &order(1000, "")).await, refused);
    assert_eq!(rig.call("discount.explain", &order(1000, "")).await, refused);
}

#[tokio::test]
async fn where_the_policy_ignores_coupons_the_order_goes_on_and_all_of_them_are_told() {
    let rig = rig_by(r#"{"refused_coupon":"ignore"}"#).await;
    define(&rig, &format!("{TEN},{HELLO}")).await;
    rig.call("discount.import_coupons", r#"{"rows":[{"coupon":"HELLO","promotion":"hello"}]}"#).await;
    let answer = rig.call("discount.evaluate", &order(1000, r#","coupons":["WHAT","HELLO"]"#)).await;
    let ignored = r#""redemptions":[],"ignored_coupons":[{"coupon":"WHAT","reason":"unknown","detail":"there is no such code"},{"coupon":"HELLO","reason":"conditions_not_met","detail":"its items cost 1000, not 2000"}]}"#;
    assert!(
        answer.starts_with("ok") && answer.contains(r#""payable":900,"tax""#) && answer.ends_with(ignored),
        "{answer}"
    );
}

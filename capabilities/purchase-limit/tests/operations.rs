//! Purchase limits on a database: what orders at once do to each other, and what is given back.

use std::sync::Arc;

use mortise_capability::{Outcome, Policies, PolicyRow};
use mortise_points::NoExtensions;
use mortise_store::Statement;
use mortise_testkit::Rig;
use mortise_types::{Scope, Span};

const DAY: &str = "2026-01-01T00:00:00.000Z";

async fn rig() -> Rig {
    let capability =
        mortise_purchase_limit::capability(Arc::new(Policies::default()), Arc::new(NoExtensions));
    let rig = Rig::new([capability.expect("it can be declared")]).await;
    rules(&rig).await;
    rig
}

async fn rules(rig: &Rig) {
    let rows = r#"{"rows":[{"rule":"tea-a-day","sku":"tea","period":"day","most":5},
        {"rule":"hot-a-month","item_group":"hot","period":"month","most":8}]}"#;
    assert_eq!(rig.call("purchase_limit.import_rules", rows).await, r#"ok {"rows":2}"#);
    let items = r#"{"rows":[{"sku":"tea","item_group":"hot"},{"sku":"coffee","item_group":"hot"}]}"#;
    assert_eq!(rig.call("purchase_limit.import_items", items).await, r#"ok {"rows":2}"#);
    assert_eq!(rig.call("purchase_limit.import_items", items).await, r#"ok {"rows":2}"#, "twice is once");
}

fn basket(customer: &str, lines: &[(&str, i64)]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|(sku, units)| format!(r#"{{"sku":"{sku}","quantity":{units}}}"#)).collect();
    format!(r#"{{"customer_id":"{customer}","lines":[{}]}}"#, lines.join(","))
}

/// A claim of units of tea, as the check would have answered.
fn claim(order: &str, customer: &str, units: i64) -> String {
    let claims = format!(r#"[{{"rule":"tea-a-day","window_start":"{DAY}","quantity":{units}}}]"#);
    format!(r#"{{"order_id":"{order}","customer_id":"{customer}","claims":{claims}}}"#)
}

#[tokio::test]
async fn a_basket_is_checked_claimed_and_given_back() {
    let rig = rig().await;
    let checked =
        rig.call("purchase_limit.check", &basket("c-1", &[("tea", 2), ("coffee", 1), ("tea", 2)])).await;
    let claims = concat!(
        r#"[{"rule":"hot-a-month","window_start":"2026-01-01T00:00:00.000Z","quantity":5},"#,
        r#"{"rule":"tea-a-day","window_start":"2026-01-01T00:00:00.000Z","quantity":4}]"#
    );
    assert_eq!(checked, format!(r#"ok {{"claims":{claims}}}"#));
    let input = format!(r#"{{"order_id":"o-1","customer_id":"c-1","claims":{claims}}}"#);
    assert_eq!(rig.call("purchase_limit.claim", &input).await, r#"ok {"claimed":2}"#);
    assert_eq!(
        rig.call("purchase_limit.check", &basket("c-1", &[("tea", 2)])).await,
        concat!(
            r#"rejected limit_exceeded {"rule":"tea-a-day","sku":"tea","period":"day","most":5,"used":4,"wanted":2,"#,
            r#""resets_at":"2026-01-02T00:00:00.000Z"}"#
        )
    );
    assert!(
        rig.call("purchase_limit.check", &basket("c-2", &[("tea", 5)])).await.starts_with("ok"),
        "each customer"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
    let release = r#"{"order_id":"o-1"}"#;
    assert_eq!(rig.call("purchase_limit.release", release).await, r#"ok {"applied":"now"}"#);
    assert_eq!(rig.call("purchase_limit.release", release).await, r#"ok {"applied":"already"}"#);
    assert!(rig.call("purchase_limit.check", &basket("c-1", &[("tea", 5)])).await.starts_with("ok"));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// Both baskets were fine when they were looked at; the limit is held where it is written.
#[tokio::test]
async fn two_carts_at_once_do_not_pass_a_limit() {
    let rig = rig().await;
    for _ in 0..2 {
        assert!(rig.call("purchase_limit.check", &basket("c-1", &[("tea", 3)])).await.starts_with("ok"));
    }
    let exceeded = concat!(
        r#"rejected limit_exceeded {"rule":"tea-a-day","sku":"tea","period":"day","most":5,"used":3,"wanted":3,"#,
        r#""resets_at":"2026-01-02T00:00:00.000Z"}"#
    );
    let batch =
        [claim("o-1", "c-1", 3), claim("o-2", "c-1", 3), claim("o-3", "c-2", 3), claim("o-4", "c-1", 2)];
    let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
    assert_eq!(
        rig.batch("purchase_limit.claim", &batch).await,
        [r#"ok {"claimed":1}"#, exceeded, r#"ok {"claimed":1}"#, r#"ok {"claimed":1}"#]
    );
    let later = rig.call("purchase_limit.claim", &claim("o-5", "c-1", 1)).await;
    assert!(later.contains(r#""used":5,"wanted":1"#), "{later}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// Claims of one rule in one order are summed before they are compared.
#[tokio::test]
async fn an_order_cannot_pass_a_limit_in_two_parts() {
    let rig = rig().await;
    let part = format!(r#"{{"rule":"tea-a-day","window_start":"{DAY}","quantity":3}}"#);
    let input = format!(r#"{{"order_id":"o-1","customer_id":"c-1","claims":[{part},{part}]}}"#);
    let reply = rig.call("purchase_limit.claim", &input).await;
    assert!(reply.starts_with("rejected limit_exceeded") && reply.contains(r#""wanted":6"#), "{reply}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_counts_once_and_a_second_trade_cannot_free_it() {
    let rig = rig().await;
    let first = claim("o-1", "c-1", 2);
    let already = r#"rejected already_claimed {"order_id":"o-1"}"#;
    assert_eq!(rig.batch("purchase_limit.claim", &[&first, &first]).await, [r#"ok {"claimed":1}"#, already]);
    assert_eq!(rig.call("purchase_limit.claim", &first).await, already);
    let release = r#"{"order_id":"o-1"}"#;
    assert_eq!(
        rig.batch("purchase_limit.release", &[release, release]).await,
        [r#"ok {"applied":"now"}"#, r#"ok {"applied":"already"}"#]
    );
    assert_eq!(
        rig.call("purchase_limit.claim", &first).await,
        r#"ok {"claimed":1}"#,
        "released, it may count again"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_without_limits_costs_nothing() {
    let rig = rig().await;
    let checked = rig.call("purchase_limit.check", &basket("c-1", &[("cola", 99)])).await;
    assert_eq!(checked, r#"ok {"claims":[]}"#);
    let before = rig.store.cost().executions;
    let input = r#"{"order_id":"o-1","customer_id":"c-1","claims":[]}"#;
    assert_eq!(rig.call("purchase_limit.claim", input).await, r#"ok {"claimed":0}"#);
    assert_eq!(rig.store.cost().executions, before);
    assert_eq!(
        rig.call("purchase_limit.release", r#"{"order_id":"o-1"}"#).await,
        r#"ok {"applied":"already"}"#
    );
}

#[tokio::test]
async fn a_new_period_begins_empty() {
    let mut rig = rig().await;
    rig.call("purchase_limit.claim", &claim("o-1", "c-1", 5)).await;
    assert!(rig.call("purchase_limit.check", &basket("c-1", &[("tea", 1)])).await.starts_with("rejected"));
    rig.now = rig.now.saturating_add(Span::days(1));
    let checked = rig.call("purchase_limit.check", &basket("c-1", &[("tea", 5)])).await;
    assert!(checked.contains(r#""window_start":"2026-01-02T00:00:00.000Z","quantity":5"#), "{checked}");
}

#[tokio::test]
async fn the_shops_midnight_is_a_policy() {
    let policies = Arc::new(Policies::default());
    policies.replace([PolicyRow {
        tenant: "acme".into(),
        line: String::new(),
        channel: String::new(),
        name: "purchase_limit".into(),
        document: r#"{"utc_offset_minutes":420}"#.into(),
    }]);
    let rig = Rig::new([mortise_purchase_limit::capability(policies, Arc::new(NoExtensions)).unwrap()]).await;
    rules(&rig).await;
    let checked = rig.call("purchase_limit.check", &basket("c-1", &[("tea", 1)])).await;
    assert!(
        checked.contains(r#"{"rule":"tea-a-day","window_start":"2025-12-31T17:00:00.000Z""#),
        "{checked}"
    );
}

#[tokio::test]
async fn a_retired_rule_refuses_nobody_and_an_unclear_one_is_not_taken() {
    let rig = rig().await;
    let retired = r#"{"rows":[{"rule":"tea-a-day","sku":"tea","period":"day","most":5,"state":"retired"}]}"#;
    rig.call("purchase_limit.import_rules", retired).await;
    assert_eq!(rig.call("purchase_limit.claim", &claim("o-1", "c-1", 6)).await, r#"ok {"claimed":1}"#);
    assert!(!rig.call("purchase_limit.check", &basket("c-1", &[("tea", 2)])).await.contains("tea-a-day"));
    let unclear = r#"{"rows":[{"rule":"new","sku":"cola","period":"day","most":0},
        {"rule":"odd","sku":"tea","item_group":"hot","period":"day","most":1}]}"#;
    assert_eq!(
        rig.call("purchase_limit.import_rules", unclear).await,
        r#"rejected rule_unclear {"rule":"odd","problem":"it names an item and a group: name one of them"}"#
    );
    let cola = rig.call("purchase_limit.check", &basket("c-1", &[("cola", 2)])).await;
    assert_eq!(cola, r#"ok {"claims":[]}"#, "none of the rows was taken");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_crosses_between_tenants() {
    let mut rig = rig().await;
    rig.call("purchase_limit.claim", &claim("o-1", "c-1", 5)).await;
    let ours = rig.scope.clone();
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    assert_eq!(rig.call("purchase_limit.check", &basket("c-1", &[("tea", 99)])).await, r#"ok {"claims":[]}"#);
    assert_eq!(
        rig.call("purchase_limit.release", r#"{"order_id":"o-1"}"#).await,
        r#"ok {"applied":"already"}"#
    );
    let back = r#"{"order_id":"o-1","reference":"r-1","units":[{"sku":"tea","quantity":1}]}"#;
    assert_eq!(rig.call("purchase_limit.give_back", back).await, r#"ok {"applied":"already"}"#);
    rules(&rig).await;
    assert!(rig.call("purchase_limit.check", &basket("c-1", &[("tea", 5)])).await.starts_with("ok"));
    assert_eq!(rig.call("purchase_limit.claim", &claim("o-1", "c-1", 1)).await, r#"ok {"claimed":1}"#);
    assert_eq!(rig.call("purchase_limit.release", r#"{"order_id":"o-1"}"#).await, r#"ok {"applied":"now"}"#);
    let none = r#"{"rows":[{"rule":"tea-a-day","sku":"tea","period":"day","most":0}]}"#;
    rig.call("purchase_limit.import_rules", none).await;
    let walked = ["check", "claim", "release", "give_back", "import_rules", "import_items"];
    assert_eq!(rig.registry.contracts().operations.len(), walked.len(), "every operation is walked");
    rig.scope = ours;
    let reply = rig.call("purchase_limit.check", &basket("c-1", &[("tea", 1)])).await;
    assert!(reply.contains(r#""most":5,"used":5"#), "{reply}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// Two tenants in one batch: the same order, customer and rule, each under its own limit.
#[tokio::test]
async fn a_batch_of_two_tenants_counts_apart() {
    let mut rig = rig().await;
    let ours = rig.call_of(mortise_contract::json(&claim("o-1", "c-1", 5)).unwrap());
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    rules(&rig).await;
    let theirs = rig.call_of(mortise_contract::json(&claim("o-1", "c-1", 5)).unwrap());
    let replies = rig.run("purchase_limit.claim", vec![ours, theirs]).await.unwrap();
    assert!(replies.iter().all(|reply| matches!(reply.outcome, Outcome::Done(_))), "{replies:?}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn counters_that_no_order_explains_are_found() {
    for (text, found) in [
        (
            "UPDATE purchase_limit_use SET used = used + 1",
            "purchase_limit limits used: acme: c-1 under tea-a-day since 2026-01-01T00:00:00.000Z: used is 5, open orders claim 4",
        ),
        (
            "DELETE FROM purchase_limit_use",
            "purchase_limit limits used: acme: c-1 under tea-a-day since 2026-01-01T00:00:00.000Z: used is 0, open orders claim 4",
        ),
        (
            "UPDATE purchase_limit_claim SET state = 'released' WHERE order_id = 'o-1'",
            "purchase_limit limits used: acme: c-1 under tea-a-day since 2026-01-01T00:00:00.000Z: used is 4, open orders claim 1",
        ),
    ] {
        let rig = rig().await;
        rig.call("purchase_limit.claim", &claim("o-1", "c-1", 3)).await;
        rig.call("purchase_limit.claim", &claim("o-2", "c-1", 1)).await;
        assert_eq!(rig.findings().await, Vec::<String>::new());
        let broken = Statement::both("test.break", text);
        rig.behind_the_back(broken).await.unwrap();
        assert_eq!(rig.findings().await, [found]);
    }
}

//! Units that come back count no more: once for a paper, in one batch and by repetition, never more than an order counts.

use std::sync::Arc;

use mortise_capability::Policies;
use mortise_points::NoExtensions;
use mortise_testkit::Rig;

const DAY: &str = "2026-01-01T00:00:00.000Z";
const NOW: &str = r#"ok {"applied":"now"}"#;
const ALREADY: &str = r#"ok {"applied":"already"}"#;

/// Five tea a day, eight hot drinks a month; the customer has ordered four tea and one coffee.
async fn rig() -> Rig {
    let capability =
        mortise_purchase_limit::capability(Arc::new(Policies::default()), Arc::new(NoExtensions));
    let rig = Rig::new([capability.expect("it can be declared")]).await;
    let rows = r#"{"rows":[{"rule":"tea-a-day","sku":"tea","period":"day","most":5},
        {"rule":"hot-a-month","item_group":"hot","period":"month","most":8}]}"#;
    rig.call("purchase_limit.import_rules", rows).await;
    let items = r#"{"rows":[{"sku":"tea","item_group":"hot"},{"sku":"coffee","item_group":"hot"}]}"#;
    rig.call("purchase_limit.import_items", items).await;
    let claims = format!(
        r#"[{{"rule":"tea-a-day","window_start":"{DAY}","quantity":4}},{{"rule":"hot-a-month","window_start":"{DAY}","quantity":5}}]"#
    );
    let claim = format!(r#"{{"order_id":"o-1","customer_id":"c-1","claims":{claims}}}"#);
    assert_eq!(rig.call("purchase_limit.claim", &claim).await, r#"ok {"claimed":2}"#);
    rig
}

fn back(reference: &str, units: &[(&str, i64)]) -> String {
    let units: Vec<String> =
        units.iter().map(|(sku, units)| format!(r#"{{"sku":"{sku}","quantity":{units}}}"#)).collect();
    format!(r#"{{"order_id":"o-1","reference":"{reference}","units":[{}]}}"#, units.join(","))
}

/// Units that the customer has used of the two limits: found by asking for too many.
async fn used(rig: &Rig) -> (String, String) {
    let mut found = Vec::new();
    for sku in ["tea", "coffee"] {
        let basket = format!(r#"{{"customer_id":"c-1","lines":[{{"sku":"{sku}","quantity":99}}]}}"#);
        let reply = rig.call("purchase_limit.check", &basket).await;
        let at = reply.find("\"used\":").unwrap_or_else(|| panic!("{reply}")) + 7;
        found.push(reply[at..].chars().take_while(char::is_ascii_digit).collect::<String>());
    }
    let coffee = found.pop().expect("two were asked");
    // The first by id that is passed is named: of tea that is the month's limit too.
    (found.pop().expect("two were asked"), coffee)
}

#[tokio::test]
async fn units_are_given_back_once_for_a_paper() {
    let rig = rig().await;
    assert_eq!(used(&rig).await, ("5".to_owned(), "5".to_owned()));
    let paper = back("r-1", &[("tea", 3)]);
    assert_eq!(rig.batch("purchase_limit.give_back", &[&paper, &paper]).await, [NOW, ALREADY]);
    assert_eq!(rig.call("purchase_limit.give_back", &paper).await, ALREADY);
    assert_eq!(used(&rig).await, ("2".to_owned(), "2".to_owned()));
    let fits = r#"{"customer_id":"c-1","lines":[{"sku":"tea","quantity":4}]}"#;
    assert!(rig.call("purchase_limit.check", fits).await.starts_with("ok"), "four of five are free again");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_never_gives_back_more_than_it_counts() {
    let rig = rig().await;
    let papers = [back("r-1", &[("tea", 3)]), back("r-2", &[("tea", 3), ("coffee", 9), ("water", 1)])];
    let papers: Vec<&str> = papers.iter().map(String::as_str).collect();
    assert_eq!(rig.batch("purchase_limit.give_back", &papers).await, [NOW, NOW]);
    assert_eq!(used(&rig).await, ("0".to_owned(), "0".to_owned()));
    assert_eq!(rig.call("purchase_limit.release", r#"{"order_id":"o-1"}"#).await, NOW);
    assert_eq!(used(&rig).await, ("0".to_owned(), "0".to_owned()));
    assert_eq!(
        rig.call("purchase_limit.give_back", &back("r-3", &[("tea", 1)])).await,
        ALREADY,
        "it is released"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_release_gives_back_what_is_left() {
    let rig = rig().await;
    rig.call("purchase_limit.give_back", &back("r-1", &[("coffee", 1), ("tea", 1)])).await;
    assert_eq!(rig.call("purchase_limit.release", r#"{"order_id":"o-1"}"#).await, NOW);
    assert_eq!(used(&rig).await, ("0".to_owned(), "0".to_owned()));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_retired_rule_gives_back_what_it_counted() {
    let rig = rig().await;
    let retire = r#"{"rows":[{"rule":"tea-a-day","sku":"tea","period":"day","most":5,"state":"retired"}]}"#;
    rig.call("purchase_limit.import_rules", retire).await;
    rig.call("purchase_limit.give_back", &back("r-1", &[("tea", 4)])).await;
    let revive = r#"{"rows":[{"rule":"tea-a-day","sku":"tea","period":"day","most":5}]}"#;
    rig.call("purchase_limit.import_rules", revive).await;
    let five = r#"{"customer_id":"c-1","lines":[{"sku":"tea","quantity":5}]}"#;
    assert!(rig.call("purchase_limit.check", five).await.starts_with("ok"));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

//! The operations on a real database: what each does, what it does not do twice, and that nothing is given twice.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::sync::Arc;

use mortise_store::Statement;
use mortise_testkit::{Rig, SeededIds};
use mortise_types::{Scope, Span};

/// A shop with the campaign `spring`: lamps (100 for all, 2 each), rugs (as many as there are), groups of 3 for a day.
async fn shop() -> Rig {
    let rig = Rig::new([mortise_campaign::capability(Arc::new(SeededIds::default())).unwrap()]).await;
    define(&rig, "spring", r#""group":{"size":3,"lasts_s":86400},"price_group":"spring""#).await;
    rig
}

async fn define(rig: &Rig, campaign: &str, more: &str) {
    let input = format!(
        r#"{{"campaigns":[{{"campaign":"{campaign}","title":"Spring","items":[{{"sku":"lamp","quota":100,"per_customer":2}},{{"sku":"rug"}}],{more}}}]}}"#
    );
    assert_eq!(rig.call("campaign.define", &input).await, r#"ok {"campaigns":1}"#);
}

fn taking(holder: &str, customer: &str, sku: &str, units: i64) -> String {
    format!(
        r#"{{"holder":"{holder}","campaign":"spring","customer_id":"{customer}","lines":[{{"sku":"{sku}","quantity":{units}}}]}}"#
    )
}

fn field(answer: &str, name: &str) -> String {
    let json = answer.lines().next().unwrap().strip_prefix("ok ").unwrap_or_else(|| panic!("{answer}"));
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    value[name].as_str().unwrap().to_owned()
}

async fn open_group(rig: &Rig) -> String {
    field(&rig.call("campaign.open_group", r#"{"campaign":"spring"}"#).await, "group_id")
}

fn seat(group: &str, customer: &str) -> String {
    format!(
        r#"{{"campaign":"spring","group_id":"{group}","customer_id":"{customer}","holder":"order-of-{customer}"}}"#
    )
}

async fn take_seat(rig: &Rig, group: &str, customer: &str) -> String {
    let taken = rig.call("campaign.take_seat", &seat(group, customer)).await;
    format!(r#"{{"seat_id":"{}"}}"#, field(&taken, "seat_id"))
}

async fn clean(rig: &Rig) {
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn ten_thousand_callers_on_one_counter_get_what_there_is_and_not_one_more() {
    let rig = shop().await;
    let mut given = 0;
    for batch in 0..40 {
        let calls: Vec<String> = (0..250)
            .map(|n| taking(&format!("o-{batch}-{n}"), &format!("c-{batch}-{n}"), "lamp", 1))
            .collect();
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        let replies = rig.batch("campaign.take_allotment", &calls).await;
        given += replies.iter().filter(|reply| *reply == r#"ok {"units":1}"#).count();
        assert!(
            replies
                .iter()
                .all(|reply| reply.starts_with("ok") || reply.starts_with("rejected allotment_exhausted")),
            "{replies:?}"
        );
    }
    assert_eq!(given, 100);
    assert_eq!(
        rig.call("campaign.take_allotment", &taking("late", "late", "lamp", 1)).await,
        r#"rejected allotment_exhausted {"campaign":"spring","sku":"lamp","exhausted_for":"everybody","wanted":1,"left":0}"#
    );
    let seen = rig.call("campaign.get", r#"{"campaign":"spring"}"#).await;
    assert!(
        seen.ends_with(r#""items":[{"sku":"lamp","given":100,"left":0},{"sku":"rug","given":0}]}"#),
        "{seen}"
    );
    clean(&rig).await;
}

#[tokio::test]
async fn two_lines_with_one_item_are_one_demand_and_all_or_nothing_is_taken() {
    let rig = shop().await;
    let lines = |lamps: i64| {
        format!(
            r#"{{"holder":"o-1","campaign":"spring","customer_id":"ann","lines":[{{"sku":"rug","quantity":5}},{{"sku":"lamp","quantity":{lamps}}},{{"sku":"lamp","quantity":1}}]}}"#
        )
    };
    assert_eq!(
        rig.call("campaign.take_allotment", &lines(2)).await,
        r#"rejected allotment_exhausted {"campaign":"spring","sku":"lamp","exhausted_for":"customer","wanted":3,"left":2}"#
    );
    let seen = rig.call("campaign.get", r#"{"campaign":"spring"}"#).await;
    assert!(seen.contains(r#"{"sku":"rug","given":0}"#), "no part of a refused order: {seen}");
    assert_eq!(rig.call("campaign.take_allotment", &lines(1)).await, r#"ok {"units":7}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn a_customer_has_so_many_units_over_all_orders_of_a_batch() {
    let rig = shop().await;
    let (first, second) = (taking("o-1", "ann", "lamp", 1), taking("o-2", "ann", "lamp", 2));
    let replies = rig.batch("campaign.take_allotment", &[&first, &second]).await;
    assert_eq!(replies[0], r#"ok {"units":1}"#);
    assert!(replies[1].contains(r#""exhausted_for":"customer","wanted":2,"left":1"#), "{}", replies[1]);
    let enter = r#"{"campaign":"spring","customer_id":"ann","lines":[{"sku":"lamp","quantity":2}]}"#;
    assert!(rig.call("campaign.enter", enter).await.starts_with("rejected allotment_exhausted"));
    let enter = r#"{"campaign":"spring","customer_id":"ben","lines":[{"sku":"lamp","quantity":2}]}"#;
    assert_eq!(
        rig.call("campaign.enter", enter).await,
        r#"ok {"campaign":"spring","version":"1","price_group":"spring"}"#
    );
    clean(&rig).await;
}

#[tokio::test]
async fn what_was_taken_is_given_back_once_and_can_be_taken_again() {
    let rig = shop().await;
    let take = taking("o-1", "ann", "lamp", 2);
    let give_back = r#"{"holder":"o-1","campaign":"spring"}"#;
    assert_eq!(rig.call("campaign.take_allotment", &take).await, r#"ok {"units":2}"#);
    assert_eq!(
        rig.call("campaign.take_allotment", &take).await,
        r#"rejected already_taken {"holder":"o-1","campaign":"spring"}"#
    );
    assert_eq!(
        rig.batch("campaign.return_allotment", &[give_back, give_back]).await,
        [r#"ok {"units":2}"#, r#"ok {"units":0}"#]
    );
    assert_eq!(rig.call("campaign.return_allotment", give_back).await, r#"ok {"units":0}"#);
    clean(&rig).await;
    assert_eq!(rig.batch("campaign.take_allotment", &[&take, &take]).await[0], r#"ok {"units":2}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn nobody_enters_before_the_time_after_it_or_when_it_was_stopped() {
    let mut rig = shop().await;
    let opens = rig.now.saturating_add(Span::seconds(60));
    let closes = rig.now.saturating_add(Span::seconds(120));
    define(&rig, "spring", &format!(r#""opens_at":"{opens}","closes_at":"{closes}""#)).await;
    let take = taking("o-1", "ann", "rug", 1);
    let enter = r#"{"campaign":"spring","customer_id":"ann","lines":[{"sku":"rug","quantity":1}]}"#;
    let start = rig.now;
    for (seconds, answer) in [
        (
            0,
            format!(
                r#"rejected campaign_closed {{"campaign":"spring","reason":"not_yet","opens_at":"{opens}"}}"#
            ),
        ),
        (120, r#"rejected campaign_closed {"campaign":"spring","reason":"over"}"#.to_owned()),
    ] {
        rig.now = start.saturating_add(Span::seconds(seconds));
        assert_eq!(rig.call("campaign.take_allotment", &take).await, answer);
        assert_eq!(rig.call("campaign.enter", enter).await, answer);
    }
    rig.now = start.saturating_add(Span::seconds(60));
    assert_eq!(rig.call("campaign.take_allotment", &take).await, r#"ok {"units":1}"#);
    define(&rig, "spring", r#""state":"stopped""#).await;
    assert!(rig.call("campaign.enter", enter).await.contains(r#""reason":"stopped""#));
    // What was taken stays taken, and counts on in the campaign as it was defined anew.
    let seen = rig.call("campaign.get", r#"{"campaign":"spring"}"#).await;
    assert!(seen.contains(r#""version":"3""#) && seen.contains(r#"{"sku":"rug","given":1}"#), "{seen}");
    clean(&rig).await;
}

#[tokio::test]
async fn what_a_campaign_does_not_have_is_said() {
    let rig = shop().await;
    assert_eq!(
        rig.call("campaign.take_allotment", &taking("o-1", "ann", "sofa", 1)).await,
        r#"rejected not_in_campaign {"campaign":"spring","sku":"sofa"}"#
    );
    assert_eq!(
        rig.call("campaign.deposit_terms", r#"{"campaign":"spring"}"#).await,
        r#"rejected no_such_terms {"campaign":"spring","terms":"deposit"}"#
    );
    assert_eq!(
        rig.call("campaign.get", r#"{"campaign":"autumn"}"#).await,
        r#"rejected campaign_unknown {"campaign":"autumn"}"#
    );
    let twice = r#"{"campaigns":[{"campaign":"summer","title":"Summer","items":[{"sku":"a"}]},{"campaign":"autumn","title":"A","items":[{"sku":"a"},{"sku":"a"}]}]}"#;
    assert_eq!(
        rig.call("campaign.define", twice).await,
        r#"rejected campaign_invalid {"campaign":"autumn","problem":"item a stands in it twice"}"#
    );
    assert!(
        rig.call("campaign.get", r#"{"campaign":"summer"}"#).await.starts_with("rejected"),
        "all or none"
    );
    let terms = r#""closes_at":"2026-06-01T00:00:00Z","deposit":{"deposit_bp":1000,"counts_bp":20000,"balance_opens_at":"2026-06-01T00:00:00Z","balance_closes_at":"2026-06-03T00:00:00Z","ships_at":"2026-07-01T00:00:00Z"}"#;
    define(&rig, "launch", terms).await;
    let seen = rig.call("campaign.deposit_terms", r#"{"campaign":"launch"}"#).await;
    assert!(
        seen.starts_with(r#"ok {"campaign":"launch","version":"1","deposit_bp":1000,"counts_bp":20000"#),
        "{seen}"
    );
}

#[tokio::test]
async fn the_last_confirmed_seat_fills_the_group_and_tells_it_once() {
    let rig = shop().await;
    let group = open_group(&rig).await;
    let mut seats = Vec::new();
    for customer in ["ann", "ben", "cleo"] {
        seats.push(take_seat(&rig, &group, customer).await);
    }
    let full = rig.call("campaign.take_seat", &seat(&group, "dan")).await;
    assert_eq!(full, format!(r#"rejected group_full {{"group_id":"{group}","size":3,"held":3}}"#));
    let confirmed = rig.call("campaign.confirm_seat", &seats[0]).await;
    assert_eq!(confirmed, r#"ok {"applied":"now","condition":"confirmed"}"#);
    let last = rig.batch("campaign.confirm_seat", &[&seats[1], &seats[2], &seats[2]]).await;
    assert_eq!(last[0], r#"ok {"applied":"now","condition":"confirmed"}"#);
    assert_eq!(
        last[1],
        format!(
            "ok {{\"applied\":\"now\",\"condition\":\"confirmed\"}}\nevent campaign.group_filled {{\"group_id\":\"{group}\",\"campaign\":\"spring\",\"size\":3,\"confirmed\":3}}"
        )
    );
    assert_eq!(last[2], r#"ok {"applied":"already","condition":"confirmed"}"#);
    let settled = rig.call("campaign.settle_group", &format!(r#"{{"group_id":"{group}"}}"#)).await;
    assert_eq!(settled, r#"ok {"condition":"filled"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn many_at_once_take_the_seats_that_there_are_and_each_customer_one() {
    let rig = shop().await;
    let group = open_group(&rig).await;
    let wants: Vec<String> =
        ["ann", "ann", "ben", "cleo", "dan"].map(|customer| seat(&group, customer)).into();
    let wants: Vec<&str> = wants.iter().map(String::as_str).collect();
    let replies = rig.batch("campaign.take_seat", &wants).await;
    let codes: Vec<&str> = replies.iter().map(|reply| reply.split(" {").next().unwrap()).collect();
    assert_eq!(codes, ["ok", "rejected already_in", "ok", "ok", "rejected group_full"]);
    assert!(replies[1].contains(r#""holder":"order-of-ann""#), "{}", replies[1]);
    clean(&rig).await;
}

#[tokio::test]
async fn a_seat_is_given_back_once_and_somebody_else_may_have_it() {
    let rig = shop().await;
    let group = open_group(&rig).await;
    let ann = take_seat(&rig, &group, "ann").await;
    rig.call("campaign.confirm_seat", &ann).await;
    assert_eq!(rig.call("campaign.unconfirm_seat", &ann).await, r#"ok {"applied":"now","condition":"held"}"#);
    assert_eq!(
        rig.batch("campaign.return_seat", &[&ann, &ann]).await,
        [
            r#"ok {"applied":"now","condition":"returned"}"#,
            r#"ok {"applied":"already","condition":"returned"}"#
        ]
    );
    let refused = rig.call("campaign.confirm_seat", &ann).await;
    assert!(
        refused.starts_with("rejected seat_unavailable") && refused.contains(r#""condition":"returned""#)
    );
    assert_eq!(
        rig.call("campaign.return_seat", r#"{"seat_id":"seat-nobody"}"#).await,
        r#"ok {"applied":"already","condition":"unknown"}"#
    );
    // The same customer may come back: with a seat of its own.
    take_seat(&rig, &group, "ann").await;
    let seen = rig.call("campaign.get_group", &format!(r#"{{"group_id":"{group}"}}"#)).await;
    assert!(seen.contains(r#""held":1,"confirmed":0"#) && seen.matches("customer_id").count() == 2, "{seen}");
    clean(&rig).await;
}

#[tokio::test]
async fn a_group_whose_time_is_up_is_expired_for_all_who_ask_and_nobody_comes_in_late() {
    let mut rig = shop().await;
    let group = open_group(&rig).await;
    let (ann, ben) = (take_seat(&rig, &group, "ann").await, take_seat(&rig, &group, "ben").await);
    rig.call("campaign.confirm_seat", &ann).await;
    let settle = format!(r#"{{"group_id":"{group}"}}"#);
    assert_eq!(rig.call("campaign.settle_group", &settle).await, r#"ok {"condition":"open"}"#);
    assert!(rig.call("campaign.open_groups", r#"{"campaign":"spring"}"#).await.contains(&group));
    rig.now = rig.now.saturating_add(Span::seconds(86_400));
    assert!(!rig.call("campaign.open_groups", r#"{"campaign":"spring"}"#).await.contains(&group));
    assert!(rig.call("campaign.confirm_seat", &ben).await.starts_with("rejected group_closed"));
    assert!(rig.call("campaign.take_seat", &seat(&group, "cleo")).await.starts_with("rejected group_closed"));
    let settled = rig.batch("campaign.settle_group", &[&settle, &settle]).await;
    assert_eq!(
        settled[0],
        format!(
            "ok {{\"condition\":\"expired\"}}\nevent campaign.group_expired {{\"group_id\":\"{group}\",\"campaign\":\"spring\",\"size\":3,\"confirmed\":1}}"
        )
    );
    assert_eq!(settled[1], r#"ok {"condition":"expired"}"#, "told once");
    clean(&rig).await;
}

#[tokio::test]
async fn whoever_opens_a_group_and_does_not_come_closes_it_unless_somebody_sits_there() {
    let rig = shop().await;
    let (alone, joined) = (open_group(&rig).await, open_group(&rig).await);
    take_seat(&rig, &joined, "ben").await;
    let abandon =
        async |group: &str| rig.call("campaign.abandon_group", &format!(r#"{{"group_id":"{group}"}}"#)).await;
    assert!(abandon(&alone).await.starts_with(r#"ok {"condition":"expired"}"#));
    assert_eq!(abandon(&joined).await, r#"ok {"condition":"open"}"#);
    assert_eq!(abandon("grp-nobody").await, r#"ok {"condition":"expired"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn verify_names_what_is_off() {
    let rig = shop().await;
    rig.call("campaign.take_allotment", &taking("o-1", "ann", "lamp", 2)).await;
    let group = open_group(&rig).await;
    take_seat(&rig, &group, "ann").await;
    clean(&rig).await;
    let update = |text| Statement::both("change", text);
    let broken = [
        (
            "UPDATE campaign_given SET units = units + 1",
            "UPDATE campaign_given SET units = units - 1",
            "item lamp: 3 units are counted as given, the ledger has 2",
        ),
        (
            "UPDATE campaign_given_to SET units = units - 1",
            "UPDATE campaign_given_to SET units = units + 1",
            "item lamp for customer ann: 1 units are counted as given, the ledger has 2",
        ),
        (
            "UPDATE campaign_taking SET state = 'returned'",
            "UPDATE campaign_taking SET state = 'open'",
            "2 units are counted as given, the ledger has 0",
        ),
        (
            "UPDATE campaign_group SET confirmed = confirmed + 1",
            "UPDATE campaign_group SET confirmed = confirmed - 1",
            "1 held and 1 confirmed, its seats are 1 and 0",
        ),
        (
            "INSERT INTO campaign_seat SELECT tenant, 'twin', group_id, customer_id, holder, state, 1 FROM campaign_seat",
            "DELETE FROM campaign_seat WHERE seat_id = 'twin'",
            "1 held and 0 confirmed, its seats are 2 and 0",
        ),
    ];
    for (breaking, mending, problem) in broken {
        let (breaking, mending) = (update(breaking), update(mending));
        rig.behind_the_back(breaking).await.unwrap();
        let findings = rig.findings().await;
        assert!(findings.iter().any(|line| line.contains(problem)), "{problem}: {findings:?}");
        rig.behind_the_back(mending).await.unwrap();
        clean(&rig).await;
    }
}

#[tokio::test]
async fn tenants_and_business_lines_never_meet() {
    let mut rig = shop().await;
    let group = open_group(&rig).await;
    let ours = take_seat(&rig, &group, "ann").await;
    rig.call("campaign.take_allotment", &taking("o-1", "ann", "lamp", 1)).await;
    let meant = format!(r#"{{"group_id":"{group}"}}"#);
    rig.scope = Scope::new("acme", "fashion", "web").unwrap();
    assert!(
        rig.call("campaign.get", r#"{"campaign":"spring"}"#).await.starts_with("rejected campaign_unknown")
    );
    let theirs = r#"{"campaigns":[{"campaign":"spring","title":"S","items":[{"sku":"a"}]}]}"#;
    assert!(rig.call("campaign.define", theirs).await.contains("line grocery has a campaign of this id"));
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let enter = r#"{"campaign":"spring","customer_id":"ann","lines":[{"sku":"lamp","quantity":1}]}"#;
    for (operation, input, answer) in [
        ("get", r#"{"campaign":"spring"}"#, "rejected campaign_unknown"),
        ("enter", enter, "rejected campaign_unknown"),
        ("deposit_terms", r#"{"campaign":"spring"}"#, "rejected campaign_unknown"),
        ("take_allotment", &taking("o-1", "ann", "lamp", 1), "rejected campaign_unknown"),
        ("return_allotment", r#"{"holder":"o-1","campaign":"spring"}"#, r#"ok {"units":0}"#),
        ("open_group", r#"{"campaign":"spring"}"#, "rejected campaign_unknown"),
        ("open_groups", r#"{"campaign":"spring"}"#, r#"ok {"groups":[]}"#),
        ("get_group", &meant, "rejected group_unknown"),
        ("settle_group", &meant, "rejected group_unknown"),
        ("abandon_group", &meant, r#"ok {"condition":"expired"}"#),
        ("take_seat", &seat(&group, "ben"), "rejected group_unknown"),
        ("return_seat", &ours, r#"ok {"applied":"already","condition":"unknown"}"#),
        ("confirm_seat", &ours, "rejected seat_unavailable"),
        ("unconfirm_seat", &ours, r#"ok {"applied":"already","condition":"unknown"}"#),
    ] {
        let reply = rig.call(&format!("campaign.{operation}"), input).await;
        assert!(reply.starts_with(answer), "{operation}: {reply}");
    }
    let walked = rig.registry.contracts().operations.len();
    assert_eq!(walked, 15, "a new operation is walked here; `define` is below");
    define(&rig, "spring", r#""state":"live""#).await;
    assert!(
        rig.call("campaign.get", r#"{"campaign":"spring"}"#).await.contains(r#"{"sku":"lamp","given":0"#)
    );
    rig.scope = Scope::new("acme", "grocery", "web").unwrap();
    assert!(
        rig.call("campaign.get", r#"{"campaign":"spring"}"#).await.contains(r#"{"sku":"lamp","given":1"#)
    );
    clean(&rig).await;
}

//! Returns on a database: what is asked for at once, what is said twice, who sees what, what is off.

use std::sync::Arc;

use mortise_capability::{Policies, PolicyRow};
use mortise_points::refund_check::{Cap, Question, Refusal, Ruling};
use mortise_points::{Native, NoExtensions, Points, RefundCheck};
use mortise_store::Statement;
use mortise_testkit::{Rig, SeededIds};
use mortise_types::CustomerId;
use serde_json::{Value, json};

async fn rig_with(policy: &Value) -> Rig {
    rig_of(policy, Arc::new(NoExtensions)).await
}

async fn rig_of(policy: &Value, points: Arc<dyn Points>) -> Rig {
    let policies = Arc::new(Policies::default());
    policies.replace([PolicyRow {
        tenant: "acme".into(),
        line: String::new(),
        channel: String::new(),
        name: "after_sale".into(),
        document: policy.to_string(),
    }]);
    let capability = mortise_after_sale::capability(policies, Arc::new(SeededIds::new(1)), points);
    Rig::new([capability.expect("it can be declared")]).await
}

async fn rig() -> Rig {
    rig_with(&json!({})).await
}

/// Three cups at 10.00 less a coupon of 1.00, a pot at 30.00, and 5.00 for the parcel: 64.00 in all.
fn proof() -> Value {
    let line = |id: &str, sku: &str, units: i64, price: i64, off: i64| {
        let adjustments = match off {
            0 => json!([]),
            _ => {
                json!([{"kind": "coupon", "source": "welcome", "version": "1", "amount": -off, "reason": "welcome"}])
            }
        };
        json!({"line_id": id, "sku": sku, "quantity": units, "list_price": {"amount": price, "per": 1},
               "list": price * units, "adjustments": adjustments, "taxes": [], "payable": price * units - off})
    };
    json!({"policy_version": "pricing:0", "lines": [line("1", "cup", 3, 1000, 100), line("2", "pot", 1, 3000, 0)],
           "fees": [{"fee_id": "delivery", "kind": "delivery", "list": 500, "adjustments": [], "taxes": [], "payable": 500}],
           "payable": 6400, "tax": 0})
}

fn request(order: &str, kind: &str, lines: &[(&str, i64)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(line, units)| json!({"line_id": line, "quantity": units, "reason": "changed_mind"}))
        .collect();
    json!({"order_id": order, "customer_id": "ada", "placed_at": "2025-12-01T00:00:00.000Z",
           "returnable_from": "2025-12-03T00:00:00.000Z", "currency": "EUR",
           "proof": proof(), "captured": 6400, "kind": kind, "lines": lines})
}

fn open(rma: &str, order: &str, lines: &[(&str, i64)]) -> String {
    json!({"rma_id": rma, "request": request(order, "return", lines), "return_to": "berlin"}).to_string()
}

fn of(rma: &str) -> String {
    json!({"rma_id": rma}).to_string()
}

fn inspect(rma: &str, lines: &[(&str, i64)]) -> String {
    let lines: Vec<Value> =
        lines.iter().map(|(line, units)| json!({"line_id": line, "accepted": units})).collect();
    json!({"rma_id": rma, "lines": lines}).to_string()
}

fn output(reply: &str) -> Value {
    let json = reply.lines().next().and_then(|line| line.strip_prefix("ok "));
    serde_json::from_str(json.unwrap_or_else(|| panic!("{reply}"))).expect("an output is JSON")
}

fn events(reply: &str) -> Vec<&str> {
    reply.lines().skip(1).filter_map(|line| line.split(' ').nth(1)).collect()
}

async fn clean(rig: &Rig) {
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_return_goes_its_way_and_each_step_is_told_once() {
    let rig = rig().await;
    let opened = rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 1)])).await;
    assert_eq!(output(&opened)["state"], "approved");
    assert_eq!(output(&opened)["entitlement"]["refund"], 967);
    assert_eq!(events(&opened), ["after_sale.opened"]);
    let received = rig.batch("after_sale.receive", &[&of("r-1"), &of("r-1")]).await;
    assert_eq!(
        (output(&received[0])["applied"].as_str(), events(&received[0])),
        (Some("now"), vec!["after_sale.received"])
    );
    assert_eq!((output(&received[1])["applied"].as_str(), events(&received[1])), (Some("already"), vec![]));
    let seen = inspect("r-1", &[("1", 1)]);
    let inspected = rig.batch("after_sale.inspect", &[&seen, &seen]).await;
    let (first, second) = (output(&inspected[0]), output(&inspected[1]));
    assert_eq!(events(&inspected[0]), ["after_sale.inspected"]);
    assert_eq!(first["entitlement"]["refund"], 967);
    assert_eq!(
        first["restock"],
        json!([{"sku": "cup", "location": "berlin", "quantity": 1, "condition": "sellable"}])
    );
    assert_eq!(first["restore_limits"], "units");
    assert_eq!((first["applied"].as_str(), second["applied"].as_str()), (Some("now"), Some("already")));
    assert_eq!(first["entitlement"], second["entitlement"], "the second look changes nothing");
    assert!(events(&inspected[1]).is_empty());
    let settle = json!({"rma_id": "r-1", "given": 967}).to_string();
    let settled = rig.batch("after_sale.settle", &[&settle, &settle]).await;
    assert_eq!((events(&settled[0]), events(&settled[1])), (vec!["after_sale.settled"], vec![]));
    let view = output(&rig.call("after_sale.get", &of("r-1")).await);
    assert_eq!(
        (view["summary"]["state"].as_str(), view["summary"]["given"].as_i64()),
        (Some("settled"), Some(967))
    );
    clean(&rig).await;
}

/// However many returns run at once, the units that were bought are given back once.
#[tokio::test]
async fn returns_of_one_batch_together_stay_within_what_was_bought() {
    let rig = rig().await;
    let asked: Vec<String> = (0..5).map(|n| open(&format!("r-{n}"), "o-1", &[("1", 1)])).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let replies = rig.batch("after_sale.open", &asked).await;
    assert!(replies[..3].iter().all(|reply| reply.starts_with("ok ")), "{replies:?}");
    let none_left = r#"rejected units_exceeded {"line_id":"1","asked":1,"left":0}"#;
    assert!(replies[3..].iter().all(|reply| reply == none_left), "{replies:?}");
    assert_eq!(rig.call("after_sale.open", &open("r-9", "o-1", &[("1", 1)])).await, none_left);
    let all: Vec<String> = (0..3).map(|n| inspect(&format!("r-{n}"), &[("1", 1)])).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let refunds: Vec<i64> = rig
        .batch("after_sale.inspect", &all)
        .await
        .iter()
        .map(|reply| output(reply)["entitlement"]["refund"].as_i64().expect("an amount"))
        .collect();
    assert_eq!(refunds, [967, 967, 966]);
    let last = rig.call("after_sale.open", &open("r-pot", "o-1", &[("2", 1)])).await;
    assert_eq!(output(&last)["entitlement"]["refund"], 3500, "with the last unit the delivery fee is owed");
    let accepted = output(&rig.call("after_sale.accept", &of("r-pot")).await);
    assert_eq!(accepted["entitlement"]["gross"].as_i64(), Some(6400 - 967 - 967 - 966));
    assert_eq!(
        (accepted["restore_coupons"].as_bool(), accepted["entitlement"]["whole"].as_bool()),
        (Some(true), Some(true))
    );
    assert_eq!(accepted["restock"][0]["condition"], "damaged", "nobody has seen it");
    clean(&rig).await;
}

#[tokio::test]
async fn what_is_not_taken_back_can_be_asked_for_again() {
    let rig = rig().await;
    rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 3)])).await;
    let part = output(&rig.call("after_sale.inspect", &inspect("r-1", &[("1", 1)])).await);
    assert_eq!((part["accepted"].as_i64(), part["rejected"].as_i64()), (Some(1), Some(2)));
    assert_eq!(part["entitlement"]["refund"], 967);
    rig.call("after_sale.open", &open("r-2", "o-1", &[("1", 2)])).await;
    let nothing = rig.call("after_sale.inspect", &inspect("r-2", &[])).await;
    assert_eq!(output(&nothing)["entitlement"]["refund"], 0);
    assert_eq!(output(&rig.call("after_sale.get", &of("r-2")).await)["summary"]["state"], "refused");
    rig.call("after_sale.open", &open("r-3", "o-1", &[("1", 2)])).await;
    let too_many = rig.call("after_sale.inspect", &inspect("r-3", &[("1", 3)])).await;
    assert_eq!(too_many, r#"rejected units_exceeded {"line_id":"1","asked":3,"left":2}"#);
    let elsewhere = rig.call("after_sale.inspect", &inspect("r-3", &[("2", 1)])).await;
    assert_eq!(elsewhere, r#"rejected units_exceeded {"line_id":"2","asked":1,"left":0}"#);
    let withdrawn = rig.batch("after_sale.withdraw", &[&of("r-3"), &of("r-3"), &of("nobody")]).await;
    assert_eq!(events(&withdrawn[0]), ["after_sale.withdrawn"]);
    assert_eq!(withdrawn[1], r#"ok {"applied":"already","state":"withdrawn"}"#);
    assert_eq!(withdrawn[2], r#"ok {"applied":"already","state":"unknown"}"#);
    assert!(
        rig.call("after_sale.open", &open("r-3", "o-1", &[("1", 2)])).await.starts_with("ok "),
        "withdrawn: again"
    );
    clean(&rig).await;
}

#[tokio::test]
async fn an_id_is_used_once_and_a_repeated_open_takes_nothing_twice() {
    let rig = rig().await;
    let one = open("r-1", "o-1", &[("1", 1)]);
    let replies = rig.batch("after_sale.open", &[&one, &one]).await;
    assert!(replies[0].starts_with("ok "), "{replies:?}");
    assert_eq!(replies[1], r#"rejected rma_exists {"rma_id":"r-1"}"#);
    assert_eq!(rig.call("after_sale.open", &one).await, r#"rejected rma_exists {"rma_id":"r-1"}"#);
    let rest = rig.call("after_sale.open", &open("r-2", "o-1", &[("1", 2)])).await;
    assert!(rest.starts_with("ok "), "the refused ones hold nothing: {rest}");
    clean(&rig).await;
}

#[tokio::test]
async fn staff_say_yes_or_no_and_what_they_refuse_is_free_again() {
    let rig = rig_with(&json!({"approval": "by_staff"})).await;
    let opened = rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 3)])).await;
    assert_eq!(output(&opened)["state"], "requested");
    let early = rig.call("after_sale.inspect", &inspect("r-1", &[("1", 1)])).await;
    assert_eq!(early, r#"rejected rma_wrong_state {"rma_id":"r-1","state":"requested"}"#);
    let no = json!({"rma_id": "r-1", "reason": "worn"}).to_string();
    assert_eq!(events(&rig.call("after_sale.refuse", &no).await), ["after_sale.refused"]);
    let late = rig.call("after_sale.approve", &of("r-1")).await;
    assert_eq!(late, r#"rejected rma_wrong_state {"rma_id":"r-1","state":"refused"}"#);
    rig.call("after_sale.open", &open("r-2", "o-1", &[("1", 3)])).await;
    assert_eq!(events(&rig.call("after_sale.approve", &of("r-2")).await), ["after_sale.approved"]);
    assert_eq!(rig.call("after_sale.approve", &of("x")).await, r#"rejected rma_unknown {"rma_id":"x"}"#);
    rig.call("after_sale.receive", &of("r-2")).await;
    let arrived = rig.call("after_sale.refuse", &json!({"rma_id": "r-2", "reason": "no"}).to_string()).await;
    assert_eq!(arrived, r#"rejected rma_wrong_state {"rma_id":"r-2","state":"received"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn what_was_never_shipped_is_owed_with_its_fee_and_goes_to_no_shelf() {
    let rig = rig().await;
    let mut asked = request("o-1", "before_shipping", &[]);
    asked["stopped"] = json!([{"parcel_id": "p-1", "location": "berlin", "items": [
        {"line_id": "1", "sku": "cup", "quantity": 3}, {"line_id": "2", "sku": "pot", "quantity": 1}]}]);
    rig.call("after_sale.open", &json!({"rma_id": "r-1", "request": asked}).to_string()).await;
    let accepted = rig.call("after_sale.accept", &of("r-1")).await;
    assert_eq!(events(&accepted), ["after_sale.inspected"], "nothing arrives");
    let accepted = output(&accepted);
    assert_eq!(
        (accepted["entitlement"]["refund"].as_i64(), accepted["restock"].clone()),
        (Some(6400), json!([]))
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_counter_that_takes_goods_in_tells_who_waits_for_them() {
    let rig = rig().await;
    rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 1)])).await;
    let inspected = rig.call("after_sale.inspect", &inspect("r-1", &[("1", 1)])).await;
    assert_eq!(events(&inspected), ["after_sale.received", "after_sale.inspected"]);
    let late = rig.call("after_sale.receive", &of("r-1")).await;
    assert_eq!(late, r#"ok {"applied":"already","state":"inspected"}"#);
}

#[tokio::test]
async fn returns_are_reckoned_by_the_choices_of_the_first() {
    let policies = Arc::new(Policies::default());
    let row = |document: Value| PolicyRow {
        tenant: "acme".into(),
        line: String::new(),
        channel: String::new(),
        name: "after_sale".into(),
        document: document.to_string(),
    };
    policies.replace([row(json!({"delivery_fee": "proportional"}))]);
    let ids = Arc::new(SeededIds::new(1));
    let capability = mortise_after_sale::capability(Arc::clone(&policies), ids, Arc::new(NoExtensions));
    let rig = Rig::new([capability.expect("it can be declared")]).await;
    rig.call("after_sale.open", &open("r-1", "o-1", &[("2", 1)])).await;
    let first = output(&rig.call("after_sale.accept", &of("r-1")).await);
    assert_eq!(first["entitlement"]["fees"], 254);
    policies.replace([row(json!({"delivery_fee": "never"}))]);
    rig.call("after_sale.open", &open("r-2", "o-1", &[("1", 3)])).await;
    let rest = output(&rig.call("after_sale.accept", &of("r-2")).await);
    assert_eq!(rest["entitlement"]["fees"], 246, "the order keeps the choices that it began with");
    let other = output(&rig.call("after_sale.open", &open("r-3", "o-2", &[("1", 3), ("2", 1)])).await);
    assert_eq!(other["entitlement"]["fees"], 0);
    clean(&rig).await;
}

#[tokio::test]
async fn another_proof_than_the_first_is_nobodys_business() {
    let rig = rig().await;
    rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 1)])).await;
    let mut asked = request("o-1", "return", &[("1", 1)]);
    asked["proof"]["policy_version"] = json!("pricing:1");
    let reply = rig.call("after_sale.open", &json!({"rma_id": "r-2", "request": asked}).to_string()).await;
    assert!(reply.contains("not the one that earlier returns"), "{reply}");
    let mut broken = request("o-2", "return", &[("1", 1)]);
    broken["proof"]["payable"] = json!(1);
    let reply = rig.call("after_sale.assess", &broken.to_string()).await;
    assert!(reply.contains("does not add up"), "{reply}");
    // Cancelled and placed again, it is another sale.
    let mut again = request("o-1", "return", &[("1", 3)]);
    again["placed_at"] = json!("2025-12-02T00:00:00.000Z");
    let reply = rig.call("after_sale.open", &json!({"rma_id": "r-3", "request": again}).to_string()).await;
    assert!(reply.starts_with("ok "), "{reply}");
    clean(&rig).await;
}

#[tokio::test]
async fn an_assessment_changes_nothing_and_says_what_an_open_would() {
    let rig = rig().await;
    rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 2)])).await;
    let asked = request("o-1", "return", &[("1", 1), ("2", 1)]).to_string();
    let first = rig.call("after_sale.assess", &asked).await;
    assert_eq!(first, rig.call("after_sale.assess", &asked).await);
    let opened = rig.call("after_sale.open", &open("r-2", "o-1", &[("1", 1), ("2", 1)])).await;
    assert_eq!(output(&first)["entitlement"], output(&opened)["entitlement"]);
    let refused = rig.call("after_sale.assess", &request("o-1", "return", &[]).to_string()).await;
    assert_eq!(refused, r#"rejected return_refused {"problem":"nothing_asked"}"#);
}

async fn asked_by(rig: &Rig, customer: &str, operation: &str, input: &str) -> String {
    let mut call = rig.call_of(mortise_contract::json(input).expect("JSON"));
    let mut context = (*call.context).clone();
    context.caller = Some(CustomerId::new(customer).expect("an id"));
    call.context = Arc::new(context);
    let reply = rig.run(operation, vec![call]).await.expect("it runs").remove(0);
    match reply.outcome {
        mortise_capability::Outcome::Done(output) => format!("ok {}", output.to_json()),
        mortise_capability::Outcome::Rejected(no) => format!("rejected {} {}", no.code, no.detail.to_json()),
        mortise_capability::Outcome::Stale => "stale".to_owned(),
    }
}

#[tokio::test]
async fn a_customer_sees_and_asks_for_their_own_only() {
    let rig = rig().await;
    for n in 1..=3 {
        rig.call("after_sale.open", &open(&format!("r-{n}"), &format!("o-{n}"), &[("1", 1)])).await;
    }
    assert!(asked_by(&rig, "ada", "after_sale.get", &of("r-1")).await.starts_with("ok "));
    assert_eq!(
        asked_by(&rig, "bob", "after_sale.get", &of("r-1")).await,
        r#"rejected rma_unknown {"rma_id":"r-1"}"#
    );
    let list = |text: String| {
        let output = output(&text);
        let returns = output["returns"].as_array().expect("returns").clone();
        let ids: Vec<String> =
            returns.iter().map(|one| one["rma_id"].as_str().expect("an id").to_owned()).collect();
        (ids, output["next"].as_str().map(str::to_owned))
    };
    assert_eq!(list(asked_by(&rig, "bob", "after_sale.list", "{}").await).0, Vec::<String>::new());
    assert_eq!(
        list(asked_by(&rig, "bob", "after_sale.list", r#"{"customer_id":"ada"}"#).await).0,
        Vec::<String>::new()
    );
    assert_eq!(list(asked_by(&rig, "ada", "after_sale.list", "{}").await).0, ["r-3", "r-2", "r-1"]);
    let (first, next) = list(rig.call("after_sale.list", r#"{"limit":2}"#).await);
    assert_eq!(first, ["r-3", "r-2"]);
    let behind = json!({"limit": 2, "cursor": next.expect("a further page")}).to_string();
    assert_eq!(list(rig.call("after_sale.list", &behind).await), (vec!["r-1".to_owned()], None));
    assert_eq!(list(rig.call("after_sale.list", r#"{"order_id":"o-2"}"#).await).0, ["r-2"]);
    assert_eq!(
        list(asked_by(&rig, "bob", "after_sale.list", r#"{"order_id":"o-2"}"#).await).0,
        Vec::<String>::new()
    );
    let others = asked_by(&rig, "bob", "after_sale.open", &open("r-7", "o-1", &[("1", 1)])).await;
    assert_eq!(others, r#"rejected return_refused {"problem":"not_yours"}"#);
}

/// Two returns, one of them settled; then one statement that breaks something.
async fn after(text: &'static str) -> Vec<String> {
    let rig = rig().await;
    rig.call("after_sale.open", &open("r-1", "o-1", &[("1", 1)])).await;
    rig.call("after_sale.accept", &of("r-1")).await;
    rig.call("after_sale.open", &open("r-2", "o-1", &[("1", 1)])).await;
    clean(&rig).await;
    let broken = Statement::both("test.break", text);
    let rows = rig.behind_the_back(broken).await.expect("it runs");
    assert!(rows[0] > 0, "nothing was broken: {text}");
    rig.findings().await
}

#[tokio::test]
async fn what_is_off_is_found() {
    assert_eq!(
        after("UPDATE after_sale_sale SET granted = 968").await,
        [
            "after_sale returns: acme: order o-1: 967 is granted on its account, 968 beside it; its returns were granted 967"
        ]
    );
    assert_eq!(
        after("UPDATE after_sale_rma SET state = 'withdrawn' WHERE rma_id = 'r-2'").await,
        [
            "after_sale returns: acme: order o-1: line 1: 1 units are held and 1 back on its account, by its returns 0 and 1"
        ]
    );
    assert_eq!(
        after(
            "UPDATE after_sale_sale SET account = replace(account, '\"captured\":6400', '\"captured\":500')"
        )
        .await,
        ["after_sale returns: acme: order o-1: 967 is granted of 500 captured and 6400 paid"]
    );
}

/// Refuses pots, and caps cups at 5.00 a unit.
fn no_pots(question: &Question) -> Ruling {
    let of = |sku: &'static str| question.lines.iter().filter(move |line| line.sku.as_str() == sku);
    let refusal = |line_id: String| Refusal { line_id, reason: "pots stay where they are".to_owned() };
    let cap = |(line_id, at_most)| Cap { line_id, at_most, reason: "half after 30 days".to_owned() };
    Ruling {
        refusals: of("pot").map(|line| refusal(line.line_id.to_string())).collect(),
        caps: of("cup").map(|line| cap((line.line_id.to_string(), line.returned.units() * 500))).collect(),
    }
}

async fn rig_without_pots() -> Rig {
    let points = Native::<RefundCheck>::new("late-returns", |question: &Question| Ok(no_pots(question)));
    rig_of(&json!({}), Arc::new(points)).await
}

#[tokio::test]
async fn a_line_to_which_an_extension_objects_does_not_come_back() {
    let rig = rig_without_pots().await;
    let asked = request("o-1", "return", &[("1", 1), ("2", 1)]);
    assert_eq!(
        rig.call("after_sale.assess", &asked.to_string()).await,
        r#"rejected return_refused {"problem":"objected","line_id":"2","extension":"late-returns@1.0.0","reason":"pots stay where they are"}"#
    );
    let mut stopped = request("o-1", "before_shipping", &[]);
    stopped["stopped"] = json!([{"parcel_id": "p-1", "location": "berlin", "items": [{"line_id": "2", "sku": "pot", "quantity": 1}]}]);
    let whole = rig.call("after_sale.assess", &stopped.to_string()).await;
    assert!(whole.starts_with("ok "), "what never left is not asked about: {whole}");
}

#[tokio::test]
async fn a_cap_holds_until_it_is_settled_and_in_its_share_for_some_of_the_units() {
    let rig = rig_without_pots().await;
    let asked = request("o-1", "return", &[("1", 2)]);
    let assessed = output(&rig.call("after_sale.assess", &asked.to_string()).await);
    assert_eq!(assessed["caps"][0]["at_most"], 1_000);
    // Two cups were 19.34 with their share of the coupon: 9.34 is withheld.
    assert_eq!(assessed["entitlement"]["refund"], 1_000);
    assert_eq!(
        assessed["entitlement"]["charges"],
        json!([{"kind": "withheld", "amount": 934, "line_id": "1", "extension": "late-returns@1.0.0", "reason": "half after 30 days"}])
    );
    let input = json!({"rma_id": "r-1", "request": asked, "caps": assessed["caps"], "return_to": "berlin"});
    let opened = output(&rig.call("after_sale.open", &input.to_string()).await);
    assert_eq!(opened["entitlement"], assessed["entitlement"]);
    let found = json!({"rma_id": "r-1", "lines": [{"line_id": "1", "accepted": 1}]});
    let settled = output(&rig.call("after_sale.inspect", &found.to_string()).await);
    assert_eq!(
        (&settled["entitlement"]["goods"], &settled["entitlement"]["refund"]),
        (&json!(967), &json!(500))
    );
    clean(&rig).await;
}

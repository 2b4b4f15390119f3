//! The operations on a real database. The carrier at the other end is a small one of our own making; the adapter's tests
//! run the same operations against the sandbox over HTTP.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use mortise_capability::{Policies, PolicyRow, Unanswered};
use mortise_delivery::{CancelAnswer, Carrier, CarrierRequest, DispatchAnswer};
use mortise_points::NoExtensions;
use mortise_store::Statement;
use mortise_testkit::{Rig, SeededIds};
use mortise_types::Scope;

/// A carrier in this process: parcels by key, each with what becomes of a cancellation.
#[derive(Debug, Default)]
struct Van(Mutex<BTreeMap<String, (CarrierRequest, CancelAnswer)>>);

impl Carrier for Van {
    fn dispatch<'a>(
        &'a self,
        _: &'a Scope,
        request: &'a CarrierRequest,
    ) -> BoxFuture<'a, Result<DispatchAnswer, Unanswered>> {
        let key = request.shipment_id.to_string();
        if request.to.city == "Atlantis" {
            return async { Ok(DispatchAnswer::Refused { code: "under_water".to_owned() }) }.boxed();
        }
        self.0.lock().unwrap().insert(key.clone(), (request.clone(), CancelAnswer::Cancelled));
        let label_url = format!("http://label/{key}");
        async {
            Ok(DispatchAnswer::Accepted { tracking_number: format!("T{key}"), carrier_ref: key, label_url })
        }
        .boxed()
    }

    fn cancel<'a>(
        &'a self,
        _: &'a Scope,
        carrier_ref: &'a str,
    ) -> BoxFuture<'a, Result<CancelAnswer, Unanswered>> {
        let answer = self.0.lock().unwrap()[carrier_ref].1;
        async move { Ok(answer) }.boxed()
    }
}

async fn shop() -> (Rig, Arc<Van>, Arc<Policies>) {
    let (van, policies) = (Arc::new(Van::default()), Arc::new(Policies::default()));
    let ids = Arc::new(SeededIds::default());
    let points = Arc::new(NoExtensions);
    let capability =
        mortise_delivery::capability(ids, Arc::clone(&policies), Arc::clone(&van) as _, points).unwrap();
    let rig = Rig::new([capability]).await;
    let origin = r#"{"rows":[{"location":"berlin","name":"Shop","street":"Dock 1","city":"Berlin","postal_code":"10115","country":"DE"}]}"#;
    assert_eq!(rig.call("delivery.import_origins", origin).await, r#"ok {"rows":1}"#);
    (rig, van, policies)
}

const ADA: &str = r#"{"name":"Ada","street":["Main 1"],"city":"Lyon","postal_code":"69001","country":"FR"}"#;

fn parcel(id: &str, location: &str, quantity: i64) -> String {
    format!(
        r#"{{"parcel_id":"{id}","location":"{location}","items":[{{"line_id":"1","sku":"tea","quantity":{quantity}}}]}}"#
    )
}

async fn quote(rig: &Rig, parcels: &[String], to: &str) -> String {
    let input = format!(r#"{{"parcels":[{}],"ship_to":{to},"currency":"EUR"}}"#, parcels.join(","));
    let reply = rig.call("delivery.quote", &input).await;
    let Some(quoted) = reply.strip_prefix("ok ") else {
        return reply;
    };
    let fees: serde_json::Value = serde_json::from_str(quoted).unwrap();
    let fee = |fee: &serde_json::Value| {
        assert_eq!((&fee["list"], &fee["kind"]), (&fee["payable"], &serde_json::json!("delivery")));
        format!(
            "{} {} {}",
            fee["fee_id"].as_str().unwrap(),
            fee["parcel_id"].as_str().unwrap_or("-"),
            fee["payable"]
        )
    };
    fees["fees"].as_array().unwrap().iter().map(fee).collect::<Vec<_>>().join(", ")
}

async fn dispatch(rig: &Rig, id: &str, location: &str, to: &str) -> String {
    let input = format!(r#"{{"order_id":"o-1","parcel":{},"ship_to":{to}}}"#, parcel(id, location, 2));
    rig.call("delivery.dispatch", &input).await
}

/// The id of a shipment that was dispatched.
async fn shipment(rig: &Rig, id: &str) -> String {
    let reply = dispatch(rig, id, "berlin", ADA).await;
    let output: serde_json::Value =
        serde_json::from_str(reply.strip_prefix("ok ").unwrap_or_else(|| panic!("{reply}"))).unwrap();
    output["shipment_id"].as_str().unwrap().to_owned()
}

async fn event(rig: &Rig, event_id: &str, shipment: &str, sequence: i64, status: &str) -> String {
    let input = format!(
        r#"{{"event_id":"{event_id}","shipment_id":"{shipment}","carrier_ref":"{shipment}","status":"{status}","sequence":{sequence},"at":"2026-01-02T03:04:05.000Z"}}"#
    );
    rig.call("delivery.record_tracking_event", &input).await
}

async fn clean(rig: &Rig) {
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn fees_are_by_table_weight_and_policy() {
    let (rig, _, policies) = shop().await;
    let to = ADA;
    let missing = quote(&rig, &[parcel("p-1", "berlin", 1)], to).await;
    assert_eq!(missing, r#"rejected not_delivered_there {"country":"FR","reason":"not_there"}"#);
    let rows = r#"{"rows":[{"currency":"EUR","country":"FR","up_to_grams":1000,"amount":700,"line":"*"},
                          {"currency":"EUR","country":"FR","up_to_grams":5000,"amount":900,"line":"*"}]}"#;
    assert_eq!(rig.call("delivery.import_fees", rows).await, r#"ok {"rows":2}"#);
    rig.call("delivery.import_weights", r#"{"rows":[{"sku":"tea","grams":600}]}"#).await;
    let two = [parcel("p-1", "berlin", 1), parcel("p-2", "berlin", 3)];
    assert_eq!(quote(&rig, &two, to).await, "delivery-1 p-1 700, delivery-2 p-2 900");
    let heavy = quote(&rig, &[parcel("p-1", "berlin", 9)], to).await;
    assert_eq!(
        heavy,
        r#"rejected not_delivered_there {"country":"FR","reason":"too_heavy","table":"any line/FR","parcel_id":"p-1"}"#
    );

    policies.replace([PolicyRow {
        tenant: "acme".to_owned(),
        line: "grocery".to_owned(),
        channel: String::new(),
        name: "delivery".to_owned(),
        document: r#"{"fee_per":"order"}"#.to_owned(),
    }]);
    assert_eq!(quote(&rig, &two, to).await, "delivery - 900");
    assert_eq!(quote(&rig, &[], to).await, "");
    let free = r#"{"rows":[{"currency":"EUR","country":"FR","amount":0}]}"#;
    rig.call("delivery.import_fees", free).await;
    assert_eq!(quote(&rig, &two, to).await, "", "the line's own table is free: no fee to prove");
}

#[tokio::test]
async fn an_import_with_a_bad_row_stores_nothing() {
    let (rig, _, _) = shop().await;
    for (rows, problem) in [
        (r#"{"currency":"EUR","amount":-1}"#, "amount -1 is below 0"),
        (r#"{"currency":"EUR","amount":1,"country":"XX"}"#, "XX"),
        (r#"{"currency":"EUR","amount":1,"up_to_grams":0}"#, "up_to_grams is at least 1"),
        (r#"{"currency":"EUR","amount":1,"line":"other"}"#, "line other is not the line of this call"),
    ] {
        let input = format!(r#"{{"rows":[{{"currency":"EUR","amount":5}},{rows}]}}"#);
        let reply = rig.call("delivery.import_fees", &input).await;
        assert!(reply.starts_with(r#"rejected row_refused {"row":2"#) && reply.contains(problem), "{reply}");
    }
    assert!(quote(&rig, &[parcel("p-1", "berlin", 1)], ADA).await.contains("not_there"));
}

#[tokio::test]
async fn a_parcel_is_dispatched_and_followed() {
    let (rig, van, _) = shop().await;
    let id = shipment(&rig, "o-1-1").await;
    let asked = van.0.lock().unwrap()[&id].0.clone();
    assert_eq!(
        (asked.from.city.as_str(), asked.to.city.as_str(), asked.weight_grams),
        ("Berlin", "Lyon", 1_000)
    );
    assert!(event(&rig, "e1", &id, 1, "picked_up").await.contains("event delivery.moved"));
    let delivered = event(&rig, "e3", &id, 3, "delivered").await;
    assert!(
        delivered.contains(&format!("event delivery.delivered {{\"shipment_id\":\"{id}\"")),
        "{delivered}"
    );
    assert_eq!(
        event(&rig, "e2", &id, 2, "in_transit").await,
        r#"ok {"applied":"now"}"#,
        "kept, and told to nobody"
    );
    assert_eq!(event(&rig, "e3", &id, 3, "delivered").await, r#"ok {"applied":"already"}"#);
    let tracked = rig.call("delivery.track", &format!(r#"{{"shipment_id":"{id}"}}"#)).await;
    let order: Vec<usize> = ["picked_up", "in_transit", "\"delivered\",\"at\""]
        .iter()
        .map(|word| tracked.find(word).unwrap())
        .collect();
    assert!(order.is_sorted(), "{tracked}");
    clean(&rig).await;
}

#[tokio::test]
async fn refusals_are_rejections_and_the_parcel_stays() {
    let (rig, _, _) = shop().await;
    let sunk = ADA.replace("Lyon", "Atlantis");
    let reply = dispatch(&rig, "o-1-1", "berlin", &sunk).await;
    assert_eq!(reply, r#"rejected carrier_refused {"code":"under_water","parcel_id":"o-1-1"}"#);
    let reply = dispatch(&rig, "o-1-1", "paris", ADA).await;
    assert_eq!(reply, r#"rejected carrier_refused {"code":"origin_unknown","parcel_id":"o-1-1"}"#);
    let listed = rig.call("delivery.list", "{}").await;
    assert!(listed.contains(r#""status":"refused","refusal":"under_water""#), "{listed}");
    clean(&rig).await;
}

#[tokio::test]
async fn cancelling_takes_back_what_has_become_of_the_parcel() {
    let (rig, van, _) = shop().await;
    for (parcel, answer, by, again) in [
        ("p-1", CancelAnswer::Cancelled, "cancelled", "nothing"),
        ("p-2", CancelAnswer::Returning, "returning", "nothing"),
        ("p-3", CancelAnswer::Delivered, "delivered", "delivered"),
    ] {
        let id = shipment(&rig, parcel).await;
        van.0.lock().unwrap().get_mut(&id).unwrap().1 = answer;
        let input = format!(r#"{{"shipment_id":"{id}"}}"#);
        assert_eq!(rig.call("delivery.cancel", &input).await, format!(r#"ok {{"by":"{by}"}}"#));
        assert_eq!(rig.call("delivery.cancel", &input).await, format!(r#"ok {{"by":"{again}"}}"#));
    }
    assert_eq!(rig.call("delivery.cancel", r#"{"shipment_id":"shp-none"}"#).await, r#"ok {"by":"nothing"}"#);
    clean(&rig).await;
}

/// A parcel that is dispatched against 1,299 in cash.
async fn against_cash(rig: &Rig, id: &str) -> String {
    let parcel = parcel(id, "berlin", 2);
    let input = format!(
        r#"{{"order_id":"o-1","parcel":{parcel},"ship_to":{ADA},"collect":{{"amount":1299,"currency":"EUR"}}}}"#
    );
    let reply = rig.call("delivery.dispatch", &input).await;
    let output: serde_json::Value = serde_json::from_str(reply.strip_prefix("ok ").unwrap()).unwrap();
    output["shipment_id"].as_str().unwrap().to_owned()
}

async fn delivered(rig: &Rig, shipment: &str, collected: i64) -> String {
    let input = format!(
        r#"{{"event_id":"d-{shipment}","shipment_id":"{shipment}","carrier_ref":"c","status":"delivered","sequence":4,"at":"2026-01-02T03:04:05.000Z","collected":{collected}}}"#
    );
    rig.call("delivery.record_tracking_event", &input).await
}

fn payout(id: &str, amount: i64, items: &[(&str, i64)]) -> String {
    let items = items.iter().map(|(id, amount)| format!(r#"{{"shipment_id":"{id}","amount":{amount}}}"#));
    let items = items.collect::<Vec<_>>().join(",");
    format!(r#"{{"remittance_id":"{id}","currency":"EUR","amount":{amount},"items":[{items}]}}"#)
}

#[tokio::test]
async fn the_carrier_collects_and_pays_out_once() {
    let (rig, van, _) = shop().await;
    let (full, short) = (against_cash(&rig, "p-1").await, against_cash(&rig, "p-2").await);
    let asked = van.0.lock().unwrap()[&full].0.collect.unwrap();
    assert_eq!((asked.amount.minor(), asked.currency.code()), (1_299, "EUR"));
    let came = delivered(&rig, &full, 1_299).await;
    assert!(
        came.contains(r#""collect":1299,"collected":1299"#) && came.contains("delivery.delivered"),
        "{came}"
    );
    assert!(delivered(&rig, &short, 1_000).await.contains(r#""collect":1299,"collected":1000"#));
    let input = payout("r-1", 2_199, &[(&full, 1_299), (&short, 900)]);
    let replies = rig.batch("delivery.record_remittance", &[&input, &input]).await;
    assert!(replies[0].starts_with(r#"ok {"applied":"now","unknown":[]}"#), "{}", replies[0]);
    assert!(
        replies[0].contains(&format!(r#"event delivery.remitted {{"shipment_id":"{short}""#))
            && replies[0].contains(r#""remittance_id":"r-1","amount":900,"collected":1000,"currency":"EUR""#),
        "{}",
        replies[0]
    );
    assert_eq!(replies[1], r#"ok {"applied":"already","unknown":[]}"#, "once a payout");
    clean(&rig).await;
    assert!(
        rig.call("delivery.record_remittance", &payout("r-2", 100, &[(&short, 100)])).await.contains("now")
    );
    let listed = rig.call("delivery.list", "{}").await;
    assert!(
        listed.contains(r#""collect":1299,"collected":1000,"remitted":1000,"collect_currency":"EUR""#),
        "{listed}"
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_payout_that_does_not_add_up_is_refused_and_one_for_strangers_is_named() {
    let (rig, _, _) = shop().await;
    let ours = against_cash(&rig, "p-1").await;
    assert_eq!(
        rig.call("delivery.record_remittance", &payout("r-1", 900, &[(&ours, 800)])).await,
        r#"rejected remittance_refused {"remittance_id":"r-1","stated":900,"added_up":800}"#
    );
    clean(&rig).await;
    let mended = payout("r-1", 800, &[(&ours, 500), ("shp-nobody", 300)]);
    let taken = rig.call("delivery.record_remittance", &mended).await;
    assert!(taken.starts_with(r#"ok {"applied":"now","unknown":["shp-nobody"]}"#), "{taken}");
    assert_eq!(
        rig.findings().await,
        [
            "delivery remittances: acme shipment shp-nobody: a carrier paid 300 out for it, and nobody here has it"
        ]
    );
}

#[tokio::test]
async fn a_parcel_that_is_refused_at_the_door_comes_back_and_collects_nothing() {
    let (rig, _, _) = shop().await;
    let id = against_cash(&rig, "p-1").await;
    assert!(event(&rig, "e3", &id, 3, "returning").await.contains("delivery.moved"));
    let refused = event(&rig, "e2", &id, 2, "refused_at_door").await;
    assert!(
        refused.contains("event delivery.refused") && refused.contains(r#""collect":1299,"collected":0"#),
        "told though it is overtaken: {refused}"
    );
    assert!(!event(&rig, "e2b", &id, 2, "refused_at_door").await.contains("event"), "told once");
    assert!(event(&rig, "e4", &id, 4, "returned").await.contains("delivery.returned"));
    clean(&rig).await;
}

#[tokio::test]
async fn copies_of_an_event_in_one_batch_are_taken_once() {
    let (rig, _, _) = shop().await;
    let id = shipment(&rig, "p-1").await;
    let copy = format!(
        r#"{{"event_id":"e1","shipment_id":"{id}","carrier_ref":"{id}","status":"delivered","sequence":1,"at":"2026-01-02T03:04:05.000Z"}}"#
    );
    let other = copy.replace("e1", "e2");
    let replies = rig.batch("delivery.record_tracking_event", &[&copy, &copy, &other]).await;
    assert_eq!(replies.iter().filter(|reply| reply.contains("delivery.delivered")).count(), 1, "{replies:?}");
    clean(&rig).await;
}

/// A parcel that Ada sends back to a location.
async fn request_return(rig: &Rig, parcel_id: &str, location: &str) -> String {
    let parcel = parcel(parcel_id, location, 1);
    rig.call(
        "delivery.request_return",
        &format!(r#"{{"order_id":"o-1","parcel":{parcel},"ship_from":{ADA}}}"#),
    )
    .await
}

#[tokio::test]
async fn a_parcel_comes_back_the_other_way_and_is_told_when_it_is_there() {
    let (rig, van, _) = shop().await;
    let reply = request_return(&rig, "r-1", "berlin").await;
    let shipment_id = reply.split('"').nth(3).unwrap_or_else(|| panic!("{reply}")).to_owned();
    let asked = van.0.lock().unwrap()[&shipment_id].0.clone();
    let ada: mortise_types::Address = serde_json::from_str(ADA).unwrap();
    assert_eq!((&asked.from, asked.to.name.as_str()), (&ada, "Shop"), "from the customer to the shop");
    let arrived = event(&rig, "e9", &shipment_id, 1, "delivered").await;
    assert!(arrived.contains("event delivery.delivered"), "{arrived}");
    let late = rig.call("delivery.cancel", &format!(r#"{{"shipment_id":"{shipment_id}"}}"#)).await;
    assert_eq!(late, r#"ok {"by":"nothing"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn tenants_never_meet_in_any_operation() {
    let (mut rig, _, _) = shop().await;
    rig.call("delivery.import_fees", r#"{"rows":[{"currency":"EUR","amount":500,"line":"*"}]}"#).await;
    rig.call("delivery.import_weights", r#"{"rows":[{"sku":"tea","grams":900}]}"#).await;
    let ours = shipment(&rig, "p-1").await;
    event(&rig, "e1", &ours, 1, "picked_up").await;
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let meant = format!(r#"{{"shipment_id":"{ours}"}}"#);
    let walked = [
        ("quote", quote(&rig, &[parcel("p-1", "berlin", 1)], ADA).await, "rejected not_delivered_there"),
        ("dispatch", dispatch(&rig, "p-1", "berlin", ADA).await, r#"rejected carrier_refused {"code":"origin_unknown""#),
        ("request_return", request_return(&rig, "p-1", "berlin").await, r#"rejected carrier_refused {"code":"origin_unknown""#),
        ("cancel", rig.call("delivery.cancel", &meant).await, r#"ok {"by":"nothing"}"#),
        ("track", rig.call("delivery.track", &meant).await, "rejected unknown_shipment"),
        ("record_tracking_event", event(&rig, "e1", &ours, 2, "delivered").await, "rejected unknown_shipment"),
        (
            "record_remittance",
            rig.call("delivery.record_remittance", &format!(r#"{{"remittance_id":"r-1","currency":"EUR","amount":5,"items":[{{"shipment_id":"{ours}","amount":5}}]}}"#)).await,
            &format!(r#"ok {{"applied":"now","unknown":["{ours}"]}}"#),
        ),
        ("list", rig.call("delivery.list", "{}").await, r#"ok {"shipments":[]}"#),
        ("import_fees", rig.call("delivery.import_fees", r#"{"rows":[{"currency":"EUR","amount":7,"line":"*"}]}"#).await, r#"ok {"rows":1}"#),
        ("import_weights", rig.call("delivery.import_weights", r#"{"rows":[{"sku":"tea","grams":1}]}"#).await, r#"ok {"rows":1}"#),
        (
            "import_origins",
            rig.call("delivery.import_origins", r#"{"rows":[{"location":"berlin","name":"N","street":"S","city":"Rome","postal_code":"1","country":"IT"}]}"#).await,
            r#"ok {"rows":1}"#,
        ),
    ];
    for (operation, reply, expected) in &walked {
        assert!(reply.starts_with(expected), "{operation}: {reply}");
    }
    let declared: Vec<&str> = rig
        .registry
        .contracts()
        .operations
        .keys()
        .map(|name| name.strip_prefix("delivery.").unwrap())
        .collect();
    assert!(
        declared.iter().all(|name| walked.iter().any(|(walked, ..)| walked == name)),
        "a new operation is walked here: {declared:?}"
    );
    let theirs = shipment(&rig, "p-1").await;
    assert!(
        event(&rig, "e1", &theirs, 1, "delivered").await.contains("delivery.delivered"),
        "the same event id is new here"
    );
    rig.scope = Scope::new("acme", "grocery", "web").unwrap();
    assert_eq!(quote(&rig, &[parcel("p-1", "berlin", 1)], ADA).await, "delivery-1 p-1 500");
    assert_eq!(rig.call("delivery.list", "{}").await.matches("\"shipment_id\"").count(), 1);
    let tracked = rig.call("delivery.track", &meant).await;
    assert!(tracked.contains(r#""status":"picked_up""#) && !tracked.contains("delivered"), "{tracked}");
    // A payout names a parcel that is not this tenant's: it finds nothing of it, and somebody is to ask the carrier.
    assert_eq!(
        rig.findings().await,
        [format!(
            "delivery remittances: other shipment {ours}: a carrier paid 5 out for it, and nobody here has it"
        )]
    );
}

#[tokio::test]
async fn verify_names_what_is_off() {
    let (rig, _, _) = shop().await;
    let id = shipment(&rig, "p-1").await;
    event(&rig, "e1", &id, 1, "picked_up").await;
    event(&rig, "e2", &id, 2, "delivered").await;
    clean(&rig).await;
    let broken = [
        (
            Statement::both("break", "UPDATE delivery_shipment SET sequence = sequence + 1"),
            Statement::both("mend", "UPDATE delivery_shipment SET sequence = sequence - 1"),
            "it is delivered at step 3, its way ends at step 2",
        ),
        (
            Statement::both("break", "UPDATE delivery_shipment SET delivered = 0"),
            Statement::both("mend", "UPDATE delivery_shipment SET delivered = 1"),
            "it was told to be not delivered, its way says delivered",
        ),
        (
            Statement::both("break", "UPDATE delivery_shipment SET carrier_ref = NULL"),
            Statement::both("mend", "UPDATE delivery_shipment SET carrier_ref = 'c'"),
            "the carrier's name for it is unknown",
        ),
        (
            Statement::both("break", "UPDATE delivery_shipment SET remitted = remitted + 1"),
            Statement::both("mend", "UPDATE delivery_shipment SET remitted = remitted - 1"),
            "1 of it is paid out, its payouts come to 0",
        ),
        (
            Statement::both("break", "INSERT INTO delivery_remittance VALUES ('acme', 'r-9', 'EUR', 7, 1)"),
            Statement::both("mend", "DELETE FROM delivery_remittance WHERE amount = 7"),
            "payout r-9: it is 7, its parcels come to 0",
        ),
    ];
    for (breaking, mending, problem) in broken {
        rig.behind_the_back(breaking).await.unwrap();
        let findings = rig.findings().await;
        assert!(findings.iter().any(|line| line.contains(problem)), "{problem}: {findings:?}");
        rig.behind_the_back(mending).await.unwrap();
        clean(&rig).await;
    }
}

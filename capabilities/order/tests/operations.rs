//! Orders on a database: placing, changing, looking; what a batch does, and what stays when something is refused.

mod shop;

use std::sync::Arc;

use mortise_capability::{CallContext, Outcome};
use mortise_types::{CustomerId, Span};
use shop::{PROOF, SHIP_TO, of, place, place_with, placed, rig};

const NOW: &str = r#"ok {"applied":"now"}"#;
const ALREADY: &str = r#"ok {"applied":"already"}"#;

#[tokio::test]
async fn an_order_goes_from_placed_to_completed_and_each_change_is_told() {
    let mut rig = rig().await;
    assert_eq!(
        rig.call("order.place", &place("o-1", "c-1")).await,
        "ok {\"order_id\":\"o-1\"}\nevent order.placed {\"order_id\":\"o-1\",\"customer_id\":\"c-1\",\"currency\":\"EUR\",\"payable\":849}"
    );
    rig.now = rig.now.saturating_add(Span::minutes(1));
    let pay = of("o-1", r#""payment_id":"p-1""#);
    assert_eq!(
        rig.batch("order.confirm_payment", &[&pay, &pay]).await,
        [
            "ok {\"applied\":\"now\"}\nevent order.paid {\"order_id\":\"o-1\",\"payment_id\":\"p-1\",\"terms\":\"paid\"}",
            ALREADY
        ]
    );
    for (operation, parcel, status) in [
        ("record_fulfilment", "o-1-1", "packed"),
        ("record_fulfilment", "o-1-2", "handed_over"),
        ("record_delivery", "o-1-1", "delivered"),
        ("record_delivery", "o-1-2", "delivered"),
    ] {
        let news = of("o-1", &format!(r#""parcel_id":"{parcel}","status":"{status}""#));
        assert_eq!(rig.call(&format!("order.{operation}"), &news).await, NOW);
        assert_eq!(rig.call(&format!("order.{operation}"), &news).await, ALREADY);
    }
    let completed = "event order.completed {\"order_id\":\"o-1\",\"customer_id\":\"c-1\"}";
    assert_eq!(rig.call("order.complete", &of("o-1", "")).await, format!("{NOW}\n{completed}"));
    assert_eq!(rig.call("order.complete", &of("o-1", "")).await, ALREADY);
    assert_eq!(
        rig.call("order.timeline", &of("o-1", r#""after":1"#)).await,
        concat!(
            r#"ok {"entries":["#,
            r#"{"position":2,"axis":"payment","from":"due","to":"paid","subject":"p-1","at":"2026-01-01T00:01:00.000Z"},"#,
            r#"{"position":3,"axis":"parcel","from":"none","to":"packed","subject":"o-1-1","at":"2026-01-01T00:01:00.000Z"},"#,
            r#"{"position":4,"axis":"fulfilment","from":"none","to":"packed","subject":"o-1-2","at":"2026-01-01T00:01:00.000Z"},"#,
            r#"{"position":5,"axis":"fulfilment","from":"packed","to":"handed_over","subject":"o-1-1","at":"2026-01-01T00:01:00.000Z"},"#,
            r#"{"position":6,"axis":"fulfilment","from":"handed_over","to":"delivered","subject":"o-1-2","at":"2026-01-01T00:01:00.000Z"},"#,
            r#"{"position":7,"axis":"order","from":"open","to":"completed","at":"2026-01-01T00:01:00.000Z"}],"#,
            r#""position":7,"state":"completed"}"#
        )
    );
    assert_eq!(
        rig.call("order.timeline", &of("o-1", r#""after":0,"limit":1"#)).await,
        concat!(
            r#"ok {"entries":[{"position":1,"axis":"order","from":"","to":"open","at":"2026-01-01T00:00:00.000Z"}],"#,
            r#""position":7,"state":"completed"}"#
        )
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_shows_its_proof_and_its_parcels() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    rig.call("order.confirm_payment", &of("o-1", r#""payment_id":"p-1","terms":"invoice""#)).await;
    rig.call("order.record_fulfilment", &of("o-1", r#""parcel_id":"o-1-2","status":"requested""#)).await;
    let summary = concat!(
        r#"{"order_id":"o-1","customer_id":"c-1","business_line":"grocery","channel":"web","currency":"EUR","payable":849,"#,
        r#""state":"awaiting_fulfilment","statuses":{"order":"open","payment":"invoiced","fulfilment":"none","after_sale":"none"},"#,
        r#""placed_at":"2026-01-01T00:00:00.000Z","changed_at":"2026-01-01T00:00:00.000Z","position":3}"#
    );
    let parcels = concat!(
        r#"[{"parcel_id":"o-1-1","location":"west","items":[{"line_id":"1","sku":"tea","quantity":2}],"status":"none"},"#,
        r#"{"parcel_id":"o-1-2","location":"east","items":[{"line_id":"2","sku":"cup","quantity":1}],"status":"requested"}]"#
    );
    assert_eq!(
        rig.call("order.get", &of("o-1", "")).await,
        format!(
            r#"ok {{"summary":{summary},"payment_id":"p-1","proof":{PROOF},"parcels":{parcels},"ship_to":{SHIP_TO}}}"#
        )
    );
    assert_eq!(rig.call("order.list", "{}").await, format!(r#"ok {{"orders":[{summary}]}}"#));
}

/// A proof that does not add up, or parcels that carry something else than what is charged, are no order at all.
#[tokio::test]
async fn an_order_that_does_not_prove_its_price_is_an_error() {
    let rig = rig().await;
    let off = PROOF.replace(r#""payable":849"#, r#""payable":848"#);
    assert_eq!(
        rig.call("order.place", &place_with("o-1", "c-1", &off)).await,
        "error order o-1: the price proof does not add up: the order: the payable amount is 848, its parts add up to 849"
    );
    let cut = place("o-1", "c-1").replace(r#""sku":"tea","quantity":2}]"#, r#""sku":"tea","quantity":1}]"#);
    assert_eq!(
        rig.call("order.place", &cut).await,
        "error order o-1: line 1 is 2 units in the price proof and 1 in the parcels"
    );
    assert!(rig.call("order.get", &of("o-1", "")).await.starts_with("rejected order_unknown"));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_id_is_placed_once_in_a_batch_and_after_it() {
    let rig = rig().await;
    let (mine, other) = (place("o-1", "c-1"), place("o-1", "c-2"));
    let exists = r#"rejected order_exists {"order_id":"o-1"}"#;
    let replies = rig.batch("order.place", &[&mine, &other, &mine]).await;
    assert!(replies[0].starts_with("ok "));
    assert_eq!(replies[1..], [exists, exists]);
    assert_eq!(rig.call("order.place", &other).await, exists);
    assert!(rig.call("order.get", &of("o-1", "")).await.contains(r#""customer_id":"c-1""#));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// A trade that took its order back may place it again; nobody else may, and the list shows it once.
#[tokio::test]
async fn a_cancelled_order_is_placed_again_by_whom_it_belonged_to() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    placed(&rig, "o-2", "c-1").await;
    rig.call("order.cancel", &of("o-1", "")).await;
    assert!(rig.call("order.place", &place("o-1", "c-2")).await.starts_with("rejected order_exists"));
    placed(&rig, "o-1", "c-1").await;
    let list = rig.call("order.list", "{}").await;
    let orders: Vec<&str> = list.split(r#""order_id":""#).skip(1).map(|rest| &rest[..3]).collect();
    assert_eq!(orders, ["o-1", "o-2"], "the latest placement first");
    assert!(
        rig.call("order.timeline", &of("o-1", ""))
            .await
            .ends_with(r#""position":5,"state":"awaiting_payment"}"#)
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn cancelling_is_once_and_tolerates_what_never_was() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    let cancelled = "event order.cancelled {\"order_id\":\"o-1\",\"customer_id\":\"c-1\"}";
    let cancel = of("o-1", "");
    assert_eq!(
        rig.batch("order.cancel", &[&cancel, &cancel]).await,
        [format!("{NOW}\n{cancelled}"), ALREADY.into()]
    );
    assert_eq!(rig.call("order.cancel", &cancel).await, ALREADY);
    assert_eq!(rig.call("order.cancel", &of("o-2", "")).await, ALREADY);
    assert!(rig.call("order.get", &cancel).await.contains(r#""order":"cancelled","payment":"void""#));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_wish_to_cancel_is_passed_on_once_while_there_is_something_to_stop() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    let wish = of("o-1", r#""customer_id":"c-1","reason":"too late""#);
    let event = "event order.cancel_requested {\"order_id\":\"o-1\",\"reason\":\"too late\"}";
    assert_eq!(
        rig.batch("order.request_cancel", &[&wish, &wish]).await,
        [format!("{NOW}\n{event}"), ALREADY.into()]
    );
    assert_eq!(rig.call("order.request_cancel", &wish).await, ALREADY);
    let others = of("o-1", r#""customer_id":"c-2""#);
    let unknown = r#"rejected order_unknown {"order_id":"o-1"}"#;
    assert_eq!(rig.call("order.request_cancel", &others).await, unknown);
    assert!(rig.call("order.get", &of("o-1", "")).await.contains(r#""order":"open""#), "the trade decides");
    rig.call("order.cancel", &of("o-1", "")).await;
    let late = r#"rejected not_cancellable {"order_id":"o-1","state":"cancelled"}"#;
    assert_eq!(rig.call("order.request_cancel", &wish).await, late);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// What a flow says about an order that it never placed, or that cannot be, comes before a person.
#[tokio::test]
async fn what_cannot_be_is_an_error_and_changes_nothing() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    for (operation, input, error) in [
        ("confirm_payment", of("o-2", r#""payment_id":"p-1""#), "error there is no order `o-2`"),
        ("complete", of("o-2", ""), "error there is no order `o-2`"),
        (
            "record_delivery",
            of("o-1", r#""parcel_id":"o-1-9","status":"delivered""#),
            "error order o-1: it has no parcel `o-1-9`",
        ),
    ] {
        assert_eq!(rig.call(&format!("order.{operation}"), &input).await, error);
    }
    rig.call("order.cancel", &of("o-1", "")).await;
    assert_eq!(
        rig.call("order.confirm_payment", &of("o-1", r#""payment_id":"p-1""#)).await,
        "error order o-1: payment cannot go from `void` to `paid`"
    );
    assert_eq!(
        rig.call("order.record_payment", &of("o-2", r#""status":"paid""#)).await,
        r#"rejected order_unknown {"order_id":"o-2"}"#
    );
    assert_eq!(
        rig.call("order.record_payment", &of("o-1", r#""status":"refunded""#)).await,
        r#"rejected payment_status_refused {"order_id":"o-1","from":"void","to":"refunded"}"#
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// Known failure: cash on delivery modelled as paid.
#[tokio::test]
async fn cash_on_delivery_is_owed_then_collected_then_remitted() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    let terms = of("o-1", r#""payment_id":"p-1","terms":"on_delivery""#);
    assert!(rig.call("order.confirm_payment", &terms).await.starts_with(NOW));
    let report = async |status: &str| {
        rig.call("order.record_payment", &of("o-1", &format!(r#""status":"{status}""#))).await
    };
    assert!(report("paid").await.starts_with("rejected payment_status_refused"));
    assert_eq!(report("collected").await, NOW);
    assert_eq!(report("collected").await, ALREADY);
    assert_eq!(report("remitted").await, NOW);
    assert!(rig.call("order.get", &of("o-1", "")).await.contains(r#""payment":"remitted""#));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn orders_are_listed_latest_first_page_by_page() {
    let rig = rig().await;
    for (order, customer) in [("o-1", "c-1"), ("o-2", "c-2"), ("o-3", "c-1"), ("o-4", "c-1"), ("o-5", "c-2")]
    {
        placed(&rig, order, customer).await;
    }
    let walk = async |filter: &str| {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = rig.call("order.list", &format!(r#"{{"limit":2{filter}{cursor}}}"#)).await;
            seen.extend(page.split(r#""order_id":""#).skip(1).map(|rest| rest[..3].to_owned()));
            match page.split(r#""next":""#).nth(1) {
                Some(next) => cursor = format!(r#","cursor":"{}""#, next.split('"').next().unwrap()),
                None => break seen,
            }
        }
    };
    assert_eq!(walk("").await, ["o-5", "o-4", "o-3", "o-2", "o-1"]);
    assert_eq!(walk(r#","customer_id":"c-1""#).await, ["o-4", "o-3", "o-1"]);
    assert_eq!(walk(r#","customer_id":"c-9""#).await, Vec::<String>::new());
}

/// A signed-in customer sees their own orders and no others, whatever they ask for.
#[tokio::test]
async fn a_customer_sees_only_their_own_orders() {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    placed(&rig, "o-2", "c-2").await;
    let unknown = |order: &str| format!(r#"rejected order_unknown {{"order_id":"{order}"}}"#);
    for operation in ["order.get", "order.timeline"] {
        assert!(rig.call(operation, &of("o-1", r#""customer_id":"c-1""#)).await.starts_with("ok "));
        assert_eq!(rig.call(operation, &of("o-2", r#""customer_id":"c-1""#)).await, unknown("o-2"));
        assert_eq!(
            rig.call(operation, &of("o-3", r#""customer_id":"c-1""#)).await,
            unknown("o-3"),
            "told alike"
        );
    }
    let signed_in = async |operation: &str, input: &str| {
        let mut call = rig.call_of(mortise_contract::json(input).unwrap());
        let caller = Some(CustomerId::new("c-1").unwrap());
        call.context = Arc::new(CallContext { caller, ..CallContext::clone(&call.context) });
        let reply = rig.run(operation, vec![call]).await.unwrap().remove(0);
        match reply.outcome {
            Outcome::Done(output) => output.to_json(),
            Outcome::Rejected(rejection) => rejection.code,
            Outcome::Stale => "stale".to_owned(),
        }
    };
    for operation in ["order.get", "order.timeline"] {
        assert!(!signed_in(operation, &of("o-1", "")).await.contains("order_unknown"));
        assert_eq!(signed_in(operation, &of("o-2", "")).await, "order_unknown");
        assert_eq!(signed_in(operation, &of("o-2", r#""customer_id":"c-2""#)).await, "order_unknown");
    }
    assert_eq!(signed_in("order.request_cancel", &of("o-2", "")).await, "order_unknown");
    let own = signed_in("order.list", "{}").await;
    assert!(own.contains("o-1") && !own.contains("o-2"), "{own}");
    assert_eq!(signed_in("order.list", r#"{"customer_id":"c-2"}"#).await, r#"{"orders":[]}"#);
}

/// What an order costs: three rows when it is placed, two a change, whatever the batch.
#[tokio::test]
async fn placing_is_three_rows_and_a_change_is_two() {
    let rig = rig().await;
    let orders: Vec<String> = (0..20).map(|n| place(&format!("o-{n}"), "c-1")).collect();
    let orders: Vec<&str> = orders.iter().map(String::as_str).collect();
    let before = rig.store.cost();
    rig.batch("order.place", &orders).await;
    let placed = rig.store.cost();
    assert_eq!((placed.statements - before.statements, placed.executions - before.executions), (3, 60));
    let paid: Vec<String> = (0..20).map(|n| of(&format!("o-{n}"), r#""payment_id":"p""#)).collect();
    let paid: Vec<&str> = paid.iter().map(String::as_str).collect();
    rig.batch("order.confirm_payment", &paid).await;
    let changed = rig.store.cost();
    // One look, one header, one entry of the timeline.
    assert_eq!((changed.statements - placed.statements, changed.executions - placed.executions), (3, 60));
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

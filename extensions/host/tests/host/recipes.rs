//! Some of the cookbook on the real host: what they do where they are bound. Their cases are run by `cookbook`.

use mortise_bindings::{Binding, Bindings};
use mortise_host::{Extension, Host};
use mortise_points::{
    Allocation, DeliveryFee, OrderSplit, Points, PurchaseLimit, allocation, delivery_fee, order_split,
    purchase_limit,
};
use mortise_types::Amount;
use serde_json::json;

use crate::support::{self, CALL, runtime, scope};

/// An example, bound to the line `grocery` alone.
fn bound(point: &str, name: &str, config: &serde_json::Value) -> Host {
    let binding: Binding = read(json!({
        "point": point, "tenant": "shop", "line": "grocery", "extension": name, "version": "1.0.0",
        "priority": 10, "on_failure": "refuse", "config": config,
    }));
    let bindings = Bindings::new(vec![binding]).unwrap();
    let runtime = runtime();
    support::host(&runtime, [Extension::load(&runtime, &support::example(name)).unwrap()], &bindings)
}

fn read<Q: serde::de::DeserializeOwned>(question: serde_json::Value) -> Q {
    serde_json::from_value(question).unwrap()
}

#[test]
fn two_a_household() {
    let host = bound("purchase-limit", "household-limit", &json!({ "most": 2 }));
    let points: &dyn Points = &host;
    let question: purchase_limit::Question = read(json!({
        "customer_id": "c-1", "trade_time": "2026-11-21T09:00:00.000Z",
        "lines": [{ "line_id": "1", "sku": "water", "quantity": 3,
                    "attributes": [{ "name": "brand", "value": "Spring" }, { "name": "flyer", "value": "yes" }] }],
    }));
    let opened = points.open::<PurchaseLimit>(&scope("grocery")).unwrap();
    assert_eq!(opened.sku_attributes(), ["flyer".into()]);
    let objected = opened.ask(CALL, &question).unwrap().reduced;
    let found: Vec<_> = objected
        .iter()
        .map(|o| (o.extension.as_str(), o.objection.line_index, &*o.objection.reason))
        .collect();
    assert_eq!(found, [("household-limit@1.0.0", Some(0), "at most 2 a household")]);
    assert!(points.open::<PurchaseLimit>(&scope("fashion")).is_none());
}

#[test]
fn the_nearest_warehouse_that_has_all_of_it() {
    let config = json!({
        "locations": { "berlin": { "lat_e4": 525_200, "lon_e4": 134_050 },
                       "munich": { "lat_e4": 481_370, "lon_e4": 115_750 } },
        "zones": [{ "country": "DE", "postal_prefix": "8", "lat_e4": 480_000, "lon_e4": 112_000 }],
    });
    let host = bound("allocation", "nearest-warehouse", &config);
    let points: &dyn Points = &host;
    let question = |in_munich: i64| -> allocation::Question {
        read(json!({
            "ship_to": { "country": "DE", "postal_code": "80331" }, "trade_time": "2026-11-21T09:00:00.000Z",
            "lines": [{ "line_id": "1", "sku": "jam", "quantity": 2 }],
            "stock": [{ "sku": "jam", "location": "berlin", "saleable": 9 },
                      { "sku": "jam", "location": "munich", "saleable": in_munich }],
        }))
    };
    for (in_munich, from) in [(2, "munich"), (1, "berlin")] {
        let outcome = points.ask::<Allocation>(&scope("grocery"), CALL, &question(in_munich)).unwrap();
        let chosen = outcome.reduced.unwrap();
        let takes: Vec<_> = chosen
            .proposal
            .takes
            .iter()
            .map(|take| (take.location.as_str(), take.quantity.units()))
            .collect();
        assert_eq!(takes, [(from, 2)]);
        assert_eq!(chosen.proposal.reason, format!("{from} is the nearest that has all of it"));
    }
}

#[test]
fn cold_goods_travel_apart() {
    let host = bound("order-split", "cold-chain", &json!({ "cold": ["frozen"] }));
    let points: &dyn Points = &host;
    let question: order_split::Question = read(json!({
        "trade_time": "2026-11-21T09:00:00.000Z",
        "items": [
            { "line_id": "1", "sku": "jam", "location": "berlin", "quantity": 1 },
            { "line_id": "2", "sku": "ice", "location": "berlin", "quantity": 2,
              "attributes": [{ "name": "storage", "value": "frozen" }] },
        ],
    }));
    let outcome = points.ask::<OrderSplit>(&scope("grocery"), CALL, &question).unwrap();
    let plan = outcome.reduced.unwrap().plan;
    let parcels: Vec<Vec<usize>> =
        plan.parcels.iter().map(|parcel| parcel.parts.iter().map(|part| part.item_index).collect()).collect();
    assert_eq!(parcels, [[0], [1]]);
    assert_eq!(plan.reason, "1 of 2 items need the cold chain");
}

#[test]
fn islands_cost_more() {
    let region = json!({ "name": "islands", "country": "DE", "from": "25980", "to": "25999", "amount": 690 });
    let host = bound("delivery-fee", "regional-delivery-fee", &json!({ "regions": [region] }));
    let points: &dyn Points = &host;
    let question = |postal_code: &str| -> delivery_fee::Question {
        read(json!({
            "currency": "EUR", "country": "DE", "postal_code": postal_code,
            "trade_time": "2026-11-21T09:00:00.000Z",
            "consignments": [{ "fee_id": "delivery", "grams": 900, "table_amount": 490, "items": [] }],
        }))
    };
    let won = |postal_code: &str| {
        let outcome = points.ask::<DeliveryFee>(&scope("grocery"), CALL, &question(postal_code)).unwrap();
        outcome.reduced[0].as_ref().map(|won| (won.fee.amount, won.fee.reason.clone()))
    };
    assert_eq!(won("25980"), Some((Amount(1_180), "surcharge for islands".to_owned())));
    assert_eq!(won("10117"), None);
}

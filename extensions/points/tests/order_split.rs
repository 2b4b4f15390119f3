//! The point `order-split`: which plans are a partition of what is allocated, and that the first by rank counts.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_points::order_split::{Parcel, Part, Plan, Question};
use mortise_points::{ExtensionId, OrderSplit, Point};
use serde_json::json;

/// Two of ice and a jam in berlin, another jam of the same line in munich.
fn question() -> Question {
    let question = json!({
        "trade_time": "1970-01-01T00:00:00.000Z",
        "items": [
            { "line_id": "1", "sku": "ice", "location": "berlin", "quantity": 2 },
            { "line_id": "2", "sku": "jam", "location": "berlin", "quantity": 1 },
            { "line_id": "2", "sku": "jam", "location": "munich", "quantity": 1 },
        ],
    });
    serde_json::from_value(question).unwrap()
}

/// Parcels as `location: line units, line units`, separated by `|`.
fn plan(parcels: &str) -> Plan {
    let part = |text: &str| {
        let (line_id, quantity) = text.trim().split_once(' ').unwrap();
        Part { line_id: line_id.to_owned(), quantity: quantity.parse().unwrap() }
    };
    let parcel = |text: &str| {
        let (location, parts) = text.split_once(':').unwrap();
        let parts = parts.split(',').filter(|part| !part.trim().is_empty()).map(part).collect();
        Parcel { location: location.trim().to_owned(), parts }
    };
    let parcels = parcels.split('|').filter(|text| !text.trim().is_empty()).map(parcel).collect();
    Plan { parcels, reason: "cold".to_owned() }
}

#[test]
fn a_plan_that_is_not_a_partition_names_the_place() {
    for (parcels, expected) in [
        ("berlin: 1 2, 2 1", "parcels: 1 of the 1 units of line \"2\" at \"munich\" are in no parcel"),
        (
            "berlin: 1 1, 2 1 | munich: 2 1",
            "parcels: 1 of the 2 units of line \"1\" at \"berlin\" are in no parcel",
        ),
        ("", "parcels: 2 of the 2 units of line \"1\" at \"berlin\" are in no parcel"),
        ("berlin: 1 3", "parcels[0].parts[0].quantity: 3 is above the 2 units of line \"1\" that are left"),
        (
            "berlin: 1 2 | berlin: 2 1, 1 1",
            "parcels[1].parts[1].quantity: 1 is above the 0 units of line \"1\" that are left",
        ),
        ("berlin: 1 1, 1 1", "parcels[0].parts[1].line-id: line \"1\" twice in this parcel"),
        ("berlin: 1 0", "parcels[0].parts[0].quantity: 0 is below 1"),
        ("munich: 1 2", "parcels[0].parts[0].line-id: nothing of line \"1\" is at \"munich\""),
        ("berlin: 9 1", "parcels[0].parts[0].line-id: nothing of line \"9\" is at \"berlin\""),
        ("berlin: 1 2 | berlin:", "parcels[1].parts: empty; a parcel has something in it"),
    ] {
        let found = OrderSplit::revalidate(&question(), Some(plan(parcels))).unwrap_err();
        assert_eq!(found.to_string(), expected, "{parcels}");
    }
    let many = OrderSplit::revalidate(&question(), Some(plan(&"berlin: 1 1 |".repeat(51)))).unwrap_err();
    assert_eq!(many.to_string(), "parcels: 51 of them, at most 50");
    let long = Plan { reason: "x".repeat(201), ..plan("berlin: 1 2, 2 1 | munich: 2 1") };
    let found = OrderSplit::revalidate(&question(), Some(long)).unwrap_err();
    assert_eq!(found.to_string(), "plan.reason: 201 bytes, at most 200");
}

#[test]
fn a_line_may_travel_in_several_parcels_and_the_first_opinion_counts() {
    let valid = |answer: Option<Plan>| OrderSplit::revalidate(&question(), answer).unwrap();
    let answers = vec![
        (ExtensionId::new("silent", "1.0.0"), valid(None)),
        (ExtensionId::new("b", "1.0.0"), valid(Some(plan("munich: 2 1 | berlin: 1 1 | berlin: 1 1, 2 1")))),
        (ExtensionId::new("a", "1.0.0"), valid(Some(plan("berlin: 1 2, 2 1 | munich: 2 1")))),
    ];
    let chosen = OrderSplit::reduce(&question(), answers).unwrap();
    assert_eq!(chosen.extension.as_str(), "b@1.0.0");
    let parcels: Vec<(&str, usize)> =
        chosen.plan.parcels.iter().map(|parcel| (parcel.location.as_str(), parcel.parts.len())).collect();
    assert_eq!(parcels, [("munich", 1), ("berlin", 1), ("berlin", 2)]);
}

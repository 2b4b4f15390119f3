//! The point `delivery-fee`: which fees are true to a question, and that for each consignment the first by rank counts.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_points::delivery_fee::{Fee, Question};
use mortise_points::{DeliveryFee, ExtensionId, Point};
use serde_json::json;

fn question() -> Question {
    let question = json!({
        "currency": "EUR", "country": "DE", "postal_code": "25980", "trade_time": "1970-01-01T00:00:00.000Z",
        "consignments": [
            { "fee_id": "delivery-1", "grams": 4000, "table_amount": 490,
              "items": [{ "line_id": "1", "sku": "jam", "quantity": 3 }, { "line_id": "2", "sku": "loaf", "quantity": 1 }] },
            { "fee_id": "delivery-2", "grams": 900, "items": [{ "line_id": "3", "sku": "tea", "quantity": 1 }] },
        ],
    });
    serde_json::from_value(question).unwrap()
}

fn fee(fee_id: &str, amount: i64) -> Fee {
    Fee { fee_id: fee_id.to_owned(), amount, reason: "island".to_owned() }
}

#[test]
fn a_fee_that_is_not_true_names_the_place() {
    let silent = Fee { reason: String::new(), ..fee("delivery-1", 1) };
    for (fees, expected) in [
        (vec![fee("delivery-1", 1), fee("delivery-3", 1)], "fees[1].fee-id: no fee \"delivery-3\""),
        (vec![fee("delivery-1", 1), fee("delivery-1", 2)], "fees[1].fee-id: \"delivery-1\" twice"),
        (vec![fee("delivery-1", -1)], "fees[0].amount: -1 is not within 0 to 1000000000000"),
        (
            vec![fee("delivery-1", i64::MAX)],
            "fees[0].amount: 9223372036854775807 is not within 0 to 1000000000000",
        ),
        (vec![fee("delivery-1", 1); 3], "fees: 3 of them, at most 2"),
        (vec![silent], "fees[0].reason: empty; every answer says why"),
    ] {
        assert_eq!(DeliveryFee::revalidate(&question(), fees).unwrap_err().to_string(), expected);
    }
    assert_eq!(DeliveryFee::lines(&question()), 3);
}

#[test]
fn for_each_consignment_the_first_fee_by_rank_counts() {
    let valid = |fees| DeliveryFee::revalidate(&question(), fees).unwrap();
    let answers = vec![
        (ExtensionId::new("b", "1.0.0"), valid(vec![fee("delivery-2", 0)])),
        (
            ExtensionId::new("a", "1.0.0"),
            valid(vec![fee("delivery-2", 5), fee("delivery-1", 1_000_000_000_000)]),
        ),
    ];
    let found: Vec<_> = DeliveryFee::reduce(&question(), answers)
        .into_iter()
        .map(|won| won.map(|won| (won.extension.to_string(), won.fee.amount.minor())))
        .collect();
    let won = |name: &str, amount| Some((name.to_owned(), amount));
    assert_eq!(found, [won("a@1.0.0", 1_000_000_000_000), won("b@1.0.0", 0)]);
    assert_eq!(DeliveryFee::reduce(&question(), vec![]), [None, None]);
}

//! The point `purchase-limit`: which objections are true to a question, and that one is enough.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_points::purchase_limit::{Objection, Question};
use mortise_points::{ExtensionId, Point, PurchaseLimit};
use serde_json::json;

fn question() -> Question {
    let question = json!({
        "customer_id": "c-1", "trade_time": "1970-01-01T00:00:00.000Z",
        "lines": [{ "line_id": "1", "sku": "water", "quantity": 3 }, { "line_id": "2", "sku": "loaf", "quantity": 1 }],
        "tallies": [{ "rule": "flyer", "most": 20, "used": 1, "wanted": 3 }],
    });
    serde_json::from_value(question).unwrap()
}

fn objection(line_id: Option<&str>, reason: &str) -> Objection {
    Objection { line_id: line_id.map(str::to_owned), reason: reason.to_owned() }
}

#[test]
fn an_objection_that_is_not_true_names_the_place() {
    let fine = objection(None, "not today");
    for (objections, expected) in [
        (vec![fine.clone(), objection(Some("9"), "no")], "objections[1].line-id: no line \"9\""),
        (vec![objection(Some("1"), "  ")], "objections[0].reason: empty; every answer says why"),
        (vec![objection(None, "a\nb")], "objections[0].reason: has control characters"),
        (vec![fine; 257], "objections: 257 of them, at most 256"),
    ] {
        assert_eq!(PurchaseLimit::revalidate(&question(), objections).unwrap_err().to_string(), expected);
    }
}

#[test]
fn every_objection_counts_and_the_first_by_rank_comes_first() {
    let valid = |objections| PurchaseLimit::revalidate(&question(), objections).unwrap();
    let answers = vec![
        (ExtensionId::new("silent", "1.0.0"), valid(vec![])),
        (ExtensionId::new("b", "1.0.0"), valid(vec![objection(Some("2"), "stale"), objection(None, "all")])),
        (ExtensionId::new("a", "1.0.0"), valid(vec![objection(Some("1"), "two a household")])),
    ];
    let found: Vec<_> = PurchaseLimit::reduce(&question(), answers)
        .into_iter()
        .map(|one| (one.extension.to_string(), one.objection.line_index, one.objection.reason))
        .collect();
    let of = |name: &str, line: Option<usize>, why: &str| (name.to_owned(), line, why.to_owned());
    let expected = [
        of("b@1.0.0", Some(1), "stale"),
        of("b@1.0.0", None, "all"),
        of("a@1.0.0", Some(0), "two a household"),
    ];
    assert_eq!(found, expected);
}

//! The point `allocation`: which proposals cover a demand from what is offered, and that the first by rank counts.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_points::allocation::{Proposal, Question, Take};
use mortise_points::{Allocation, ExtensionId, Point};
use serde_json::json;

/// Two jars of jam, a loaf, and a jar that has to come from the museum's shelf.
fn question() -> Question {
    let question = json!({
        "trade_time": "1970-01-01T00:00:00.000Z",
        "lines": [
            { "line_id": "1", "sku": "jam", "quantity": 2 },
            { "line_id": "2", "sku": "loaf", "quantity": 1 },
            { "line_id": "3", "sku": "jam", "quantity": 1, "location": "museum" },
        ],
        "stock": [
            { "sku": "jam", "location": "berlin", "saleable": 2 },
            { "sku": "jam", "location": "munich", "saleable": 1 },
            { "sku": "jam", "location": "museum", "saleable": 5, "named_only": true },
            { "sku": "loaf", "location": "munich", "saleable": 4 },
        ],
    });
    serde_json::from_value(question).unwrap()
}

/// Takes as `line location units`, separated by commas.
fn proposal(takes: &str) -> Proposal {
    let take = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        Take {
            line_id: words[0].to_owned(),
            location: words[1].to_owned(),
            quantity: words[2].parse().unwrap(),
        }
    };
    let takes = takes.split(',').filter(|text| !text.trim().is_empty()).map(take).collect();
    Proposal { takes, reason: "near".to_owned() }
}

#[test]
fn a_proposal_that_is_not_true_names_the_place() {
    for (takes, expected) in [
        ("1 berlin 2, 3 museum 1", "takes: line \"2\" gets 0 of its 1 units"),
        ("1 berlin 1, 2 munich 1, 3 museum 1", "takes: line \"1\" gets 1 of its 2 units"),
        ("1 berlin 3", "takes[0].quantity: 3 is above the 2 that line \"1\" still wants"),
        ("1 munich 2", "takes[0].quantity: 2 is above the 1 that \"munich\" still has"),
        ("1 berlin 1, 1 berlin 1", "takes[1]: line \"1\" from \"berlin\" twice"),
        ("1 berlin 0", "takes[0].quantity: 0 is below 1"),
        ("1 berlin -9223372036854775808", "takes[0].quantity: -9223372036854775808 is below 1"),
        ("9 berlin 1", "takes[0].line-id: no line \"9\""),
        ("1 paris 1", "takes[0].location: \"paris\" is not offered to line \"1\""),
        ("1 museum 1", "takes[0].location: \"museum\" is not offered to line \"1\""),
        ("3 berlin 1", "takes[0].location: \"berlin\" is not offered to line \"3\""),
        ("2 berlin 1", "takes[0].location: \"berlin\" is not offered to line \"2\""),
        ("", "takes: line \"1\" gets 0 of its 2 units"),
    ] {
        let found = Allocation::revalidate(&question(), Some(proposal(takes))).unwrap_err();
        assert_eq!(found.to_string(), expected, "{takes}");
    }
    let many =
        Proposal { takes: vec![proposal("1 berlin 1").takes.remove(0); 1_001], reason: "x".to_owned() };
    let found = Allocation::revalidate(&question(), Some(many)).unwrap_err();
    assert_eq!(found.to_string(), "takes: 1001 of them, at most 1000");
    let silent = Proposal { reason: String::new(), ..proposal("1 berlin 2, 2 munich 1, 3 museum 1") };
    let found = Allocation::revalidate(&question(), Some(silent)).unwrap_err();
    assert_eq!(found.to_string(), "proposal.reason: empty; every answer says why");
}

#[test]
fn the_first_that_has_an_opinion_decides_for_the_whole_order() {
    let valid = |answer: Option<Proposal>| Allocation::revalidate(&question(), answer).unwrap();
    let answers = vec![
        (ExtensionId::new("silent", "1.0.0"), valid(None)),
        (
            ExtensionId::new("b", "1.0.0"),
            valid(Some(proposal("3 museum 1, 1 munich 1, 2 munich 1, 1 berlin 1"))),
        ),
        (ExtensionId::new("a", "1.0.0"), valid(Some(proposal("1 berlin 2, 2 munich 1, 3 museum 1")))),
    ];
    let chosen = Allocation::reduce(&question(), answers).unwrap();
    assert_eq!(chosen.extension.as_str(), "b@1.0.0");
    let takes: Vec<_> = chosen
        .proposal
        .takes
        .iter()
        .map(|take| (take.line_index, take.location.as_str(), take.quantity.units()))
        .collect();
    assert_eq!(takes, [(0, "munich", 1), (0, "berlin", 1), (1, "munich", 1), (2, "museum", 1)]);
    assert_eq!(Allocation::reduce(&question(), vec![]), None);
}

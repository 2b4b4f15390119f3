//! The point `discount`: which candidates are true to a question, and that all of them are handed on.
//! Nothing here runs an extension, and nothing decides which candidate counts.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_points::discount::{Candidate, Line, Question};
use mortise_points::{Discount, ExtensionId, Point};
use mortise_types::{Amount, Currency, LineId, Price, Quantity, Sku, Timestamp};

/// Two lines: 387 and 400.
fn question() -> Question {
    let line = |(index, amount): (usize, i64)| Line {
        line_id: LineId::nth(index),
        sku: Sku::new("milk").unwrap(),
        quantity: Quantity(1),
        unit: Price::each(Amount(amount)),
        line_amount: Amount(amount),
        list_amount: None,
        attributes: vec![],
    };
    Question {
        currency: Currency::new("EUR").unwrap(),
        customer_id: None,
        customer_group: None,
        coupons: vec![],
        trade_time: Timestamp::EPOCH,
        delivery_amount: Amount::ZERO,
        lines: [387, 400].into_iter().enumerate().map(line).collect(),
    }
}

fn candidate(lines: &[&str], amount_off: i64) -> Candidate {
    Candidate {
        lane: "order".to_owned(),
        stacking_group: None,
        lines: lines.iter().map(|&line| line.to_owned()).collect(),
        amount_off,
        reason: "10% off your first order".to_owned(),
    }
}

#[test]
fn a_candidate_that_is_not_true_names_the_place() {
    let lane = |lane: &str| Candidate { lane: lane.to_owned(), ..candidate(&["1"], 1) };
    let group = Candidate { stacking_group: Some("A B".to_owned()), ..candidate(&["1"], 1) };
    let long = "x".repeat(70);
    for (candidates, expected) in [
        (
            vec![candidate(&["1"], 387), candidate(&["1", "2"], 788)],
            "candidates[1].amount-off: 788 is above the 787 that its lines cost",
        ),
        (vec![candidate(&["1"], 0)], "candidates[0].amount-off: 0 is below 1"),
        (vec![candidate(&["1"], -5)], "candidates[0].amount-off: -5 is below 1"),
        (vec![candidate(&[], 1)], "candidates[0].lines: empty; a discount is off something"),
        (vec![candidate(&["3"], 1)], "candidates[0].lines: no line \"3\""),
        (vec![candidate(&["1", "1"], 1)], "candidates[0].lines: line \"1\" twice"),
        (vec![candidate(&["1", "2", "1"], 1)], "candidates[0].lines: 3 of them, the order has 2"),
        (vec![candidate(&["1"], 1); 257], "candidates: 257 of them, at most 256"),
        (vec![lane("")], "candidates[0].lane: \"\" is not 1 to 64 of a-z 0-9 - _ ."),
        (vec![group], "candidates[0].stacking-group: \"A B\" is not 1 to 64 of a-z 0-9 - _ ."),
        (
            vec![lane(&long)],
            &format!("candidates[0].lane: {:?}... is not 1 to 64 of a-z 0-9 - _ .", &long[..40]),
        ),
    ] {
        assert_eq!(Discount::revalidate(&question(), candidates).unwrap_err().to_string(), expected);
    }
}

#[test]
fn amounts_that_would_overflow_are_compared_exactly() {
    let mut question = question();
    question.lines.iter_mut().for_each(|line| line.line_amount = Amount(i64::MAX));
    assert!(Discount::revalidate(&question, vec![candidate(&["1", "2"], i64::MAX)]).is_ok());
    question.lines.iter_mut().for_each(|line| line.line_amount = Amount(i64::MIN));
    assert!(Discount::revalidate(&question, vec![candidate(&["1", "2"], 1)]).is_err());
}

#[test]
fn all_candidates_are_handed_on_by_rank() {
    let valid = |amounts: &[i64]| {
        let candidates = amounts.iter().map(|&amount| candidate(&["2", "1"], amount)).collect();
        Discount::revalidate(&question(), candidates).unwrap()
    };
    let answers =
        vec![(ExtensionId::new("b", "1.0.0"), valid(&[3, 1])), (ExtensionId::new("a", "2.0.0"), valid(&[2]))];
    let all = Discount::reduce(&question(), answers);
    let found: Vec<_> = all
        .iter()
        .map(|proposed| (proposed.extension.as_str(), proposed.candidate.amount_off.minor()))
        .collect();
    assert_eq!(found, [("b@1.0.0", 3), ("b@1.0.0", 1), ("a@2.0.0", 2)]);
    assert_eq!(all[0].candidate.lines, [LineId::nth(1), LineId::nth(0)]);
    let json = serde_json::to_value(&all[2]).unwrap();
    assert_eq!(json["amount_off"], 2);
    assert_eq!(json["extension"], "a@2.0.0");
}

//! The point `unit-price`: which answers are true to a question, and what several of them come to.
//! Nothing here runs an extension.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use mortise_points::unit_price::{Bounded, Line, Offer, Question};
use mortise_points::{ExtensionId, Point, UnitPrice};
use mortise_types::{Amount, Currency, LineId, Price, Quantity, Sku, Timestamp};

fn price(amount: i64, per: i64) -> Price {
    Price::new(Amount(amount), Quantity(per)).unwrap()
}

fn question(lines: usize) -> Question {
    let line = |index: usize| Line {
        line_id: LineId::nth(index),
        sku: Sku::new("jam").unwrap(),
        quantity: Quantity(1),
        list: price(500, 1),
        current: price(500, 1),
        floor: None,
        ceiling: None,
        attributes: vec![],
    };
    Question {
        currency: Currency::new("EUR").unwrap(),
        customer_id: None,
        customer_group: None,
        trade_time: Timestamp::EPOCH,
        lines: (0..lines).map(line).collect(),
    }
}

fn offer(line_id: &str, amount: i64, per: i64) -> Offer {
    Offer { line_id: line_id.to_owned(), amount, per, reason: format!("because of {amount}") }
}

fn fault(offers: Vec<Offer>) -> String {
    UnitPrice::revalidate(&question(3), offers).unwrap_err().to_string()
}

#[test]
fn an_answer_that_is_not_true_names_the_place() {
    for (offers, expected) in [
        (vec![offer("1", 1, 1), offer("9", 1, 1)], "offers[1].line-id: no line \"9\""),
        (vec![offer("", 1, 1)], "offers[0].line-id: no line \"\""),
        (vec![offer("2", 1, 1), offer("2", 2, 1)], "offers[1].line-id: a second offer for line \"2\""),
        (vec![offer("1", 1, 1); 4], "offers: 4 of them, at most 3"),
        (vec![offer("1", -1, 1)], "offers[0].amount: -1 is not within 0 to 1000000000000"),
        (
            vec![offer("1", 1_000_000_000_001, 1)],
            "offers[0].amount: 1000000000001 is not within 0 to 1000000000000",
        ),
        (vec![offer("1", 1, 0)], "offers[0].per: a price is for at least one unit, not for 0"),
        (
            vec![offer("1", 1, i64::MIN)],
            "offers[0].per: a price is for at least one unit, not for -9223372036854775808",
        ),
        (vec![offer("1", 1, 1_000_000_001)], "offers[0].per: 1000000001 is not within 1 to 1000000000"),
    ] {
        assert_eq!(fault(offers), expected);
    }
    let silent = Offer { reason: String::new(), ..offer("1", 1, 1) };
    assert_eq!(fault(vec![silent]), "offers[0].reason: empty; every answer says why");
}

#[test]
fn the_bounds_themselves_are_allowed_in_any_order_of_lines() {
    let offers = vec![offer("3", 0, 1), offer("1", 1_000_000_000_000, 1_000_000_000)];
    let valid = UnitPrice::revalidate(&question(3), offers).unwrap();
    assert_eq!(valid.iter().map(|offer| offer.line_index).collect::<Vec<_>>(), [2, 0]);
    assert!(UnitPrice::revalidate(&question(0), vec![]).unwrap().is_empty());
}

/// `extension: line amount per, ...` by rank; gives `line price extension bounded`.
fn reduced(question: &Question, answers: &[(&str, Vec<Offer>)]) -> Vec<(String, Price, String, Bounded)> {
    let valid = answers.iter().map(|(name, offers)| {
        (ExtensionId::new(name, "1.0.0"), UnitPrice::revalidate(question, offers.clone()).unwrap())
    });
    let won = UnitPrice::reduce(question, valid.collect());
    won.into_iter()
        .map(|won| (won.line_id.to_string(), won.price, won.extension.to_string(), won.bounded))
        .collect()
}

#[test]
fn for_each_line_the_first_offer_by_rank_counts() {
    let answers = [
        ("late-lunch", vec![offer("2", 450, 1)]),
        ("happy-hour", vec![offer("1", 400, 1), offer("2", 300, 1)]),
    ];
    assert_eq!(
        reduced(&question(3), &answers),
        [
            ("1".to_owned(), price(400, 1), "happy-hour@1.0.0".to_owned(), Bounded::AsOffered),
            ("2".to_owned(), price(450, 1), "late-lunch@1.0.0".to_owned(), Bounded::AsOffered),
        ]
    );
    assert!(reduced(&question(3), &[]).is_empty());
}

#[test]
fn floor_and_ceiling_hold_exactly_also_between_prices_for_several_units() {
    use Bounded::{AsOffered, LoweredToCeiling, RaisedToFloor};
    for (floor, ceiling, offered, held, bounded) in [
        (Some(price(500, 3)), None, price(166, 1), price(500, 3), RaisedToFloor),
        (Some(price(500, 3)), None, price(167, 1), price(167, 1), AsOffered),
        (Some(price(200, 2)), None, price(100, 1), price(100, 1), AsOffered),
        (None, Some(price(500, 3)), price(167, 1), price(500, 3), LoweredToCeiling),
        (None, Some(price(500, 3)), price(166, 1), price(166, 1), AsOffered),
        (Some(price(100, 1)), Some(price(300, 1)), price(200, 1), price(200, 1), AsOffered),
        // A floor above the ceiling: the floor holds.
        (Some(price(300, 1)), Some(price(100, 1)), price(200, 1), price(300, 1), RaisedToFloor),
        (Some(price(300, 1)), Some(price(100, 1)), price(400, 1), price(300, 1), RaisedToFloor),
    ] {
        let mut question = question(1);
        (question.lines[0].floor, question.lines[0].ceiling) = (floor, ceiling);
        let answers = [("a", vec![offer("1", offered.amount().minor(), offered.per().units())])];
        let won = reduced(&question, &answers).remove(0);
        assert_eq!((won.1, won.3), (held, bounded), "{floor:?} {ceiling:?} {offered}");
    }
}

#[test]
fn a_question_reads_back_as_it_was_written() {
    let mut question = question(2);
    question.customer_group = Some("member".to_owned());
    question.lines[1].floor = Some(price(500, 3));
    let text = serde_json::to_string(&question).unwrap();
    assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question);
    assert!(serde_json::from_str::<Question>(&text.replace("\"lines\"", "\"items\"")).is_err());
}

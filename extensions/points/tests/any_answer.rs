//! Whatever an extension answers, revalidation gives a fault or values within their bounds, and reducing them holds what
//! the shop has set. Over generated answers.

use std::collections::HashSet;

use mortise_points::discount::{self, Candidate};
use mortise_points::unit_price::{self, Offer};
use mortise_points::{Discount, ExtensionId, Point, UnitPrice};
use mortise_types::{Amount, Currency, LineId, Price, Quantity, Sku, Timestamp};
use proptest::prelude::*;

const LINES: usize = 4;

fn each(amount: i64) -> Price {
    Price::each(Amount(amount))
}

fn quoted() -> unit_price::Question {
    let line = |index: usize| unit_price::Line {
        line_id: LineId::nth(index),
        sku: Sku::new("jam").expect("a short text"),
        quantity: Quantity(1),
        list: each(500),
        current: each(500),
        floor: Some(each(100)),
        ceiling: Some(each(900)),
        attributes: vec![],
    };
    let currency = Currency::new("EUR").expect("a currency");
    let lines = (0..LINES).map(line).collect();
    unit_price::Question { currency, customer_group: None, trade_time: Timestamp::EPOCH, lines }
}

fn priced(amounts: [i64; LINES]) -> discount::Question {
    let line = |(index, amount): (usize, i64)| discount::Line {
        line_id: LineId::nth(index),
        sku: Sku::new("jam").expect("a short text"),
        quantity: Quantity(1),
        unit: each(amount),
        line_amount: Amount(amount),
        list_amount: None,
        attributes: vec![],
    };
    discount::Question {
        currency: Currency::new("EUR").expect("a currency"),
        customer_id: None,
        customer_group: None,
        coupons: vec![],
        trade_time: Timestamp::EPOCH,
        delivery_amount: Amount::ZERO,
        lines: amounts.into_iter().enumerate().map(line).collect(),
    }
}

fn line_id() -> impl Strategy<Value = String> {
    prop_oneof![8 => (1..=LINES).prop_map(|line| line.to_string()), 1 => any::<String>()]
}

fn reason() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-z ]{1,20}x", 1 => any::<String>()]
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..2_000_i64, 1 => any::<i64>()]
}

prop_compose! {
    fn offer()(line_id in line_id(), amount in amount(), per in prop_oneof![8 => 1..5_i64, 1 => any::<i64>()], reason in reason()) -> Offer {
        Offer { line_id, amount, per, reason }
    }
}

prop_compose! {
    fn candidate()(
        lane in prop_oneof![8 => Just("items".to_owned()), 1 => any::<String>()],
        stacking_group in prop::option::of(prop_oneof![8 => "[a-z]{1,5}", 1 => any::<String>()]),
        lines in prop::collection::vec(line_id(), 0..LINES),
        amount_off in amount(),
        reason in reason(),
    ) -> Candidate {
        Candidate { lane, stacking_group, lines, amount_off, reason }
    }
}

proptest! {
    #[test]
    fn prices_are_within_floor_and_ceiling_and_one_a_line(answers in prop::collection::vec(prop::collection::vec(offer(), 0..=LINES), 0..3)) {
        let question = quoted();
        let valid: Vec<_> = answers
            .into_iter()
            .filter_map(|offers| UnitPrice::revalidate(&question, offers).ok())
            .map(|valid| (ExtensionId::new("any", "1.0.0"), valid))
            .collect();
        let offered: HashSet<usize> = valid.iter().flat_map(|(_, offers)| offers.iter().map(|offer| offer.line_index)).collect();
        let won = UnitPrice::reduce(&question, valid);
        let lines: HashSet<_> = won.iter().map(|won| won.line_id.clone()).collect();
        prop_assert_eq!(lines.len(), won.len());
        prop_assert_eq!(won.len(), offered.len());
        for won in won {
            prop_assert!(won.price.compare_value(each(100)).is_ge() && won.price.compare_value(each(900)).is_le());
        }
    }

    #[test]
    fn a_valid_candidate_takes_no_more_than_its_lines_cost(
        amounts in prop::array::uniform4(amount()),
        candidates in prop::collection::vec(candidate(), 0..4),
    ) {
        let question = priced(amounts);
        for valid in Discount::revalidate(&question, candidates).unwrap_or_default() {
            let lines: HashSet<_> = valid.lines.iter().collect();
            prop_assert!(!lines.is_empty() && lines.len() == valid.lines.len());
            let taken = question.lines.iter().filter(|line| lines.contains(&line.line_id));
            let cost: i128 = taken.map(|line| i128::from(line.line_amount.minor())).sum();
            prop_assert!((1..=cost).contains(&i128::from(valid.amount_off.minor())));
        }
    }
}

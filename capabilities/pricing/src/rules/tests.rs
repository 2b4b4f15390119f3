//! The rules of pricing against tables of text. A case's input has an optional line `policy {json}`, a line an entry,
//! a line `ask QUANTITY [group=..] [channel=..]`, and an optional line `offer AMOUNT PER [floor|ceiling]`.

use std::collections::HashMap;

use mortise_points::ExtensionId;
use mortise_points::unit_price::{Bounded, Won};
use mortise_testkit::table;
use mortise_types::{Amount, LineId, Price, Quantity, Timestamp};
use proptest::prelude::*;

use super::*;

#[test]
fn tables() {
    table::run("tests/cases", answer);
}

fn answer(input: &str) -> String {
    let mut policy = PricingPolicy::default();
    let mut candidates = Vec::new();
    let (mut ask, mut offer) = (None, None);
    for line in input.lines() {
        match line.split_once(' ').expect("a word and its fields") {
            ("policy", json) => policy = serde_json::from_str(json).expect("a policy"),
            ("ask", fields) => ask = Some(fields),
            ("offer", fields) => offer = Some(fields),
            (list, fields) => candidates.push(candidate(list, fields)),
        }
    }
    let (quantity, fields) = words(ask.expect("a line `ask`"));
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let quantity = Quantity(quantity[0]);
    let asked = Asked { quantity, channel: field("channel"), customer_group: field("group") };
    let Some(mut decision) = decide(asked, &candidates, &policy, "v").expect("small figures") else {
        return "no price".to_owned();
    };
    if let Some(offer) = offer {
        take_offer(&mut decision, &won(offer), quantity, &policy).expect("small figures");
    }
    let mut out = format!("list {} = {}", decision.base.price, decision.list);
    for adjustment in &decision.adjustments {
        let kind = serde_json::to_string(&adjustment.kind).unwrap();
        out.push_str(&format!("\n{} {}: {}", kind.trim_matches('"'), adjustment.amount, adjustment.reason));
    }
    out.push_str(&format!("\npayable {}", decision.amount));
    out
}

fn words(text: &str) -> (Vec<i64>, HashMap<&str, &str>) {
    let (named, plain): (Vec<&str>, Vec<&str>) = text.split(' ').partition(|word| word.contains('='));
    let numbers = plain.iter().filter_map(|word| word.parse().ok()).collect();
    (numbers, named.into_iter().filter_map(|word| word.split_once('=')).collect())
}

/// `shelf 500 per 3 location=367 group=gold channel=web line=grocery min=10 priority=1 day=2 role=floor`
fn candidate(list: &str, fields: &str) -> Candidate {
    let (numbers, fields) = words(fields);
    let text = |name: &str| fields.get(name).map_or_else(String::new, |text| (*text).to_owned());
    let number = |name: &str, default: i64| fields.get(name).map_or(default, |text| text.parse().unwrap());
    let per = numbers.get(1).copied().unwrap_or(1);
    Candidate {
        role: match text("role").as_str() {
            "" => Role::Price,
            "floor" => Role::Floor,
            "ceiling" => Role::Ceiling,
            other => panic!("no role {other}"),
        },
        price_list: list.to_owned(),
        line: text("line"),
        location: text("location"),
        customer_group: text("group"),
        channel: text("channel"),
        min_quantity: Quantity(number("min", 1)),
        valid_from: Timestamp::from_millis(number("day", 0) * 86_400_000),
        priority: number("priority", 0),
        price: Price::new(Amount(numbers[0]), Quantity(per)).unwrap(),
    }
}

fn won(offer: &str) -> Won {
    let (numbers, _) = words(offer);
    Won {
        line_id: LineId::nth(0),
        price: Price::new(Amount(numbers[0]), Quantity(numbers[1])).unwrap(),
        bounded: match offer.split(' ').nth(2) {
            None => Bounded::AsOffered,
            Some("floor") => Bounded::RaisedToFloor,
            Some(_) => Bounded::LoweredToCeiling,
        },
        reason: "loyal".to_owned(),
        extension: ExtensionId::new("loyal-price", "1.0.0"),
    }
}

fn any_candidate() -> impl Strategy<Value = Candidate> {
    let scope = ("[ab]?", "[ab]?", "[ab]?", "[ab]?");
    let figures = (0..100_000_i64, 1..20_i64, 1..5_i64, 0..3_i64, 0..3_i64);
    (scope, figures, 0..4_u8, "[abc]").prop_map(
        |((line, location, group, channel), figures, role, price_list)| {
            let (amount, per, min, priority, day) = figures;
            Candidate {
                role: [Role::Price, Role::Price, Role::Floor, Role::Ceiling][usize::from(role)],
                price_list,
                line,
                location,
                customer_group: group,
                channel,
                min_quantity: Quantity(min),
                valid_from: Timestamp::from_millis(day),
                priority,
                price: Price::new(Amount(amount), Quantity(per)).unwrap(),
            }
        },
    )
}

proptest! {
    /// Whatever the order in which the database gives the entries, the same price holds; list price and adjustments
    /// always add up; the winner is never outranked.
    #[test]
    fn the_decision_is_sound_and_does_not_depend_on_the_order_of_rows(
        candidates in prop::collection::vec(any_candidate(), 1..12),
        quantity in 1..50_i64,
        every_price in any::<bool>(),
        lowest in any::<bool>(),
    ) {
        let policy = PricingPolicy {
            bounds: if every_price { Bounds::EveryPrice } else { Bounds::Extensions },
            winner: if lowest { Winner::LowestPrice } else { Winner::MostSpecific },
            ..PricingPolicy::default()
        };
        let asked = Asked { quantity: Quantity(quantity), channel: "a", customer_group: "b" };
        let turned: Vec<Candidate> = candidates.iter().rev().cloned().collect();
        let first = decide(asked, &candidates, &policy, "v").unwrap();
        let second = decide(asked, &turned, &policy, "v").unwrap();
        prop_assert_eq!(first.is_some(), second.is_some());
        if let (Some(first), Some(second)) = (first, second) {
            prop_assert_eq!(rank(first.winner, second.winner, &policy), Ordering::Equal);
            let sum = Amount::sum(first.adjustments.iter().map(|a| a.amount)).unwrap();
            prop_assert_eq!(first.list.checked_add(sum).unwrap(), first.amount);
            for other in candidates.iter().filter(|c| c.role == Role::Price && holds(c, asked)) {
                prop_assert_ne!(rank(other, first.winner, &policy), Ordering::Less);
            }
        }
    }
}

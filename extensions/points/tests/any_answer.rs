//! Whatever an extension answers, revalidation gives a fault or values within their bounds, and reducing them holds what
//! the shop has set. Over generated answers.

use std::collections::HashSet;

use mortise_points::bid_check::{self, Objection};
use mortise_points::discount::{self, Candidate};
use mortise_points::payment_risk::{self, Assessment, Recent};
use mortise_points::refund_check::{self, Cap, Kind, Refusal, Ruling};
use mortise_points::request_mapping::{self, Mapped};
use mortise_points::unit_price::{self, Offer};
use mortise_points::{
    BidCheck, Discount, ExtensionId, PaymentRisk, Point, RefundCheck, RequestMapping, UnitPrice,
};
use mortise_types::{
    Amount, AuctionId, Currency, CustomerId, LineId, OrderId, Price, Quantity, Scope, Sku, Timestamp,
};
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
    let (customer_id, customer_group) = (None, None);
    unit_price::Question { currency, customer_id, customer_group, trade_time: Timestamp::EPOCH, lines }
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

fn risky() -> payment_risk::Question {
    payment_risk::Question {
        currency: Currency::new("EUR").expect("a currency"),
        customer_id: CustomerId::new("ann").expect("an id"),
        amount: Amount(500),
        country: "DE".parse().expect("a country"),
        postal_code: String::new(),
        city: String::new(),
        collected: 0,
        refused: 0,
        last_hour: Recent::default(),
        last_day: Recent::default(),
        score: 0,
        trade_time: Timestamp::EPOCH,
    }
}

fn bid(maximum: i64) -> bid_check::Question {
    bid_check::Question {
        auction_id: AuctionId::new("a").expect("an id"),
        currency: Currency::new("EUR").expect("a currency"),
        customer_id: CustomerId::new("ann").expect("an id"),
        sku: Sku::new("jam").expect("a short text"),
        quantity: Quantity(1),
        starting_price: Amount(1),
        price: None,
        asking_price: Amount(1),
        own_maximum: None,
        amount: None,
        maximum: Amount(maximum),
        bids: 0,
        opens_at: Timestamp::EPOCH,
        closes_at: Timestamp::EPOCH,
        trade_time: Timestamp::EPOCH,
    }
}

fn returned(paid: [i64; LINES]) -> refund_check::Question {
    let line = |(index, paid): (usize, i64)| refund_check::Line {
        line_id: LineId::nth(index),
        sku: Sku::new("jam").expect("a short text"),
        bought: Quantity(1),
        returned: Quantity(1),
        reasons: vec![],
        paid: Amount(paid),
    };
    refund_check::Question {
        order_id: OrderId::new("o").expect("an id"),
        customer_id: CustomerId::new("ann").expect("an id"),
        currency: Currency::new("EUR").expect("a currency"),
        kind: Kind::Exchange,
        placed_at: Timestamp::EPOCH,
        returnable_from: Timestamp::EPOCH,
        trade_time: Timestamp::EPOCH,
        refund: Amount(0),
        lines: paid.into_iter().enumerate().map(line).collect(),
    }
}

fn mapped() -> request_mapping::Question {
    let scope = Scope::new("shop", "grocery", "api").expect("a scope");
    request_mapping::Question {
        flow: "buy".to_owned(),
        line: scope.line,
        channel: scope.channel,
        currency: Currency::new("EUR").expect("a currency"),
        customer_id: None,
        request_time: Timestamp::EPOCH,
        body: "{}".to_owned(),
    }
}

prop_compose! {
    fn ruling()(
        refusals in prop::collection::vec((line_id(), reason()), 0..3),
        caps in prop::collection::vec((line_id(), amount(), reason()), 0..LINES),
    ) -> Ruling {
        Ruling {
            refusals: refusals.into_iter().map(|(line_id, reason)| Refusal { line_id, reason }).collect(),
            caps: caps.into_iter().map(|(line_id, at_most, reason)| Cap { line_id, at_most, reason }).collect(),
        }
    }
}

proptest! {
    #[test]
    fn a_score_is_one_of_those_given_and_within_its_range(
        scores in prop::collection::vec((prop_oneof![8 => 0..=100_i64, 1 => any::<i64>()], reason()), 0..4),
    ) {
        let question = risky();
        let valid: Vec<_> = scores
            .into_iter()
            .filter_map(|(score, reason)| PaymentRisk::revalidate(&question, Assessment { score, reason }).ok())
            .map(|valid| (ExtensionId::new("any", "1.0.0"), valid))
            .collect();
        let highest = valid.iter().map(|(_, answer)| answer.score).max();
        let reduced = PaymentRisk::reduce(&question, valid);
        prop_assert_eq!(reduced.as_ref().map(|reduced| reduced.score), highest);
        prop_assert!(highest.is_none_or(|score| (0..=100).contains(&score)));
    }

    #[test]
    fn an_objection_asks_for_more_than_is_bid(
        maximum in amount(),
        objections in prop::collection::vec(prop::option::of((prop::option::of(amount()), reason())), 0..4),
    ) {
        let question = bid(maximum);
        let valid: Vec<_> = objections
            .into_iter()
            .map(|objection| objection.map(|(at_least, reason)| Objection { at_least, reason }))
            .filter_map(|objection| BidCheck::revalidate(&question, objection).ok())
            .map(|valid| (ExtensionId::new("any", "1.0.0"), valid))
            .collect();
        let objected = valid.iter().any(|(_, objection)| objection.is_some());
        let reduced = BidCheck::reduce(&question, valid);
        prop_assert_eq!(reduced.is_some(), objected);
        let least = reduced.and_then(|reduced| reduced.at_least);
        prop_assert!(least.is_none_or(|least| least.minor() > maximum && least.minor() <= bid_check::MAX_AMOUNT_MINOR));
    }

    #[test]
    fn a_cap_is_the_lowest_and_within_what_was_paid(
        paid in prop::array::uniform4(0..2_000_i64),
        rulings in prop::collection::vec(ruling(), 0..3),
    ) {
        let question = returned(paid);
        let valid: Vec<_> = rulings
            .into_iter()
            .filter_map(|ruling| RefundCheck::revalidate(&question, ruling).ok())
            .map(|valid| (ExtensionId::new("any", "1.0.0"), valid))
            .collect();
        let ruled = RefundCheck::reduce(&question, valid.clone());
        let lines: HashSet<_> = ruled.capped.iter().map(|capped| &capped.line_id).collect();
        prop_assert_eq!(lines.len(), ruled.capped.len());
        for capped in &ruled.capped {
            let index = question.lines.iter().position(|line| line.line_id == capped.line_id).expect("a line");
            let all = valid.iter().flat_map(|(_, ruling)| &ruling.caps).filter(|(line, ..)| *line == index);
            prop_assert_eq!(all.map(|(_, at_most, _)| *at_most).min(), Some(capped.at_most));
            prop_assert!((0..=paid[index]).contains(&capped.at_most.minor()));
        }
        let refused: HashSet<usize> = valid.iter().flat_map(|(_, ruling)| ruling.refusals.iter().map(|(line, _)| *line)).collect();
        prop_assert_eq!(refused.len(), ruled.refused.len());
    }

    #[test]
    fn an_input_is_an_object_whatever_text_comes(
        inputs in prop::collection::vec(prop_oneof![4 => "\\{(\"[a-z]\":[0-9]{1,25},?){0,3}\\}", 2 => "[\\[\\]{}:,\"0-9a-z]{0,40}", 1 => any::<String>()], 0..3),
    ) {
        let question = mapped();
        let answers = inputs.into_iter().map(|input| Some(Mapped { input, reason: "a cart".to_owned() }));
        let valid: Vec<_> = answers
            .filter_map(|answer| RequestMapping::revalidate(&question, answer).ok())
            .map(|valid| (ExtensionId::new("any", "1.0.0"), valid))
            .collect();
        let any = !valid.is_empty();
        let taken = RequestMapping::reduce(&question, valid);
        prop_assert_eq!(taken.is_some(), any);
        let fields = taken.map(|taken| taken.input.as_object().expect("an object").clone()).unwrap_or_default();
        prop_assert!(fields.values().all(|value| !value.is_u64() || value.is_i64()));
    }

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

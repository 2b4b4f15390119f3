//! The rules of discount against tables of text. A case's input is a line each: `policy {json}`, `promotion ID {json}`,
//! `item SKU QUANTITY AMOUNT [list=..] [location=..] [is=name=value]`, `fee KIND AMOUNT`, `sheet ID SKU OFF PER`,
//! `coupon CODE ID`, `group NAME`, `used ID COUNT AMOUNT`, `propose EXTENSION LANE LINES OFF [GROUP]`.

use std::collections::HashMap;

use mortise_points::ExtensionId;
use mortise_points::discount::{Proposed, ValidCandidate};
use mortise_testkit::table;
use mortise_types::{CustomerId, FeeId, FeeKind, LineId, LocationId, Quantity, Sku};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::contract::{self, Judged};
use crate::policy::{
    Base, Conditions, DiscountPolicy, GroupWinner, Lane, Several, SpreadDelivery, SpreadOver, UnitOrder,
};
use mortise_types::allocate::{Overflow, ResidualRule, ZeroWeights};
use mortise_types::{RateBp, RoundingLevel};

#[test]
fn tables() {
    table::run("tests/cases", answer);
}

#[derive(Default)]
struct Case {
    policy: DiscountPolicy,
    promotions: Vec<Promotion>,
    lines: Vec<ProofLine>,
    fees: Vec<ProofFee>,
    facts: Vec<Vec<Fact>>,
    sheets: HashMap<String, Vec<SheetEntry>>,
    coupons: Vec<(CouponCode, String)>,
    group: String,
    used: HashMap<String, Used>,
    proposals: Vec<Proposed>,
}

fn answer(input: &str) -> String {
    let mut case = Case::default();
    for line in input.lines() {
        if let Err(problem) = case.read(line) {
            return format!("invalid: {problem}");
        }
    }
    let customer = CustomerId::new("ann").unwrap();
    let (proof, judged) = case.evaluate(&customer);
    proof.check().expect("the proof proves its price");
    let mut out = String::new();
    for line in &proof.lines {
        out.push_str(&format!("{} {}:", line.line_id, line.sku));
        out.push_str(&part(line.list, &line.adjustments, line.payable));
    }
    for fee in &proof.fees {
        out.push_str(&format!("{}:", fee.fee_id));
        out.push_str(&part(fee.list, &fee.adjustments, fee.payable));
    }
    for judged in judged {
        let fate = serde_json::to_string(&judged.fate).unwrap();
        match judged.fate {
            contract::Fate::Applied => out.push_str(&format!("{} {}\n", judged.source, judged.amount)),
            _ => out.push_str(&format!("{} {}: {}\n", judged.source, fate.trim_matches('"'), judged.reason)),
        }
    }
    out
}

fn part(list: Amount, adjustments: &[mortise_types::Adjustment], payable: Amount) -> String {
    let steps = adjustments.iter().map(|a| format!(" {} {};", a.amount, a.reason));
    format!(" {list};{} = {payable}\n", steps.collect::<String>())
}

impl Case {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').expect("a word and its fields");
        let words: Vec<&str> = rest.split(' ').collect();
        match word {
            "policy" => self.policy = serde_json::from_str(rest).expect("a policy"),
            "promotion" => {
                let (id, fields) = rest.split_once(' ').expect("an id and its fields");
                let mut record = json!({ "promotion": id, "title": id, "currency": "EUR" });
                let fields: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(fields).expect("json");
                record.as_object_mut().unwrap().extend(fields);
                let record: contract::Promotion = serde_json::from_value(record).expect("a promotion");
                self.promotions.push(compile(&record, "grocery", 3)?);
            }
            "item" => self.item(&words),
            "fee" => self.fee(&words),
            "sheet" => self.sheets.entry(words[1].to_owned()).or_default().push(SheetEntry {
                promotion: words[0].to_owned(),
                line: "grocery".to_owned(),
                location: words.get(4).map_or_else(String::new, |location| (*location).to_owned()),
                valid_from: Timestamp::EPOCH,
                off: Price::new(Amount(number(words[2])), Quantity(number(words[3]))).unwrap(),
            }),
            "coupon" => self.coupons.push((CouponCode::new(words[0]).unwrap(), words[1].to_owned())),
            "group" => self.group = rest.to_owned(),
            "used" => {
                let all = Use { count: number(words[1]), amount: Amount(number(words[2])) };
                let customer = match words.get(4) {
                    Some(amount) => Use { count: number(words[3]), amount: Amount(number(amount)) },
                    None => Use::default(),
                };
                self.used.insert(words[0].to_owned(), Used { all, customer });
            }
            "propose" => self.proposals.push(Proposed {
                candidate: ValidCandidate {
                    lane: words[1].into(),
                    stacking_group: words.get(4).map(|group| (*group).into()),
                    lines: words[2].split(',').map(|line| LineId::new(line).unwrap()).collect(),
                    amount_off: Amount(number(words[3])),
                    reason: "proposed".to_owned(),
                },
                extension: ExtensionId::new(words[0], "1.2.0"),
            }),
            other => panic!("no word {other}"),
        }
        Ok(())
    }

    fn item(&mut self, words: &[&str]) {
        let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
        let (quantity, payable) = (Quantity(number(words[1])), Amount(number(words[2])));
        let list = named("list=").map_or(payable, |list| Amount(number(list)));
        let changed = mortise_types::Adjustment {
            kind: mortise_types::AdjustmentKind::PriceList,
            source: "vip".to_owned(),
            version: "1".to_owned(),
            lane: None,
            amount: payable.checked_sub(list).unwrap(),
            reason: "vip".to_owned(),
        };
        self.facts.push(words.iter().filter_map(|word| word.strip_prefix("is=")).map(fact).collect());
        self.lines.push(ProofLine {
            line_id: LineId::nth(self.lines.len()),
            sku: Sku::new(words[0]).unwrap(),
            quantity,
            location: named("location=").map(|location| LocationId::new(location).unwrap()),
            list_price: Price::new(list, quantity).unwrap(),
            list,
            adjustments: if list == payable { Vec::new() } else { vec![changed] },
            taxes: Vec::new(),
            payable,
        });
    }

    fn fee(&mut self, words: &[&str]) {
        let amount = Amount(number(words[1]));
        self.fees.push(ProofFee {
            fee_id: FeeId::new(words[0]).unwrap(),
            kind: if words[0].starts_with("delivery") { FeeKind::Delivery } else { FeeKind::Handling },
            parcel_id: None,
            list: amount,
            adjustments: Vec::new(),
            taxes: Vec::new(),
            payable: amount,
        });
    }

    fn evaluate(&self, customer: &CustomerId) -> (mortise_types::PriceProof, Vec<Judged>) {
        let opened = self.coupons.iter().map(|(code, promotion)| (promotion.as_str(), code)).collect();
        let order = Order {
            channel: "web",
            customer: Some(customer),
            customer_group: &self.group,
            now: Timestamp::from_millis(1),
            currency: Currency::new("EUR").unwrap(),
            lines: &self.lines,
            fees: &self.fees,
            facts: self.facts.iter().map(Vec::as_slice).collect(),
            sheets: self
                .lines
                .iter()
                .map(|line| self.sheets.get(line.sku.as_str()).map_or(&[][..], Vec::as_slice))
                .collect(),
            opened,
            used: self.used.iter().map(|(id, used)| (id.as_str(), *used)).collect(),
        };
        let outcome = evaluate(&order, &self.promotions, &self.proposals, &self.policy, Trace::Everything)
            .expect("small figures");
        (build_proof(&order, &outcome.applied, "discount:test").expect("small figures"), outcome.judged)
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn fact(text: &str) -> Fact {
    let (name, value) = text.split_once('=').expect("name=value");
    Fact { name: name.to_owned(), value: value.to_owned(), text: text.to_owned() }
}

#[test]
fn limits_leave_what_is_under_all_of_them() {
    let limits = Limits {
        amount: Some(Amount(100)),
        count: Some(3),
        customer_amount: Some(Amount(40)),
        customer_count: Some(2),
    };
    let used = |count, amount, own_count, own_amount| Used {
        all: Use { count, amount: Amount(amount) },
        customer: Use { count: own_count, amount: Amount(own_amount) },
    };
    assert_eq!(limits.left(used(0, 0, 0, 0)), Some(Amount(40)));
    assert_eq!(limits.left(used(2, 90, 1, 10)), Some(Amount(10)));
    assert_eq!(limits.left(used(3, 0, 0, 0)), None);
    assert_eq!(limits.left(used(0, 0, 2, 0)), None);
    let standing = |used| Standing { limits, used, ..Standing::default() };
    assert_eq!(exhausted(Amount(10), &standing(used(2, 90, 1, 10))), None);
    assert_eq!(
        exhausted(Amount(11), &standing(used(2, 90, 1, 10))),
        Some(contract::ExhaustedWhat::Promotion)
    );
    assert_eq!(
        exhausted(Amount(31), &standing(used(1, 10, 1, 10))),
        Some(contract::ExhaustedWhat::PromotionForCustomer)
    );
}

fn any_policy() -> impl Strategy<Value = DiscountPolicy> {
    let residual = prop_oneof![
        Just(ResidualRule::RoundThenFromLeft),
        Just(ResidualRule::LargestRemainder),
        Just(ResidualRule::FirstTakesRest),
        Just(ResidualRule::LastTakesRest)
    ];
    let level = prop_oneof![Just(RoundingLevel::Unit), Just(RoundingLevel::Line), Just(RoundingLevel::Order)];
    let several = prop_oneof![Just(Several::Stack), Just(Several::Best), Just(Several::BestPerLine)];
    let zero = prop_oneof![Just(ZeroWeights::Nothing), Just(ZeroWeights::Equal), Just(ZeroWeights::Refuse)];
    (residual, level, several, zero, any::<[bool; 6]>(), 0..9_000_i64).prop_map(
        |(residual, percent_level, several, zero_weights, switches, floor)| DiscountPolicy {
            lanes: vec![Lane { lane: "items".to_owned(), several }],
            several,
            residual,
            zero_weights,
            percent_level,
            floor_bp: RateBp(floor),
            percent_base: if switches[0] { Base::List } else { Base::Running },
            spread_by: if switches[1] { Base::List } else { Base::Running },
            spread_over: if switches[2] { SpreadOver::All } else { SpreadOver::Selected },
            spread_delivery: if switches[3] { SpreadDelivery::With } else { SpreadDelivery::Without },
            overflow: if switches[4] { Overflow::ToOthers } else { Overflow::Lost },
            stacking_group: if switches[5] { GroupWinner::Best } else { GroupWinner::First },
            conditions: if switches[0] { Conditions::Quoted } else { Conditions::Running },
            units: if switches[1] { UnitOrder::CheapestFirst } else { UnitOrder::AsListed },
            ..DiscountPolicy::default()
        },
    )
}

fn any_promotion() -> impl Strategy<Value = String> {
    let fields = prop_oneof![
        (1..10_000_i64).prop_map(|rate| format!(r#""target":"items","benefit":"percent","rate_bp":{rate}"#)),
        (1..10_000_i64).prop_map(|rate| format!(r#""target":"order","benefit":"percent","rate_bp":{rate}"#)),
        (1..10_000_i64)
            .prop_map(|rate| format!(r#""target":"delivery","benefit":"percent","rate_bp":{rate}"#)),
        (1..900_i64, 1..4_i64).prop_map(|(amount, per)| format!(
            r#""target":"items","benefit":"amount","amount":{amount},"per":{per}"#
        )),
        (1..900_i64).prop_map(|amount| format!(
            r#""target":"items","benefit":"amount","each":"together","amount":{amount}"#
        )),
        (1..5_000_i64).prop_map(|amount| format!(r#""target":"order","benefit":"amount","amount":{amount}"#)),
        (0..900_i64).prop_map(|amount| format!(
            r#""target":"items","benefit":"fixed_price","amount":{amount},"max_quantity":3"#
        )),
        (0..900_i64)
            .prop_map(|amount| format!(r#""target":"delivery","benefit":"fixed_price","amount":{amount}"#)),
    ];
    let group = prop_oneof![Just(""), Just(r#","stacking_group":"g""#), Just(r#","exclusive":"lane""#)];
    (fields, group, 0..3_i64, 1..2_000_i64).prop_map(|(fields, group, priority, most)| {
        format!(r#"{{{fields}{group},"priority":{priority},"max_amount":{most}}}"#)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is stacked on whatever, by whatever policy: the proof proves its price, no discount raises a price, no
    /// part sinks below its floor, a cap holds, of a stacking group at most one applies.
    #[test]
    fn every_price_is_proven_and_no_line_sinks_below_its_floor(
        policy in any_policy(),
        promotions in prop::collection::vec(any_promotion(), 0..6),
        items in prop::collection::vec((1..9_i64, 0..3_000_i64, 0..300_i64), 1..5),
        fee in 0..900_i64,
        proposed in 0..500_i64,
    ) {
        let mut case = Case { policy, ..Case::default() };
        for (index, promotion) in promotions.iter().enumerate() {
            prop_assert_eq!(case.read(&format!("promotion p{index} {promotion}")), Ok(()));
        }
        for (quantity, amount, above) in items {
            case.read(&format!("item sku {quantity} {amount} list={}", amount + above)).unwrap();
        }
        case.read(&format!("fee delivery {fee}")).unwrap();
        if proposed > 0 {
            case.read(&format!("propose ext items 1 {proposed} g")).unwrap();
        }
        let (proof, judged) = case.evaluate(&CustomerId::new("ann").unwrap());
        prop_assert_eq!(proof.check(), Ok(()));
        let mut by_source: HashMap<&str, i64> = HashMap::new();
        for line in &proof.lines {
            let floor = case.policy.floor_bp.of(line.list, mortise_types::Rounding::Up).unwrap();
            let discounts = line.adjustments.iter().filter(|a| a.source != "vip");
            let mut any = false;
            for adjustment in discounts {
                any = true;
                prop_assert!(adjustment.amount.is_negative(), "{adjustment:?}");
                *by_source.entry(&adjustment.source).or_default() -= adjustment.amount.minor();
            }
            prop_assert!(!any || line.payable >= floor, "{line:?} below {floor}");
        }
        for fee in &proof.fees {
            prop_assert!(!fee.payable.is_negative());
            for adjustment in &fee.adjustments {
                *by_source.entry(&adjustment.source).or_default() -= adjustment.amount.minor();
            }
        }
        for promotion in &case.promotions {
            let off = by_source.get(promotion.id.as_str()).copied().unwrap_or_default();
            prop_assert!(off <= promotion.max_amount.unwrap().minor(), "{} takes {off}", promotion.id);
        }
        let grouped = |judged: &&Judged| {
            judged.fate == contract::Fate::Applied
                && (judged.source.starts_with("ext@")
                    || case.promotions.iter().any(|p| p.id == judged.source && p.stacking_group.is_some()))
        };
        prop_assert!(judged.iter().filter(grouped).count() <= 1, "{judged:?}");
    }
}
